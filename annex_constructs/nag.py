"""Findings of cdk-nag that are decided here, each on one construct and with its reason.

cdk-nag itself is not needed. Version 3 reads the CDK's own acknowledgements (`Validations`), version 2 the metadata
`cdk_nag` of the CloudFormation resource; both are written.
"""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, CfnResource, Stack, Validations
from constructs import IConstruct

GROUP_ARN_REASON = "The middle part of a group's ARN is an id that AWS makes up; the exact name is at its end."
"""Reason for the wildcard in the ARN of an Auto Scaling group."""
RUNTIME_REASON = "3.13 is tested and supported until 2029; a newer runtime is a decision, not an effect of an update."
"""Reason for a function that does not use the newest Python of Lambda."""

_PACK = "AwsSolutions"
_WILDCARD = f"{_PACK}-IAM5"
_MANAGED = f"{_PACK}-IAM4"
_METADATA = "cdk_nag"
_RULES = "rules_to_suppress"


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Acknowledge what a rule of the AwsSolutions pack finds about a construct.

    :param construct: an L2 construct that stands for one CloudFormation resource.
    :param rule: the rule's id, such as `AwsSolutions-L1`; not one with several findings.
    :param reason: why the finding is right as it is.
    """
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{_PACK}::{rule}", reason=reason))
    _suppress(construct, {"id": rule, "reason": reason})


def acknowledge_wildcard(construct: IConstruct, resource: str, reason: str) -> None:
    """Acknowledge the wildcard in one resource of an IAM statement.

    :param construct: the role or policy.
    :param resource: the resource as the statement has it; references in it are written as cdk-nag writes them.
    :param reason: why the wildcard cannot be narrower.
    """
    finding = f"Resource::{_flat(Stack.of(construct).resolve(resource))}"
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{_PACK}::{_WILDCARD}[{finding}]", reason=reason))
    _suppress(construct, {"id": _WILDCARD, "reason": reason, "applies_to": [finding]})


def acknowledge_managed_policy(construct: IConstruct, policy: str, reason: str) -> None:
    """Acknowledge that a role has a policy that AWS manages.

    :param construct: the role.
    :param policy: name of the policy with its path, such as `service-role/Name`.
    :param reason: why statements of one's own would be worse.
    """
    finding = f"Policy::arn:<AWS::Partition>:iam::aws:policy/{policy}"
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{_PACK}::{_MANAGED}[{finding}]", reason=reason))
    _suppress(construct, {"id": _MANAGED, "reason": reason, "applies_to": [finding]})


def _suppress(construct: IConstruct, rule: Mapping[str, object]) -> None:
    resource = construct.node.default_child
    assert isinstance(resource, CfnResource)  # noqa: S101 - what an L2 for one resource is made of
    written = resource.get_metadata(_METADATA)
    resource.add_metadata(_METADATA, {_RULES: [*(written or {}).get(_RULES, []), dict(rule)]})


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
