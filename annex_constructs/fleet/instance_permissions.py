"""Permissions of an execution point in AWS: read its credential and boot archive, leave its group, stay while busy."""

from collections.abc import Sequence

import jsii
from aws_cdk import Duration, Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct, IConstruct, IValidation

from annex_constructs.errors import invalid_value
from annex_constructs.fleet.annex_credential import key_of_policies, policy_arn, through_secrets_manager
from annex_constructs.nag import GROUP_ARN_REASON, acknowledge_wildcard
from annex_lease.instance_rules import default_protection, protection_conflict

_EC2 = "ec2.amazonaws.com"


def instance_role(scope: Construct, construct_id: str) -> iam.Role:
    """A role that EC2 instances can have, without permissions.

    Jobs never act with it: the instance closes the metadata service to all users but root before HTCondor starts.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    """
    return iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal(_EC2),
        description="Execution points of an HTCondor annex",
    )


def attach_instance_policy(
    scope: Construct,
    construct_id: str,
    *,
    role: iam.IRole,
    credential: secretsmanager.ISecret,
    group: autoscaling.IAutoScalingGroup,
    protect_busy: bool,
    others: Sequence[iam.PolicyStatement] = (),
) -> None:
    """Attach the policy of an execution point to its role.

    It is a policy of its own, below the fleet: in a policy below the role, the reference to the group would be a cycle,
    because the group needs the launch template, and that waits for the role and all that is below it.

    :param scope: the fleet.
    :param construct_id: id in that scope.
    :param role: role of the instances.
    :param credential: the secret that holds the annex's token.
    :param group: Auto Scaling group of the instances.
    :param protect_busy: let instances protect themselves from scale-in.
    :param others: further statements. Default: none.
    :raises ValueError: the policy cannot be attached to the role.
    """
    statements = [*_credential_statements(scope, credential), *_group_statements(group, protect_busy), *others]
    policy = iam.Policy(scope, construct_id, statements=statements)
    # `roles=[role]` would write the name of an immutable role into the template all the same.
    role.attach_inline_policy(policy)
    resource = policy.node.default_child
    assert isinstance(resource, iam.CfnPolicy)  # noqa: S101 - what the L2 is made of
    if not Stack.of(scope).resolve(resource.roles):
        # The CDK drops a policy silently that it may not attach.
        raise invalid_value(
            "AnnexFleet role",
            received=role.node.path,
            allowed="a role of the stack's account to which the app may attach a policy: without one the instances "
            "would start, wait for their credential in vain, and be billed",
            fix="import the role with mutable=True, pass one that the app makes, or leave role out",
        )
    acknowledge_wildcard(policy, group.auto_scaling_group_arn, GROUP_ARN_REASON)


def busy_protection(renew_while_busy: Duration | None, protect_busy: bool | None) -> bool:
    """The declared protection of busy instances, or its default.

    :param renew_while_busy: by how much the lease is renewed while busy; None: it is not.
    :param protect_busy: as the caller of `Annex` gave it.
    :raises ValueError: the lease is renewed while busy, and the protection is off.
    """
    protected = default_protection(renew_while_busy) if protect_busy is None else protect_busy
    conflict = protection_conflict(renew_while_busy, protected)
    if conflict is not None:
        fix = "leave protect_busy out"
        raise invalid_value("Annex protect_busy", received=protect_busy, allowed=conflict.allowed, fix=fix)
    return protected


def _credential_statements(scope: Construct, credential: secretsmanager.ISecret) -> list[iam.PolicyStatement]:
    # `credential.grant_read` would also allow secretsmanager:DescribeSecret.
    read = iam.PolicyStatement(
        sid="OwnCredential", actions=["secretsmanager:GetSecretValue"], resources=[policy_arn(credential)]
    )
    key = key_of_policies("AnnexFleet credential", credential.encryption_key)
    if key is None:
        return [read]  # the AWS managed key of Secrets Manager needs no permission
    decrypt = iam.PolicyStatement(
        sid="DecryptCredential",
        actions=["kms:Decrypt"],
        resources=[key.key_arn],
        conditions=through_secrets_manager(scope),
    )
    return [read, decrypt]


def _group_statements(group: autoscaling.IAutoScalingGroup, protect_busy: bool) -> list[iam.PolicyStatement]:
    """Calls of the instances on their own group.

    An idle execution point terminates itself without being replaced; a busy one protects itself. No condition key can
    restrict these calls to the caller's own instance, or force the decrement of the desired capacity (Service
    Authorization Reference, "Amazon EC2 Auto Scaling"); the group's ARN is the narrowest limit. A wrong protection
    does not last: the lease checker removes it at the end of the lease.
    """
    allowed = {"LeaveOwnGroup": "autoscaling:TerminateInstanceInAutoScalingGroup"}
    if protect_busy:
        allowed["ProtectWhileBusy"] = "autoscaling:SetInstanceProtection"
    return [
        iam.PolicyStatement(sid=sid, actions=[action], resources=[group.auto_scaling_group_arn])
        for sid, action in allowed.items()
    ]


@jsii.implements(IValidation)
class InstanceTrustValidation:
    """Refuses at synthesis a role that EC2 cannot assume: its instances would have no permissions at all.

    The trust policy of an imported role is not known and not checked.
    """

    def __init__(self, scope: IConstruct, role: iam.IRole) -> None:
        self._scope = scope
        self._role = role

    def validate(self) -> list[str]:
        """The problem found, once every statement of the app has been added."""
        if not isinstance(self._role, iam.Role) or self._role.assume_role_policy is None:
            return []
        document = Stack.of(self._scope).resolve(self._role.assume_role_policy.to_json()) or {}
        if any(_lets_ec2_in(statement) for statement in document.get("Statement", [])):
            return []
        return [
            f"role {self._role.node.path} of {self._scope.node.path} cannot be assumed by EC2, so its instances would "
            f"start without any permission; fix: make the role with assumed_by=iam.ServicePrincipal({_EC2!r})"
        ]


def _lets_ec2_in(statement: dict[str, object]) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    named = [services] if isinstance(services, str) else services
    return statement.get("Effect") == "Allow" and any(str(each).startswith("ec2.") for each in named)
