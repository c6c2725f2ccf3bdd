"""`annex extend` and `annex stop` against an account."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from pool_world import World, aws, deploy

from annex_lease.contract import format_time, parse_time

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]


@pytest.fixture
def running(world: World) -> World:
    deploy("demo")
    deploy("demo2", size=1)
    for name in ("demo", "demo2"):
        assert world.annex("credential", "push", name, "--token-command", world.issuer()).exit_code == 0
    world.checks.clear()
    return world


def created(world: World) -> datetime:
    moment = world.group("demo")["CreatedTime"]
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC).replace(microsecond=0)


def deny(monkeypatch: pytest.MonkeyPatch, *operations: str) -> None:
    """AWS refuses these operations."""

    def call(client: object, operation: str, params: object) -> object:
        if operation in operations:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, operation)
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


def test_extend_until(running: World) -> None:
    before, after = created(running) + timedelta(hours=8), created(running) + timedelta(hours=12)
    done = running.annex("extend", "demo", "--until", format_time(after))
    assert (done.exit_code, done.err) == (0, "")
    assert f"demo: lease end {format_time(before)} -> {format_time(after)}" in done.out
    assert running.tag("demo", "annex:lease-until") == format_time(after)
    assert running.tag("demo", "annex:lease-end") == format_time(after)
    assert running.tag("demo2", "annex:lease-until") is None
    assert running.checks == ["demo"]
    tags = running.group("demo")["Tags"]
    assert [tag["PropagateAtLaunch"] for tag in tags if tag["Key"] == "annex:lease-until"] == [False]  # type: ignore[attr-defined]


def test_extend_for_counts_from_now(running: World) -> None:
    assert running.annex("extend", "demo", "--for", "10h").exit_code == 0
    written = running.tag("demo", "annex:lease-until")
    assert written
    assert abs(parse_time(written) - datetime.now(UTC) - timedelta(hours=10)) < timedelta(seconds=30)


def test_extend_for_less_than_is_left_writes_nothing(running: World) -> None:
    done = running.annex("extend", "demo", "--for", "2h")
    assert (done.exit_code, done.err) == (0, "")
    assert "already; nothing was written" in done.out
    assert running.tag("demo", "annex:lease-until") is None
    assert running.checks == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "exactly one of --for DURATION and --until TIME"),
        (("--for", "2h", "--until", "2999-01-01T00:00:00Z"), "exactly one of --for DURATION and --until TIME"),
        (("--for", "2"), "with units"),
        (("--until", "2999-01-01T00:00:00"), "with the offset from UTC"),
        (("--until", "2000-01-01T00:00:00Z"), "annex stop demo"),
        (("--until", "9999-01-01T00:00:00Z"), "the latest possible is"),
        (("--for", "17h"), "the latest possible is"),
    ],
)
def test_extend_refuses(running: World, words: tuple[str, ...], said: str) -> None:
    done = running.annex("extend", "demo", *words)
    assert done.exit_code == 2
    assert said in done.err
    assert done.err.count("error:") == 1
    assert running.tag("demo", "annex:lease-until") is None


def test_extend_after_the_end(running: World) -> None:
    running.shift = timedelta(hours=8, seconds=1)
    done = running.annex("extend", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "an ended annex stays ended" in done.err
    assert "run `annex renew demo`" in done.err
    assert running.tag("demo", "annex:lease-until") is None


def test_extend_beyond_the_reach_of_what_ended(running: World) -> None:
    running.shift = timedelta(hours=16, seconds=1)
    done = running.annex("extend", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "run `cdk destroy Annex-demo`, then `cdk deploy Annex-demo`" in done.err


def test_extend_what_was_stopped_by_hand(running: World) -> None:
    """Its lease is valid, and still an extension would keep alive what is being drained."""
    client = aws().autoscaling
    client.update_auto_scaling_group(AutoScalingGroupName="Group-demo", MinSize=0, DesiredCapacity=0)
    client.suspend_processes(AutoScalingGroupName="Group-demo", ScalingProcesses=["Launch"])
    done = running.annex("extend", "demo", "--for", "9h")
    assert done.exit_code == 1
    assert "it was ended, or stopped by hand" in done.err
    assert running.tag("demo", "annex:lease-until") is None


def test_extend_an_annex_that_is_not_there(world: World) -> None:
    assert "cdk deploy Annex-demo" in world.annex("extend", "demo", "--for", "9h").err


def test_extend_with_a_dead_checker_says_that_the_end_is_written(running: World) -> None:
    running.checker_fails = True
    done = running.annex("extend", "demo", "--for", "9h")
    assert done.exit_code == 1
    assert "is written, but the lease checker of annex demo failed" in done.err
    assert running.tag("demo", "annex:lease-until")


def test_extend_that_is_denied(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, "CreateOrUpdateTags")
    done = running.annex("extend", "demo", "--for", "9h")
    assert done.exit_code == 1
    assert (
        "AWS was asked to write the end of the lease on group Group-demo and refused: AccessDenied: not you" in done.err
    )
    assert running.checks == []


@pytest.mark.parametrize("checker_fails", [False, True])
def test_stop(running: World, checker_fails: bool) -> None:
    running.checker_fails = checker_fails
    done = running.annex("stop", "demo")
    assert done.exit_code == (1 if checker_fails else 0)
    assert ("failed: boom" in done.err) == checker_fails
    assert "demo: no instance is left" in done.out
    group = running.group("demo")
    assert (group["MinSize"], group["DesiredCapacity"], group["Instances"]) == (0, 0, [])
    until = running.tag("demo", "annex:lease-until")
    assert until
    assert parse_time(until) <= datetime.now(UTC)
    assert len(running.group("demo2")["Instances"]) == 1  # type: ignore[arg-type]


def test_stop_takes_protected_instances_too(running: World) -> None:
    client = aws().autoscaling
    ids = [each["InstanceId"] for each in running.group("demo")["Instances"]]  # type: ignore[attr-defined]
    client.set_instance_protection(AutoScalingGroupName="Group-demo", InstanceIds=ids, ProtectedFromScaleIn=True)
    running.checker_fails = True
    # moto does not go on with a scale-in once protection is gone, as Auto Scaling does.
    running.on_sleep = lambda: client.update_auto_scaling_group(AutoScalingGroupName="Group-demo", DesiredCapacity=0)
    running.annex("stop", "demo")
    assert running.group("demo")["Instances"] == []


def test_stop_goes_on_when_single_steps_are_denied(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, "CreateOrUpdateTags", "SuspendProcesses")
    running.checker_fails = True
    done = running.annex("stop", "demo")
    assert done.exit_code == 1
    assert done.err.count("error:") == 3
    assert running.group("demo")["Instances"] == []


def test_stop_waits_and_says_what_is_left(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, "UpdateAutoScalingGroup")
    running.checker_fails = True
    done = running.annex("stop", "demo", "--wait-for", "12s")
    assert done.exit_code == 1
    assert running.slept == [5.0, 5.0, 5.0]
    assert done.out.count("3 instances left: 3 InService") == 1
    assert "still there: i-" in done.err


def test_stop_notices_when_the_last_one_goes(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, "UpdateAutoScalingGroup")
    running.checker_fails = True

    def allow() -> None:
        monkeypatch.setattr(BaseClient, "_make_api_call", REAL_CALL)
        aws().autoscaling.update_auto_scaling_group(AutoScalingGroupName="Group-demo", DesiredCapacity=0)

    running.on_sleep = allow
    done = running.annex("stop", "demo")
    assert "3 instances left" in done.out
    assert "no instance is left" in done.out
    assert len(running.slept) == 1


def test_stop_without_waiting(running: World) -> None:
    done = running.annex("stop", "demo", "--no-wait")
    assert (done.exit_code, done.err, running.slept) == (0, "", [])


def test_stop_of_an_ended_annex_moves_nothing(running: World) -> None:
    running.shift = timedelta(hours=9)
    assert running.annex("stop", "demo").exit_code == 0
    assert running.tag("demo", "annex:lease-until") is None
    assert running.annex("stop", "demo").exit_code == 0
