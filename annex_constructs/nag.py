"""Findings of rule checkers that are decided here, each on one construct and with its reason."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

GROUP_ARN_REASON = "The middle part of a group's ARN is an id that AWS makes up; the exact name is at its end."
"""Why the ARN of an Auto Scaling group holds a wildcard."""

_PACK = "AwsSolutions"


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Acknowledge one finding of cdk-nag's AwsSolutions rules for a construct and what is in it.

    The record is part of the CDK's own metadata: cdk-nag is not needed, and whoever runs it over an app that uses
    these constructs finds the decision already made.

    :param construct: the construct the finding is about.
    :param rule: the rule's id, with the finding in brackets where a rule has several.
    :param reason: why the finding is right as it is.
    """
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{_PACK}::{rule}", reason=reason))


def acknowledge_wildcard(construct: IConstruct, resource: str, reason: str) -> None:
    """Acknowledge the wildcard in one resource of an IAM statement.

    :param construct: the role or policy.
    :param resource: the resource as the statement has it; references in it are written as cdk-nag writes them.
    :param reason: why the wildcard cannot be narrower.
    """
    flat = _flat(Stack.of(construct).resolve(resource))
    acknowledge(construct, f"AwsSolutions-IAM5[Resource::{flat}]", reason)


def _flat(value: object) -> str:
    """A resolved value with its references in angle brackets, as cdk-nag names them in a finding."""
    if isinstance(value, Mapping):
        ((function, argument),) = value.items()
        if function == "Fn::Join":
            delimiter, parts = argument
            return str(delimiter).join(_flat(part) for part in parts)
        if function == "Fn::GetAtt":
            return f"<{'.'.join(argument)}>"
        if function == "Ref":
            return f"<{argument}>"
        raise NotImplementedError(f"{function} in the resource of an IAM statement")
    return str(value)
