"""Rights of an annex's stolen token: it can advertise, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.operator import Operator
from lab.steps import wait_for
from tests.e2e.aws_clients import client

SPEC = '[annex.token]\nsize = 1\nlease = "10m"\nmax_lifetime = "30m"\n'
LEVELS = ("READ", "WRITE", "NEGOTIATOR", "ADMINISTRATOR", "CONFIG", "DAEMON", "ADVERTISE_STARTD", "ADVERTISE_SCHEDD",
          "ADVERTISE_MASTER")  # fmt: skip


Thief = Callable[..., str]


@pytest.fixture(scope="module")
def thief(operator_of: Callable[[str], Operator], tmp_path_factory: pytest.TempPathFactory) -> Thief:
    """Runs condor_ping with only the token from Secrets Manager, as on an instance."""
    operator = operator_of(SPEC)
    operator.cdk("deploy", "Annex-token", "--require-approval", "never")
    operator.annex("credential", "push", "token")
    (secret,) = client("secretsmanager").list_secrets()["SecretList"]
    token = client("secretsmanager").get_secret_value(SecretId=secret["ARN"])["SecretString"]
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
        # With these the pool's own root could authenticate itself.
        "SEC_PASSWORD_DIRECTORY = /root/loot/none\n"
    )

    def steal(*words: str, stdin: str = "") -> str:
        root = ["chroot", "/run/annex-lab/pool", "env", "CONDOR_CONFIG=/root/loot/condor_config"]
        return operator.run(*root, *words, stdin=stdin, check=False)

    return steal


def allowed(table: str) -> set[str]:
    rows = {line.split()[0]: line for line in table.splitlines() if line.split() and line.split()[0] in LEVELS}
    assert set(rows) == set(LEVELS), f"no answer about every level: {table!r}"
    return {level for level, row in rows.items() if "ALLOW" in row}


def test_the_collector_lets_it_advertise_and_read_only(thief: Thief) -> None:
    # The pool allows READ to all (ALLOW_READ = * of `use security:recommended`); the token itself does not carry READ.
    assert allowed(thief("condor_ping", "-table", "-type", "collector", *LEVELS)) == {
        "READ",
        "ADVERTISE_STARTD",
        "ADVERTISE_MASTER",
    }


def test_the_schedd_lets_it_do_nothing(thief: Thief) -> None:
    # A schedd takes no ads: there the two authorisations have no effect.
    table = thief("condor_ping", "-table", "-type", "schedd", "-name", "cm.pool.lab", *LEVELS)
    assert allowed(table) - {"ADVERTISE_STARTD", "ADVERTISE_MASTER"} == {"READ"}, table


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("slot1@i-0.annex-token.pool.lab", True),
        ("slot1@i-0.annex-other.pool.lab", False),
        ("slot1@node17.pool.lab", False),
        ("slot1@annex-token.pool.lab.evil", False),
    ],
)
def test_it_cannot_pose_as_another_machine(thief: Thief, name: str, accepted: bool) -> None:
    ad = f'MyType = "Machine"\nName = "{name}"\nMyAddress = "<198.18.0.10:1>"\nState = "Unclaimed"\n'
    said = thief("sh", "-c", "condor_advertise UPDATE_STARTD_AD - 2>&1", stdin=ad)
    listed = wait_for("answer of the collector", 60, lambda: thief("condor_status", "-any", "-af", "Name").split())
    assert (name in listed) is accepted, said


def test_it_cannot_be_traded_for_another_token(thief: Thief) -> None:
    said = thief("condor_token_fetch", "-type", "COLLECTOR")
    assert "eyJ" not in said, "a token came back"
