"""What the sweeper may do: look at everything, end and remove what carries an annex's name, start nothing.

Every statement is written out. The sweeper knows no annex beforehand, so a condition holds each of its calls to
resources with the tag `annex:name`, what terminates and deletes to those with `annex:id` too, and its tagging to the
one key it marks orphans with.
"""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from annex_constructs.nag import acknowledge_wildcard
from annex_lease.sweep.orphan import TAG_ORPHAN
from annex_lease.tags import TAG_ID, TAG_NAME

_OURS = {f"aws:ResourceTag/{TAG_NAME}": "false"}
_IS_OURS = {"Null": _OURS}
# A name is easily written by hand; the id is what the template of an annex puts on everything.
_HAS_ID = {"Null": {**_OURS, f"aws:ResourceTag/{TAG_ID}": "false"}}
# Whatever is not there is in every set: without the second line a call without any tag key would be allowed.
_MARK = {"Null": {**_OURS, "aws:TagKeys": "false"}, "ForAllValues:StringEquals": {"aws:TagKeys": [TAG_ORPHAN]}}


def sweeper_role(
    scope: Construct, construct_id: str, *, log_group: logs.ILogGroup, dead_letter_queue: sqs.IQueue
) -> iam.Role:
    """The role of the sweeper's function.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param log_group: where the function logs.
    :param dead_letter_queue: where Lambda leaves invocations that failed.
    """
    groups, instances, volumes, interfaces, secrets, log_groups = _arns(Stack.of(scope))
    statements = [
        *_looking(),
        *_ending(groups),
        *_removing(instances, volumes, interfaces, secrets, log_groups),
        _allow("OwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.log_group_arn]),
        _allow("FailedRuns", ["sqs:SendMessage"], [dead_letter_queue.queue_arn]),
    ]
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description="Sweeper of HTCondor annexes in one Region",
        # In the role itself, so that there is no moment at which the role exists without them.
        inline_policies={"Sweep": iam.PolicyDocument(statements=statements)},
    )
    reason = "The calls that list and describe know no resources."
    acknowledge_wildcard(role, "*", reason)
    reason = "The sweeper knows no annex beforehand; a condition holds the calls to what carries an annex's name."
    for each in (groups, instances, volumes, interfaces, secrets, log_groups):
        acknowledge_wildcard(role, each, reason)
    return role


def _arns(stack: Stack) -> tuple[str, ...]:
    return (
        stack.format_arn(service="autoscaling", resource="autoScalingGroup:*:autoScalingGroupName", resource_name="*"),
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
    actions = [
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:DeleteWarmPool",
        "autoscaling:ResumeProcesses",
        "autoscaling:SetInstanceProtection",
        "autoscaling:SuspendProcesses",
        "autoscaling:UpdateAutoScalingGroup",
    ]
    marking = ["autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags"]
    return [_allow("EndAnnexes", actions, [groups], _IS_OURS), _allow("MarkGroups", marking, [groups], _MARK)]


def _removing(
    instances: str, volumes: str, interfaces: str, secrets: str, log_groups: str
) -> list[iam.PolicyStatement]:
    # A secret can be restored for some days: nothing of this role can remove one at once.
    restorable = {**_HAS_ID, "BoolIfExists": {"secretsmanager:ForceDeleteWithoutRecovery": "false"}}
    return [
        _allow("TerminateInstances", ["ec2:TerminateInstances"], [instances], _HAS_ID),
        _allow("DeleteVolumes", ["ec2:DeleteVolume"], [volumes], _HAS_ID),
        _allow("DeleteInterfaces", ["ec2:DeleteNetworkInterface"], [interfaces], _HAS_ID),
        _allow("MarkOfEc2", ["ec2:CreateTags", "ec2:DeleteTags"], [instances, volumes, interfaces], _MARK),
        _allow("DeleteSecrets", ["secretsmanager:DeleteSecret"], [secrets], restorable),
        _allow("MarkSecrets", ["secretsmanager:TagResource", "secretsmanager:UntagResource"], [secrets], _MARK),
        _allow("DeleteLogGroups", ["logs:DeleteLogGroup"], [log_groups], _HAS_ID),
        _allow("MarkLogGroups", ["logs:TagResource", "logs:UntagResource"], [log_groups], _MARK),
    ]
