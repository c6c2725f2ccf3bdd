"""One instance, or one minor call, that fails in a run: the others are served."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from annex_lease import checker
from annex_lease.actions import ClearProtection, EmptyGroup, NotifyInstances
from annex_lease.actuator import perform
from annex_lease.aws import AnnexAccess
from annex_lease.batches import RefusedError
from annex_lease.checker import CheckError
from annex_lease.observed import Fact
from annex_lease.policy import LeasePolicy
from annex_lease.tags import TAG_END, TAG_NOTIFIED, format_time
from tests.runtime.lease.lease_cloud import HOUR, MINUTE, Cloud, fail


def notified(cloud: Cloud, group: str) -> set[str]:
    """The ends that the instances were notified of."""
    return {tag["Value"] for one in cloud.running(group) for tag in one["Tags"] if tag["Key"] == TAG_END}


def test_an_instance_that_a_lagging_listing_leaves_out_is_notified(
    cloud: Cloud, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    cloud.check(group, created + MINUTE)
    until = format_time(created + 1.5 * HOUR)
    cloud.write(group, "annex:lease-until", until)
    monkeypatch.setitem(checker._LOOK_UP, Fact.INSTANCES, lambda _: ())
    cloud.check(group, created + 2 * MINUTE)
    assert notified(cloud, group) == {until}


def test_an_instance_that_cannot_be_notified_keeps_the_record_open(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    ids = tuple(instance["InstanceId"] for instance in cloud.running(group))
    fail(cloud.clients.ec2, "CreateTags", "InvalidInstanceID.NotFound", times=2)  # the batch, then the first of it
    with pytest.raises(RefusedError, match="refused 1 of the instances"):
        perform(NotifyInstances(created + HOUR / 2, ids, "test"), AnnexAccess(group, "", cloud.clients))
    assert notified(cloud, group) == {format_time(created + HOUR), format_time(created + HOUR / 2)}
    assert cloud.tags(group)[TAG_NOTIFIED] == format_time(created + HOUR)


class Protecting:
    """SetInstanceProtection, which refuses for one instance with this text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.cleared: list[str] = []

    def set_instance_protection(self, **given: Any) -> None:
        if "i-2" in given["InstanceIds"]:
            error = {"Error": {"Code": "ValidationError", "Message": self.text}}
            raise ClientError(error, "SetInstanceProtection")  # type: ignore[arg-type]
        self.cleared += given["InstanceIds"]


class ProtectingClients:
    def __init__(self, text: str) -> None:
        self.autoscaling = Protecting(text)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("The instance i-2 is not in InService or EnteringStandby or Standby.", False),
        ("The instance i-2 is not part of Auto Scaling group pa.", False),
        ("Something else", True),
    ],
)
def test_an_instance_that_leaves_at_that_moment_is_no_failure(text: str, refused: bool) -> None:
    clients = ProtectingClients(text)
    annex = AnnexAccess("pa", "", clients)  # type: ignore[arg-type]
    if refused:
        with pytest.raises(RefusedError, match="i-2"):
            perform(ClearProtection(("i-1", "i-2", "i-3"), "test"), annex)
    else:
        perform(ClearProtection(("i-1", "i-2", "i-3"), "test"), annex)
    assert clients.autoscaling.cleared == ["i-1", "i-3"]


def test_a_group_that_does_not_exist_is_empty_and_any_other_refusal_is_one(cloud: Cloud, group: str) -> None:
    perform(EmptyGroup("test"), AnnexAccess("no such group", "", cloud.clients))
    fail(cloud.clients.autoscaling, "UpdateAutoScalingGroup", "ValidationError")
    with pytest.raises(ClientError, match="ValidationError"):
        perform(EmptyGroup("test"), AnnexAccess(group, "", cloud.clients))


def test_a_warning_that_cannot_be_published_is_a_problem_and_no_failed_check(cloud: Cloud) -> None:
    cloud.environ.update(ANNEX_NAME="pa", ANNEX_TOPIC="arn:aws:sns:us-east-1:123456789012:gone")
    cloud.add_group("pa", LeasePolicy("pa", 2, 7200, 900, duration_seconds=3600, warn_before_end_seconds=600))
    created = cloud.created("pa")
    cloud.check("pa", created)
    fail(cloud.clients.sns, "Publish", "KMSAccessDenied")
    result = cloud.check("pa", created + HOUR - 5 * MINUTE)
    assert "could not be published" in str(result["problems"])
    assert result["errors"] == []
    assert cloud.tags("pa")["annex:lease-warned"] == "?", "begun, so that the next check tries again"


def test_a_fact_that_is_refused_keeps_nothing_else_back(cloud: Cloud, group: str) -> None:
    """The instances are notified although the scheduled actions cannot be listed, and the error is reported."""
    created = cloud.created(group)
    cloud.check(group, created)
    until = format_time(created + 1.5 * HOUR)
    cloud.write(group, "annex:lease-until", until)
    calls = fail(cloud.clients.autoscaling, "DescribeScheduledActions", "AccessDenied")
    with pytest.raises(CheckError, match="scheduled unknown") as raised:
        cloud.check(group, created + 11 * MINUTE)
    assert len(calls) == 1, "once in a run"
    assert notified(cloud, group) == {until}
    assert [type(action).__name__ for action in raised.value.report.actions][-1] == "NotifyInstances"


def test_the_use_is_recorded_after_any_refusal(cloud: Cloud) -> None:
    cloud.add_group("pa", LeasePolicy("pa", 2, 7200, 900, duration_seconds=3600, max_instance_hours=100))
    created = cloud.created("pa")
    cloud.check("pa", created)
    fail(cloud.clients.autoscaling, "PutScheduledUpdateGroupAction", "AccessDenied")
    fail(cloud.clients.ec2, "CreateTags", "AccessDenied")
    listings = fail(cloud.clients.ec2, "DescribeInstances", "AccessDenied")
    cloud.write("pa", "annex:lease-until", format_time(created + 1.5 * HOUR))
    with pytest.raises(CheckError):
        cloud.check("pa", created + 2 * MINUTE)
    # Two instances that were seen for the first time count for a minute.
    assert cloud.tags("pa")["annex:used"] == f"120@{format_time(created + 2 * MINUTE)}x2"
    assert len(listings) == 1, "what is refused is not asked for again in the same run"
