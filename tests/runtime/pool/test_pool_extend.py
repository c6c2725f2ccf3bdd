"""`annex extend` against an account."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from annex_lease.tags import format_time, parse_time
from tests.runtime.pool.pool_world import World, aws, deploy

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
    assert "; nothing was written" in done.out
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


@pytest.mark.parametrize("command", ["extend", "shorten", "renew"])
@pytest.mark.parametrize(
    ("words", "received"), [((), "neither"), (("--for", "2h", "--until", "2999-01-01T00:00:00Z"), "both")]
)
def test_without_an_end_or_with_two_aws_is_not_asked(
    world: World, monkeypatch: pytest.MonkeyPatch, command: str, words: tuple[str, ...], received: str
) -> None:
    """The input is refused first, also for an annex that is not deployed."""
    asked: list[str] = []
    monkeypatch.setattr(BaseClient, "_make_api_call", lambda *call: asked.append(call[1]))
    done = world.annex(command, "demo", *words)
    assert (done.exit_code, done.out, asked) == (2, "", [])
    assert done.err == f"error: received {received}: give exactly one of --for DURATION and --until TIME\n"


def test_extend_after_the_end(running: World) -> None:
    running.shift = timedelta(hours=8, seconds=1)
    done = running.annex("extend", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "an ended annex stays ended" in done.err
    assert "run `annex renew demo`" in done.err
    assert running.tag("demo", "annex:lease-until") is None


def test_extend_after_the_maximum_lifetime(running: World) -> None:
    running.shift = timedelta(hours=16, seconds=1)
    done = running.annex("extend", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "run `cdk destroy Annex-demo`, then `cdk deploy Annex-demo`" in done.err


def test_extend_an_annex_that_was_stopped_by_hand(running: World) -> None:
    """Its lease is valid, but an extension would keep instances alive that are draining."""
    client = aws().autoscaling
    client.update_auto_scaling_group(AutoScalingGroupName="Group-demo", MinSize=0, DesiredCapacity=0)
    client.suspend_processes(AutoScalingGroupName="Group-demo", ScalingProcesses=["Launch"])
    done = running.annex("extend", "demo", "--for", "9h")
    assert done.exit_code == 1
    assert "it was ended, or stopped by hand" in done.err
    assert running.tag("demo", "annex:lease-until") is None


def test_extend_without_a_valid_lease(running: World) -> None:
    tag = {"ResourceId": "Group-demo", "ResourceType": "auto-scaling-group", "Key": "annex:max-lifetime"}
    aws().autoscaling.delete_tags(Tags=[tag])  # type: ignore[list-item]
    done = running.annex("extend", "demo", "--for", "9h")
    assert done.exit_code == 1
    assert "the tags of group Group-demo declare no valid lease" in done.err
    assert "annex:max-lifetime is missing" in done.err
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


def test_extend_beyond_the_instance_hours(world: World) -> None:
    """The end is written, because with fewer instances the hours last longer. Used-up hours end the lease first."""
    deploy("demo", max_instance_hours=3)
    assert world.annex("credential", "push", "demo", "--token-command", world.issuer()).exit_code == 0
    until = format_time(created(world) + timedelta(hours=12))
    # The command's own check is the first that sees the instances and counts them.
    done = world.annex("extend", "demo", "--until", until)
    assert (done.exit_code, done.err) == (0, "")
    assert world.tag("demo", "annex:lease-until") == until
    end = world.tag("demo", "annex:lease-end")
    assert end
    assert abs(parse_time(end) - created(world) - timedelta(hours=1)) < timedelta(minutes=2)
