"""The model itself: what AWS documents is what it does, and what it answers has the shape that boto3 would give."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.validate import ParamValidator

from tests.world.aws_faults import Fault, FaultAt, Killed
from tests.world.aws_model import Aws, model_of
from tests.world.aws_scaling import LAUNCHING, TERMINATING
from tests.world.aws_state import GROUP_TAG, START, ScalingGroup

G = {"AutoScalingGroupName": "g"}


@pytest.fixture
def aws() -> Aws:
    """A group `g` of three, in service."""
    aws = Aws()
    aws.account.groups["g"] = ScalingGroup("g", START, 5, tags={"annex:name": ("x", True), "local": ("y", False)})
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=3)
    aws.advance(60)
    return aws


def ids(aws: Aws) -> list[str]:
    return [one.id for one in aws.account.alive("g")]


def states(aws: Aws) -> list[str]:
    return [aws.account.instances[key].lifecycle for key in ids(aws)]


def described(aws: Aws) -> Any:
    return aws.operator.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["g"])["AutoScalingGroups"][0]


def test_tags_propagate_at_launch_and_only_those_that_say_so(aws: Aws) -> None:
    assert states(aws) == ["InService"] * 3
    (tags,) = {tuple(sorted(one.tags.items())) for one in aws.account.alive("g")}
    assert dict(tags) == {"annex:name": "x", GROUP_TAG: "g"}


@pytest.mark.parametrize("process", ["Launch", "AZRebalance"])
def test_a_suspended_launch_replaces_nothing(aws: Aws, process: str) -> None:
    aws.operator.autoscaling.suspend_processes(**G, ScalingProcesses=[process])
    aws.operator.ec2.terminate_instances(InstanceIds=ids(aws)[:1])
    aws.advance(120)
    assert len(ids(aws)) == (2 if process == "Launch" else 3)
    aws.operator.autoscaling.resume_processes(**G, ScalingProcesses=["Launch"])
    aws.advance(60)
    assert len(ids(aws)) == 3


def test_protected_instances_outlive_a_scale_in_until_they_are_not(aws: Aws) -> None:
    protected = ids(aws)[:2]
    aws.operator.autoscaling.set_instance_protection(**G, InstanceIds=protected, ProtectedFromScaleIn=True)
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=0)
    aws.advance(120)
    assert ids(aws) == protected
    aws.operator.autoscaling.set_instance_protection(**G, InstanceIds=protected, ProtectedFromScaleIn=False)
    aws.advance(10)
    assert ids(aws) == []


def test_a_suspended_terminate_keeps_everybody(aws: Aws) -> None:
    aws.operator.autoscaling.suspend_processes(**G, ScalingProcesses=["Terminate"])
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=0)
    aws.advance(3600)
    assert len(ids(aws)) == 3
    aws.operator.autoscaling.resume_processes(**G, ScalingProcesses=["Terminate"])
    aws.advance(10)
    assert ids(aws) == []


@pytest.mark.parametrize("result", ["CONTINUE", "ABANDON"])
def test_a_terminating_hook_holds_until_its_timeout_or_its_completion(aws: Aws, result: str) -> None:
    hook = {"LifecycleHookName": "h", "LifecycleTransition": TERMINATING, "HeartbeatTimeout": 300}
    aws.operator.autoscaling.put_lifecycle_hook(**G, **hook)
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=0)
    aws.advance(200)
    assert states(aws) == ["Terminating:Wait"] * 3
    done = {"LifecycleHookName": "h", "LifecycleActionResult": result, "InstanceId": ids(aws)[0]}
    aws.operator.autoscaling.complete_lifecycle_action(**G, **done)
    aws.advance(5)
    assert len(ids(aws)) == 2
    with pytest.raises(ClientError, match="No active Lifecycle Action"):
        aws.operator.autoscaling.complete_lifecycle_action(**G, **done)
    aws.advance(120)
    assert ids(aws) == []


def test_an_abandoned_termination_is_retained_if_the_group_says_so(aws: Aws) -> None:
    aws.account.groups["g"].retain_abandoned = True
    hook = {"LifecycleHookName": "h", "LifecycleTransition": TERMINATING, "HeartbeatTimeout": 60}
    aws.operator.autoscaling.put_lifecycle_hook(**G, **hook, DefaultResult="ABANDON")
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=0)
    aws.advance(7200)
    assert states(aws) == ["Terminating:Retained"] * 3
    aws.operator.ec2.terminate_instances(InstanceIds=ids(aws))
    assert ids(aws) == []


def test_a_launching_hook_that_is_abandoned_ends_the_instance(aws: Aws) -> None:
    hook = {"LifecycleHookName": "h", "LifecycleTransition": LAUNCHING, "HeartbeatTimeout": 600}
    aws.operator.autoscaling.put_lifecycle_hook(**G, **hook)
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=4)
    aws.advance(60)
    assert states(aws)[3] == "Pending:Wait"
    aws.operator.autoscaling.suspend_processes(**G, ScalingProcesses=["Launch"])
    aws.operator.autoscaling.complete_lifecycle_action(
        **G, LifecycleHookName="h", LifecycleActionResult="ABANDON", InstanceId=ids(aws)[3]
    )
    aws.advance(5)
    assert len(ids(aws)) == 3


def test_a_warm_pool_grows_as_the_group_shrinks_and_is_deleted_only_by_force(aws: Aws) -> None:
    aws.operator.autoscaling.put_warm_pool(**G, PoolState="Running")
    aws.advance(60)
    assert described(aws)["WarmPoolSize"] == 2
    assert len(described(aws)["Instances"]) == 3
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=0)
    aws.advance(60)
    assert described(aws)["WarmPoolSize"] == 5
    with pytest.raises(ClientError, match="has instances"):
        aws.operator.autoscaling.delete_warm_pool(**G)
    aws.operator.autoscaling.delete_warm_pool(**G, ForceDelete=True)
    aws.advance(5)
    assert described(aws)["WarmPoolConfiguration"]["Status"] == "PendingDelete"
    assert ids(aws) == []
    aws.advance(120)
    assert "WarmPoolConfiguration" not in described(aws)


def test_a_detached_instance_loses_the_groups_tag_and_keeps_the_others(aws: Aws) -> None:
    key = ids(aws)[0]
    aws.operator.autoscaling.detach_instances(**G, InstanceIds=[key], ShouldDecrementDesiredCapacity=True)
    aws.advance(60)
    assert aws.account.instances[key].tags == {"annex:name": "x"}
    assert len(described(aws)["Instances"]) == described(aws)["DesiredCapacity"] == 2
    assert len(ids(aws)) == 3


def test_an_instance_on_standby_is_replaced_unless_the_capacity_decreases(aws: Aws) -> None:
    first, second = ids(aws)[:2]
    aws.operator.autoscaling.enter_standby(**G, InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    aws.advance(60)
    assert len(ids(aws)) == 3
    aws.operator.autoscaling.enter_standby(**G, InstanceIds=[second], ShouldDecrementDesiredCapacity=False)
    aws.advance(60)
    assert len(ids(aws)) == 4


def test_a_stopped_member_is_replaced(aws: Aws) -> None:
    aws.operator.ec2.stop_instances(InstanceIds=ids(aws)[:1])
    aws.advance(120)
    assert states(aws) == ["InService"] * 3


def test_one_unknown_id_fails_all_and_one_locked_id_its_zone(aws: Aws) -> None:
    first, second, third = ids(aws)
    with pytest.raises(ClientError, match="NotFound"):
        aws.operator.ec2.terminate_instances(InstanceIds=[first, "i-0bad"])
    aws.operator.ec2.modify_instance_attribute(InstanceId=first, DisableApiTermination={"Value": True})
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        aws.operator.ec2.terminate_instances(InstanceIds=[first, second, third])
    assert ids(aws) == [first, third]


@pytest.mark.parametrize(("protection", "works"), [("none", True), ("prevent-force-deletion", False)])
def test_a_group_with_instances_is_deleted_by_force_alone(aws: Aws, protection: str, works: bool) -> None:
    aws.account.groups["g"].deletion_protection = protection
    with pytest.raises(ClientError, match="still has instances"):
        aws.operator.autoscaling.delete_auto_scaling_group(**G)
    if works:
        aws.operator.autoscaling.delete_auto_scaling_group(**G, ForceDelete=True)
    else:
        with pytest.raises(ClientError, match="deletion protection"):
            aws.operator.autoscaling.delete_auto_scaling_group(**G, ForceDelete=True)
    aws.advance(120)
    assert ("g" in aws.account.groups) is not works


def test_the_terminated_are_listed_for_an_hour_and_cost_nothing(aws: Aws) -> None:
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=0)
    aws.advance(60)
    used = aws.account.instance_seconds("g")
    aws.advance(1800)
    assert len(aws.operator.ec2.describe_instances()["Reservations"]) == 3
    aws.advance(1900)
    assert aws.operator.ec2.describe_instances()["Reservations"] == []
    assert aws.account.instance_seconds("g") == used == 3 * (57 + 3 + 1)


def test_filters_have_wildcards_and_names_have_none(aws: Aws) -> None:
    def found(pattern: str) -> int:
        wanted = [{"Name": "tag:annex:name", "Values": [pattern]}]
        return len(aws.operator.ec2.describe_instances(Filters=wanted)["Reservations"])

    assert (found("x"), found("*"), found("?"), found("X"), found("")) == (3, 3, 3, 0, 0)
    assert aws.operator.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["*"])["AutoScalingGroups"] == []


def test_pages_are_put_together_by_boto3_however_short_they_are(aws: Aws) -> None:
    aws.page_size = 0
    pages = list(aws.clients.ec2.get_paginator("describe_instances").paginate())
    assert [len(page["Reservations"]) for page in pages] == [0, 1, 1, 1]


LISTINGS = [("autoscaling", "DescribeAutoScalingGroups"), ("autoscaling", "DescribeLifecycleHooks")]
LISTINGS += [("ec2", "DescribeInstances")]


@pytest.mark.parametrize(("service", "operation"), LISTINGS)
def test_answers_have_the_shape_of_the_service(aws: Aws, service: str, operation: str) -> None:
    hook = {"LifecycleHookName": "h", "LifecycleTransition": TERMINATING}
    aws.operator.autoscaling.put_lifecycle_hook(**G, **hook)
    aws.operator.autoscaling.put_warm_pool(**G, MinSize=1)
    answer = aws.call(service, operation, G if operation == "DescribeLifecycleHooks" else {}, counted=False)
    shape: Any = model_of(service).operation_model(operation).output_shape
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()


def test_what_boto3_would_not_send_is_not_taken(aws: Aws) -> None:
    with pytest.raises(ParamValidationError):
        aws.clients.autoscaling.update_auto_scaling_group(AutoScalingGroupName="g", Desired=1)
    with pytest.raises(AttributeError):
        aws.clients.autoscaling.update_group()


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_does_what_it_says(aws: Aws, fault: Fault) -> None:
    aws.remember()
    aws.faults = FaultAt(fault, {0})
    everyone = ids(aws)[:2]
    raised: BaseException | None = None
    try:
        aws.clients.ec2.terminate_instances(InstanceIds=everyone)
    except (BotoCoreError, ClientError, Killed) as error:
        raised = error
    gone = {Fault.LOST: 2, Fault.KILLED: 2, Fault.STALE: 2, Fault.PARTIAL: 1}
    assert 3 - len(ids(aws)) == gone.get(fault, 0)
    assert (raised is None) == (fault is Fault.STALE)
    assert isinstance(raised, Killed) == (fault is Fault.KILLED)
