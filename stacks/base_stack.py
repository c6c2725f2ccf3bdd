"""What a spec file's `[base]` declares, as one CloudFormation stack per account and Region."""

from collections.abc import Iterable

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs import AnnexBase
from annex_spec import AnnexSpec, BaseSpec


class AnnexBaseStack(Stack):
    """The sweeper of one Region: `cdk deploy AnnexBase-<region>`, once, by an administrator. No annex depends on it.

    :param base: the base of the spec file.
    :param region: the Region to sweep.
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
        account: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id or f"AnnexBase-{region}",
            stack_name=f"AnnexBase-{region}",
            description="HTCondor annexes: ends what is over, and removes what no annex owns any more",
            env=Environment(account=account, region=region),
        )
        topic = None if base.alarm_topic is None else sns.Topic.from_topic_arn(self, "AlarmTopic", base.alarm_topic)
        self._base = AnnexBase(
            self,
            "Base",
            alarm_topic=topic,
            alarm_email=base.alarm_email,
            most_removals=base.most_removals,
            dry_run=base.dry_run,
        )
        CfnOutput(self, "Sweeper", value=self._base.function.function_name)
        CfnOutput(self, "AlarmTopicArn", value=self._base.topic.topic_arn)

    @property
    def base(self) -> AnnexBase:
        """The base."""
        return self._base


def base_stacks(scope: Construct, base: BaseSpec, annexes: Iterable[AnnexSpec]) -> list[AnnexBaseStack]:
    """A base stack for each account and Region in which there is an annex.

    :param scope: parent construct.
    :param base: the base of the spec file.
    :param annexes: the annexes of the spec file.
    """
    places = sorted({(annex.region, annex.account or "") for annex in annexes})
    regions = [region for region, _ in places]
    return [
        AnnexBaseStack(
            scope,
            # The account is part of the id only where a Region has a base in more than one.
            f"AnnexBase-{region}" if regions.count(region) == 1 else f"AnnexBase-{region}-{account or 'default'}",
            base=base,
            region=region,
            account=account or None,
        )
        for region, account in places
    ]
