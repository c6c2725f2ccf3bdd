"""Scheduled actions and scaling activities of the model, and of an AWS in process: AWS's rules, both sides of each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from tests.world.aws_model import Aws, model_of
from tests.world.aws_schedule_api import LIMIT, LONGEST_DELAY
from tests.world.aws_state import START, ScalingGroup
from tests.world.stage import Site
from tests.world.worlds import MotoWorld

G = {"AutoScalingGroupName": "g"}
DELAY = 2


@pytest.fixture
def aws() -> Aws:
    """A group `g` of three, in service, at most five."""
    aws = Aws()
    aws.account.groups["g"] = ScalingGroup("g", START, 5)
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=3)
    aws.advance(60)
    return aws


def put(aws: Aws, name: str, seconds: float, **sizes: int) -> None:
    """Schedule an action for so many seconds from now on."""
    start = aws.account.moment + timedelta(seconds=seconds)
    aws.operator.autoscaling.put_scheduled_update_group_action(**G, ScheduledActionName=name, StartTime=start, **sizes)


def names(aws: Aws, **params: Any) -> list[str]:
    found = aws.operator.autoscaling.describe_scheduled_actions(**params)["ScheduledUpdateGroupActions"]
    return [one["ScheduledActionName"] for one in found]


def sizes(aws: Aws) -> tuple[int, int, int]:
    group = aws.account.groups["g"]
    return group.min_size, group.desired, group.max_size


def alive(aws: Aws) -> int:
    return len(aws.account.alive("g"))


@pytest.mark.parametrize("delay", [0.0, LONGEST_DELAY])
def test_an_action_runs_once_at_its_time_and_disappears(aws: Aws, delay: float) -> None:
    aws.account.action_delay = delay
    put(aws, "end", 300, MinSize=0, DesiredCapacity=0)
    aws.advance(299 + delay)
    assert (sizes(aws), names(aws)) == ((0, 3, 5), ["end"])
    aws.advance(2)
    assert (sizes(aws), names(aws)) == ((0, 0, 5), [])
    aws.advance(60)
    assert alive(aws) == 0
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=2)
    aws.advance(3600)
    assert sizes(aws) == (0, 2, 5), "it runs once"


def test_an_action_that_is_put_again_moves(aws: Aws) -> None:
    put(aws, "end", 300, DesiredCapacity=0)
    put(aws, "end", 600, DesiredCapacity=1)
    assert names(aws) == ["end"]
    aws.advance(599)
    assert alive(aws) == 3
    aws.advance(60)
    assert alive(aws) == 1


def test_a_deleted_action_does_not_run(aws: Aws) -> None:
    put(aws, "end", 300, DesiredCapacity=0)
    aws.operator.autoscaling.delete_scheduled_action(**G, ScheduledActionName="end")
    aws.advance(3600)
    assert alive(aws) == 3
    with pytest.raises(ClientError, match="not found"):
        aws.operator.autoscaling.delete_scheduled_action(**G, ScheduledActionName="end")


@pytest.mark.parametrize("seconds", [-1, 0])
def test_a_start_in_the_past_is_refused(aws: Aws, seconds: float) -> None:
    with pytest.raises(ClientError, match="Given start time is in the past"):
        put(aws, "end", seconds, DesiredCapacity=0)
    put(aws, "end", 1, DesiredCapacity=0)
    assert names(aws) == ["end"]


def test_two_actions_of_a_group_have_two_times(aws: Aws) -> None:
    put(aws, "one", 300, DesiredCapacity=0)
    with pytest.raises(ClientError, match="AlreadyExists"):
        put(aws, "two", 300, DesiredCapacity=0)
    put(aws, "two", 301, DesiredCapacity=0)
    put(aws, "one", 300, DesiredCapacity=1)
    with pytest.raises(ClientError, match="AlreadyExists"):
        put(aws, "one", 301, DesiredCapacity=1)


def test_a_group_has_so_many_actions(aws: Aws) -> None:
    for number in range(LIMIT):
        put(aws, f"n{number}", 300 + number, DesiredCapacity=0)
    with pytest.raises(ClientError, match="LimitExceeded"):
        put(aws, "more", 1000, DesiredCapacity=0)
    put(aws, "n0", 1000, DesiredCapacity=0)
    aws.operator.autoscaling.delete_scheduled_action(**G, ScheduledActionName="n1")
    put(aws, "more", 301, DesiredCapacity=0)
    everything = aws.operator.autoscaling.get_paginator("describe_scheduled_actions").paginate(**G)
    pages = [len(page["ScheduledUpdateGroupActions"]) for page in everything]
    assert pages == [50, 50, 25]


def test_an_action_without_a_size_or_with_contradicting_ones_is_refused(aws: Aws) -> None:
    for wrong in ({}, {"MinSize": 2, "MaxSize": 1}, {"MinSize": 2, "DesiredCapacity": 1}):
        with pytest.raises(ClientError, match="ValidationError"):
            put(aws, "end", 300, **wrong)
    assert names(aws) == []


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}, (0, 0, 0)),
        ({"MaxSize": 2}, (0, 2, 2)),
        ({"MinSize": 4}, (4, 4, 5)),
        ({"DesiredCapacity": 6}, (0, 3, 5)),
        ({"MinSize": 6}, (0, 3, 5)),
    ],
)
def test_the_sizes_that_are_given_are_set_unless_they_contradict(
    aws: Aws, given: dict[str, int], left: tuple[int, int, int]
) -> None:
    put(aws, "one", 300, **given)
    aws.advance(301 + DELAY)
    assert (sizes(aws), names(aws)) == (left, [])


def test_a_suspended_process_skips_what_falls_due(aws: Aws) -> None:
    aws.operator.autoscaling.suspend_processes(**G, ScalingProcesses=["ScheduledActions"])
    put(aws, "skipped", 300, DesiredCapacity=0)
    put(aws, "later", 900, DesiredCapacity=1)
    aws.advance(600)
    aws.operator.autoscaling.resume_processes(**G, ScalingProcesses=["ScheduledActions"])
    aws.advance(200)
    assert alive(aws) == 3
    aws.advance(200)
    assert alive(aws) == 1


@pytest.mark.parametrize("process", ["Launch", "Terminate"])
def test_a_scheduled_action_is_a_setting_that_a_suspended_process_does_not_follow(aws: Aws, process: str) -> None:
    aws.operator.autoscaling.suspend_processes(**G, ScalingProcesses=[process])
    put(aws, "more", 100, DesiredCapacity=5)
    put(aws, "end", 300, MinSize=0, DesiredCapacity=0)
    aws.advance(250)
    assert alive(aws) == (3 if process == "Launch" else 5)
    aws.advance(100)
    assert alive(aws) == (0 if process == "Launch" else 5)


def test_protected_and_standby_instances_outlive_a_scheduled_end(aws: Aws) -> None:
    protected, aside, _ = (one.id for one in aws.account.alive("g"))
    aws.operator.autoscaling.set_instance_protection(**G, InstanceIds=[protected], ProtectedFromScaleIn=True)
    aws.operator.autoscaling.enter_standby(**G, InstanceIds=[aside], ShouldDecrementDesiredCapacity=True)
    put(aws, "end", 300, MinSize=0, MaxSize=0, DesiredCapacity=0)
    aws.advance(3600)
    assert {one.id for one in aws.account.alive("g")} == {protected, aside}


def test_actions_are_listed_by_name_or_by_time(aws: Aws) -> None:
    for number in (1, 2, 3):
        put(aws, f"n{number}", 100 * number, DesiredCapacity=number)
    at = aws.account.moment
    assert names(aws, **G, ScheduledActionNames=["n2", "unknown"], StartTime=at + timedelta(hours=1)) == ["n2"]
    assert names(aws, StartTime=at + timedelta(seconds=200)) == ["n2", "n3"]
    assert names(aws, EndTime=at + timedelta(seconds=200)) == ["n1", "n2"]
    found = aws.operator.autoscaling.describe_scheduled_actions()["ScheduledUpdateGroupActions"][0]
    assert found["StartTime"] == at + timedelta(seconds=100)
    assert found["DesiredCapacity"] == 1
    assert "MinSize" not in found


def test_the_actions_of_a_deleted_group_are_gone(aws: Aws) -> None:
    put(aws, "end", 300, DesiredCapacity=0)
    aws.operator.autoscaling.delete_auto_scaling_group(**G, ForceDelete=True)
    aws.advance(3600)
    assert (names(aws), alive(aws)) == ([], 0)
    with pytest.raises(ClientError, match="not found"):
        put(aws, "end", 300, DesiredCapacity=0)


def activities(aws: Aws) -> list[tuple[str, str]]:
    found = aws.operator.autoscaling.describe_scaling_activities(**G)["Activities"]
    return [(one["StatusCode"], one.get("StatusMessage", "")) for one in found]


def test_launches_and_terminations_are_activities_the_newest_first(aws: Aws) -> None:
    assert activities(aws) == [("Successful", "")] * 3
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=2)
    aws.advance(10)
    assert activities(aws) == [("InProgress", "")] + [("Successful", "")] * 3
    aws.advance(60)
    assert activities(aws) == [("Successful", "")] * 4
    newest = aws.operator.autoscaling.describe_scaling_activities(**G, MaxRecords=1)["Activities"]
    assert newest[0]["Description"].startswith("Terminating EC2 instance: i-")


def test_a_launch_that_fails_is_an_activity_with_the_reason_and_is_tried_again(aws: Aws) -> None:
    group = aws.account.groups["g"]
    group.launch_error = "We currently do not have sufficient capacity."
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=5)
    aws.advance(90)
    assert alive(aws) == 3
    assert activities(aws)[:2] == [("Failed", f"{group.launch_error} Launching EC2 instance failed.")] * 2
    group.launch_error = ""
    aws.advance(90)
    assert (alive(aws), activities(aws)[0]) == (5, ("Successful", ""))


@pytest.mark.parametrize("operation", ["DescribeScheduledActions", "DescribeScalingActivities"])
def test_answers_have_the_shape_of_the_service(aws: Aws, operation: str) -> None:
    put(aws, "end", 300, DesiredCapacity=0)
    answer = aws.call("autoscaling", operation, {}, counted=False)
    assert any(answer.values())
    shape: Any = model_of("autoscaling").operation_model(operation).output_shape
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("suspended", [False, True])
def test_an_aws_in_process_runs_what_is_due_when_its_clock_moves(moto: MotoWorld, suspended: bool) -> None:
    site = Site()
    moto.add_annex(site)
    autoscaling, group = moto.operator.autoscaling, {"AutoScalingGroupName": site.group}
    autoscaling.update_auto_scaling_group(**group, DesiredCapacity=2)
    if suspended:
        autoscaling.suspend_processes(**group, ScalingProcesses=["ScheduledActions"])
    autoscaling.put_scheduled_update_group_action(
        **group, ScheduledActionName="end", StartTime=moto.now() + timedelta(minutes=5), MinSize=0, DesiredCapacity=0
    )
    moto.advance(299)
    assert len(moto.alive(site.group)) == 2
    moto.advance(1)
    assert len(moto.alive(site.group)) == (2 if suspended else 0)
    assert autoscaling.describe_scheduled_actions()["ScheduledUpdateGroupActions"] == []
