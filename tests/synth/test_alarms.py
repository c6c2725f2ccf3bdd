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
from tests.synth.templates import Resources, named, of_type, only
from tests.synth.test_order import needs

ALARM, TOPIC = "AWS::CloudWatch::Alarm", "AWS::SNS::Topic"
EIGHT_HOURS = LeaseTerms(duration=Duration.hours(8))


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


def resources_of(stack: Stack) -> Resources:
    return dict(Template.from_stack(stack).to_json()["Resources"])


def test_one_alarm_watches_the_errors_of_the_function(alarmed: Resources) -> None:
    function = named(alarmed, "AWS::Lambda::Function", "LeaseFunction")
    expected = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": function}}],
        "Statistic": "Sum",
        "Period": 60,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "missing",
        "EvaluationPeriods": 5,
    }
    found = only(alarmed, ALARM)
    assert found["AlarmActions"] == found["InsufficientDataActions"] == [{"Ref": named(alarmed, TOPIC, "")}]
    assert expected.items() <= found.items()
    assert not {"DatapointsToAlarm", "Metrics"} & set(found), "metric math is billed by metric"
    for part in ("muon", "5 minutes", "log", "schedule", "dead-letter queue", "stop an annex by hand"):
        assert part in found["AlarmDescription"]


Points = list[float | None]


def state(points: Points, alarm: dict[str, Any]) -> str:
    """The state of an alarm as CloudWatch documents it; `points` is its evaluation range, newest last.

    "any real data points in the evaluation range, no matter when they were reported, are included in the evaluation.
    CloudWatch uses missing data points only as few times as possible." (CloudWatch User Guide, "How alarm state is
    evaluated when data is missing")
    """
    periods, threshold = alarm["EvaluationPeriods"], alarm["Threshold"]
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    real = [point >= threshold for point in points if point is not None][-periods:]
    assert alarm["TreatMissingData"] == "missing"
    if not real:
        return "INSUFFICIENT_DATA"
    return "ALARM" if all(real) else "OK"


def test_the_rule_of_missing_data_is_the_documented_one() -> None:
    # The table of the page, for 3 of 3 periods and a range of 5; 1 breaches here, and missing data is missing.
    x, o, _ = 1.0, 0.0, None
    rows = {(o, _, x, _, x): "OK", (o, _, _, _, _): "OK", (_,) * 5: "INSUFFICIENT_DATA", (o, x, x, _, x): "ALARM"}
    rows |= {(_, _, x, _, _): "ALARM", (_, _, _, _, o): "OK"}
    three = {"EvaluationPeriods": 3, "Threshold": 1, "TreatMissingData": "missing"}
    three["ComparisonOperator"] = "GreaterThanOrEqualToThreshold"
    assert {points: state(list(points), three) for points in rows} == rows


# Sum of `Errors` of a minute: 0 where each run succeeded, 1 where the one run failed, None where none was begun.
DONE, FAILED, NONE = 0.0, 1.0, None
TROUBLE: dict[str, Points] = {
    # No schedule, no permission to run the function, no concurrency: what is not delivered is not invoked.
    "silence": [NONE] * 60,
    # Code that cannot be imported, a time-out, too little memory, a refused call.
    "failed checks": [FAILED] * 60,
    "failed, then silent": [FAILED, FAILED, *[NONE] * 60],
    "silent and failed in turn": [FAILED, NONE] * 30,
    "a command fails in the same minutes": [2.0] * 60,
}
RANGES = [5, 7, 10, 14]
"""CloudWatch evaluates more periods than those of the alarm; their number is not documented."""


def alarms_after(alarm: dict[str, Any], trouble: Points, evaluated: int, late: int = 0) -> int | None:
    """Minutes until the alarm, for data that comes some minutes late; None: there is none."""
    history: Points = [*[DONE] * 30, *trouble]
    for minutes in range(len(trouble)):
        known: Points = [*history[: 30 + minutes - late], *[None] * late]
        # Both states are published.
        if state(known[-evaluated:], alarm) != "OK":
            return minutes
    return None


@pytest.mark.parametrize("evaluated", RANGES)
@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_lease_that_is_not_enforced_alarms_within_a_quarter_of_an_hour(
    alarmed: Resources, trouble: str, evaluated: int
) -> None:
    alarm = only(alarmed, ALARM)
    minutes = alarms_after(alarm, TROUBLE[trouble], evaluated)
    assert minutes is not None
    assert alarm["EvaluationPeriods"] <= minutes < 15


@pytest.mark.parametrize("late", [1, 2])
@pytest.mark.parametrize("evaluated", [7, 10, 14])
def test_data_that_comes_late_is_no_silence(alarmed: Resources, evaluated: int, late: int) -> None:
    """Lambda sends a metric when a run has ended, and CloudWatch shows it a minute later."""
    alarm = only(alarmed, ALARM)
    assert alarms_after(alarm, [DONE] * 60, evaluated, late) is None
    failed = alarms_after(alarm, TROUBLE["failed checks"], evaluated, late)
    assert failed is not None
    assert failed < 15


@pytest.mark.parametrize("evaluated", RANGES)
@pytest.mark.parametrize("passing", [[FAILED], [NONE], [FAILED] * 4, [NONE] * 4, [FAILED, DONE] * 9], ids=str)
def test_what_the_next_checks_repair_is_no_alarm(alarmed: Resources, evaluated: int, passing: Points) -> None:
    assert alarms_after(only(alarmed, ALARM), [*passing, *[DONE] * 30], evaluated) is None


