"""The minute-by-minute check against an AWS in process."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from annex_lease.checker import CheckError
from annex_lease.entries import GRANT_MARK
from annex_lease.tags import format_time
from tests.runtime.lease.lease_cloud import HOUR, MINUTE, Cloud, fail, record, throttle

SECOND = timedelta(seconds=1)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_the_fleet_is_granted_once_and_knows_its_end(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    end = format_time(created + HOUR)
    assert cloud.running(group) == []
    result = cloud.check(group, created + MINUTE)
    assert (result["phase"], result["end"]) == ("granted", end)
    instances = cloud.running(group)
    assert len(instances) == 2
    tags = [{tag["Key"]: tag["Value"] for tag in instance["Tags"]} for instance in instances]
    assert all(tag["annex:name"] == "pa" and tag["annex:lease-end"] == end for tag in tags)
    assert all(not {"annex:size", "annex:granted", "annex:lease-notified"} & set(tag) for tag in tags)
    assert cloud.tags(group)["annex:granted"] == "2"
    assert cloud.check(group, created + 2 * MINUTE)["actions"] == []


def test_zones_are_not_evened_out(cloud: Cloud, group: str) -> None:
    cloud.check(group, cloud.created(group))
    suspended = {process["ProcessName"] for process in cloud.describe(group)["SuspendedProcesses"]}
    assert suspended == {"AZRebalance", GRANT_MARK}


def test_the_scheduled_run_before_the_end_stays_for_it(cloud: Cloud, group: str) -> None:
    end = cloud.created(group) + HOUR
    cloud.check(group, end - MINUTE * 2)
    assert len(cloud.running(group)) == 2
    # An operator who asks gets an answer at once; only the schedule's own run waits.
    assert cloud.check(group, end - 40 * SECOND)["phase"] == "active"
    assert cloud.slept == []
    assert cloud.check(group, end - 40 * SECOND, check="scheduled")["phase"] != "active"
    assert cloud.slept == [40.0]
    assert cloud.running(group) == []


def test_a_deploy_with_the_same_size_does_not_resize(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    cloud.clients.autoscaling.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=1)
    cloud.write(group, "annex:size", "2")
    cloud.check(group, created + MINUTE)
    assert cloud.describe(group)["DesiredCapacity"] == 1


@pytest.mark.parametrize("size", [1, 3])
def test_a_deploy_with_another_size_resizes_once(cloud: Cloud, group: str, size: int) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    cloud.write(group, "annex:size", str(size))
    cloud.check(group, created + MINUTE)
    assert len(cloud.running(group)) == size
    assert cloud.check(group, created + 2 * MINUTE)["actions"] == []


def test_the_grant_waits_for_the_value_of_the_credential(cloud: Cloud, group: str) -> None:
    secret = cloud.add_secret()
    created = cloud.created(group)
    result = cloud.check(group, created)
    assert (result["phase"], result["problems"]) == ("waiting", [])
    assert cloud.running(group) == []
    cloud.clients.secretsmanager.put_secret_value(SecretId=secret, SecretString="token")
    described = record(cloud.clients.secretsmanager, ["DescribeSecret"])
    assert cloud.check(group, created + MINUTE)["phase"] == "granted"
    assert cloud.check(group, created + MINUTE)["phase"] == "active"
    assert len(cloud.running(group)) == 2
    cloud.check(group, created + 2 * MINUTE)
    assert len(described) == 1


def test_a_credential_that_is_being_deleted_is_none(cloud: Cloud, group: str) -> None:
    secret = cloud.add_secret("token")
    cloud.clients.secretsmanager.delete_secret(SecretId=secret)
    assert cloud.check(group, cloud.created(group))["phase"] == "waiting"


def test_a_quiet_check_is_one_call(cloud: Cloud, group: str) -> None:
    cloud.add_secret("token")
    created = cloud.created(group)
    cloud.check(group, created)
    reads = record(cloud.clients.autoscaling, ["DescribeAutoScalingGroups", "CreateOrUpdateTags"])
    others = record(cloud.clients.ec2, ["DescribeInstances", "CreateTags"])
    cloud.check(group, created + MINUTE)
    # The new instances have the published end: their tags are compared with it, once.
    assert [name for name, _ in reads + others] == ["DescribeAutoScalingGroups", "DescribeInstances"]
    cloud.check(group, created + 2 * MINUTE)
    assert [name for name, _ in reads[1:] + others[1:]] == ["DescribeAutoScalingGroups"]


def test_instances_are_notified_of_an_extension(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    until = format_time(created + 1.5 * HOUR)
    cloud.write(group, "annex:lease-until", until)
    result = cloud.check(group, created + MINUTE)
    assert result["end"] == until
    for instance in cloud.running(group):
        assert {"Key": "annex:lease-end", "Value": until} in instance["Tags"]
    published = next(t for t in cloud.describe(group)["Tags"] if t["Key"] == "annex:lease-end")
    assert (published["Value"], published["PropagateAtLaunch"]) == (until, True)
    assert cloud.check(group, created + HOUR)["actions"] == []
    cloud.check(group, created + 1.5 * HOUR)
    assert cloud.running(group) == []
    # EC2 was asked at the end already, for the tags of the instances: that was the first empty look.
    assert cloud.check(group, created + 1.5 * HOUR + MINUTE - SECOND)["phase"] == "draining"
    assert cloud.check(group, created + 1.5 * HOUR + MINUTE)["phase"] == "ended"


@pytest.mark.parametrize("until", ["rubbish", None])
def test_an_override_that_does_not_count_leaves_the_declared_end(cloud: Cloud, group: str, until: str | None) -> None:
    created = cloud.created(group)
    if until:
        cloud.write(group, "annex:lease-until", until)
    result = cloud.check(group, created)
    assert result["end"] == format_time(created + HOUR)
    assert bool(result["problems"]) == bool(until)
    assert cloud.check(group, created + HOUR - SECOND)["phase"] == "active"
    assert cloud.check(group, created + HOUR)["phase"] == "draining"
    assert cloud.running(group) == []
    assert cloud.check(group, created + HOUR + MINUTE)["phase"] == "draining"
    assert cloud.check(group, created + HOUR + 2 * MINUTE - SECOND)["phase"] == "draining"
    assert cloud.check(group, created + HOUR + 2 * MINUTE)["phase"] == "ended"


def test_instances_that_were_not_notified_are_notified_again(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    cloud.write(group, "annex:lease-until", format_time(created + 1.5 * HOUR))
    fail(cloud.clients.ec2, "CreateTags", "UnauthorizedOperation", times=3)  # the batch, then each of two
    refused = cloud.check(group, created + MINUTE)
    assert "instances keep to another end than the lease" in str(refused["problems"])
    assert refused["errors"] == [], "the lease is enforced all the same"
    assert cloud.tags(group)["annex:lease-notified"] == format_time(created + HOUR)
    result = cloud.check(group, created + 2 * MINUTE)
    assert [action["action"] for action in result["actions"]] == ["NotifyInstances"]  # type: ignore[attr-defined]


def test_nothing_is_granted_before_the_end_is_published(cloud: Cloud, group: str) -> None:
    fail(cloud.clients.autoscaling, "CreateOrUpdateTags", "AccessDenied", times=8)
    created = cloud.created(group)
    with pytest.raises(CheckError, match="AccessDenied"):
        cloud.check(group, created)
    assert cloud.running(group) == []
    assert cloud.describe(group)["DesiredCapacity"] == 0
    for minute in range(1, 4):
        with suppress(CheckError):
            cloud.check(group, created + minute * MINUTE)
    assert len(cloud.running(group)) == 2


def test_a_failing_description_is_an_error_and_never_an_empty_group(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    fail(cloud.clients.autoscaling, "DescribeAutoScalingGroups", "AccessDenied")
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.check(group, created + 2 * HOUR)


def test_throttling_is_ridden_out(cloud: Cloud, group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    created = cloud.created(group)
    calls = throttle(cloud.clients.autoscaling, "DescribeAutoScalingGroups", times=4)
    assert cloud.check(group, created)["phase"] == "granted"
    assert len(calls) >= 5


def test_a_group_that_is_gone_is_said_to_be_gone(cloud: Cloud) -> None:
    result = cloud.check("nothing-here", NOON)
    young = "the group is not listed, which counts after 10 minutes"
    assert (result["phase"], result["problems"]) == ("draining", [young])
    assert cloud.slept == [], "the next checks read it again"
    for minute in range(1, 10):
        assert cloud.check("nothing-here", NOON + minute * MINUTE)["problems"] == [young]
    believed = cloud.check("nothing-here", NOON + 10 * MINUTE)
    assert (believed["phase"], believed["problems"]) == ("draining", ["the group does not exist"])
    again = cloud.check("nothing-here", NOON + 11 * MINUTE)
    assert (again["phase"], again["problems"]) == ("ended", ["the group does not exist"])


def test_a_run_logs_one_line_of_json(cloud: Cloud, group: str, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.check(group, cloud.created(group))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    line = json.loads(lines[0])
    assert (line["event"], line["group"], line["phase"], line["outcome"]) == ("check", "pa", "granted", "done")
    assert [action["action"] for action in line["actions"]] == [
        *("PublishEnd", "ScheduleEnds", "SuspendProcesses", "Grant", "NotifyInstances"),
    ]


def test_a_run_that_fails_logs_its_line_too(cloud: Cloud, group: str, capsys: pytest.CaptureFixture[str]) -> None:
    fail(cloud.clients.autoscaling, "CreateOrUpdateTags", "AccessDenied")
    with pytest.raises(CheckError):
        cloud.check(group, cloud.created(group))
    line = json.loads(capsys.readouterr().out)
    assert line["outcome"] == "failed"
    assert "AccessDenied" in line["error"]
    tried = [action["action"] for action in line["actions"]]
    assert tried == ["PublishEnd", "ScheduleEnds", "SuspendProcesses", "NotifyInstances"], "and no Grant"


def test_a_run_without_a_group_to_look_after_says_what_is_missing(cloud: Cloud) -> None:
    with pytest.raises(ValueError, match="ANNEX_GROUP is not set"):
        cloud.check("", NOON)
