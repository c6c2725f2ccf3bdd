"""Direct listings of everything an annex is made of outside EC2.

Most of these services list names without tags. The tags are asked for only where the name or the description could be
an annex's; whatever has another name and carries our tag is found by the tagging service (`annex_pool.tagged`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from annex_pool.aws import Aws
from annex_pool.leftover import STACK_TAG, Resource, may_be_ours
from annex_pool.listing import Listing, pages, tags_of, unless_gone

_OURS = "HTCondor annex "  # how the description of an annex's stack begins


def _groups(aws: Aws) -> Iterator[Resource]:
    for item in pages(aws.autoscaling, "describe_auto_scaling_groups", "AutoScalingGroups"):
        yield group_resource(item)


def group_resource(item: Mapping[str, Any]) -> Resource:
    """An Auto Scaling group as DescribeAutoScalingGroups tells it."""
    state = str(item.get("Status") or f"{len(item.get('Instances') or ())} instances")
    return Resource("Auto Scaling group", str(item["AutoScalingGroupName"]), state, tags_of(item.get("Tags")))


def _stacks(aws: Aws) -> Iterator[Resource]:
    for item in pages(aws.client("cloudformation"), "describe_stacks", "Stacks"):
        if item["StackStatus"] != "DELETE_COMPLETE":
            yield stack_resource(item)


def stack_resource(item: Mapping[str, Any]) -> Resource:
    """A stack as DescribeStacks tells it; its own name stands for the tag that its resources carry."""
    name, tags = str(item["StackName"]), tags_of(item.get("Tags"))
    # Somebody else's stack can have a name of this form, but ours say what they are, once they have a template.
    if str(item.get("Description") or _OURS).startswith(_OURS):
        tags = {**tags, STACK_TAG: name}
    return Resource("stack", name, str(item["StackStatus"]), tags)


def _secrets(aws: Aws) -> Iterator[Resource]:
    for item in pages(aws.secretsmanager, "list_secrets", "SecretList", IncludePlannedDeletion=True):
        yield secret_resource(item)


def secret_resource(item: Mapping[str, Any]) -> Resource:
    """A secret as ListSecrets and DescribeSecret tell it."""
    state = "pending deletion" if item.get("DeletedDate") else ""
    return Resource("secret", str(item["ARN"]), state, tags_of(item.get("Tags")), str(item.get("Name", "")))


def _functions(aws: Aws) -> Iterator[Resource]:
    for item in pages(aws.functions, "list_functions", "Functions"):
        name = str(item["FunctionName"])
        if may_be_ours(name, str(item.get("Description", ""))):
            tags = function_tags(aws, str(item["FunctionArn"]))
            if tags is not None:
                yield Resource("function", name, "", tags, name)


def function_tags(aws: Aws, arn: str) -> Mapping[str, str] | None:
    """The tags of a function; None if it is gone."""
    answer = unless_gone(aws.functions.list_tags, Resource=arn)
    return None if answer is None else answer.get("Tags", {})


def _schedules(aws: Aws) -> Iterator[Resource]:
    # A schedule cannot carry tags; it is whose function it runs, or whose name it has.
    tags: Callable[[str], Mapping[str, str] | None] = cache(lambda arn: function_tags(aws, arn))
    for item in pages(aws.client("scheduler"), "list_schedules", "Schedules"):
        name, target = str(item["Name"]), str(item.get("Target", {}).get("Arn", ""))
        of_function = tags(target) if ":function:" in target else None
        yield Resource("schedule", name, str(item.get("State", "")), of_function or {}, name)


def _log_groups(aws: Aws) -> Iterator[Resource]:
    client = aws.client("logs")
    for item in pages(client, "describe_log_groups", "logGroups"):
        name = str(item["logGroupName"])
        if may_be_ours(name):
            tags = log_group_tags(aws, str(item["arn"]).removesuffix(":*"))
            if tags is not None:
                yield Resource("log group", name, "", tags, name)


def log_group_tags(aws: Aws, arn: str) -> Mapping[str, str] | None:
    """The tags of a log group; None if it is gone."""
    answer = unless_gone(aws.client("logs").list_tags_for_resource, resourceArn=arn)
    return None if answer is None else answer.get("tags", {})


def _queues(aws: Aws) -> Iterator[Resource]:
    for url in pages(aws.client("sqs"), "list_queues", "QueueUrls", QueueNamePrefix="Annex"):
        name = str(url).rsplit("/", 1)[-1]
        answer = unless_gone(aws.client("sqs").list_queue_tags, QueueUrl=url)
        if answer is not None:
            yield Resource("queue", name, "", answer.get("Tags", {}), name)


def _topics(aws: Aws) -> Iterator[Resource]:
    for item in pages(aws.client("sns"), "list_topics", "Topics"):
        arn = str(item["TopicArn"])
        name = arn.rsplit(":", 1)[-1]
        if may_be_ours(name):
            answer = unless_gone(aws.client("sns").list_tags_for_resource, ResourceArn=arn)
            if answer is not None:
                yield Resource("topic", name, "", tags_of(answer.get("Tags")), name)


def _alarms(aws: Aws) -> Iterator[Resource]:
    client = aws.client("cloudwatch")
    for name, state, arn in listed_alarms(aws, AlarmNamePrefix="Annex"):
        answer = unless_gone(client.list_tags_for_resource, ResourceARN=arn)
        if answer is not None:
            yield Resource("alarm", name, state, tags_of(answer.get("Tags")), name)


def listed_alarms(aws: Aws, **request: object) -> Iterator[tuple[str, str, str]]:
    """Name, state and ARN of the alarms of every type that DescribeAlarms lists for this request."""
    types = ["MetricAlarm", "CompositeAlarm"]
    for key in (f"{each}s" for each in types):
        for item in pages(aws.client("cloudwatch"), "describe_alarms", key, AlarmTypes=types, **request):
            yield str(item["AlarmName"]), str(item.get("StateValue", "")), str(item["AlarmArn"])


def _roles(aws: Aws) -> Iterator[Resource]:
    client = aws.client("iam")
    for item in pages(client, "list_roles", "Roles"):
        name = str(item["RoleName"])
        if may_be_ours(name, str(item.get("Description", ""))):
            answer = unless_gone(client.list_role_tags, RoleName=name)
            if answer is not None:
                yield Resource("role", name, "", tags_of(answer.get("Tags")), name)


def _profiles(aws: Aws) -> Iterator[Resource]:
    for item in pages(aws.client("iam"), "list_instance_profiles", "InstanceProfiles"):
        # CloudFormation cannot tag instance profiles.
        name = str(item["InstanceProfileName"])
        yield Resource("instance profile", name, "", tags_of(item.get("Tags")), name)


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
"""Direct listings of what lives in a Region."""
GLOBAL_LISTINGS = (Listing("role", _roles), Listing("instance profile", _profiles))
"""Direct listings of what belongs to no Region."""
