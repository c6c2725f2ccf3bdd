"""Checks of the constructs' parameters, and their errors: the value received, the values allowed, and the fix.

Ranges, forms and examples are those of `annex_lease.terms` and `annex_lease.forms`.
"""

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from aws_cdk import Duration, IResource, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import IConstruct

from annex_lease.duration import parse_duration
from annex_lease.forms import Form
from annex_lease.terms import Number, Span

_KNOWN = "known when the app is synthesised"
_UNITS = (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1)))


def invalid_value(parameter: str, *, received: object, allowed: str, fix: str) -> ValueError:
    """The error to raise for a value that a construct cannot work with.

    :param parameter: class and parameter, such as `AnnexFleet max_size`.
    :param received: the value as the caller gave it.
    :param allowed: which values would have been accepted.
    :param fix: what to write instead.
    """
    return ValueError(f"{parameter}: received {received!r}, allowed {allowed}; fix: {fix}")


@dataclass(frozen=True)
class Kind:
    """Kind of a parameter's value.

    :param allowed: the kind in words.
    :param fix: code that makes a value of it.
    :param of: class of the values. Default: - `member` says which they are.
    :param member: a member that only values of the kind have: interfaces of the CDK cannot be asked about otherwise.
    """

    allowed: str
    fix: str
    of: type | tuple[type, ...] = object
    member: str = ""

    def includes(self, value: object) -> bool:
        """True if the value is of this kind."""
        if self.member:
            return hasattr(value, self.member) and not isinstance(value, type)
        return isinstance(value, self.of)


class _Subnets(Kind):
    def includes(self, value: object) -> bool:
        """True for a selection that is not empty by itself: EC2 Auto Scaling needs a subnet."""
        return isinstance(value, ec2.SubnetSelection) and (value.subnets is None or bool(value.subnets))


FLAG = Kind("True or False", "True", bool)
TEXT = Kind("a text", '"..."', str)
DURATION = Kind("a Duration", "Duration.hours(1)", Duration)
INSTANCE_TYPE = Kind("a list of ec2.InstanceType", 'ec2.InstanceType("c6a.large")', ec2.InstanceType)
IMAGE = Kind("an ec2.IMachineImage", "ec2.MachineImage.generic_linux({...})", member="get_image")
VPC = Kind("an ec2.IVpc", "ec2.Vpc.from_vpc_attributes(...)", member="vpc_id")
SUBNETS = _Subnets("an ec2.SubnetSelection, not of an empty list", "ec2.SubnetSelection(subnets=[...])")
SECURITY_GROUP = Kind("an ec2.ISecurityGroup", "AnnexSecurityGroup(...)", member="security_group_id")
PORT = Kind("a list of ec2.Port", "ec2.Port.tcp(1094)", ec2.Port)
ROLE = Kind("an iam.IRole", "iam.Role(...)", member="role_arn")
SECRET = Kind("a secretsmanager.ISecret", "AnnexCredential(...)", member="secret_arn")
LOG_RETENTION = Kind("a logs.RetentionDays", "logs.RetentionDays.ONE_MONTH", logs.RetentionDays)
KEY = Kind("a kms.IKey", "kms.Key(...)", member="key_arn")
TOPIC = Kind("an sns.ITopic", "AlarmTopic(...)", member="topic_arn")


def check_kind(parameter: str, value: object, kind: Kind, *, optional: bool = False) -> None:
    """Refuse a value of another kind, before the CDK is asked anything about it.

    The CDK's answer would be the text of another language, and some values, NaN for one, end the process behind it.

    :param parameter: class and parameter.
    :param value: the value as the caller gave it.
    :param kind: the kind to have.
    :param optional: take None too. Default: False.
    :raises ValueError: it is of another kind.
    """
    if not (kind.includes(value) or (optional and value is None)):
        raise invalid_value(parameter, received=value, allowed=kind.allowed, fix=_fix(parameter, kind.fix))


def check_kinds(owner: str, given: Mapping[str, object], kinds: Mapping[str, Kind], optional: Collection[str]) -> None:
    """Refuse values of another kind than that of their parameters.

    :param owner: class of the construct.
    :param given: the values by their parameters.
    :param kinds: the kinds by parameter.
    :param optional: parameters that may be None.
    :raises ValueError: a value is of another kind.
    """
    for name, kind in kinds.items():
        check_kind(f"{owner} {name}", given[name], kind, optional=name in optional)


def check_list(parameter: str, values: object, kind: Kind, *, optional: bool = False) -> None:
    """Refuse what is no list of values of a kind.

    :param parameter: class and parameter.
    :param values: the list as the caller gave it.
    :param kind: the kind that each value is to have.
    :param optional: take None too. Default: False.
    :raises ValueError: it is no list, or one of its values is of another kind.
    """
    if optional and values is None:
        return
    if not isinstance(values, Sequence) or isinstance(values, str | bytes) or not all(map(kind.includes, values)):
        raise invalid_value(parameter, received=values, allowed=kind.allowed, fix=_fix(parameter, f"[{kind.fix}]"))