@pytest.mark.parametrize("evaluated", RANGES)
def test_the_alarm_ends_with_the_first_check_that_is_done(alarmed: Resources, evaluated: int) -> None:
    alarm = only(alarmed, ALARM)
    for trouble in TROUBLE.values():
        assert state([*trouble, DONE][-evaluated:], alarm) == "OK"


def test_the_metric_is_not_one_that_the_checker_sends(alarmed: Resources) -> None:
    """A checker that cannot run cannot send one, and a metric of its own would be billed."""
    ours = {value for value in vars(metrics).values() if isinstance(value, str)}
    assert only(alarmed, ALARM)["MetricName"] not in ours
    assert {metrics.PAST_LEASE, metrics.RECORD_IGNORED} <= ours


def test_a_destroy_does_not_set_off_the_alarm(alarmed: Resources) -> None:
    needed = needs(alarmed)
    ((lease, _),) = of_type(alarmed, "Custom::AnnexLease").items()
    # Made after the first check, and so removed before the checker stops checking.
    (alarm,) = of_type(alarmed, ALARM)
    assert lease in needed[alarm]
    assert [name for name, others in needed.items() if lease in others] == [alarm]


def test_the_topic_has_its_readers_before_the_first_check(stack: Stack, fleet: AnnexFleet) -> None:
    LeaseChecker(stack, "Lease", fleet=fleet, lease=EIGHT_HOURS, alarm_email="someone@example.edu")
    resources = resources_of(stack)
    ((lease, _),) = of_type(resources, "Custom::AnnexLease").items()
    for kind in (TOPIC, "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription"):
        assert set(of_type(resources, kind)) <= needs(resources)[lease]


def test_the_alarm_publishes_to_a_topic_that_lets_it(stack: Stack, fleet: AnnexFleet) -> None:
    checker = LeaseChecker(stack, "Lease", fleet=fleet, lease=EIGHT_HOURS, alarm_email="someone@example.edu")
    alarms = LeaseAlarms(stack, "Alarms", checker=checker)
    resources = resources_of(stack)
    ((topic, described),) = of_type(resources, TOPIC).items()
    assert described["DeletionPolicy"] == "Delete"
    assert stack.resolve(alarms.alarm_topic.topic_arn) == stack.resolve(checker.alarm_topic.topic_arn) == {"Ref": topic}
    ((alarm, each),) = of_type(resources, ALARM).items()
    assert each["Properties"]["AlarmActions"] == [{"Ref": topic}]
    assert set(of_type(resources, "AWS::SNS::TopicPolicy")) <= needs(resources)[alarm]
    subscription = only(resources, "AWS::SNS::Subscription")
    assert subscription == {"Endpoint": "someone@example.edu", "Protocol": "email", "TopicArn": {"Ref": topic}}
    statements = only(resources, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (allowed,) = (each for each in statements if each["Effect"] == "Allow")
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Action"] == "sns:Publish"
    assert allowed["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    (denied,) = (each for each in statements if each["Effect"] == "Deny")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_given_topic_is_used(stack: Stack, fleet: AnnexFleet) -> None:
    arn = "arn:aws:sns:us-east-1:123456789012:operators"
    given = sns.Topic.from_topic_arn(stack, "Operators", arn)
    checker = LeaseChecker(stack, "Lease", fleet=fleet, lease=EIGHT_HOURS, alarm_topic=given)
    LeaseAlarms(stack, "Alarms", checker=checker)
    resources = resources_of(stack)
    assert not of_type(resources, TOPIC)
    assert only(resources, ALARM)["AlarmActions"] == [arn]
    assert not of_type(resources, "AWS::SNS::Subscription")


def test_a_topic_or_an_address(stack: Stack, fleet: AnnexFleet) -> None:
    given = sns.Topic.from_topic_arn(stack, "Operators", "arn:aws:sns:us-east-1:123456789012:operators")
    both: Any = {"alarm_topic": given, "alarm_email": "someone@example.edu"}
    with pytest.raises(ValueError, match="LeaseChecker alarm_topic, alarm_email: received 'both of them'"):
        LeaseChecker(stack, "Lease", fleet=fleet, lease=EIGHT_HOURS, **both)


@pytest.mark.parametrize("given", [True, False])
def test_the_checker_publishes_to_the_topic_of_its_alarm(stack: Stack, fleet: AnnexFleet, given: bool) -> None:
    """Messages of the checker stand in the place of alarms: they need readers as much."""
    topic = sns.Topic(stack, "Operators") if given else None
    checker = LeaseChecker(stack, "Lease", fleet=fleet, lease=EIGHT_HOURS, alarm_topic=topic)
    LeaseAlarms(stack, "Alarms", checker=checker)
    resources = resources_of(stack)
    (arn,) = only(resources, ALARM)["AlarmActions"]
    function = resources[named(resources, "AWS::Lambda::Function", "LeaseFunction")]["Properties"]
    assert function["Environment"]["Variables"]["ANNEX_TOPIC"] == arn == {"Ref": named(resources, TOPIC, "")}


def test_no_address_is_subscribed_unasked(alarmed: Resources) -> None:
    assert not of_type(alarmed, "AWS::SNS::Subscription")


def test_cdk_nag_finds_nothing_that_was_not_decided(app: App) -> None:
    AlarmTopic(Stack(app, "Topics"), "Topic", display_name="HTCondor annex muon")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()


def test_cdk_nag_would_find_a_topic_that_takes_plain_text(app: App) -> None:
    sns.Topic(Stack(app, "Topics"), "Topic")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="AwsSolutions-SNS3"):
        app.synth()
