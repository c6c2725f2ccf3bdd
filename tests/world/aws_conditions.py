"""Conditions that last: what AWS refuses to the annex's function, or shows it wrongly, until they are lifted.

A fault (`aws_faults`) strikes one call. A condition holds for every call of the function, never for the operator's, and
on any world: `Conditioned` puts it between the code under test and clients of any kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from botocore import xform_name

from tests.world.aws_errors import DENIED, refusal

Do = Callable[[dict[str, Any]], dict[str, Any]]


class Condition(Protocol):
    """Something that changes the outcome of calls while it lasts."""

    def answer(self, service: str, operation: str, params: dict[str, Any], do: Do) -> dict[str, Any]:
        """Answer the call; `do` carries parameters out under the other conditions."""


def carry_out(
    conditions: Sequence[Condition], service: str, operation: str, params: dict[str, Any], do: Do
) -> dict[str, Any]:
    """Carry out a call under these conditions, the first of them outermost."""
    if not conditions:
        return do(params)
    first, *others = conditions
    return first.answer(service, operation, params, lambda given: carry_out(others, service, operation, given, do))


class Refused:
    """An operation is refused, as by a service control policy.

    Args:
        operation: name of the operation.
        ids: only calls that name one of these instances, or of these tag keys; empty: all calls.
        code: error code. Default: that of a denied call of the service.
    """

    def __init__(self, operation: str, ids: Collection[str] = (), *, code: str = "") -> None:
        self._operation, self._ids, self._code = operation, frozenset(ids), code
        self.struck = 0

    def answer(self, service: str, operation: str, params: dict[str, Any], do: Do) -> dict[str, Any]:
        """See `Condition`."""
        if operation != self._operation or (self._ids and not self._ids & _named(params)):
            return do(params)
        self.struck += 1
        raise refusal(self._code or DENIED[service], "an injected condition", operation)


def _named(params: dict[str, Any]) -> set[str]:
    ids = {one for key in ("InstanceIds", "Resources") for one in params.get(key, ())}
    return ids | {tag["Key"] for tag in params.get("Tags", ())} | {str(params.get("InstanceId", ""))}


class WrongGroups(ABC):
    """The listing of groups answers with others than there are."""

    def answer(self, service: str, operation: str, params: dict[str, Any], do: Do) -> dict[str, Any]:
        """See `Condition`."""
        del service
        found = do(params)
        if operation != "DescribeAutoScalingGroups":
            return found
        return {**found, "AutoScalingGroups": self.shown(found["AutoScalingGroups"])}

    @abstractmethod
    def shown(self, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The groups that the listing shows, of those that there are."""


class GroupUnlisted(WrongGroups):
    """The listing of groups answers without this group."""

    def __init__(self, group: str) -> None:
        self._group = group

    def shown(self, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """See `WrongGroups`."""
        return [one for one in groups if one["AutoScalingGroupName"] != self._group]


class TagsUnlisted(WrongGroups):
    """The listing of groups answers without tags of these keys: a reading between two calls of a deployment."""

    def __init__(self, *keys: str) -> None:
        self._keys = keys

    def shown(self, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """See `WrongGroups`."""
        return [{**one, "Tags": [tag for tag in one["Tags"] if tag["Key"] not in self._keys]} for one in groups]


class InstancesUnlisted:
    """EC2's listing answers without these instances; without any if no ids are given."""

    def __init__(self, ids: Collection[str] = ()) -> None:
        self._ids = frozenset(ids)

    def answer(self, service: str, operation: str, params: dict[str, Any], do: Do) -> dict[str, Any]:
        """See `Condition`."""
        del service
        found = do(params)
        if operation != "DescribeInstances":
            return found
        parts = [
            {
                **part,
                "Instances": [one for one in part["Instances"] if self._ids and one["InstanceId"] not in self._ids],
            }
            for part in found["Reservations"]
        ]
        return {**found, "Reservations": [part for part in parts if part["Instances"]]}

    def _hides(self, instance_id: str) -> bool:
        return not self._ids or instance_id in self._ids


class MembersUnlisted(WrongGroups):
    """The listing of groups answers without these members."""

    def __init__(self, ids: Collection[str]) -> None:
        self._ids = frozenset(ids)

    def shown(self, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """See `WrongGroups`."""
        return [
            {**one, "Instances": [each for each in one["Instances"] if each["InstanceId"] not in self._ids]}
            for one in groups
        ]


class PhantomMember(WrongGroups):
    """The group lists a member that EC2 does not know."""

    def __init__(self, group: str, instance_id: str = "i-0dead0000000000ff", state: str = "InService") -> None:
        self.id = instance_id
        self._group, self._state = group, state

    def shown(self, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """See `WrongGroups`."""
        member = {"InstanceId": self.id, "AvailabilityZone": "us-east-1a", "LifecycleState": self._state}
        member |= {"HealthStatus": "Healthy"}
        return [
            {**one, "Instances": [*one["Instances"], {**member, "ProtectedFromScaleIn": False}]}
            if one["AutoScalingGroupName"] == self._group
            else one
            for one in groups
        ]


class Conditioned:
    """A boto3 client whose calls are made under conditions."""

    def __init__(self, client: Any, service: str, conditions: Sequence[Condition]) -> None:
        self._client, self._service, self._conditions = client, service, conditions
        self._operations = {xform_name(name): name for name in client.meta.service_model.operation_names}
        self.meta = client.meta

    def __getattr__(self, name: str) -> Any:
        operation = self._operations.get(name)
        method = getattr(self._client, name)
        if operation is None:
            return method
        return lambda **params: carry_out(
            self._conditions, self._service, operation, params, lambda given: dict(method(**given))
        )

    def get_paginator(self, name: str) -> Any:
        """The client's paginator, whose pages are asked for under the conditions."""
        paginator = self._client.get_paginator(name)
        paginator._method = getattr(self, name)
        return paginator


class ConditionedClients:
    """The clients of an annex's function, made under conditions."""

    def __init__(self, clients: Any, conditions: Sequence[Condition]) -> None:
        for service in ("autoscaling", "ec2", "secretsmanager", "sns"):
            setattr(self, service, Conditioned(getattr(clients, service), service, conditions))
