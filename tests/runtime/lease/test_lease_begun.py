"""A grant in an AWS in process: what is written before anything starts, and a run that dies on the way."""

from __future__ import annotations

import pytest

from annex_lease.checker import CheckError
from annex_lease.policy import LeasePolicy
from annex_lease.tags import format_time
from tests.runtime.lease.lease_cloud import MINUTE, Cloud, fail, fail_writing, record

LIMITED = LeasePolicy("pa", 2, 7200, 900, duration_seconds=3600, max_instance_hours=1)


def test_the_hours_are_on_record_before_anything_starts(cloud: Cloud) -> None:
    cloud.add_group("pa", LIMITED)
    created = cloud.created("pa")
    fail(cloud.clients.autoscaling, "UpdateAutoScalingGroup", "AccessDenied")
    with pytest.raises(CheckError, match="AccessDenied"):
        cloud.check("pa", created)
    assert cloud.tags("pa")["annex:used"] == f"0@{format_time(created)}x0", "as seen: nothing runs yet"
    assert cloud.tags("pa")["annex:granted"] == "2?"
    assert cloud.running("pa") == []


def test_a_grant_that_cannot_be_recorded_starts_nothing(cloud: Cloud) -> None:
    """A group that has 50 tags takes no other one: the grant was made again every minute."""
    cloud.add_group("pa", LIMITED)
    created = cloud.created("pa")
    refused = fail_writing(cloud, "annex:granted")
    for minute in range(3):
        with pytest.raises(CheckError, match="Grant"):
            cloud.check("pa", created + minute * MINUTE)
    assert refused
    assert cloud.describe("pa")["DesiredCapacity"] == 0
    assert "annex:used" not in cloud.tags("pa"), "both tags in one call: none of them alone"


@pytest.mark.parametrize("operation", ["UpdateAutoScalingGroup", "CreateOrUpdateTags"])
def test_a_grant_that_was_begun_is_completed_by_the_next_check(cloud: Cloud, group: str, operation: str) -> None:
    """The run dies before the capacity, or after it: the next one cannot know, and does both again."""
    created = cloud.created(group)
    if operation == "UpdateAutoScalingGroup":
        fail(cloud.clients.autoscaling, operation, "AccessDenied", times=1)
    else:
        fail_writing(cloud, "annex:granted", passed=1, times=1)  # the write after the capacity
    with pytest.raises(CheckError, match="Grant"):
        cloud.check(group, created)
    assert cloud.tags(group)["annex:granted"] == "2?"
    cloud.check(group, created + MINUTE)
    assert cloud.tags(group)["annex:granted"] == "2"
    assert len(cloud.running(group)) == 2
    assert cloud.describe(group)["DesiredCapacity"] == 2


def test_a_smaller_size_is_recorded_without_a_beginning(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    written = record(cloud.clients.autoscaling, ["CreateOrUpdateTags"])
    cloud.write(group, "annex:size", "1")
    cloud.check(group, created + MINUTE)
    values = [tag["Value"] for _, call in written for tag in call["Tags"] if tag["Key"] == "annex:granted"]
    assert values == ["1"]
    assert len(cloud.running(group)) == 1


def test_a_smaller_size_starts_nothing(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    cloud.clients.autoscaling.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=0)
    cloud.write(group, "annex:size", "1")
    cloud.check(group, created + MINUTE)
    assert cloud.tags(group)["annex:granted"] == "1"
    assert cloud.running(group) == []
    cloud.write(group, "annex:size", "3")
    cloud.check(group, created + 2 * MINUTE)
    assert len(cloud.running(group)) == 3


def test_a_grant_restores_the_maximum_that_the_last_scheduled_action_took(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.clients.autoscaling.update_auto_scaling_group(AutoScalingGroupName=group, MinSize=0, MaxSize=0)
    cloud.check(group, created)
    assert (cloud.describe(group)["MaxSize"], len(cloud.running(group))) == (2, 2)
