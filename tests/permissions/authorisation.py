"""Permissions that a call needs, and an AWS that checks them before it does anything.

Actions, resource types and condition keys are those of the Service Authorization Reference, pages "Actions, resources,
and condition keys for Amazon EC2 Auto Scaling", "... Amazon EC2", "... AWS Secrets Manager" and "... Amazon SNS".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ministack.core.iam_evaluator import EvalContext, ParsedStatement, evaluate  # type: ignore[import-untyped]

from tests.permissions.deployed import ACCOUNT, REGION
from tests.world.aws_errors import DENIED, refusal
from tests.world.aws_model import Call
from tests.world.aws_state import Account

Policies = list[list[ParsedStatement]]
# Actions without resource types: a policy can allow them only on "*".
WITHOUT_RESOURCES = frozenset(
    {
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLifecycleHooks",
        "autoscaling:DescribeScalingActivities",
        "autoscaling:DescribeScheduledActions",
        "ec2:DescribeInstances",
    }
)
# Condition keys of EC2 Auto Scaling that a request has if it has the parameter of that name.
_OF_PARAMETERS = {
    "autoscaling:UpdateAutoScalingGroup": ("LaunchConfigurationName", "MaxSize", "MinSize"),
    "autoscaling:PutScheduledUpdateGroupAction": ("MaxSize", "MinSize"),
}


@dataclass(frozen=True)
class Request:
    """Request to IAM: one for each resource that a call touches."""

    action: str
    resource: str = "*"
    context: dict[str, str] = field(default_factory=dict)
    tag_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """Decision of IAM, and the statement that it matched."""

    allowed: bool
    statement: str


def ask(policies: Policies, request: Request) -> Answer:
    """Decide about a request as IAM does."""
    context = EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/role/function",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=request.action,
        resource_arn=request.resource,
        region=REGION,
        tag_keys=list(request.tag_keys),
        service_context={key.lower(): value for key, value in request.context.items()},
    )
    result = evaluate(context, policies)
    return Answer(result.decision == "Allow", result.matched_sid)


def requests(call: Call, account: Account) -> Iterator[Request]:
    """Requests to IAM that a call on the model makes.

    Raises:
        NotImplementedError: the call is not known here; look it up in the reference and add it.
    """
    action = f"{call.service}:{call.operation}"
    if action in WITHOUT_RESOURCES:
        yield Request(action)
    elif call.service == "autoscaling":
        tags = call.params.get("Tags", [])
        for name in {tag["ResourceId"] for tag in tags} or {call.params["AutoScalingGroupName"]}:
            request = group_request(action, name, account, tuple(tag["Key"] for tag in tags))
            yield replace(request, context={**request.context, **parameter_keys(action, call.params)})
    elif action in ("ec2:TerminateInstances", "ec2:CreateTags"):
        for instance_id in call.params.get("InstanceIds") or call.params["Resources"]:
            keys = tuple(tag["Key"] for tag in call.params.get("Tags", []))
            instance = account.instances.get(instance_id)
            yield instance_request(action, instance_id, instance.tags if instance else {}, keys)
    elif action == "secretsmanager:DescribeSecret":
        yield Request(action, call.params["SecretId"])
    elif action == "sns:Publish":
        yield Request(action, call.params["TopicArn"])
    else:
        raise NotImplementedError(f"{action}: look up its resource types and condition keys")


def parameter_keys(action: str, params: Mapping[str, Any]) -> dict[str, str]:
    """Condition keys of a request about a group that come from its parameters."""
    return {f"autoscaling:{name}": str(params[name]) for name in _OF_PARAMETERS.get(action, ()) if name in params}


def group_request(action: str, name: str, account: Account, tag_keys: tuple[str, ...] = ()) -> Request:
    """Request about a group: by its ARN, with the group's tags in the context."""
    group = account.groups.get(name)
    arn = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:0:autoScalingGroupName/{name}"
    tags = {key: value for key, (value, _) in group.tags.items()} if group else {}
    context = {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "autoscaling")}
    return Request(action, group.arn if group else arn, context, tag_keys)


def instance_request(action: str, instance_id: str, tags: dict[str, str], tag_keys: tuple[str, ...] = ()) -> Request:
    """Request about an instance, with the instance's tags in the context."""
    context = {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "ec2")}
    return Request(action, f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance_id}", context, tag_keys)


class Authorised:
    """AWS that carries out calls that these policies allow, and refuses the others as a whole.

    Attributes:
        used: the statement and the action of every request that was allowed.
        denied: the requests that were not allowed.
    """

    def __init__(self, policies: Policies, account: Callable[[], Account]) -> None:
        self._policies = policies
        self._account = account
        self.used: set[tuple[str, str]] = set()
        self.denied: list[Request] = []

    def carry_out(self, call: Call, do: Callable[[dict[str, Any]], dict[str, Any]], past: Account) -> dict[str, Any]:
        """See `tests.world.aws_model.Faults`."""
        del past
        answers = [(request, ask(self._policies, request)) for request in requests(call, self._account())]
        refused = [request for request, answer in answers if not answer.allowed]
        self.denied += refused
        if refused:
            raise refusal(DENIED[call.service], f"not authorized on {refused[0].resource}", call.operation)
        self.used |= {(answer.statement, request.action) for request, answer in answers}
        return do(call.params)


def granted(policies: Policies) -> set[tuple[str, str]]:
    """Every statement and action that the policies allow; none may be a pattern."""
    return {(one.sid, action) for policy in policies for one in policy for action in one.actions}
