"""Limits of the model: pages, ids and tags are those of AWS, and the requests that ask for too much are noted."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.world.aws_model import Aws
from tests.world.aws_state import MAX_TAGS, START, ScalingGroup

FLEET = 1_200
G = {"AutoScalingGroupName": "g"}


@pytest.fixture
def aws() -> Aws:
    """A group `g` of more instances than a page has."""
    aws = Aws()
    aws.account.groups["g"] = ScalingGroup("g", START, FLEET)
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=FLEET)
    aws.advance(60)
    return aws


def pages(aws: Aws, **config: Any) -> list[int]:
    found = aws.clients.ec2.get_paginator("describe_instances").paginate(PaginationConfig=config)
    return [len(page["Reservations"]) for page in found]


def test_a_listing_without_a_page_size_is_one_answer_and_is_noted(aws: Aws) -> None:
    assert pages(aws, PageSize=1000) == [1000, 200]
    assert aws.unpaged == []
    assert pages(aws) == [FLEET]
    assert [call.operation for call in aws.unpaged] == ["DescribeInstances"]
    aws.operator.ec2.describe_instances()
    assert len(aws.unpaged) == 1, "the operator's are not the function's"


@pytest.mark.parametrize("size", [4, 1001])
def test_a_page_has_5_to_1000_instances(aws: Aws, size: int) -> None:
    with pytest.raises(ClientError, match="between 5 and 1000"):
        aws.clients.ec2.describe_instances(MaxResults=size)


def test_instances_by_their_ids_come_in_one_answer_or_not_at_all(aws: Aws) -> None:
    ids = list(aws.account.instances)[:2]
    assert len(aws.clients.ec2.describe_instances(InstanceIds=ids)["Reservations"]) == 2
    assert aws.unpaged == []
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        aws.clients.ec2.describe_instances(InstanceIds=ids, MaxResults=5)
    with pytest.raises(ClientError, match="NotFound"):
        aws.clients.ec2.describe_instances(InstanceIds=[*ids, "i-0bad"])


def group_tags(number: int) -> list[dict[str, Any]]:
    tag = {"ResourceId": "g", "ResourceType": "auto-scaling-group", "Value": "x", "PropagateAtLaunch": False}
    return [{**tag, "Key": f"k{each}"} for each in range(number)]


def test_a_group_has_so_many_tags_and_a_call_writes_all_of_its_tags_or_none(aws: Aws) -> None:
    write = aws.operator.autoscaling.create_or_update_tags
    with pytest.raises(ClientError, match="LimitExceeded"):
        write(Tags=group_tags(MAX_TAGS + 1))
    assert aws.account.groups["g"].tags == {}
    write(Tags=group_tags(MAX_TAGS))
    write(Tags=group_tags(1))
    with pytest.raises(ClientError, match="LimitExceeded"):
        write(Tags=group_tags(MAX_TAGS + 1)[-1:])
    assert len(aws.account.groups["g"].tags) == MAX_TAGS


def test_an_instance_has_so_many_tags_of_its_own(aws: Aws) -> None:
    full, other = list(aws.account.instances)[:2]
    write = aws.operator.ec2.create_tags
    write(Resources=[full], Tags=[{"Key": f"k{each}", "Value": ""} for each in range(MAX_TAGS)])
    write(Resources=[full, other], Tags=[{"Key": "k0", "Value": "new"}])
    with pytest.raises(ClientError, match="TagLimitExceeded"):
        write(Resources=[full, other], Tags=[{"Key": "more", "Value": ""}])
    assert "more" not in aws.account.instances[other].tags