def check_form(parameter: str, value: str, form: Form, *, known: bool = False) -> None:
    """Refuse a text of another form.

    :param parameter: class and parameter.
    :param value: the text or token.
    :param form: the form to have.
    :param known: refuse an unresolved token. Default: False - it passes, because only CloudFormation knows its value.
    :raises ValueError: the text has another form.
    """
    passes = not known and isinstance(value, str) and Token.is_unresolved(value)
    if not passes and not (isinstance(value, str) and form.matches(value)):
        allowed = f"{form.allowed}, {_KNOWN}" if known else form.allowed
        raise invalid_value(parameter, received=value, allowed=allowed, fix=_fix(parameter, f'"{form.example}"'))


def check_region(parameter: str, resource: IResource | None, scope: IConstruct) -> None:
    """Refuse a resource of another Region than the stack's; a Region that is not known at synthesis passes.

    :param parameter: class and parameter.
    :param resource: the resource; None passes.
    :param scope: a construct in the stack.
    :raises ValueError: the resource is of another Region.
    """
    if resource is None:
        return
    of_resource, of_stack = resource.env.region, Stack.of(scope).region
    if of_resource != of_stack and not Token.is_unresolved(of_resource) and not Token.is_unresolved(of_stack):
        raise invalid_value(
            parameter,
            received=f"{resource.node.path}, of {of_resource}",
            allowed=f"one in the Region of the stack, {of_stack}: the service takes no other",
            fix=f"use one of {of_stack}",
        )


def check_whole_number(
    parameter: str,
    value: float,
    term: Number,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    known: bool = False,
) -> None:
    """Refuse what is not a whole number in the range.

    :param parameter: class and parameter.
    :param value: the number or token.
    :param term: the declared value.
    :param minimum: smallest number allowed. Default: - that of the term.
    :param maximum: largest number allowed. Default: - that of the term.
    :param known: refuse an unresolved token. Default: False - it passes, because only CloudFormation knows its value.
    :raises ValueError: the number is not allowed.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not known and number and Token.is_unresolved(value):
        return
    low = term.minimum if minimum is None else minimum
    high = term.maximum if maximum is None else maximum
    # A token, which is a number out of any range, is refused here.
    if not number or not isinstance(value, int) or not low <= value <= high:
        allowed = dataclasses.replace(term, minimum=low, maximum=high, limit="").allowed
        fix = _fix(parameter, str(min(max(int(term.example), low), high)))
        raise invalid_value(parameter, received=value, allowed=f"{allowed}, {_KNOWN}" if known else allowed, fix=fix)


def seconds(
    parameter: str, value: Duration, term: Span, *, minimum: timedelta | None = None, maximum: timedelta | None = None
) -> int:
    """The seconds of a duration that must be known at synthesis and lie in the range.

    :param parameter: class and parameter.
    :param value: the duration.
    :param term: the declared value.
    :param minimum: shortest duration allowed. Default: - that of the term.
    :param maximum: longest duration allowed. Default: - that of the term.
    :raises ValueError: the duration is a token, is not whole seconds, or is out of the range.
    """
    low = term.minimum if minimum is None else minimum
    high = term.maximum if maximum is None else maximum
    allowed = f"whole seconds from {dataclasses.replace(term, minimum=low, maximum=high).range}, {_KNOWN}"
    fix = _fix(parameter, duration_code(min(max(parse_duration(term.example), low), high)))
    check_kind(parameter, value, dataclasses.replace(DURATION, allowed=allowed))
    if value.is_unresolved():
        raise invalid_value(parameter, received=value.to_string(), allowed=allowed, fix=fix)
    exact = float(value.to_milliseconds()) / 1000
    if exact != int(exact) or not (low.total_seconds() <= exact <= high.total_seconds() or (term.zero and not exact)):
        raise invalid_value(parameter, received=value.to_human_string(), allowed=allowed, fix=fix)
    return int(exact)


def duration_code(duration: timedelta) -> str:
    """A length of time as code, in the largest unit without a remainder: `Duration.hours(8)`."""
    for unit, length in _UNITS:
        if duration and not duration % length:
            return f"Duration.{unit}({duration // length})"
    return f"Duration.seconds({int(duration.total_seconds())})"


def _fix(parameter: str, code: str) -> str:
    """A value that is allowed, as code; `parameter` ends with the name of the parameter."""
    return f"pass {parameter.rpartition(' ')[2]}={code}"
