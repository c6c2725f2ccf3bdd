"""`annex shorten` against an account."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient

from annex_lease.tags import TAG_BUSY, TAG_END, TAG_OVERRIDES, TAG_UNTIL, format_time, group_tag, parse_time
from tests.runtime.pool.pool_world import World, aws, deploy

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
HOUR = timedelta(hours=1)


def start(world: World, **lease: Any) -> World:
    """An annex that was granted, with its end published."""
    deploy("demo", **lease)
    aws().secretsmanager.put_secret_value(SecretId="secret-demo", SecretString="token")
    assert world.annex("check", "demo").exit_code == 0
    world.checks.clear()
    return world


@pytest.fixture
def running(world: World) -> World:
    return start(world)


def created(world: World) -> datetime:
    moment = world.group("demo")["CreatedTime"]
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC).replace(microsecond=0)


def write(key: str, value: str) -> None:
    aws().autoscaling.create_or_update_tags(Tags=[group_tag(key, value).to_api("Group-demo")])  # type: ignore[list-item]


def set_busy() -> None:
    client = aws().autoscaling
    (group,) = client.describe_auto_scaling_groups(AutoScalingGroupNames=["Group-demo"])["AutoScalingGroups"]
    client.set_instance_protection(
        AutoScalingGroupName="Group-demo",
        InstanceIds=[each["InstanceId"] for each in group["Instances"]],
        ProtectedFromScaleIn=True,
    )


@pytest.mark.parametrize("hours", [0.5, 3, 7.99])
def test_shorten_until(running: World, hours: float) -> None:
    before, after = created(running) + 8 * HOUR, (created(running) + hours * HOUR).replace(microsecond=0)
    done = running.annex("shorten", "demo", "--until", format_time(after))
    assert (done.exit_code, done.err) == (0, "")
    assert f"demo: lease end {format_time(before)} -> {format_time(after)}\n" in done.out
    assert running.tag("demo", TAG_UNTIL) == running.tag("demo", TAG_END) == format_time(after)
    assert running.tag("demo", TAG_OVERRIDES) == f"{format_time(after)}@{format_time(before)}"
    assert running.checks == ["demo"]
    # The shorter end is kept to: everything is ended then, and not before.
    running.shift = after - datetime.now(UTC) - timedelta(seconds=30)
    assert "active" in running.annex("check", "demo").out
    running.shift += timedelta(minutes=1)
    assert "demo: draining" in running.annex("check", "demo").out
    assert running.group("demo")["DesiredCapacity"] == 0


def test_both_tags_are_written_in_one_call(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    running.checker_fails = True
    calls: list[list[str]] = []

    def call(client: object, operation: str, params: dict[str, list[dict[str, str]]]) -> object:
        if operation == "CreateOrUpdateTags":
            calls.append(sorted(tag["Key"] for tag in params["Tags"]))
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = running.annex("shorten", "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "is written, but the lease checker of annex demo failed" in done.err
    assert calls == [[TAG_OVERRIDES, TAG_UNTIL]]


def test_for_is_the_longest_time_from_now(running: World) -> None:
    assert running.annex("shorten", "demo", "--for", "2h").exit_code == 0
    written = running.tag("demo", TAG_UNTIL)
    assert written
    assert abs(parse_time(written) - datetime.now(UTC) - 2 * HOUR) < timedelta(seconds=30)
    # A repeated command, and a longer time, move nothing.
    for span in ("2h", "3h", "999999d"):
        running.shift += timedelta(seconds=2)
        done = running.annex("shorten", "demo", "--for", span)
        assert (done.exit_code, done.err) == (0, "")
        assert f"the lease already ends at {written}; nothing was written (`annex extend` lengthens it)" in done.out
        assert running.tag("demo", TAG_UNTIL) == written


def test_an_extension_is_shortened_and_extended_again(running: World) -> None:
    for verb, hours in (("extend", 12), ("shorten", 9), ("shorten", 2), ("extend", 3)):
        end = format_time(created(running) + hours * HOUR)
        assert running.annex(verb, "demo", "--until", end).exit_code == 0
        assert running.tag("demo", TAG_END) == end


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "exactly one of --for DURATION and --until TIME"),
        (("--for", "2h", "--until", "2999-01-01T00:00:00Z"), "exactly one of --for DURATION and --until TIME"),
        (("--for", "2"), "with units"),
        (("--for", "0s"), "longer than zero"),
        (("--until", "2999-01-01T00:00:00"), "with the offset from UTC"),
        (("--until", "2000-01-01T00:00:00Z"), "to end the lease now run `annex stop demo`"),
        (("--until", "9999-01-01T00:00:00Z"), "run `annex extend demo`"),
    ],
)
def test_refused_and_nothing_written(running: World, words: tuple[str, ...], said: str) -> None:
    done = running.annex("shorten", "demo", *words)
    assert done.exit_code == 2
    assert said in done.err
    assert done.err.count("error:") == 1
    assert running.tag("demo", TAG_UNTIL) is None
    assert running.checks == []


def test_to_lengthen_names_the_present_end(running: World) -> None:
    done = running.annex("shorten", "demo", "--until", format_time(created(running) + 9 * HOUR))
    assert done.exit_code == 2
    present = format_time(created(running) + 8 * HOUR)
    assert f"is later than the present end {present} and annex shorten never lengthens a lease" in done.err


def test_an_annex_that_ended_or_is_not_there(running: World) -> None:
    done = running.annex("shorten", "demo2", "--for", "1h")
    assert (done.exit_code, "cdk deploy Annex-demo2" in done.err) == (1, True)
    running.shift = 8 * HOUR + timedelta(seconds=1)
    done = running.annex("shorten", "demo", "--for", "1h")
    assert (done.exit_code, "annex demo has ended" in done.err) == (1, True)
    assert running.tag("demo", TAG_UNTIL) is None


@pytest.mark.parametrize("verb", ["extend", "shorten", "renew"])
def test_an_annex_of_which_a_destroy_began(running: World, verb: str) -> None:
    write("annex:closed", format_time(running.now()))
    done = running.annex(verb, "demo", "--for", "1h")
    assert done.exit_code == 1
    assert "annex demo is being destroyed: a destroy began" in done.err
    assert running.tag("demo", TAG_UNTIL) is running.tag("demo", "annex:lease-renewed") is None
    # One that was created again is as any other.
    write("annex:closed", "no")
    assert running.annex(verb, "demo", "--for", "1h").exit_code == 0


@pytest.fixture
def renewed(world: World) -> World:
    """A busy annex whose lease was renewed by an hour, half an hour before its end."""
    start(world, renew_seconds=3600)
    set_busy()
    world.shift = 7.5 * HOUR + timedelta(seconds=1)
    assert "RenewLease" in world.annex("check", "demo").out
    return world


def test_a_renewal_of_the_busy_annex_is_void(renewed: World) -> None:
    end = renewed.tag("demo", TAG_END)
    renewed.shift += timedelta(minutes=1)
    # Three quarters of an hour from now: not within half a renewal of the end, so it is not renewed again yet.
    done = renewed.annex("shorten", "demo", "--for", "45m")
    assert (done.exit_code, done.err) == (0, "")
    assert f"demo: the renewal of the busy annex to {end} is void\n" in done.out
    assert "if jobs run shortly before this end, the lease is renewed again" in done.out
    written = renewed.tag("demo", TAG_UNTIL)
    assert written
    assert end
    assert renewed.tag("demo", TAG_END) == written < end


def test_an_annex_that_is_not_renewed_says_nothing_of_it(running: World) -> None:
    assert "renew" not in running.annex("shorten", "demo", "--for", "1h").out


def test_back_to_the_very_end_that_was_renewed(renewed: World) -> None:
    """The renewal counts in place of exactly that end: a second before it, it does not."""
    renewed_end, _, unrenewed = str(renewed.tag("demo", TAG_BUSY)).partition("@")
    assert unrenewed == format_time(created(renewed) + 8 * HOUR)
    idle = aws().autoscaling
    ids = [each["InstanceId"] for each in renewed.group("demo")["Instances"]]  # type: ignore[attr-defined]
    idle.set_instance_protection(AutoScalingGroupName="Group-demo", InstanceIds=ids, ProtectedFromScaleIn=False)
    done = renewed.annex("shorten", "demo", "--until", unrenewed)
    assert (done.exit_code, done.err) == (0, "")
    before = format_time(parse_time(unrenewed) - timedelta(seconds=1))
    assert f"lease end {renewed_end} -> {before}\n" in done.out
    assert renewed.tag("demo", TAG_END) == before


def test_a_busy_annex_that_is_renewed_at_once_is_an_error(renewed: World) -> None:
    done = renewed.annex("shorten", "demo", "--for", "5m")
    assert done.exit_code == 1
    assert "jobs run, and the lease checker renewed the busy annex to" in done.err
    assert "run `annex stop demo`" in done.err


def test_the_end_by_instance_hours_may_come_first(world: World) -> None:
    start(world, max_instance_hours=3)
    until = format_time(created(world) + 5 * HOUR)
    done = world.annex("shorten", "demo", "--until", until)
    assert (done.exit_code, done.err) == (0, "")
    assert world.tag("demo", TAG_UNTIL) == until
    end = world.tag("demo", TAG_END)
    assert end
    assert abs(parse_time(end) - created(world) - HOUR) < timedelta(minutes=2)
