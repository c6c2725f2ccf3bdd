"""Scheduled actions run at their time, once, as AWS documents; a template cannot declare one that would never run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Group
from .driving import Cloud, eventually
from .stacks import Stack

Make = Callable[..., Group]
ENDED = {"MinSize": 0, "MaxSize": 0, "DesiredCapacity": 0}


def put(group: Group, name: str, seconds: float, **sizes: int) -> datetime:
    """Schedule an action for so many seconds from now on, by the cloud's clock."""
    start = (datetime.now(UTC) + timedelta(seconds=group.cloud.offset + seconds)).replace(microsecond=0)
    group.call("put_scheduled_update_group_action", ScheduledActionName=name, StartTime=start, **sizes)
    return start


def listed(group: Group, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = group.call("describe_scheduled_actions", **params)["ScheduledUpdateGroupActions"]
    return found


def names(group: Group, **params: Any) -> list[str]:
    return [one["ScheduledActionName"] for one in listed(group, **params)]


def sizes(group: Group) -> tuple[int, int, int]:
    shown = group.show()
    return shown["MinSize"], shown["DesiredCapacity"], shown["MaxSize"]


def test_an_action_runs_once_at_its_time_and_disappears(cloud: Cloud, group: Make) -> None:
    made = group()
    made.desire(2)
    put(made, "end", 3600, **ENDED)
    cloud.advance(3000)
    cloud.get("/_lab/tick?count=2", "POST")
    assert (sizes(made), names(made)) == ((0, 2, 4), ["end"])
    cloud.advance(700)
    made.await_ids(0)
    eventually(lambda: not made.show()["Instances"])
    assert (sizes(made), names(made)) == ((0, 0, 0), [])
    made.call("update_auto_scaling_group", MaxSize=1, DesiredCapacity=1)
    cloud.advance(7200)
    made.await_ids(1)


def test_an_action_that_is_put_again_moves_and_keeps_its_arn(cloud: Cloud, group: Make) -> None:
    made = group(MinSize=1)
    put(made, "end", 100, **ENDED)
    before = listed(made)[0]
    start = put(made, "end", 7200, MinSize=0, DesiredCapacity=0)
    [after] = listed(made)
    assert after["ScheduledActionARN"] == before["ScheduledActionARN"]
    assert (after["StartTime"], after["Time"]) == (start, start)
    assert (after["MinSize"], after["DesiredCapacity"], "MaxSize" in after) == (0, 0, False)
    cloud.advance(200)
    cloud.get("/_lab/tick?count=2", "POST")
    assert sizes(made) == (1, 1, 4)


def test_a_deleted_action_does_not_run(cloud: Cloud, group: Make) -> None:
    made = group(MinSize=1)
    put(made, "end", 100, **ENDED)
    made.call("delete_scheduled_action", ScheduledActionName="end")
    with pytest.raises(ClientError, match="not found"):
        made.call("delete_scheduled_action", ScheduledActionName="end")
    cloud.advance(200)
    cloud.get("/_lab/tick?count=2", "POST")
    assert sizes(made) == (1, 1, 4)


def test_what_aws_refuses_is_refused(group: Make) -> None:
    made = group()
    start = put(made, "one", 3600, **ENDED)
    with pytest.raises(ClientError, match="Given start time is in the past"):
        put(made, "two", -1, **ENDED)
    with pytest.raises(ClientError, match="AlreadyExists"):
        made.call("put_scheduled_update_group_action", ScheduledActionName="two", StartTime=start, DesiredCapacity=0)
    with pytest.raises(ClientError, match="between min size:2"):
        put(made, "two", 7200, MinSize=2, DesiredCapacity=1)
    with pytest.raises(ClientError, match="At least one"):
        put(made, "two", 7200)
    with pytest.raises(ClientError, match="no Recurrence"):
        made.call(
            "put_scheduled_update_group_action", ScheduledActionName="two", Recurrence="0 0 * * *", DesiredCapacity=0
        )
    assert names(made) == ["one"]


def test_a_group_has_at_most_125_actions_in_pages(group: Make) -> None:
    made = group()
    for number in range(125):
        put(made, f"n{number}", 3600 + number * 5, DesiredCapacity=0)
    with pytest.raises(ClientError, match="LimitExceeded"):
        put(made, "more", 9000, DesiredCapacity=0)
    pages = (
        made.cloud.client("autoscaling")
        .get_paginator("describe_scheduled_actions")
        .paginate(AutoScalingGroupName=made.name)
    )
    assert [len(page["ScheduledUpdateGroupActions"]) for page in pages] == [50, 50, 25]


def test_actions_are_listed_by_name_or_by_time(group: Make) -> None:
    made = group()
    put(made, "early", 3600, DesiredCapacity=0)
    late = put(made, "late", 7200, DesiredCapacity=0)
    assert names(made, ScheduledActionNames=["early", "unknown"], StartTime=late) == ["early"]
    assert names(made, StartTime=late) == ["late"]
    assert names(made, EndTime=late - timedelta(seconds=1)) == ["early"]


def test_a_suspended_process_skips_what_falls_due(cloud: Cloud, group: Make) -> None:
    made = group(MinSize=1)
    made.call("suspend_processes", ScalingProcesses=["ScheduledActions"])
    put(made, "skipped", 100, **ENDED)
    cloud.advance(200)
    cloud.get("/_lab/tick?count=2", "POST")
    made.call("resume_processes", ScalingProcesses=["ScheduledActions"])
    cloud.get("/_lab/tick?count=2", "POST")
    assert (sizes(made), names(made)) == ((1, 1, 4), [])


def test_sizes_that_contradict_those_of_the_group_change_nothing(cloud: Cloud, group: Make) -> None:
    made = group(MinSize=1)
    put(made, "more", 100, DesiredCapacity=5)
    cloud.advance(200)
    cloud.get("/_lab/tick?count=2", "POST")
    assert (sizes(made), names(made)) == ((1, 1, 4), [])


def test_a_failed_launch_is_an_activity_with_the_reason(group: Make, template: Callable[..., str]) -> None:
    broken = {"LaunchTemplateId": template(ImageId="ami-00000000000000bad"), "Version": "$Latest"}
    made = group(LaunchTemplate=broken)
    made.call("update_auto_scaling_group", DesiredCapacity=1)

    def failed() -> list[str]:
        found = made.call("describe_scaling_activities")["Activities"]
        return [one["StatusMessage"] for one in found if one["StatusCode"] == "Cancelled"]

    assert "this image does not boot" in eventually(failed, "a failed activity")[0]


def test_a_template_cannot_declare_an_action_that_would_never_run(stack: Stack) -> None:
    action = {"Type": "AWS::AutoScaling::ScheduledAction", "Properties": {"AutoScalingGroupName": "g", "MinSize": 0}}
    with pytest.raises(ClientError, match="AWS::AutoScaling::ScheduledAction"):
        stack.create({"Action": action})
