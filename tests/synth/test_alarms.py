"""Alarms about a lease that is not enforced: their metrics, their topic, and when they exist."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Duration, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks

from annex_constructs import AnnexFleet, ExecutionPoint, LeaseChecker, LeaseTerms, Pool
from annex_constructs.alarm_topic import AlarmTopic
from annex_constructs.lease.lease_alarms import LeaseAlarms
from annex_lease import invocation as metrics
from tests.permissions.deployed import Deployed
from tests.synth.templates import Resources, of_type, only
from tests.synth.test_order import needs

ALARM, TOPIC = "AWS::CloudWatch::Alarm", "AWS::SNS::Topic"
OURS = {"Namespace": "HTCondorAnnex", "Period": 60, "Threshold": 1}


@pytest.fixture(scope="module")
def alarmed(flags: dict[str, Any]) -> Resources:
    """The resources of a fleet with a checker and alarms; for reading."""
    stack = Stack(App(context=flags), "Other")
    attributes: dict[str, Any] = {"vpc_id": "vpc-0123456789abcdef0", "availability_zones": ["us-east-1a"]}
    vpc = ec2.Vpc.from_vpc_attributes(stack, "Vpc", public_subnet_ids=["subnet-0123456789abcdef0"], **attributes)
    image = ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"})
    point = ExecutionPoint(pool=Pool(collector="cm.example.edu", trust_domain="example.edu"), machine_image=image)
    types = [ec2.InstanceType("c6a.large")]
    fleet = AnnexFleet(stack, "Muon", vpc=vpc, instance_types=types, max_size=20, execution_point=point)
    checker = LeaseChecker(stack, "Lease", fleet=fleet, lease=LeaseTerms(duration=Duration.hours(8)))
    LeaseAlarms(stack, "Alarms", checker=checker)
    return resources_of(stack)


@pytest.fixture
def checker(stack: Stack, fleet: AnnexFleet) -> LeaseChecker:
    return LeaseChecker(stack, "Lease", fleet=fleet, lease=LeaseTerms(duration=Duration.hours(8)))


def resources_of(stack: Stack) -> Resources:
    return dict(Template.from_stack(stack).to_json()["Resources"])


def alarm(resources: Resources, part: str) -> dict[str, Any]:
    (found,) = (each for name, each in of_type(resources, ALARM).items() if part in name)
    return dict(found["Properties"])


def test_silence_is_an_alarm(alarmed: Resources) -> None:
    found = alarm(alarmed, "Silence")
    functions = of_type(alarmed, "AWS::Lambda::Function").values()
    ours = [f["Properties"]["Environment"]["Variables"]["ANNEX_ID"] for f in functions if "ANNEX_TOPIC" in str(f)]
    (dimension,) = found["Dimensions"]
    deployed = Deployed({"Resources": alarmed}, "arn:aws:cloudformation:us-east-1:123456789012:stack/Other/uuid", {})
    assert dimension["Name"] == "Annex"
    # An annex of that name elsewhere is another one.
    assert deployed.value(dimension["Value"]) == deployed.value(ours[0]) == "uuid.muon"
    heartbeat = {
        **OURS,
        "MetricName": "LeaseChecks",
        "Statistic": "Sum",
        "ComparisonOperator": "LessThanThreshold",
        "TreatMissingData": "breaching",
        "EvaluationPeriods": 5,
    }
    assert heartbeat.items() <= found.items()
    assert "DatapointsToAlarm" not in found
    assert "muon" in found["AlarmDescription"]


def state(points: list[float | None], periods: int, missing: float) -> str:
    """The state of an alarm on "less than 1" as CloudWatch documents it; `points` is its evaluation range, newest last.

    "any real data points in the evaluation range, no matter when they were reported, are included in the evaluation.
    CloudWatch uses missing data points only as few times as possible." (CloudWatch User Guide, "How alarm state is
    evaluated when data is missing")
    """
    real = [point for point in points if point is not None][-periods:]
    evaluated = [*real, *[missing] * (periods - len(real))]
    return "ALARM" if all(point < 1 for point in evaluated) else "OK"


def test_the_rule_of_missing_data_is_the_documented_one() -> None:
    # The table of the page, for 3 of 3 periods and a range of 5; 0 breaches here, and missing data breaches.
    x, o, _ = 0.0, 1.0, None
    rows = {(o, _, x, _, x): "OK", (o, _, _, _, _): "OK", (_,) * 5: "ALARM", (o, x, x, _, x): "ALARM"}
    rows |= {(_, _, _, _, x): "ALARM", (_, _, _, _, o): "OK"}
    assert {points: state(list(points), 3, 0.0) for points in rows} == rows


@pytest.mark.parametrize("evaluated", [5, 7, 10, 14])
def test_silence_alarms_within_a_quarter_of_an_hour(alarmed: Resources, evaluated: int) -> None:
    """CloudWatch evaluates more periods than those of the alarm; their number is not documented."""
    periods = alarm(alarmed, "Silence")["EvaluationPeriods"]

    def after(silent: int) -> str:
        points: list[float | None] = [*[1.0] * 30, *[None] * silent]
        return state(points[-evaluated:], periods, 0.0)

    assert after(0) == after(periods - 1) == "OK", "a run or two that failed are not silence"
    assert next(minutes for minutes in range(60) if after(minutes) == "ALARM") < 15


@pytest.mark.parametrize(
    ("part", "metric", "periods"),
    [("PastLease", "InstancesPastLease", 2), ("RecordIgnored", "LeaseRecordIgnored", 1)],
)
def test_what_the_checker_reports_is_an_alarm(alarmed: Resources, part: str, metric: str, periods: int) -> None:
    found = alarm(alarmed, part)
    expected = {
        **OURS,
        "MetricName": metric,
        "Statistic": "Maximum",
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "EvaluationPeriods": periods,
    }
    assert expected.items() <= found.items()


def test_a_check_that_failed_is_an_alarm(alarmed: Resources) -> None:
    found = alarm(alarmed, "FailedChecks")
    ((queue, _),) = of_type(alarmed, "AWS::SQS::Queue").items()
    expected = {
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}],
        "Statistic": "Maximum",
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "EvaluationPeriods": 1,
    }
    assert expected.items() <= found.items()


def test_the_names_are_those_that_the_checker_sends(alarmed: Resources) -> None:
    watched = {each["Properties"]["MetricName"] for each in of_type(alarmed, ALARM).values()}
    assert {metrics.CHECKS, metrics.PAST_LEASE, metrics.RECORD_IGNORED} < watched
    assert len(watched) == 4


def test_neither_a_deployment_nor_a_destroy_sets_off_the_alarm_of_silence(alarmed: Resources) -> None:
    needed = needs(alarmed)
    (lease,) = of_type(alarmed, "Custom::AnnexLease")
    # Made after the first check, and so removed before the checker stops checking.
    (silence,) = (name for name in needed if "Silence" in name)
    assert lease in needed[silence]
    assert [name for name, others in needed.items() if lease in others] == [silence]
    # The others are there before anything is granted, and until everything is gone.
    others = {name for name in of_type(alarmed, ALARM) if name != silence}
    assert others <= needed[lease]


def test_alarms_publish_to_a_topic_that_lets_them(stack: Stack, checker: LeaseChecker) -> None:
    alarms = LeaseAlarms(stack, "Alarms", checker=checker, alarm_email="someone@example.edu")
    resources = resources_of(stack)
    ((topic, described),) = of_type(resources, TOPIC).items()
    assert described["DeletionPolicy"] == "Delete"
    assert stack.resolve(alarms.alarm_topic.topic_arn) == {"Ref": topic}
    for name, each in of_type(resources, ALARM).items():
        assert each["Properties"]["AlarmActions"] == [{"Ref": topic}]
        assert set(of_type(resources, "AWS::SNS::TopicPolicy")) <= needs(resources)[name]
    subscription = only(resources, "AWS::SNS::Subscription")
    assert subscription == {"Endpoint": "someone@example.edu", "Protocol": "email", "TopicArn": {"Ref": topic}}
    statements = only(resources, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (allowed,) = (each for each in statements if each["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Action"] == "sns:Publish"
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    (denied,) = (each for each in statements if each["Effect"] == "Deny")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_given_topic_is_used(stack: Stack, checker: LeaseChecker) -> None:
    arn = "arn:aws:sns:us-east-1:123456789012:operators"
    given = sns.Topic.from_topic_arn(stack, "Operators", arn)
    LeaseAlarms(stack, "Alarms", checker=checker, alarm_topic=given)
    resources = resources_of(stack)
    assert not of_type(resources, TOPIC)
    assert {tuple(each["Properties"]["AlarmActions"]) for each in of_type(resources, ALARM).values()} == {(arn,)}
    assert not of_type(resources, "AWS::SNS::Subscription")


def test_a_topic_or_an_address(stack: Stack, checker: LeaseChecker) -> None:
    given = sns.Topic.from_topic_arn(stack, "Operators", "arn:aws:sns:us-east-1:123456789012:operators")
    with pytest.raises(ValueError, match="LeaseAlarms alarm_topic, alarm_email: received 'both of them'"):
        LeaseAlarms(stack, "Alarms", checker=checker, alarm_topic=given, alarm_email="someone@example.edu")


def test_nobody_is_subscribed_unasked(stack: Stack, checker: LeaseChecker) -> None:
    LeaseAlarms(stack, "Alarms", checker=checker)
    assert not of_type(resources_of(stack), "AWS::SNS::Subscription")


def test_cdk_nag_finds_nothing_that_was_not_decided(app: App) -> None:
    AlarmTopic(Stack(app, "Topics"), "Topic", display_name="HTCondor annex muon")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


def test_cdk_nag_would_find_a_topic_that_takes_plain_text(app: App) -> None:
    sns.Topic(Stack(app, "Topics"), "Topic")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="AwsSolutions-SNS3"):
        app.synth()
