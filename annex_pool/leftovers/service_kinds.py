"""Kinds of resources outside EC2 that an annex consists of, and their direct listings.

Most of these services list names without tags. Tags are read only if the name or the description may be an annex's. The
tagging service finds the resources with other names that carry the annex's tag (`annex_pool.leftovers.tagged`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from annex_lease.ownership import STACK_DESCRIPTION, STACK_NAME_TAG
from annex_pool.leftovers.leftover import ListedResource, may_belong_to_annex
from annex_pool.leftovers.listing import Listing, pages, tags_of, unless_gone
from annex_pool.region import RegionClients


def _groups(aws: RegionClients) -> Iterator[ListedResource]:
    for item in pages(aws.autoscaling, "describe_auto_scaling_groups", "AutoScalingGroups"):
        yield group_resource(item)


def group_resource(item: Mapping[str, Any]) -> ListedResource:
    """Read an Auto Scaling group from DescribeAutoScalingGroups."""
    state = str(item.get("Status") or f"{len(item.get('Instances') or ())} instances")
    return ListedResource("Auto Scaling group", str(item["AutoScalingGroupName"]), state, tags_of(item.get("Tags")))


def _stacks(aws: RegionClients) -> Iterator[ListedResource]:
    for item in pages(aws.cloudformation, "describe_stacks", "Stacks"):
        if item["StackStatus"] != "DELETE_COMPLETE":
            yield stack_resource(item)


def stack_resource(item: Mapping[str, Any]) -> ListedResource:
    """Read a stack from DescribeStacks; its name counts as the tag that its resources carry."""
    name, tags = str(item["StackName"]), tags_of(item.get("Tags"))
    # Another stack can have a name of this form. An annex's stack has the description as soon as it has a template.
    if str(item.get("Description") or STACK_DESCRIPTION).startswith(STACK_DESCRIPTION):
        tags = {**tags, STACK_NAME_TAG: name}
    return ListedResource("stack", name, str(item["StackStatus"]), tags)


def _secrets(aws: RegionClients) -> Iterator[ListedResource]:
    for item in pages(aws.secretsmanager, "list_secrets", "SecretList", IncludePlannedDeletion=True):
        yield secret_resource(item)


def secret_resource(item: Mapping[str, Any]) -> ListedResource:
    """Read a secret from ListSecrets or DescribeSecret."""
    state = "pending deletion" if item.get("DeletedDate") else ""
    return ListedResource("secret", str(item["ARN"]), state, tags_of(item.get("Tags")), str(item.get("Name", "")))


def _functions(aws: RegionClients) -> Iterator[ListedResource]:
    for item in pages(aws.functions, "list_functions", "Functions"):
        name = str(item["FunctionName"])
        if may_belong_to_annex(name, str(item.get("Description", ""))):
            tags = function_tags(aws, str(item["FunctionArn"]))
            if tags is not None:
                yield ListedResource("function", name, "", tags, name)


def function_tags(aws: RegionClients, arn: str) -> Mapping[str, str] | None:
    """Tags of a function; None if it is gone."""
    answer = unless_gone(aws.functions.list_tags, Resource=arn)
    return None if answer is None else answer.get("Tags", {})


def _schedules(aws: RegionClients) -> Iterator[ListedResource]:
    # A schedule cannot carry tags. The tags of the function that it runs count, or else its own name.
    tags: Callable[[str], Mapping[str, str] | None] = cache(lambda arn: function_tags(aws, arn))
    for item in pages(aws.client("scheduler"), "list_schedules", "Schedules"):
        name, target = str(item["Name"]), str(item.get("Target", {}).get("Arn", ""))
        of_function = tags(target) if ":function:" in target else None
        yield ListedResource("schedule", name, str(item.get("State", "")), of_function or {}, name)


def _log_groups(aws: RegionClients) -> Iterator[ListedResource]:
    client = aws.logs
    for item in pages(client, "describe_log_groups", "logGroups"):
        name = str(item["logGroupName"])
        if may_belong_to_annex(name):
            tags = log_group_tags(aws, str(item["arn"]).removesuffix(":*"))
            if tags is not None:
                yield ListedResource("log group", name, "", tags, name)


def log_group_tags(aws: RegionClients, arn: str) -> Mapping[str, str] | None:
    """Tags of a log group; None if it is gone."""
    answer = unless_gone(aws.logs.list_tags_for_resource, resourceArn=arn)
    return None if answer is None else answer.get("tags", {})


def _queues(aws: RegionClients) -> Iterator[ListedResource]:
    for url in pages(aws.client("sqs"), "list_queues", "QueueUrls", QueueNamePrefix="Annex"):
        name = str(url).rsplit("/", 1)[-1]
        answer = unless_gone(aws.client("sqs").list_queue_tags, QueueUrl=url)
        if answer is not None:
            yield ListedResource("queue", name, "", answer.get("Tags", {}), name)


def _topics(aws: RegionClients) -> Iterator[ListedResource]:
    for item in pages(aws.client("sns"), "list_topics", "Topics"):
        arn = str(item["TopicArn"])
        name = arn.rsplit(":", 1)[-1]
        if may_belong_to_annex(name):
            answer = unless_gone(aws.client("sns").list_tags_for_resource, ResourceArn=arn)
            if answer is not None:
                yield ListedResource("topic", name, "", tags_of(answer.get("Tags")), name)


def _alarms(aws: RegionClients) -> Iterator[ListedResource]:
    client = aws.client("cloudwatch")
    for name, state, arn in listed_alarms(aws, AlarmNamePrefix="Annex"):
        answer = unless_gone(client.list_tags_for_resource, ResourceARN=arn)
        if answer is not None:
            yield ListedResource("alarm", name, state, tags_of(answer.get("Tags")), name)


def listed_alarms(aws: RegionClients, **request: object) -> Iterator[tuple[str, str, str]]:
    """Name, state and ARN of the alarms of every type that DescribeAlarms lists for this request."""
    types = ["MetricAlarm", "CompositeAlarm"]
    for key in (f"{each}s" for each in types):
        for item in pages(aws.client("cloudwatch"), "describe_alarms", key, AlarmTypes=types, **request):
            yield str(item["AlarmName"]), str(item.get("StateValue", "")), str(item["AlarmArn"])


def _roles(aws: RegionClients) -> Iterator[ListedResource]:
    client = aws.client("iam")
    for item in pages(client, "list_roles", "Roles"):
        name = str(item["RoleName"])
        if may_belong_to_annex(name, str(item.get("Description", ""))):
            answer = unless_gone(client.list_role_tags, RoleName=name)
            if answer is not None:
                yield ListedResource("role", name, "", tags_of(answer.get("Tags")), name)


def _profiles(aws: RegionClients) -> Iterator[ListedResource]:
    for item in pages(aws.client("iam"), "list_instance_profiles", "InstanceProfiles"):
        # CloudFormation cannot tag instance profiles.
        name = str(item["InstanceProfileName"])
        yield ListedResource("instance profile", name, "", tags_of(item.get("Tags")), name)


REGIONAL_LISTINGS = (
    Listing("Auto Scaling group", _groups),
    Listing("stack", _stacks),
    Listing("secret", _secrets),
    Listing("function", _functions),
    Listing("schedule", _schedules),
    Listing("log group", _log_groups),
    Listing("queue", _queues),
    Listing("topic", _topics),
    Listing("alarm", _alarms),
)
"""Direct listings of resources of a Region."""
GLOBAL_LISTINGS = (Listing("role", _roles), Listing("instance profile", _profiles))
"""Direct listings of resources that belong to no Region."""
