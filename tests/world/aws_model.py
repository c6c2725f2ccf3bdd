"""A small model of the AWS that AWS documents, as boto3-like clients: deterministic, in memory, with a clock.

`Aws.clients` is what the code under test gets: its calls are counted, and `Aws.faults` decides what becomes of each.
`Aws.operator` is everybody else (an operator, CloudFormation, an execution point): never counted, never disturbed.
Parameters are checked against botocore's own model of the service, and pages are put together by its paginators.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import botocore.session
from botocore import xform_name
from botocore.exceptions import ParamValidationError
from botocore.model import ServiceModel
from botocore.paginate import Paginator, PaginatorModel
from botocore.validate import ParamValidator

from tests.world import aws_group_api, aws_member_api, aws_other_api, aws_schedule_api
from tests.world.aws_conditions import Condition, carry_out
from tests.world.aws_scaling import advance
from tests.world.aws_state import REGION, Account

SERVICES = ("autoscaling", "ec2", "secretsmanager", "sns")
_PAGED = frozenset(
    {"DescribeAutoScalingGroups", "DescribeInstances", "DescribeScheduledActions", "DescribeScalingActivities"}
)


@dataclass(frozen=True)
class Call:
    """A call of the code under test: its number in order, from 0 on, what it asked, and when (seconds)."""

    number: int
    service: str
    operation: str
    params: dict[str, Any]
    at: float


class Faults(Protocol):
    """Outcome of calls."""

    def carry_out(self, call: Call, do: Callable[[dict[str, Any]], dict[str, Any]], past: Account) -> dict[str, Any]:
        """Answer the call; `do` carries parameters out on the account. `past`: the account as it was, if kept."""


class NoFaults:
    """Every call is carried out."""

    def carry_out(self, call: Call, do: Callable[[dict[str, Any]], dict[str, Any]], past: Account) -> dict[str, Any]:
        """See `Faults`."""
        del past
        return do(call.params)


class Aws:
    """An account, the calls made to it, and what becomes of them.

    Args:
        page_size: items a page of a listing; 0: an empty page first, then one item a page; None: as many as AWS gives.
        call_seconds: how long each counted call takes on the account's clock.

    Attributes:
        calls: the counted calls.
        unpaged: those that asked for instances without a page size, which AWS answers with all of them at once: "We
            strongly recommend using only paginated requests" (API reference, DescribeInstances).
        conditions: those under which the counted calls are carried out.
    """

    def __init__(self, *, page_size: int | None = None, call_seconds: float = 0.0) -> None:
        self.account = Account()
        self.past = Account()
        self.page_size = page_size
        self.call_seconds = call_seconds
        self.calls: list[Call] = []
        self.unpaged: list[Call] = []
        self.conditions: list[Condition] = []
        self.faults: Faults = NoFaults()
        self.clients = Clients(self, counted=True)
        self.operator = Clients(self, counted=False)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        advance(self.account, seconds)

    def remember(self) -> None:
        """Keep the account as it is, for listings that lag behind."""
        self.past = copy.deepcopy(self.account)

    def execute(
        self, account: Account, service: str, operation: str, params: dict[str, Any], page_size: int | None = None
    ) -> dict[str, Any]:
        """Carry out a call, on this account or on a remembered one."""
        rooms = (aws_group_api, aws_member_api, aws_schedule_api) if service == "autoscaling" else (aws_other_api,)
        found = (getattr(room, xform_name(operation), None) for room in rooms)
        function = next((one for one in found if one is not None), None)
        if function is None:
            raise NotImplementedError(f"the model has no {service} {operation}")
        if operation in _PAGED:
            return dict(function(account, params, page_size))
        return dict(function(account, params))

    def call(self, service: str, operation: str, params: dict[str, Any], *, counted: bool) -> dict[str, Any]:
        """A call by a client."""
        shape: Any = model_of(service).operation_model(operation).input_shape
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report())
        if not counted:
            return self.execute(self.account, service, operation, params)
        call = Call(len(self.calls), service, operation, params, self.account.now)
        self.calls.append(call)
        if operation == "DescribeInstances" and not {"MaxResults", "InstanceIds"} & set(params):
            self.unpaged.append(call)
        if self.call_seconds:
            self.advance(self.call_seconds)

        def do(params: dict[str, Any]) -> dict[str, Any]:
            return self.execute(self.account, service, operation, params, self.page_size)

        def under_conditions(params: dict[str, Any]) -> dict[str, Any]:
            return carry_out(self.conditions, service, operation, params, do)

        return self.faults.carry_out(call, under_conditions, self.past)


class Clients:
    """boto3-like clients of one caller."""

    def __init__(self, aws: Aws, *, counted: bool) -> None:
        self.autoscaling, self.ec2, self.secretsmanager, self.sns = (
            Client(aws, service, counted=counted) for service in SERVICES
        )


class Client:
    """One service, as boto3 offers it: a method for each operation, and paginators."""

    def __init__(self, aws: Aws, service: str, *, counted: bool) -> None:
        self._aws = aws
        self._service = service
        self._counted = counted
        self.meta = _Meta(model_of(service))

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        operation = _operations(self._service).get(name)
        if operation is None:
            raise AttributeError(f"{self._service} has no {name}")
        return lambda **params: self._aws.call(self._service, operation, params, counted=self._counted)

    def get_paginator(self, name: str) -> Paginator[Any]:
        """The paginator that boto3 has for this operation."""
        operation = _operations(self._service)[name]
        model = model_of(self._service).operation_model(operation)
        return Paginator(getattr(self, name), _paginators(self._service).get_paginator(operation), model)


class _Meta:
    region_name = REGION

    def __init__(self, model: ServiceModel) -> None:
        self.service_model = model


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def model_of(service: str) -> ServiceModel:
    """The API model of a service."""
    return _session().get_service_model(service)


@cache
def _paginators(service: str) -> PaginatorModel:
    return _session().get_paginator_model(service)


@cache
def _operations(service: str) -> dict[str, str]:
    return {xform_name(name): name for name in model_of(service).operation_names}
