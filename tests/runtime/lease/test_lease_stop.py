"""The end of a lease against an AWS in process, with AWS's limits and refusals added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from annex_lease import actuator
from annex_lease.actions import ClearProtection, FinishHooks, TerminateInstances
from annex_lease.aws import AnnexAccess, list_instances
from annex_lease.batches import RefusedError
from annex_lease.checker import CheckError
from annex_lease.observed import GRANT_MARK
from annex_lease.policy import LeasePolicy
from tests.runtime.lease.lease_cloud import HOUR, MINUTE, Cloud, fail, record

SECOND = MINUTE / 60


def leased(cloud: Cloud, size: int = 2, *, protected: bool = False) -> datetime:
    """A group `pa` that was granted; the end of its lease."""
    cloud.add_group("pa", LeasePolicy("pa", size, 7200, 900, duration_seconds=3600), protected=protected)
    created = cloud.created("pa")
    cloud.check("pa", created)
    assert len(cloud.running("pa")) == size
    return created + HOUR


def test_the_end_clears_protection_and_empties_the_group(cloud: Cloud) -> None:
    end = leased(cloud, 3, protected=True)
    calls = record(cloud.clients.autoscaling, ["SuspendProcesses", "SetInstanceProtection", "UpdateAutoScalingGroup"])
    cloud.check("pa", end)
    assert [name for name, _ in calls] == ["UpdateAutoScalingGroup", "SuspendProcesses", "SetInstanceProtection"]
    described = cloud.describe("pa")
    assert (described["MinSize"], described["DesiredCapacity"]) == (0, 0)
    assert described["NewInstancesProtectedFromScaleIn"] is False
    suspended = {process["ProcessName"] for process in described["SuspendedProcesses"]}
    assert suspended == {"AZRebalance", GRANT_MARK, "Launch"}
    assert cloud.running("pa") == []
    cloud.check("pa", end + MINUTE)
    later = cloud.check("pa", end + 2 * MINUTE)
    assert (later["phase"], later["actions"], later["problems"]) == ("ended", [], [])


def test_an_ended_annex_stays_ended_through_a_deploy_and_an_extension(cloud: Cloud) -> None:
    end = leased(cloud)
    cloud.check("pa", end)
    cloud.write("pa", "annex:lease-until", (end + HOUR / 2).strftime("%Y-%m-%dT%H:%M:%SZ"))
    cloud.check("pa", end + MINUTE)
    cloud.write("pa", "annex:size", "5")
    result = cloud.check("pa", end + 2 * MINUTE)
    assert (result["phase"], result["actions"]) == ("ended", [])
    assert "annex renew" in str(result["reason"])
    assert cloud.describe("pa")["DesiredCapacity"] == 0
    assert cloud.running("pa") == []


def test_what_outlives_its_grace_is_terminated_by_id(cloud: Cloud) -> None:
    end = leased(cloud, protected=True)
    # Protection that cannot be taken away is one way for an instance to survive a desired capacity of 0.
    fail(cloud.clients.autoscaling, "SetInstanceProtection", "AccessDenied")
    for moment in (end, end + 15 * MINUTE - SECOND):
        with pytest.raises(CheckError, match="AccessDenied"):
            cloud.check("pa", moment)
        assert cloud.describe("pa")["DesiredCapacity"] == 0
        assert len(cloud.running("pa")) == 2
    with pytest.raises(CheckError, match="AccessDenied"):
        cloud.check("pa", end + 15 * MINUTE)
    assert cloud.running("pa") == []


def test_every_call_of_stopping_is_tried_after_any_failure(cloud: Cloud) -> None:
    end = leased(cloud, protected=True)
    autoscaling, ec2 = cloud.clients.autoscaling, cloud.clients.ec2
    tried = [
        fail(autoscaling, name, "AccessDenied")
        for name in ("SuspendProcesses", "SetInstanceProtection", "UpdateAutoScalingGroup")
    ] + [fail(ec2, "TerminateInstances", "UnauthorizedOperation")]
    with pytest.raises(CheckError) as raised:
        cloud.check("pa", end + HOUR)
    assert all(tried)
    assert {error.split(":")[0] for error in raised.value.report.errors} == {
        "SuspendLaunch",
        "ClearProtection",
        "EmptyGroup",
        "TerminateInstances",
    }


def test_a_failing_listing_of_instances_does_not_hold_up_the_stop(cloud: Cloud) -> None:
    end = leased(cloud)
    fail(cloud.clients.ec2, "DescribeInstances", "UnauthorizedOperation", times=1)
    with pytest.raises(CheckError, match=r"instances unknown: .*UnauthorizedOperation") as raised:
        cloud.check("pa", end + 15 * MINUTE)
    done = [type(action).__name__ for action in raised.value.report.actions]
    assert done[:3] == ["EmptyGroup", "SuspendLaunch", "TerminateInstances"], "the report holds what was done"
    assert cloud.describe("pa")["DesiredCapacity"] == 0
    assert cloud.running("pa") == []


def test_an_instance_that_the_group_lost_is_found_by_its_tag(cloud: Cloud) -> None:
    end = leased(cloud)
    lost = cloud.running("pa")[0]["InstanceId"]
    cloud.clients.autoscaling.detach_instances(
        AutoScalingGroupName="pa", InstanceIds=[lost], ShouldDecrementDesiredCapacity=True
    )
    # AWS takes the tag away when it detaches; an instance with the tag that no group lists is what a warm pool has.
    ours = {"Key": "aws:autoscaling:groupName", "Value": "pa"}
    if not any(instance["InstanceId"] == lost for instance in cloud.running("pa")):
        cloud.clients.ec2.create_tags(Resources=[lost], Tags=[ours])  # type: ignore[list-item]
    assert cloud.check("pa", end)["phase"] == "draining"
    assert [instance["InstanceId"] for instance in cloud.running("pa")] == [lost]
    cloud.check("pa", end + 15 * MINUTE)
    assert cloud.running("pa") == []


def test_the_limits_of_aws_are_kept(cloud: Cloud) -> None:
    end = leased(cloud, 230, protected=True)
    protection = record(cloud.clients.autoscaling, ["SetInstanceProtection"])
    terminate = record(cloud.clients.ec2, ["TerminateInstances"])
    cloud.check("pa", end + HOUR)
    assert [len(params["InstanceIds"]) for _, params in protection] == [50, 50, 50, 50, 30]
    assert {key for _, params in terminate for key in params["InstanceIds"]} <= {
        key for _, params in protection for key in params["InstanceIds"]
    }
    assert cloud.running("pa") == []


def test_one_bad_id_does_not_save_the_others(cloud: Cloud) -> None:
    leased(cloud, 3)
    ids = [instance["InstanceId"] for instance in cloud.running("pa")]
    cloud.clients.ec2.modify_instance_attribute(InstanceId=ids[1], DisableApiTermination={"Value": True})
    action = TerminateInstances((ids[0], "i-0123456789abcdef0", ids[1], ids[2]), "test")
    with pytest.raises(RefusedError, match=f"refused 1 of the instances, first {ids[1]}"):
        actuator.perform(action, AnnexAccess("pa", "", cloud.clients))
    states = {m.id: m.state for m in list_instances(AnnexAccess("pa", "", cloud.clients))}
    assert [states[key] for key in ids] == ["terminated", "running", "terminated"]


def test_a_batch_that_is_refused_for_one_id_is_done_one_by_one(cloud: Cloud) -> None:
    leased(cloud, 2, protected=True)
    ids = tuple(instance["InstanceId"] for instance in cloud.running("pa"))
    calls = fail(cloud.clients.autoscaling, "SetInstanceProtection", "ValidationError", times=1)
    actuator.perform(ClearProtection(ids, "test"), AnnexAccess("pa", "", cloud.clients))
    assert len(calls) == 3
    assert not any(instance["ProtectedFromScaleIn"] for instance in cloud.describe("pa")["Instances"])


def test_an_instance_whose_tag_only_resembles_ours_is_not_listed(cloud: Cloud) -> None:
    leased(cloud)
    assert list_instances(AnnexAccess("p?", "", cloud.clients)) == ()
    assert list_instances(AnnexAccess("p*", "", cloud.clients)) == ()
    assert len(list_instances(AnnexAccess("pa", "", cloud.clients))) == 2


class Hooks:
    """The two calls about lifecycle hooks, which the AWS in process does not have."""

    def __init__(self, error: ClientError | None = None) -> None:
        self.completed: list[dict[str, Any]] = []
        self._error = error

    def describe_lifecycle_hooks(self, **given: str) -> dict[str, list[dict[str, str]]]:
        assert given == {"AutoScalingGroupName": "pa"}
        return {
            "LifecycleHooks": [
                {"LifecycleHookName": "up", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"},
                {"LifecycleHookName": "down", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"},
                {"LifecycleHookName": "future", "LifecycleTransition": "autoscaling:EC2_INSTANCE_ELSEWHERE"},
            ]
        }

    def complete_lifecycle_action(self, **given: str) -> None:
        self.completed.append(given)
        if self._error:
            raise self._error


class HookClients:
    def __init__(self, error: ClientError | None = None) -> None:
        self.autoscaling = Hooks(error)


def test_a_launch_is_abandoned_and_a_termination_continues() -> None:
    clients = HookClients()
    actuator.perform(FinishHooks(("i-1",), ("i-2",), "test"), AnnexAccess("pa", "", clients))  # type: ignore[arg-type]
    assert [
        (c["LifecycleHookName"], c["InstanceId"], c["LifecycleActionResult"]) for c in clients.autoscaling.completed
    ] == [
        ("up", "i-1", "ABANDON"),
        ("down", "i-2", "CONTINUE"),
    ]


def test_hooks_are_finished_within_the_time_of_the_run() -> None:
    clients = HookClients()
    left = iter([100.0, 100.0, 1.0])
    annex = AnnexAccess("pa", "", clients, seconds_left=lambda: next(left, 1.0))  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="3 instances: out of time"):
        actuator.perform(FinishHooks(tuple(f"i-{n}" for n in range(5)), (), "test"), annex)
    assert len(clients.autoscaling.completed) == 2


@pytest.mark.parametrize(("message", "refused"), [("No active Lifecycle Action found", False), ("Access denied", True)])
def test_a_hook_that_is_over_already_is_no_failure(message: str, refused: bool) -> None:
    error = ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "CompleteLifecycleAction")
    annex = AnnexAccess("pa", "", HookClients(error))  # type: ignore[arg-type]
    if refused:
        with pytest.raises(RefusedError, match=message):
            actuator.perform(FinishHooks(("i-1",), (), "test"), annex)
    else:
        actuator.perform(FinishHooks(("i-1",), (), "test"), annex)


def test_a_throttled_batch_is_not_asked_for_one_by_one(cloud: Cloud, group: str) -> None:
    calls = fail(cloud.clients.ec2, "TerminateInstances", "RequestLimitExceeded")
    annex = AnnexAccess(group, "", cloud.clients)
    with pytest.raises(RefusedError, match=r"100 instances: .*RequestLimitExceeded"):
        actuator.perform(TerminateInstances(tuple(f"i-{n:017x}" for n in range(250)), "test"), annex)
    assert len(calls) == 3, "every batch is tried, and none id by id"
