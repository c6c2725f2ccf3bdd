"""AWS permissions of the `annex` command, as data: what each of its verbs asks of AWS, and about which resource.

The constructs grant them for one annex (`Annex.grant_operate` and the narrower grants). Operators without such a grant
attach `annex_pool/operator-policy.json`, which is made of them for every annex of the account. After a change here::

    python -m annex_lease.operator_policy > annex_pool/operator-policy.json

Actions, resource types and condition keys are those of the Service Authorization Reference.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from annex_lease.tags import OPERATOR_TAGS, TAG_NAME, TAG_OVERRIDES, TAG_UNTIL

END_GROUP = (
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:DeleteWarmPool",
    "autoscaling:ResumeProcesses",
    "autoscaling:SetInstanceProtection",
    "autoscaling:SuspendProcesses",
    "autoscaling:UpdateAutoScalingGroup",
)
"""IAM actions that end a group: what `annex stop`, the lease checker and the sweeper do to it."""
_UPDATE = "autoscaling:UpdateAutoScalingGroup"
# An update that ends a group sets the minimum to 0 and leaves the maximum, which caps the capacity, and the launch
# configuration. A change of the launch template needs `ec2:RunInstances`, which no right here grants (EC2 Auto Scaling
# User Guide, "Control Amazon EC2 launch template usage in Auto Scaling groups").
_ONLY_LESS: Mapping[str, Mapping[str, object]] = {
    "Null": {"autoscaling:MaxSize": "true", "autoscaling:LaunchConfigurationName": "true"},
    "NumericEqualsIfExists": {"autoscaling:MinSize": "0"},
}


class Target(Enum):
    """The resource of an annex that a permission is about."""

    ANY = "any resource: the actions know none, or list what is left"
    GROUP = "the Auto Scaling group"
    INSTANCES = "the instances"
    CREDENTIAL = "the secret"
    CHECKER = "the lease checker's function"


@dataclass(frozen=True)
class Right:
    """Permission for some actions on one resource of an annex.

    Attributes:
        sid: id of the statement.
        actions: IAM actions.
        target: the resource.
        tag_keys: the only tag keys that may be written. Default: () - the actions write no tags.
        only_if: further conditions on a call. Default: none.
    """

    sid: str
    actions: tuple[str, ...]
    target: Target
    tag_keys: tuple[str, ...] = ()
    only_if: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def conditions(self) -> dict[str, dict[str, object]]:
        """The conditions on a call, by operator; empty if there are none."""
        written = tag_key_conditions(self.tag_keys) if self.tag_keys else {}
        return {**written, **{operator: dict(keys) for operator, keys in self.only_if.items()}}


def tag_key_conditions(keys: Iterable[str]) -> dict[str, dict[str, object]]:
    """Conditions of a statement that allows these tag keys to be written, and no others.

    Args:
        keys: the keys.
    """
    # A missing key is in every set: without the second condition a call without any tag key would be allowed.
    return {"ForAllValues:StringEquals": {"aws:TagKeys": sorted(keys)}, "Null": {"aws:TagKeys": "false"}}


_FIND = Right(
    "Find",
    (
        "autoscaling:DescribeAutoScalingGroups",
        # The Regions in which an annex can be that no spec file places.
        "ec2:DescribeRegions",
        "sts:GetCallerIdentity",
        "tag:GetResources",
    ),
    Target.ANY,
)
_SEE_INSTANCES = Right("SeeInstances", ("ec2:DescribeInstances",), Target.ANY)
_SEE_LAUNCHES = Right("SeeLaunches", ("autoscaling:DescribeScalingActivities",), Target.ANY)
# The only way to see why an instance does not join, which has neither SSH nor a session.
_SEE_CONSOLE = Right("SeeConsole", ("ec2:GetConsoleOutput",), Target.INSTANCES)
_SEE_HOOKS = Right("SeeHooks", ("autoscaling:DescribeLifecycleHooks",), Target.ANY)
_SEE_CHECKER = Right("SeeChecker", ("lambda:GetFunctionConfiguration",), Target.CHECKER)
_CREDENTIAL_IS_THERE = Right("CredentialIsThere", ("secretsmanager:DescribeSecret",), Target.CREDENTIAL)
_STORE_CREDENTIAL = Right("StoreCredential", ("secretsmanager:PutSecretValue",), Target.CREDENTIAL)
# To see before a token is stored that the image cannot work, or that no zone offers the types.
_SEE_IMAGE = Right(
    "SeeImage",
    ("ec2:DescribeImages", "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeLaunchTemplateVersions"),
    Target.ANY,
)
# What a deployment changes under running instances: network, open ports, role, protection.
_SEE_FLEET = Right(
    "SeeFleet",
    ("ec2:DescribeLaunchTemplateVersions", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"),
    Target.ANY,
)
_CHECK = Right("Check", ("lambda:InvokeFunction",), Target.CHECKER)
_TAG = ("autoscaling:CreateOrUpdateTags",)
_EXTEND = Right("MoveEnd", _TAG, Target.GROUP, OPERATOR_TAGS)
_END_LEASE = Right("EndLease", _TAG, Target.GROUP, (TAG_OVERRIDES, TAG_UNTIL))
_END_GROUP = Right("EndGroup", tuple(action for action in END_GROUP if action != _UPDATE), Target.GROUP)
_EMPTY_GROUP = Right("EmptyGroup", (_UPDATE,), Target.GROUP, only_if=_ONLY_LESS)
_TERMINATE = Right("TerminateInstances", ("ec2:TerminateInstances",), Target.INSTANCES)
_LIST = Right(
    "ListLeftovers",
    (
        "cloudformation:DescribeStacks",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:ListTagsForResource",
        "ec2:DescribeAddresses",
        "ec2:DescribeImages",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSnapshots",
        "ec2:DescribeSubnets",
        "ec2:DescribeVolumes",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
        "iam:ListInstanceProfiles",
        "iam:ListRoleTags",
        "iam:ListRoles",
        "imagebuilder:ListComponentBuildVersions",
        "imagebuilder:ListComponents",
        "imagebuilder:ListDistributionConfigurations",
        "imagebuilder:ListImageBuildVersions",
        "imagebuilder:ListImagePipelines",
        "imagebuilder:ListImageRecipes",
        "imagebuilder:ListImages",
        "imagebuilder:ListInfrastructureConfigurations",
        "imagebuilder:ListLifecyclePolicies",
        "lambda:ListFunctions",
        "lambda:ListTags",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        "scheduler:ListSchedules",
        "secretsmanager:DescribeSecret",
        "secretsmanager:ListSecrets",
        "sns:ListTagsForResource",
        "sns:ListTopics",
        "sqs:GetQueueUrl",
        "sqs:ListQueueTags",
        "sqs:ListQueues",
        "ssm:DescribeParameters",
    ),
    Target.ANY,
)

READ_STATUS = (_FIND, _SEE_INSTANCES, _SEE_CONSOLE, _SEE_LAUNCHES, _SEE_FLEET, _SEE_CHECKER, _CREDENTIAL_IS_THERE)
"""`annex status` and `annex plan --deployed`."""
PUSH_CREDENTIAL = (_FIND, _SEE_CHECKER, _SEE_IMAGE, _CREDENTIAL_IS_THERE, _STORE_CREDENTIAL, _CHECK)
"""`annex credential push`."""
EXTEND = (_FIND, _CREDENTIAL_IS_THERE, _EXTEND, _CHECK)
"""`annex extend`, `annex shorten`, `annex renew` and `annex check`."""
STOP = (_FIND, _SEE_INSTANCES, _SEE_HOOKS, _END_LEASE, _END_GROUP, _EMPTY_GROUP, _TERMINATE, _CHECK)
"""`annex stop`."""
OPERATE = (
    *(_FIND, _SEE_INSTANCES, _SEE_LAUNCHES, _SEE_FLEET, _SEE_HOOKS, _SEE_IMAGE, _SEE_CHECKER),
    *(_SEE_CONSOLE, _CREDENTIAL_IS_THERE, _STORE_CREDENTIAL, _EXTEND, _END_GROUP, _EMPTY_GROUP, _TERMINATE, _CHECK),
    _LIST,
)
"""Every verb of the command, `annex leftovers` included."""


def policy_document(rights: Iterable[Right] = OPERATE) -> dict[str, object]:
    """An IAM policy that grants these rights for every annex of the account.

    What changes or reads one resource is held to resources that carry the tag with an annex's name.
    """
    return {"Version": "2012-10-17", "Statement": [_statement(right) for right in rights]}


def _statement(right: Right) -> dict[str, object]:
    statement: dict[str, object] = {
        "Sid": right.sid,
        "Effect": "Allow",
        "Action": list(right.actions),
        "Resource": "*",
    }
    conditions = right.conditions()
    if right.target is not Target.ANY:
        named: Mapping[str, object] = {f"aws:ResourceTag/{TAG_NAME}": "false"}
        conditions["Null"] = {**named, **conditions.get("Null", {})}
    return {**statement, "Condition": conditions} if conditions else statement


if __name__ == "__main__":
    sys.stdout.write(json.dumps(policy_document(), indent=2) + "\n")
