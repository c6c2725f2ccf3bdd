"""The token that an annex gets, in the hands of a thief: it can advertise, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from lab.operator import Operator

SPEC = '[annex.token]\nsize = 1\nlease = "10m"\nreach = "30m"\n'
LEVELS = ("READ", "WRITE", "NEGOTIATOR", "ADMINISTRATOR", "CONFIG", "DAEMON", "ADVERTISE_STARTD", "ADVERTISE_SCHEDD",
          "ADVERTISE_MASTER")  # fmt: skip


@pytest.fixture(scope="module")
def thief(operator_of: Callable[[str], Operator], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs condor_ping with nothing but the token that is in Secrets Manager, as an instance finds it."""
    operator = operator_of(SPEC)
    operator.cdk("deploy", "Annex-token", "--require-approval", "never")
    operator.annex("credential", "push", "token")
    (secret,) = boto3.client("secretsmanager").list_secrets()["SecretList"]
    token = boto3.client("secretsmanager").get_secret_value(SecretId=secret["ARN"])["SecretString"]
    operator.cdk("destroy", "Annex-token", "--force")
    loot = Path("/run/annex-lab/pool/root/loot")
    (loot / "tokens.d").mkdir(parents=True)
    (loot / "tokens.d/annex").write_text(token)
    (loot / "tokens.d/annex").chmod(0o600)
    configuration = loot / "condor_config"
    configuration.write_text(
        "COLLECTOR_HOST = cm.pool.lab\nTRUST_DOMAIN = pool.lab\nNETWORK_HOSTNAME = thief\n"
        "SEC_TOKEN_DIRECTORY = /root/loot/tokens.d\nSEC_TOKEN_SYSTEM_DIRECTORY = /root/loot/tokens.d\n"
        "SEC_CLIENT_AUTHENTICATION_METHODS = IDTOKENS\nSEC_CLIENT_AUTHENTICATION = REQUIRED\n"
        # What the pool's own root could otherwise prove itself with.
        "SEC_PASSWORD_DIRECTORY = /root/loot/none\n"
    )

    def ping(kind: str, *levels: str) -> str:
        return operator.run("chroot", "/run/annex-lab/pool", "env", "CONDOR_CONFIG=/root/loot/condor_config",
                            "condor_ping", "-table", "-type", kind, *levels, check=False)  # fmt: skip

    return ping


def allowed(table: str) -> set[str]:
    rows = [line.split() for line in table.splitlines()]
    return {row[0] for row in rows if row and row[0] in LEVELS and "ALLOW" in row}


def test_the_collector_lets_it_advertise_and_read_only(thief: Callable[..., str]) -> None:
    table = thief("collector", *LEVELS)
    # The pool lets anybody read (ALLOW_READ = * of `use security:recommended`); the token itself does not carry READ.
    assert allowed(table) - {"READ"} == {"ADVERTISE_STARTD", "ADVERTISE_MASTER"}, table


def test_the_schedd_lets_it_do_nothing(thief: Callable[..., str]) -> None:
    table = thief("schedd", *LEVELS)
    assert allowed(table) <= {"READ", "ADVERTISE_STARTD", "ADVERTISE_MASTER"}, table
