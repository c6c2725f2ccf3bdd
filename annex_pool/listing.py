"""Asking a service for all it has: every page, as plain data, and a refusal is never an empty answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from annex_pool.aws import Aws
from annex_pool.leftover import Resource


@dataclass(frozen=True)
class Listing:
    """How one kind of resource is listed directly.

    Attributes:
        kind: what is listed, such as "volume".
        resources: lists all there are in a Region, or those that may be an annex's; raises what botocore raises.
    """

    kind: str
    resources: Callable[[Aws], Iterator[Resource]]


def pages(client: Any, operation: str, key: str, **request: object) -> Iterator[Mapping[str, Any]]:
    """All items that an operation lists, page by page until the last one.

    Args:
        client: a boto3 client.
        operation: the operation's name in Python.
        key: the list in its answer.
        request: its parameters.
    """
    if client.can_paginate(operation):
        answers: Iterable[Mapping[str, Any]] = client.get_paginator(operation).paginate(**request)
    else:
        answers = (getattr(client, operation)(**request),)
    for answer in answers:
        yield from answer.get(key) or ()


def tags_of(listed: Iterable[Mapping[str, Any]] | None) -> Mapping[str, str]:
    """Tags as every service but Lambda, SQS and CloudWatch Logs lists them."""
    return {str(tag["Key"]): str(tag.get("Value") or "") for tag in listed or ()}


def unless_gone(ask: Callable[..., Any], **request: object) -> Any:
    """The answer, or None if the service says that what was asked about does not exist.

    Args:
        ask: an operation of a boto3 client.
        request: its parameters.

    Raises:
        botocore.exceptions.ClientError: any other refusal.
        botocore.exceptions.BotoCoreError: there was no answer.
    """
    try:
        return ask(**request)
    except ClientError as error:
        if is_gone(error):
            return None
        raise


def is_gone(error: ClientError) -> bool:
    """Whether the service says that what was asked about does not exist."""
    answer = error.response.get("Error", {})
    code = answer.get("Code", "")
    missing = ("NotFound", "NotFoundException", "NoSuchEntity", "NonExistentQueue", "QueueDoesNotExist")
    # CloudFormation has no code of its own for it: "Stack with id ... does not exist".
    return code.endswith(missing) or (code == "ValidationError" and "does not exist" in answer.get("Message", ""))
