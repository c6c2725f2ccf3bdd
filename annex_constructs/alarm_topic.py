"""The topic that alarms and warnings are published to."""

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from annex_constructs.errors import TEXT, TOPIC, check_form, check_kind, check_region, invalid_value
from annex_lease.forms import EMAIL
from annex_lease.rules import alarm_conflict


class AlarmTopic(sns.Topic):
    """A topic that CloudWatch's alarms of this account and Region may publish to; removed with its stack.

    The lease checker publishes its warning here too, by its own role. Messages are not encrypted with a key: alarms
    cannot publish with AWS's own (https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns). A key of your
    own costs more a month than the annex at rest, and messages hold an annex's name, times and counts only. The first
    1,000 e-mails a month are free.

    Example, one topic for two annexes::

        topic = AlarmTopic(stack, "Topic", display_name="HTCondor annexes", email="admin@example.edu")
        for name in ("Muon", "Tau"):
            Annex(stack, name, alarm_topic=topic, **properties)

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param display_name: sender of the messages, such as `HTCondor annex demo`.
    :param email: address to subscribe; AWS sends it a link, and nothing else before that was followed.
        Default: - no address is subscribed.
    """

    def __init__(self, scope: Construct, construct_id: str, *, display_name: str, email: str | None = None) -> None:
        check_kind("AlarmTopic display_name", display_name, TEXT)
        if email is not None:
            check_form("AlarmTopic email", email, EMAIL)
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


def annex_sender(annex_name: str) -> str:
    """Sender of the messages of an annex's own topic.

    :param annex_name: the annex's name.
    """
    return f"HTCondor annex {annex_name}"


def given_or_own_topic(
    scope: Construct, construct_id: str, *, display_name: str, alarm_topic: sns.ITopic | None, alarm_email: str | None
) -> sns.ITopic:
    """The topic that was given, or a new one for the address.

    :param scope: parent construct, whose class the error names.
    :param construct_id: id of a new topic in that scope.
    :param display_name: sender of the messages of a new topic.
    :param alarm_topic: the topic; None: make one.
    :param alarm_email: address to subscribe to a new topic.
    :raises ValueError: both are given; or the topic is of another Region, or a FIFO topic.
    """
    conflict = alarm_conflict(alarm_email, alarm_topic)
    if conflict is not None:
        parameter = f"{type(scope).__name__} alarm_topic, alarm_email"
        raise invalid_value(parameter, received="both of them", allowed=conflict.allowed, fix=conflict.advice)
    check_kind(f"{type(scope).__name__} alarm_topic", alarm_topic, TOPIC, optional=True)
    if alarm_topic is not None:
        check_region(f"{type(scope).__name__} alarm_topic", alarm_topic, scope)
        if alarm_topic.fifo:
            parameter, fix = f"{type(scope).__name__} alarm_topic", "pass a standard topic, or leave it out"
            allowed = "a standard topic: a FIFO topic sends no e-mail"
            raise invalid_value(parameter, received=alarm_topic.node.path, allowed=allowed, fix=fix)
        return alarm_topic
    return AlarmTopic(scope, construct_id, display_name=display_name, email=alarm_email)
