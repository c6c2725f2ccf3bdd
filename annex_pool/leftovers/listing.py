"""Direct listings: every page of a service's answer as plain data. A refusal is never an empty listing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from botocore.exceptions import ClientError

from annex_lease.aws import PAGE_SIZE
from annex_lease.ownership import by_key_from_api
from annex_pool.region import RegionClients

T = TypeVar("T")


@dataclass(frozen=True)
class Listing(Generic[T]):
    """Direct listing of one kind of resource.

    Attributes:
        kind: kind of resource, such as "volume".
        resources: lists all resources of a Region, or those that may be searched for; raises errors of botocore.
    """

    kind: str
    resources: Callable[[RegionClients], Iterator[T]]


def pages(client: Any, operation: str, key: str, **request: object) -> Iterator[Mapping[str, Any]]:
    """All items that an operation lists, through the last page.

    Args:
        client: a boto3 client.
        operation: the operation's name in boto3.
        key: key of the list in its answer.
        request: its parameters.
    """
    if client.can_paginate(operation):
        answers: Iterable[Mapping[str, Any]] = client.get_paginator(operation).paginate(**request)
    else:
        answers = (getattr(client, operation)(**request),)
    for answer in answers:
        yield from answer.get(key) or ()


def listed_instances(aws: RegionClients, **request: object) -> Iterator[Mapping[str, Any]]:
    """All instances that EC2 lists for a request.

    Args:
        aws: the clients of the Region.
        request: parameters of DescribeInstances: filters, or ids.
    """
    # An answer that is not paged holds every instance, and AWS throttles it, or fails. One by ids cannot be paged.
    paged = {} if "InstanceIds" in request else {"PaginationConfig": {"PageSize": PAGE_SIZE}}
    for reservation in pages(aws.ec2, "describe_instances", "Reservations", **paged, **request):
        yield from reservation["Instances"]


def tags_of(listed: Iterable[Mapping[str, Any]] | None) -> Mapping[str, str]:
    """Tags in the form of every service except Lambda, SQS and CloudWatch Logs."""
    return by_key_from_api(listed or ())


def unless_gone(ask: Callable[..., Any], **request: object) -> Any:
    """The answer of an operation; None if the service reports that the resource does not exist.

    Args:
        ask: an operation of a boto3 client.
        request: its parameters.

    Raises:
        botocore.exceptions.ClientError: AWS refused for another reason.
        botocore.exceptions.BotoCoreError: AWS did not answer.
    """
    try:
        return ask(**request)
    except ClientError as error:
        if is_gone(error):
            return None
        raise


def is_gone(error: ClientError) -> bool:
    """True if the service reports that the resource does not exist."""
    answer = error.response.get("Error", {})
    code = answer.get("Code", "")
    missing = ("NotFound", "NotFoundException", "NoSuchEntity", "NonExistentQueue", "QueueDoesNotExist")
    # CloudFormation has no error code for it: "Stack with id ... does not exist".
    return code.endswith(missing) or (code == "ValidationError" and "does not exist" in answer.get("Message", ""))
