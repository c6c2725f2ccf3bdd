"""The base of a spec file as CloudFormation stacks, one for each account and Region."""

from collections.abc import Iterable, Mapping

from aws_cdk import CfnOutput, Environment, Stack, Tags
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs import AnnexBase, RoleSettings
from annex_lease.rules import default_max_removals
from annex_spec import AnnexSpec, BaseSpec
from stacks.places import stack_places


class AnnexBaseStack(Stack):
    """The sweeper of one Region: `cdk deploy AnnexBase-<region>`, once, by an administrator. No annex depends on it.

    :param base: the base of the spec file.
    :param region: the Region to sweep.
    :param largest_annex: size of the largest annex there. A base without `max_removals` may remove all instances of one
        annex in one run. Default: 0.
    :param account: the account. Default: - that of the credentials in use.
    :param construct_id: the stack's id. Default: - `AnnexBase-<region>`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str | None = None,
        *,
        base: BaseSpec,
        region: str,
        largest_annex: int = 0,
        account: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id or f"AnnexBase-{region}",
            stack_name=f"AnnexBase-{region}",
            description="HTCondor annexes: ends what is over, and removes what belongs to no annex any more",
            env=Environment(account=account, region=region),
        )
        topic = None if base.alarm_topic is None else sns.Topic.from_topic_arn(self, "AlarmTopic", base.alarm_topic)
        declared = base.max_removals
        self._base = AnnexBase(
            self,
            "Base",
            alarm_topic=topic,
            alarm_email=base.alarm_email,
            max_removals=default_max_removals(largest_annex) if declared is None else declared,
            dry_run=base.dry_run,
        )
        RoleSettings.apply(self, permissions_boundary=base.permissions_boundary, role_path=base.role_path)
        tag_resources(self, base.tags)
        accept_redundant_dependencies(self)
        CfnOutput(self, "Sweeper", value=self._base.function.function_name)
        CfnOutput(self, "AlarmTopicArn", value=self._base.alarm_topic.topic_arn)

    @property
    def base(self) -> AnnexBase:
        """The base."""
        return self._base


def accept_redundant_dependencies(stack: Stack) -> None:
    """Let cfn-lint pass over a `DependsOn` that a reference implies: it costs nothing, and the CDK writes many.

    A function waits for its role's policies, and so for the role; a group for its network, and so for its subnets.
    """
    stack.template_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}


def tag_resources(stack: Stack, tags: Mapping[str, str]) -> None:
    """Put tags on the resources of a stack, and none on the stack itself.

    CloudFormation passes the tags of a stack on to its resources. A group that has the key already was created, and
    refused its next update: "You cannot have multiple tags with the same key name"
    (https://github.com/pulumi/pulumi-eks/issues/144). They do not reach what a launch template starts either.
    """
    for key, value in tags.items():
        Tags.of(stack).add(key, value, exclude_resource_types=["aws:cdk:stack"])


def base_stacks(scope: Construct, base: BaseSpec, annexes: Iterable[AnnexSpec]) -> list[AnnexBaseStack]:
    """A base stack for each account and Region in which there is an annex.

    :param scope: parent construct.
    :param base: the base of the spec file.
    :param annexes: the annexes of the spec file.
    """
    return [
        AnnexBaseStack(
            scope,
            place.construct_id("AnnexBase"),
            base=base,
            region=place.region,
            largest_annex=max(annex.size for annex in place.alike),
            account=place.account,
        )
        for place in stack_places(annexes)
    ]
