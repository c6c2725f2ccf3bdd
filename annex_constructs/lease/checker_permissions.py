"""Permissions of the lease checker and of its responder: one annex, and nothing that starts an instance.

Describe calls of EC2 and EC2 Auto Scaling know no resources (Service Authorization Reference). All other calls are held
to one group by its exact name, or to instances by a tag of the group or of the annex.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs.fleet.annex_credential import policy_arn
from annex_constructs.function_role import Permissions
from annex_constructs.nag import GROUP_ARN_REASON
from annex_lease.operator_policy import END_GROUP, tag_key_conditions
from annex_lease.ownership import GROUP_TAG
from annex_lease.tags import CHECKER_TAGS, TAG_END, TAG_ID

_LOOKING = ("autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeLifecycleHooks", "ec2:DescribeInstances")
_DESCRIBE_REASON = "The calls that describe groups, with what belongs to them, and instances know no resources."
# A scheduled action of Auto Scaling keeps acting when the function is gone: the function may only put such as end.
_ONLY_ENDS = {"NumericEqualsIfExists": {"autoscaling:MinSize": "0", "autoscaling:MaxSize": "0"}}
_INSTANCES_REASON = "The ids of instances are not known beforehand; a condition holds the calls to those of this annex."


@dataclass(frozen=True, kw_only=True)
class OwnAnnex:
    """The annex that a function may touch.

    :param group: its Auto Scaling group.
    :param annex_id: its id.
    :param instances: ARN pattern of the instances of this account and Region.
    """

    group: autoscaling.IAutoScalingGroup
    annex_id: str
    instances: str

    @classmethod
    def of(cls, scope: Construct, group: autoscaling.IAutoScalingGroup, annex_id: str) -> "OwnAnnex":
        """The annex of a group in the stack of a construct."""
        instances = Stack.of(scope).format_arn(service="ec2", resource="instance", resource_name="*")
        return cls(group=group, annex_id=annex_id, instances=instances)

    @property
    def wildcards(self) -> dict[str, str]:
        """The wildcards in these statements, with their reasons."""
        return {
            "*": _DESCRIBE_REASON,
            self.group.auto_scaling_group_arn: GROUP_ARN_REASON,
            self.instances: _INSTANCES_REASON,
        }

    @property
    def of_group(self) -> dict[str, str]:
        """The tag of the group on its instances. EC2 Auto Scaling alone can write it: the prefix aws: is reserved."""
        return {f"ec2:ResourceTag/{GROUP_TAG}": self.group.auto_scaling_group_name}

    def look(self, *more: str) -> iam.PolicyStatement:
        """Describe the group, its hooks, its instances, and more."""
        return iam.PolicyStatement(sid="Look", actions=sorted([*_LOOKING, *more]), resources=["*"])

    def end_group(self) -> iam.PolicyStatement:
        """End the group."""
        return self.on_group("OwnGroup", *END_GROUP)

    def on_group(self, sid: str, *actions: str, conditions: Mapping[str, object] | None = None) -> iam.PolicyStatement:
        """Do something to the group."""
        return iam.PolicyStatement(
            sid=sid,
            actions=list(actions),
            resources=[self.group.auto_scaling_group_arn],
            conditions=dict(conditions or {}),
        )

    def terminate(self) -> list[iam.PolicyStatement]:
        """Terminate the instances of the group, and those that were detached from it.

        AWS takes the group's tag from an instance that is detached; the annex's id stays.
        """
        conditions = {
            "TerminateOwnInstances": self.of_group,
            "TerminateDetachedInstances": {f"ec2:ResourceTag/{TAG_ID}": self.annex_id},
        }
        return [
            iam.PolicyStatement(
                sid=sid,
                actions=["ec2:TerminateInstances"],
                resources=[self.instances],
                conditions={"StringEquals": equal},
            )
            for sid, equal in conditions.items()
        ]


def checker_permissions(own: OwnAnnex, credential: secretsmanager.ISecret, topic: sns.ITopic) -> Permissions:
    """Permissions of the lease checker's function.

    :param own: the annex.
    :param credential: its secret; the function may see that it has a value, and not read it.
    :param topic: where its messages are published.
    """
    statements = [
        own.look("autoscaling:DescribeScalingActivities", "autoscaling:DescribeScheduledActions"),
        iam.PolicyStatement(
            sid="CredentialIsThere", actions=["secretsmanager:DescribeSecret"], resources=[policy_arn(credential)]
        ),
        own.end_group(),
        own.on_group("Record", "autoscaling:CreateOrUpdateTags", conditions=tag_key_conditions(CHECKER_TAGS)),
        own.on_group("ScheduleEnd", "autoscaling:PutScheduledUpdateGroupAction", conditions=_ONLY_ENDS),
        *own.terminate(),
        iam.PolicyStatement(
            sid="NotifyOwnInstances",
            actions=["ec2:CreateTags"],
            resources=[own.instances],
            conditions={"StringEquals": own.of_group, **tag_key_conditions([TAG_END])},
        ),
        iam.PolicyStatement(sid="Publish", actions=["sns:Publish"], resources=[topic.topic_arn]),
    ]
    return Permissions(statements=statements, wildcards=own.wildcards)


def responder_permissions(own: OwnAnnex) -> Permissions:
    """Permissions of the responder's function: what it takes to end the annex, and nothing else.

    :param own: the annex.
    """
    return Permissions(statements=[own.look(), own.end_group(), *own.terminate()], wildcards=own.wildcards)
