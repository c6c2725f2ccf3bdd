"""`annex credential push`: stored, granted, refused; the token appears in the secret only."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from annex_lease.tags import format_time
from annex_pool.token import stored_expiry
from tests.runtime.pool.pool_world import World, aws, deploy, make_secret, token

SCOPE = "condor:/ADVERTISE_STARTD condor:/ADVERTISE_MASTER"


def right(**claims: object) -> str:
    usual = {"sub": "annex-demo@example.edu", "iss": "example.edu", "scope": SCOPE, "exp": int(time.time()) + 8 * 3600}
    return token(**{**usual, **claims})


def nothing_stored(name: str) -> bool:
    return "VersionIdsToStages" not in aws().secretsmanager.describe_secret(SecretId=f"secret-{name}")


def test_push_stores_and_grants(world: World) -> None:
    deploy("demo")
    deploy("demo2")
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert (done.exit_code, done.err) == (0, "")
    stored = world.secret("demo")
    assert stored.count(".") == 2
    assert stored not in done.out
    assert "eyJ" not in done.out
    assert "demo: stored a token for annex-demo@example.edu, valid until 2" in done.out
    assert "demo: granted" in done.out
    assert len(world.group("demo")["Instances"]) == 3  # type: ignore[arg-type]
    assert world.group("demo2")["Instances"] == []
    assert nothing_stored("demo2")


def test_the_token_is_valid_for_the_maximum_lifetime_and_is_no_argument(world: World) -> None:
    deploy("demo")
    world.annex("credential", "push", "demo", "--token-command", world.issuer())
    *argv, lifetime = json.loads((world.folder / "argv").read_text())
    least = "-authz ADVERTISE_STARTD -authz ADVERTISE_MASTER"
    assert " ".join(argv) == f"-identity annex-demo@example.edu {least} -lifetime"
    assert 16 * 3600 - 60 < int(lifetime) < 16 * 3600


def test_push_may_be_repeated(world: World) -> None:
    deploy("demo")
    first = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    before = world.secret("demo")
    second = world.annex("credential", "push", "demo", "--token-command", world.issuer(jti="2"))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert world.secret("demo") != before
    assert len(world.group("demo")["Instances"]) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_push_a_token_issued_elsewhere(world: World, source: str) -> None:
    deploy("demo")
    (world.folder / "token").write_text(right() + "\n")
    name = "-" if source == "stdin" else str(world.folder / "token")
    done = world.annex("credential", "push", "demo", "--token-file", name, stdin=right() + "\n")
    assert (done.exit_code, done.err) == (0, "")
    assert world.secret("demo").endswith("c2VjcmV0LXNpZ25hdHVyZQ")


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"sub": "condor@example.edu"}, "identity"),
        ({"sub": "annex-demo2@example.edu"}, "identity"),
        ({"iss": "other.edu"}, "issuer"),
        ({"scope": None}, "scope"),
        ({"scope": f"{SCOPE} condor:/WRITE"}, "scope"),
        ({"exp": None}, "expiry"),
        ({"exp": int(time.time()) + 17 * 3600}, "maximum lifetime"),
        ({"exp": int(time.time()) - 1}, "expired"),
        ({"exp": int(time.time()) + 7 * 3600}, "execution points could not join until the end of the lease"),
    ],
)
@pytest.mark.parametrize("source", ["issued", "file"])
def test_a_wrong_token_is_refused_and_nothing_stored(
    world: World, source: str, claims: dict[str, object], said: str
) -> None:
    deploy("demo")
    if source == "issued":
        options = ["--token-command", world.issuer(**claims)]
    else:
        (world.folder / "token").write_text(right(**claims))
        options = ["--token-file", str(world.folder / "token")]
    done = world.annex("credential", "push", "demo", *options)
    assert done.exit_code == (1 if source == "issued" else 2)
    assert said in done.err
    assert "nothing was stored" in done.err
    assert "eyJ" not in done.err + done.out
    assert "Traceback" not in done.err
    assert nothing_stored("demo")
    assert world.checks == []
    assert world.group("demo")["Instances"] == []


@pytest.mark.parametrize("text", ["", "secret-password", "eyJhbGciOiJIUzI1NiJ9.secret"])
def test_a_file_without_a_token_is_refused_unseen(world: World, text: str) -> None:
    deploy("demo")
    done = world.annex("credential", "push", "demo", "--token-file", "-", stdin=text)
    assert done.exit_code == 2
    assert "nothing was stored" in done.err
    assert not text or text not in done.err + done.out


def test_not_deployed(world: World) -> None:
    deploy("demo2")
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert done.exit_code == 1
    assert "`cdk deploy Annex-demo` first; no instance is billed: EC2 lists none that carries its name" in done.err
    assert not (world.folder / "argv").exists()


def test_ended(world: World) -> None:
    deploy("demo")
    world.shift = timedelta(hours=16, seconds=1)
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert done.exit_code == 1
    assert "the maximum lifetime of annex demo ended" in done.err
    assert not (world.folder / "argv").exists()


def test_a_missing_secret_is_searched_for_several_times(world: World) -> None:
    deploy("demo", secret=False)
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert done.exit_code == 1
    assert "there is no secret of annex demo in us-east-1" in done.err
    assert len(world.slept) == 4


def test_a_second_secret_with_the_tag_is_no_guess(world: World) -> None:
    deploy("demo")
    aws().secretsmanager.create_secret(Name="other", Tags=[{"Key": "annex:name", "Value": "demo"}])
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert done.exit_code == 1
    assert "there are 2 instead of one secret of annex demo" in done.err
    assert nothing_stored("demo")


def test_a_failing_checker_is_an_error_after_storing(world: World) -> None:
    deploy("demo")
    world.checker_fails = True
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert done.exit_code == 1
    assert "the token is stored, but the lease checker of annex demo failed: boom" in done.err
    assert world.secret("demo")


def test_an_ended_annex_may_get_a_credential_and_stays_ended(world: World) -> None:
    deploy("demo")
    (world.folder / "token").write_text(right(exp=int(time.time()) + 10 * 3600))
    world.shift = timedelta(hours=8, seconds=1)
    done = world.annex("credential", "push", "demo", "--token-file", str(world.folder / "token"))
    assert (done.exit_code, done.err) == (0, "")
    assert "demo: draining" in done.out
    assert world.group("demo")["Instances"] == []


def test_the_name_of_the_version_holds_the_expiry(world: World) -> None:
    deploy("demo")
    world.annex("credential", "push", "demo", "--token-command", world.issuer())
    (version,) = aws().secretsmanager.describe_secret(SecretId="secret-demo")["VersionIdsToStages"]
    expires = stored_expiry(version)
    assert expires
    assert abs(expires - datetime.now(UTC) - timedelta(hours=16)) < timedelta(minutes=2)


def test_only_the_annexs_own_secret_gets_the_token(world: World) -> None:
    deploy("demo", annex_id="1.demo")
    make_secret("foreign", {"annex:name": "demo"})
    make_secret("other", {"annex:name": "demo", "annex:id": "2.demo"})
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert (done.exit_code, done.err) == (0, "")
    assert not nothing_stored("demo")
    for name in ("foreign", "other"):
        assert "VersionIdsToStages" not in aws().secretsmanager.describe_secret(SecretId=name)


def test_a_foreign_secret_alone_gets_nothing(world: World) -> None:
    deploy("demo", annex_id="1.demo", secret=False)
    make_secret("foreign", {"annex:name": "demo", "annex:id": "2.demo"})
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert done.exit_code == 1
    assert "there is no secret of annex demo" in done.err
    assert "VersionIdsToStages" not in aws().secretsmanager.describe_secret(SecretId="foreign")


def test_two_secrets_of_one_id_are_an_error(world: World) -> None:
    deploy("demo", annex_id="1.demo")
    make_secret("copy", {"annex:name": "demo", "annex:id": "1.demo"})
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert done.exit_code == 1
    assert "there are 2 instead of one secret of annex demo" in done.err
    assert nothing_stored("demo")


def test_a_renewal_that_moves_no_end_needs_a_token_until_the_present_one(world: World) -> None:
    deploy("demo")
    (world.folder / "token").write_text(right())
    assert world.annex("credential", "push", "demo", "--token-file", str(world.folder / "token")).exit_code == 0
    assert world.annex("renew", "demo", "--for", "1h").exit_code == 0
    lasting = world.annex("extend", "demo", "--until", format_time(world.now() + timedelta(hours=8, minutes=1)))
    assert (lasting.exit_code, lasting.err) == (0, ""), "within the tolerance"
    extended = world.annex("extend", "demo", "--for", "9h")
    assert extended.exit_code == 0
    assert "before the new end: no instance could join after that; run `annex credential push demo`" in extended.err
    done = world.annex("renew", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "before the end of the renewed lease" in done.err


def test_an_extension_is_done_although_the_secret_cannot_be_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy("demo")
    assert world.annex("credential", "push", "demo", "--token-command", world.issuer()).exit_code == 0
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def refused(client: object, operation: str, params: Mapping[str, Any]) -> object:
        if operation == "DescribeSecret":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)
        return call(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", refused)
    done = world.annex("extend", "demo", "--for", "9h")
    assert done.exit_code == 0
    assert "demo: lease end" in done.out
    assert "whether the stored token lasts until the new end is not known" in done.err
