"""Resources that the tagging service lists for an annex, each confirmed by its own service.

The tagging service finds resources that no direct listing can, such as a function of any name in a user's own CDK app.
It keeps listing deleted resources for a while, so the resource's own service decides if the resource exists.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from annex_lease.tags import TAG_NAME
from annex_pool.leftovers.ec2_kinds import EC2_KINDS
from annex_pool.leftovers.leftover import ListedResource
from annex_pool.leftovers.listing import pages, tags_of, unless_gone
from annex_pool.leftovers.service_kinds import (
    function_tags,
    group_resource,
    listed_alarms,
    secret_resource,
    stack_resource,
)
from annex_pool.region import RegionClients


@dataclass(frozen=True)
class Arn:
    """An ARN with the kind and id of its resource; `kind` is empty if this package cannot ask its service."""

    text: str
    kind: str
    id: str


def listed_by_tag(aws: RegionClients, annex: str | None) -> Iterator[tuple[Arn, Mapping[str, str]]]:
    """List the resources that the tagging service finds under the tag of this annex (None: any annex), with tags.

    Raises errors of botocore.
    """
    wanted: dict[str, object] = {"Key": TAG_NAME} if annex is None else {"Key": TAG_NAME, "Values": [annex]}
    for item in pages(aws.tagging, "get_resources", "ResourceTagMappingList", TagFilters=[wanted]):
        yield read_arn(str(item["ResourceARN"])), tags_of(item.get("Tags"))


def read_arn(text: str) -> Arn:
    """Read an ARN: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`."""
    parts = text.split(":", 5)
    if len(parts) != 6:
        return Arn(text, "", text)
    service, resource = parts[2], parts[5]
    if service == "ec2":
        arn_type, _, resource_id = resource.partition("/")
        kinds = {kind.arn_type: kind.kind for kind in EC2_KINDS}
        return Arn(text, kinds.get(arn_type, ""), resource_id)
    for prefix, kind, id_of in _FORMS:
        if f"{service}:{resource}".startswith(prefix):
            return Arn(text, kind, id_of(text))
    return Arn(text, "", text)


def confirmed(
    aws: RegionClients, arn: Arn, tags: Mapping[str, str], seen: Collection[tuple[str, str]]
) -> ListedResource | None:
    """The resource as its own service describes it; None if it is gone, or if it is in `seen`.

    Raises errors of botocore.

    Args:
        aws: the clients of the Region.
        arn: ARN from the tagging service.
        tags: tags from the tagging service.
        seen: kinds and ids of the resources that the direct listings found.
    """
    if (arn.kind, arn.id) in seen:
        return None
    if not arn.kind:
        service = arn.text.split(":")[2] if arn.text.count(":") >= 5 else "resource"
        return ListedResource(f"{service} (other)", arn.text, "", tags, tagging_only=True)
    resource = _asked(aws, arn)
    # The tags from the resource's own service decide, if it returned any.
    return resource and replace(resource, tags=resource.tags or tags)


def _asked(aws: RegionClients, arn: Arn) -> ListedResource | None:
    ec2 = next((kind for kind in EC2_KINDS if kind.kind == arn.kind), None)
    if ec2 is None:
        return _SINGLE[arn.kind](aws, arn)
    found: ListedResource | None = unless_gone(lambda: ec2.found(aws, arn.id))
    return found


def _group(aws: RegionClients, arn: Arn) -> ListedResource | None:
    listed = pages(aws.autoscaling, "describe_auto_scaling_groups", "AutoScalingGroups", AutoScalingGroupNames=[arn.id])
    return next((group_resource(item) for item in listed), None)


def _stack(aws: RegionClients, arn: Arn) -> ListedResource | None:
    # A deleted stack is still described by its ARN; its name could belong to another stack.
    client = aws.cloudformation
    items = unless_gone(lambda: list(pages(client, "describe_stacks", "Stacks", StackName=arn.text)))
    return next((stack_resource(item) for item in items or () if item["StackStatus"] != "DELETE_COMPLETE"), None)


def _secret(aws: RegionClients, arn: Arn) -> ListedResource | None:
    item = unless_gone(aws.secretsmanager.describe_secret, SecretId=arn.text)
    return None if item is None else secret_resource(item)


def _log_group(aws: RegionClients, arn: Arn) -> ListedResource | None:
    listed = pages(aws.logs, "describe_log_groups", "logGroups", logGroupNamePrefix=arn.id)
    return next((ListedResource("log group", arn.id) for item in listed if item["logGroupName"] == arn.id), None)


def _alarm(aws: RegionClients, arn: Arn) -> ListedResource | None:
    listed = listed_alarms(aws, AlarmNames=[arn.id])
    return next((ListedResource("alarm", arn.id, state) for name, state, _ in listed if name == arn.id), None)


def _tagged(
    kind: str, tags: Callable[[RegionClients, str], Mapping[str, str] | None]
) -> Callable[[RegionClients, Arn], ListedResource | None]:
    def ask(aws: RegionClients, arn: Arn) -> ListedResource | None:
        found = tags(aws, arn.text)
        return None if found is None else ListedResource(kind, arn.id, "", found)

    return ask


def _queue_tags(aws: RegionClients, arn: str) -> Mapping[str, str] | None:
    client = aws.client("sqs")
    url: Any = unless_gone(client.get_queue_url, QueueName=arn.rsplit(":", 1)[-1])
    answer: Any = url and unless_gone(client.list_queue_tags, QueueUrl=url["QueueUrl"])
    return answer.get("Tags", {}) if answer else None


def _topic_tags(aws: RegionClients, arn: str) -> Mapping[str, str] | None:
    answer = unless_gone(aws.client("sns").list_tags_for_resource, ResourceArn=arn)
    return None if answer is None else tags_of(answer.get("Tags"))


def _role_tags(aws: RegionClients, arn: str) -> Mapping[str, str] | None:
    answer = unless_gone(aws.client("iam").list_role_tags, RoleName=arn.rsplit("/", 1)[-1])
    return None if answer is None else tags_of(answer.get("Tags"))


def _last(separator: str) -> Callable[[str], str]:
    return lambda text: text.rsplit(separator, 1)[-1]


# Beginning of an ARN without account and Region, its kind, and its id in the direct listings
# (Service Authorization Reference, "Resource types defined by ...").
_FORMS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("autoscaling:autoScalingGroup:", "Auto Scaling group", _last("autoScalingGroupName/")),
    ("cloudformation:stack/", "stack", lambda text: text.split("/")[1]),
    ("secretsmanager:secret:", "secret", str),
    ("lambda:function:", "function", _last(":")),
    ("logs:log-group:", "log group", lambda text: text.removesuffix(":*").rsplit(":log-group:", 1)[-1]),
    ("sqs:", "queue", _last(":")),
    ("sns:", "topic", _last(":")),
    ("cloudwatch:alarm:", "alarm", _last(":alarm:")),
    ("iam:role/", "role", _last("/")),
)
_SINGLE: Mapping[str, Callable[[RegionClients, Arn], ListedResource | None]] = {
    "Auto Scaling group": _group,
    "stack": _stack,
    "secret": _secret,
    "function": _tagged("function", function_tags),
    "log group": _log_group,
    "queue": _tagged("queue", _queue_tags),
    "topic": _tagged("topic", _topic_tags),
    "alarm": _alarm,
    "role": _tagged("role", _role_tags),
}
