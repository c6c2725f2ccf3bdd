"""Ends of a lease in an AWS in process: override and deployment, caps, scheduled actions."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from annex_lease.checker import CheckError
from annex_lease.tags import format_time
from tests.runtime.lease.lease_cloud import HOUR, MINUTE, Cloud, fail


def test_an_override_beyond_the_cap_lasts_until_the_cap(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.write(group, "annex:lease-until", "9999-12-31T23:59:59Z")
    result = cloud.check(group, created)
    assert result["end"] == format_time(created + 2 * HOUR)
    assert "is after the maximum lifetime" in str(result["record_problems"])
    assert cloud.check(group, created + HOUR)["phase"] == "active"
    assert cloud.check(group, created + 2 * HOUR)["phase"] == "draining"
    assert cloud.running(group) == []


def test_a_cap_of_the_function_is_stronger_than_the_tag(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.environ.update(ANNEX_MAX_LIFETIME_SECONDS="1800", ANNEX_SIZE="1", ANNEX_MAX_INSTANCE_HOURS="")
    cloud.write(group, "annex:max-lifetime", "31622400")
    cloud.write(group, "annex:size", "9")
    cloud.write(group, "annex:lease-until", format_time(created + HOUR))
    assert cloud.check(group, created)["end"] == format_time(created + HOUR / 2)
    assert len(cloud.running(group)) == 1
    cloud.check(group, created + HOUR / 2)
    assert cloud.running(group) == []


def test_an_override_by_hand_is_void_after_a_deployment(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.write(group, "annex:lease-until", format_time(created + 1.5 * HOUR))
    cloud.check(group, created)
    assert cloud.tags(group)["annex:lease-overrides"] == (
        f"{format_time(created + 1.5 * HOUR)}@{format_time(created + HOUR)}"
    )
    cloud.write(group, "annex:lease-duration", "1800")
    result = cloud.check(group, created + MINUTE)
    assert result["end"] == format_time(created + HOUR / 2)
    assert "is void: a deployment changed the declared end" in str(result["lease"])


def scheduled(cloud: Cloud, group: str) -> dict[str, tuple[datetime, int, int | None, int]]:
    """Scheduled actions of the group: start, minimum, maximum, desired capacity."""
    found = cloud.clients.autoscaling.describe_scheduled_actions(AutoScalingGroupName=group)
    return {
        each["ScheduledActionName"]: (
            *(each["StartTime"].astimezone(UTC), each["MinSize"], each.get("MaxSize"), each["DesiredCapacity"]),
        )
        for each in found["ScheduledUpdateGroupActions"]
    }


def test_the_ends_are_scheduled_without_any_code_of_ours(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    last = (created + 2 * HOUR + MINUTE, 0, 0, 0)
    assert scheduled(cloud, group) == {"annex-end": (created + HOUR, 0, None, 0), "annex-latest-end": last}
    assert cloud.tags(group)["annex:lease-scheduled"] == (
        f"{format_time(created + HOUR)}@{format_time(created + 2 * HOUR)}"
    )
    cloud.write(group, "annex:lease-until", format_time(created + 1.5 * HOUR))
    cloud.check(group, created + MINUTE)
    assert scheduled(cloud, group) == {"annex-end": (created + 1.5 * HOUR, 0, None, 0), "annex-latest-end": last}


def test_a_scheduled_action_that_was_deleted_is_put_again(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    before = scheduled(cloud, group)
    cloud.clients.autoscaling.delete_scheduled_action(AutoScalingGroupName=group, ScheduledActionName="annex-end")
    cloud.check(group, created + MINUTE)
    cloud.check(group, created + 11 * MINUTE)
    assert scheduled(cloud, group) == before


def test_nothing_is_granted_before_its_ends_are_scheduled(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    calls = fail(cloud.clients.autoscaling, "PutScheduledUpdateGroupAction", "AccessDenied")
    with pytest.raises(CheckError, match="ScheduleEnds"):
        cloud.check(group, created)
    assert len(calls) == 2, "once in each look of the run: only a time that is taken is tried a second earlier"
    assert cloud.running(group) == []
    assert "annex:granted" not in cloud.tags(group)


def test_the_log_of_a_failed_check_says_what_it_did(
    cloud: Cloud, group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    created = cloud.created(group)
    fail(cloud.clients.autoscaling, "PutScheduledUpdateGroupAction", "AccessDenied")
    with pytest.raises(CheckError):
        cloud.check(group, created)
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["outcome"], line["phase"]) == ("failed", "waiting")
    assert "PublishEnd" in [action["action"] for action in line["actions"]]
