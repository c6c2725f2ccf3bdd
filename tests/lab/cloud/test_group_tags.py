"""Tags, filters and pages of groups behave as AWS documents."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Group
from .driving import Cloud

Make = Callable[..., Group]


def tag(group: Group, key: str, value: str, propagate: bool) -> dict[str, Any]:
    return {
        "ResourceId": group.name,
        "ResourceType": "auto-scaling-group",
        "Key": key,
        "Value": value,
        "PropagateAtLaunch": propagate,
    }


def instance_tags(cloud: Cloud, instance_id: str) -> dict[str, str]:
    found = cloud.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [instance_id]}])
    return {one["Key"]: one["Value"] for one in found["Tags"]}


def test_tags_reach_instances_launched_later_only(cloud: Cloud, group: Make) -> None:
    autoscaling = cloud.client("autoscaling")
    made = group(Tags=[{"Key": "annex:name", "Value": "demo", "PropagateAtLaunch": True}])
    [early] = made.desire(1)
    autoscaling.create_or_update_tags(Tags=[tag(made, "end", "1", True), tag(made, "own", "2", False)])
    late = next(one for one in made.desire(2) if one != early)
    assert instance_tags(cloud, early)["aws:autoscaling:groupName"] == made.name
    assert "end" not in instance_tags(cloud, early)
    shown = instance_tags(cloud, late)
    assert (shown["end"], shown["annex:name"]) == ("1", "demo")
    assert "own" not in shown
    autoscaling.create_or_update_tags(Tags=[tag(made, "end", "3", True)])
    assert {one["Key"]: one["Value"] for one in made.show()["Tags"]} == {"annex:name": "demo", "end": "3", "own": "2"}
    autoscaling.delete_tags(Tags=[tag(made, "end", "", True)])
    assert "end" not in {one["Key"] for one in made.show()["Tags"]}


def test_tags_of_missing_group_or_reserved_key_are_refused(cloud: Cloud, group: Make) -> None:
    made = group()
    autoscaling = cloud.client("autoscaling")
    with pytest.raises(ClientError, match="reserved"):
        autoscaling.create_or_update_tags(Tags=[tag(made, "good", "", False), tag(made, "aws:x", "", False)])
    with pytest.raises(ClientError, match="not found"):
        autoscaling.create_or_update_tags(Tags=[tag(made, "good", "", False), tag(Group(cloud, "no"), "a", "", False)])


def test_filters_and_paging_of_groups(cloud: Cloud, group: Make) -> None:
    autoscaling = cloud.client("autoscaling")
    made = [
        group(Tags=[{"Key": "paged", "Value": value, "PropagateAtLaunch": False}]) for value in ("pa", "paper", "pa")
    ]

    def found(**arguments: Any) -> list[str]:
        pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(**arguments)
        return [one["AutoScalingGroupName"] for part in pages for one in part["AutoScalingGroups"]]

    assert found(Filters=[{"Name": "tag:paged", "Values": ["pa"]}]) == [made[0].name, made[2].name]
    assert found(Filters=[{"Name": "tag-key", "Values": ["paged"]}], PaginationConfig={"PageSize": 1}) == [
        one.name for one in made
    ]
    first = autoscaling.describe_auto_scaling_groups(MaxRecords=1)
    assert len(first["AutoScalingGroups"]) == 1
    assert first["NextToken"]
    with pytest.raises(ClientError, match="Filter type"):
        found(Filters=[{"Name": "name", "Values": ["x"]}])
    with pytest.raises(ClientError, match="MaxRecords"):
        autoscaling.describe_auto_scaling_groups(MaxRecords=101)


def test_describe_members_names_their_group(cloud: Cloud, group: Make) -> None:
    made = group()
    [member] = made.desire(1)
    [shown] = cloud.client("autoscaling").describe_auto_scaling_instances(InstanceIds=[member])["AutoScalingInstances"]
    assert (shown["AutoScalingGroupName"], shown["HealthStatus"]) == (made.name, "HEALTHY")
