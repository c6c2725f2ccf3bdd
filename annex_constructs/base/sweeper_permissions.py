"""Permissions of the sweeper: look at everything, end and remove what carries an annex's name, start nothing.

The sweeper knows no annex beforehand, so a condition holds each of its calls to resources with a tag of an annex. What
ends a group needs the tag `annex:name`. What terminates and marks needs `annex:id`, because an instance can lose its
name; what deletes needs both. Tagging is held to the one key that marks orphans.
"""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from annex_constructs.function_role import Permissions
from annex_constructs.identity import group_arn
from annex_lease.operator_policy import END_GROUP
from annex_lease.tags import TAG_ID, TAG_NAME, TAG_ORPHAN

_OURS = {f"aws:ResourceTag/{TAG_NAME}": "false"}
_IS_OURS = {"Null": _OURS}
# A name is easily written by hand; the id is what the template of an annex puts on everything.
_ID = {f"aws:ResourceTag/{TAG_ID}": "false"}
_HAS_ID = {"Null": _ID}
_HAS_BOTH = {"Null": {**_OURS, **_ID}}
# A missing key is in every set: without the second line a call without any tag key would be allowed.
_MARK = {"Null": {**_ID, "aws:TagKeys": "false"}, "ForAllValues:StringEquals": {"aws:TagKeys": [TAG_ORPHAN]}}


def sweeper_permissions(scope: Construct) -> Permissions:
    """Permissions of the sweeper's function.

    :param scope: a construct of the stack.
    """
    groups, instances, volumes, interfaces, secrets, log_groups = arns = _arns(Stack.of(scope))
    statements = [
        *_looking(),
        *_ending(groups),
        *_removing(instances, volumes, interfaces, secrets, log_groups),
    ]
    reason = "The sweeper knows no annex beforehand; a condition holds the calls to what carries an annex's name."
    wildcards = {"*": "The calls that list and describe know no resources.", **dict.fromkeys(arns, reason)}
    return Permissions(statements=statements, wildcards=wildcards)


def _arns(stack: Stack) -> tuple[str, ...]:
    return (
        group_arn(stack, "*"),
        stack.format_arn(service="ec2", resource="instance", resource_name="*"),
        stack.format_arn(service="ec2", resource="volume", resource_name="*"),
        stack.format_arn(service="ec2", resource="network-interface", resource_name="*"),
        stack.format_arn(service="secretsmanager", resource="secret:*"),
        stack.format_arn(service="logs", resource="log-group:*"),
    )


def _allow(
    sid: str, actions: list[str], resources: list[str], conditions: Mapping[str, object] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=actions, resources=resources, conditions=dict(conditions or {}))


def _looking() -> list[iam.PolicyStatement]:
    actions = [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLifecycleHooks",
        "cloudformation:DescribeStacks",
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeVolumes",
        "logs:DescribeLogGroups",
        "secretsmanager:ListSecrets",
        "tag:GetResources",
    ]
    return [_allow("Look", actions, ["*"])]


def _ending(groups: str) -> list[iam.PolicyStatement]:
    marking = ["autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags"]
    return [_allow("EndAnnexes", list(END_GROUP), [groups], _IS_OURS), _allow("MarkGroups", marking, [groups], _MARK)]


def _removing(
    instances: str, volumes: str, interfaces: str, secrets: str, log_groups: str
) -> list[iam.PolicyStatement]:
    # A secret can be restored for some days: this role cannot delete one without the recovery window.
    restorable = {**_HAS_BOTH, "BoolIfExists": {"secretsmanager:ForceDeleteWithoutRecovery": "false"}}
    return [
        _allow("TerminateInstances", ["ec2:TerminateInstances"], [instances], _HAS_ID),
        _allow("DeleteVolumes", ["ec2:DeleteVolume"], [volumes], _HAS_BOTH),
        _allow("DeleteInterfaces", ["ec2:DeleteNetworkInterface"], [interfaces], _HAS_BOTH),
        _allow("MarkOfEc2", ["ec2:CreateTags", "ec2:DeleteTags"], [instances, volumes, interfaces], _MARK),
        _allow("DeleteSecrets", ["secretsmanager:DeleteSecret"], [secrets], restorable),
        _allow("MarkSecrets", ["secretsmanager:TagResource", "secretsmanager:UntagResource"], [secrets], _MARK),
        _allow("DeleteLogGroups", ["logs:DeleteLogGroup"], [log_groups], _HAS_BOTH),
        _allow("MarkLogGroups", ["logs:TagResource", "logs:UntagResource"], [log_groups], _MARK),
    ]
