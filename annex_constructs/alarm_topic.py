"""Where an annex's alarms and warnings go."""

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class AlarmTopic(sns.Topic):
    """A topic that CloudWatch's alarms of this account and Region may publish to; removed with its stack.

    The lease checker publishes its warning here too, by its own role. Messages are not encrypted with a key: alarms
    cannot publish with AWS's own (https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns), one of your own
    costs more a month than the annex at rest, and all that is said is an annex's name, times and counts. The first
    1,000 e-mails a month are free.
    """

    def __init__(self, scope: Construct, construct_id: str, *, display_name: str, email: str | None = None) -> None:
        """Make the topic.

        :param scope: parent construct.
        :param construct_id: id in that scope.
        :param display_name: who the messages come from, such as `HTCondor annex demo`.
        :param email: address to subscribe; AWS sends it a link that somebody must follow before anything else is sent.
            Default: - nobody is subscribed.
        """
        super().__init__(scope, construct_id, display_name=display_name, enforce_ssl=True)
        self.apply_removal_policy(RemovalPolicy.DESTROY)
        # A topic without a policy lets the whole account publish, alarms included. The one that asks for TLS replaces
        # that, so alarms must be named (https://repost.aws/knowledge-center/cloudwatch-receive-sns-for-alarm-trigger).
        stack = Stack.of(self)
        alarms = stack.format_arn(
            service="cloudwatch", resource="alarm", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        statement = iam.PolicyStatement(
            sid="Alarms",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[self.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": alarms}},
        )
        self.add_to_resource_policy(statement)
        if email is not None:
            self.add_subscription(subscriptions.EmailSubscription(email))
