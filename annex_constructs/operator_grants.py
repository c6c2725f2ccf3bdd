"""Grants for operators of one annex, people or services that run the `annex` command."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from annex_constructs.identity import group_arn
from annex_lease.operator_policy import Right, Target
from annex_lease.ownership import GROUP_TAG
from annex_lease.tags import TAG_ID


@dataclass(frozen=True, kw_only=True)
class OperatedAnnex:
    """Parts of an annex that the `annex` command uses.

    :param group: name of the Auto Scaling group.
    :param annex_id: the annex's id, right in any stack.
    :param credential_arn: ARN of the secret.
    :param checker_arn: ARN of the lease checker's function.
    """

    group: str
    annex_id: str
    credential_arn: str
    checker_arn: str


def grant_rights(
    scope: IConstruct, grantee: iam.IGrantable, rights: Sequence[Right], annex: OperatedAnnex
) -> iam.Grant:
    """Grant rights of the `annex` command for one annex.

    :param scope: a construct in the annex's account and Region.
    :param grantee: the principal.
    :param rights: the rights.
    :param annex: the annex.
    """
    granted = [
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=list(right.actions),
            resource_arns=[resource],
            conditions={**right.conditions(), **condition},
        )
        for right in rights
        for resource, condition in _resources(scope, right.target, annex)
    ]
    first, *others = granted
    for other in others:
        first = first.combine(other)
    return first


def _resources(
    scope: IConstruct, target: Target, annex: OperatedAnnex
) -> Sequence[tuple[str, dict[str, dict[str, object]]]]:
    stack = Stack.of(scope)
    if target is Target.GROUP:
        return [(group_arn(stack, annex.group), {})]
    if target is Target.INSTANCES:
        instances = stack.format_arn(service="ec2", resource="instance", resource_name="*")
        # EC2 Auto Scaling alone can write its tag, and takes it from an instance that is detached; the id stays.
        tags = {GROUP_TAG: annex.group, TAG_ID: annex.annex_id}
        return [(instances, {"StringEquals": {f"ec2:ResourceTag/{key}": value}}) for key, value in tags.items()]
    single = {Target.CREDENTIAL: annex.credential_arn, Target.CHECKER: annex.checker_arn}
    return [(single.get(target, "*"), {})]
