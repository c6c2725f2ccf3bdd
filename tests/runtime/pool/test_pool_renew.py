"""`annex renew`: an annex that ended, was stopped or shrank gets its declared size again."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from annex_lease.tags import format_time, parse_time
from tests.runtime.pool.pool_world import World, aws, deploy, token

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
HOUR = timedelta(hours=1)


@pytest.fixture
def running(world: World) -> World:
    deploy("demo")
    assert world.annex("credential", "push", "demo", "--token-command", world.issuer()).exit_code == 0
    return world


@pytest.fixture
def ended(running: World) -> World:
    running.shift = 8 * HOUR + timedelta(seconds=1)
    assert running.annex("check", "demo").exit_code == 0
    assert instances(running) == 0
    running.checks.clear()
    return running


def instances(world: World) -> int:
    return len(world.group("demo")["Instances"])  # type: ignore[arg-type]


def launch_is_suspended(world: World) -> bool:
    processes: Any = world.group("demo")["SuspendedProcesses"]
    return "Launch" in {process["ProcessName"] for process in processes}


def nothing_written(world: World) -> bool:
    return world.tag("demo", "annex:lease-renewed") is None and world.tag("demo", "annex:lease-until") is None


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Mapping[str, Any]]]:
    calls: list[tuple[str, Mapping[str, Any]]] = []

    def call(client: object, operation: str, params: Mapping[str, Any]) -> object:
        calls.append((operation, params))
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return calls


def test_an_ended_annex_has_its_size_again(ended: World) -> None:
    assert launch_is_suspended(ended)
    done = ended.annex("renew", "demo", "--for", "2h")
    assert (done.exit_code, done.err) == (0, "")
    assert "demo: renewed; lease end" in done.out
    assert instances(ended) == 3
    assert not launch_is_suspended(ended)
    until, mark, granted = (ended.tag("demo", f"annex:{key}") for key in ("lease-until", "lease-renewed", "granted"))
    assert until
    assert abs(parse_time(until) - ended.now() - 2 * HOUR) < timedelta(seconds=30)
    assert granted == f"3@{mark}"
    assert ended.checks == ["demo"]


def test_both_tags_are_written_in_one_call_and_not_propagated(ended: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended.checker_fails = True
    calls = recorded(monkeypatch)
    done = ended.annex("renew", "demo", "--for", "2h")
    assert done.exit_code == 1
    assert "the renewal is written, but the lease checker of annex demo failed: boom" in done.err
    (written,) = [params for operation, params in calls if operation == "CreateOrUpdateTags"]
    assert {tag["Key"] for tag in written["Tags"]} == {
        *("annex:lease-renewed", "annex:lease-until", "annex:lease-overrides")
    }
    assert not any(tag["PropagateAtLaunch"] for tag in written["Tags"])
    assert [operation for operation, _ in calls if not operation.startswith(("Describe", "Get"))] == [
        "CreateOrUpdateTags"
    ]


def test_to_repeat_it_starts_nothing_more(ended: World) -> None:
    first = ended.annex("renew", "demo", "--for", "2h")
    mark = ended.tag("demo", "annex:lease-renewed")
    second = ended.annex("renew", "demo", "--for", "2h")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert instances(ended) == 3
    assert ended.tag("demo", "annex:lease-renewed") != mark


def test_a_running_annex_grows_back_and_its_lease_is_not_shortened(running: World) -> None:
    client = aws().autoscaling
    client.update_auto_scaling_group(AutoScalingGroupName="Group-demo", DesiredCapacity=1)
    assert instances(running) == 1
    done = running.annex("renew", "demo", "--for", "1h")
    assert (done.exit_code, done.err) == (0, "")
    assert instances(running) == 3
    assert running.tag("demo", "annex:lease-until") is None
    assert running.annex("renew", "demo", "--for", "12h").exit_code == 0
    until = running.tag("demo", "annex:lease-until")
    assert until
    assert parse_time(until) > datetime.now(UTC) + 11 * HOUR
    shorter = running.annex("renew", "demo", "--until", format_time(datetime.now(UTC) + HOUR))
    assert shorter.exit_code == 2
    assert "annex renew never shortens a lease" in shorter.err


def test_an_annex_that_was_stopped(running: World) -> None:
    assert running.annex("stop", "demo").exit_code == 0
    assert instances(running) == 0
    assert "run `annex renew demo`" in running.annex("extend", "demo", "--for", "9h").err
    assert instances(running) == 0
    running.shift += timedelta(seconds=5)
    assert running.annex("renew", "demo", "--for", "1h").exit_code == 0
    assert instances(running) == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "exactly one of --for DURATION and --until TIME"),
        (("--for", "9h"), 2, "exceeds the maximum lifetime of annex demo: the latest possible is"),
        (("--until", "2000-01-01T00:00:00Z"), 2, "is not later than now"),
        (("--until", "2999-01-01T00:00:00"), 2, "with the offset from UTC"),
    ],
)
def test_refused_and_nothing_written(ended: World, words: tuple[str, ...], code: int, said: str) -> None:
    done = ended.annex("renew", "demo", *words)
    assert done.exit_code == code
    assert said in done.err
    assert done.err.count("error:") == 1
    assert nothing_written(ended)
    assert ended.checks == []


def test_after_the_maximum_lifetime(ended: World) -> None:
    ended.shift = 16 * HOUR + timedelta(seconds=1)
    done = ended.annex("renew", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "the maximum lifetime of annex demo ended" in done.err
    assert nothing_written(ended)


def test_what_was_never_deployed(world: World) -> None:
    done = world.annex("renew", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "annex demo is not deployed in us-east-1: run `cdk deploy Annex-demo` first" in done.err


def test_without_a_credential(world: World) -> None:
    deploy("demo")
    done = world.annex("renew", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "the credential of annex demo has no value: run `annex credential push demo`" in done.err
    assert nothing_written(world)


def test_with_a_credential_that_waits_for_its_deletion(ended: World) -> None:
    (secret,) = aws().secretsmanager.list_secrets()["SecretList"]
    aws().secretsmanager.delete_secret(SecretId=secret["ARN"], RecoveryWindowInDays=7)
    done = ended.annex("renew", "demo", "--for", "1h")
    assert done.exit_code == 1
    restore = f"aws secretsmanager restore-secret --region us-east-1 --secret-id {secret['ARN']}"
    assert f"waits for its deletion: restore it with `{restore}`" in done.err
    assert "credential push" not in done.err
    assert nothing_written(ended)
    aws().secretsmanager.restore_secret(SecretId=secret["ARN"])
    assert ended.annex("renew", "demo", "--for", "1h").exit_code == 0


@pytest.mark.parametrize(
    ("hours", "refusal"),
    [(8, "demo expired at"), (8.5, "before the end of the renewed lease"), (9, "")],
)
def test_with_a_credential_that_does_not_last(world: World, hours: float, refusal: str) -> None:
    deploy("demo")
    scope = "condor:/ADVERTISE_STARTD condor:/ADVERTISE_MASTER"
    exp = int(datetime.now(UTC).timestamp()) + int(hours * 3600)
    text = token(sub="annex-demo@example.edu", iss="example.edu", scope=scope, exp=exp)
    (world.folder / "token").write_text(text)
    assert world.annex("credential", "push", "demo", "--token-file", str(world.folder / "token")).exit_code == 0
    world.shift = 8 * HOUR + timedelta(seconds=1)
    assert world.annex("check", "demo").exit_code == 0
    done = world.annex("renew", "demo", "--for", "1h")
    assert done.exit_code == (1 if refusal else 0)
    assert refusal in done.err
    assert ("run `annex credential push demo`" in done.err) == bool(refusal)
    assert nothing_written(world) == bool(refusal)
    assert instances(world) == (0 if refusal else 3)


def test_with_its_instance_hours_used_up(world: World) -> None:
    deploy("demo", max_instance_hours=3)
    assert world.annex("credential", "push", "demo", "--token-command", world.issuer()).exit_code == 0
    for passed in (timedelta(minutes=1), HOUR + timedelta(minutes=1)):
        # What the first check sees is counted.
        world.shift = passed
        assert world.annex("check", "demo").exit_code == 0
    assert instances(world) == 0
    done = world.annex("renew", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "raise max_instance_hours in the spec, run `cdk deploy Annex-demo`, then renew it" in done.err
    assert nothing_written(world)


def test_a_refusal_of_aws(ended: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(client: object, operation: str, params: object) -> object:
        if operation == "CreateOrUpdateTags":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, operation)
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = ended.annex("renew", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "AWS was asked to write the renewal on group Group-demo and refused: AccessDenied: not you" in done.err
    assert ended.checks == []


def test_interrupted_before_the_checker_is_asked(ended: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at any moment leaves both tags or none; the checker's next run does the rest."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(World, "_check", interrupt)
    assert ended.annex("renew", "demo", "--for", "2h").exit_code != 0
    assert ended.tag("demo", "annex:lease-renewed")
    assert ended.tag("demo", "annex:lease-until")
    monkeypatch.undo()
    assert ended.annex("check", "demo").exit_code == 0
    assert instances(ended) == 3


def test_a_checker_that_does_not_grant(ended: World) -> None:
    aws().autoscaling.update_auto_scaling_group(AutoScalingGroupName="Group-demo", MaxSize=2)
    done = ended.annex("renew", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "the renewal is written, but the lease checker reports the annex as waiting" in done.err
    assert "above the group's MaxSize 2" in done.err
