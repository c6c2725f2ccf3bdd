"""Rules between a lease and its fleet, in an Annex and in an app that wires the parts itself."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_cdk import App, Duration, NestedStack, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from annex_constructs import Annex, AnnexFleet, ExecutionPoint, LeaseAlarms, LeaseChecker, LeaseTerms
from tests.synth.templates import OWN_NETWORK, TAGGABLE, Resources, checker, of_type, only, template_of

TYPES = [ec2.InstanceType("c6a.large")]
EIGHT_HOURS = LeaseTerms(duration=Duration.hours(8))
RENEWED = LeaseTerms(duration=Duration.hours(8), renew_while_busy=Duration.minutes(20))


def fleet_in(scope: Stack, construct_id: str, vpc: ec2.IVpc, point: ExecutionPoint, **more: Any) -> AnnexFleet:
    given = {"vpc": vpc, "instance_types": TYPES, "max_size": 2, "execution_point": point, **more}
    return AnnexFleet(scope, construct_id, **given)


def annex_in(scope: Stack, construct_id: str, point: ExecutionPoint, **more: Any) -> Annex:
    given = {"execution_point": point, "instance_types": TYPES, "max_size": 1, "lease": EIGHT_HOURS, **more}
    return Annex(scope, construct_id, **given)


def resources_of(stack: Stack) -> Resources:
    return dict(Template.from_stack(stack).to_json()["Resources"])


def group_tags(resources: Resources) -> dict[str, Any]:
    return {tag["Key"]: tag["Value"] for tag in only(resources, "AWS::AutoScaling::AutoScalingGroup")["Tags"]}


def declared_tags(stack: Stack) -> dict[str, Any]:
    return group_tags(resources_of(stack))


@pytest.mark.parametrize(
    ("duration", "drain"), [(Duration.minutes(2), None), (Duration.minutes(30), Duration.minutes(30))]
)
def test_a_drain_that_leaves_no_time_for_jobs_is_refused(
    stack: Stack, point: ExecutionPoint, duration: Duration, drain: Duration | None
) -> None:
    draining = dataclasses.replace(point, drain_before_end=drain)
    with pytest.raises(
        ValueError,
        match=r"ExecutionPoint drain_before_end: received .*, allowed less than .*; fix: pass drain_before_end=",
    ):
        annex_in(stack, "Muon", draining, lease=LeaseTerms(duration=duration))
    assert annex_in(stack, "Longer", draining, lease=LeaseTerms(duration=duration.plus(Duration.seconds(1))))
    end = datetime(2030, 6, 1, 8, tzinfo=UTC)
    assert annex_in(stack, "Absolute", draining, lease=LeaseTerms(ends_at=end, max_lifetime=duration))


def test_it_is_refused_without_an_annex_too(stack: Stack, fleet: AnnexFleet) -> None:
    with pytest.raises(ValueError, match=r"ExecutionPoint drain_before_end: received '2 minutes', allowed less than"):
        LeaseChecker(stack, "Lease", fleet=fleet, lease=LeaseTerms(duration=Duration.minutes(2)))


def test_a_renewal_that_would_come_after_the_drain_is_refused(
    stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint
) -> None:
    draining = dataclasses.replace(point, drain_before_end=Duration.minutes(7))
    fleet = fleet_in(stack, "Muon", vpc, draining, protect_busy=True)
    allowed = "allowed 20m or more: twice drain_before_end, 7m, and 6m"
    with pytest.raises(
        ValueError, match=rf"LeaseTerms renew_while_busy: received '19 minutes 59 seconds', {allowed}; fix"
    ):
        LeaseChecker(
            stack, "A", fleet=fleet, lease=dataclasses.replace(RENEWED, renew_while_busy=Duration.seconds(1199))
        )
    assert LeaseChecker(stack, "B", fleet=fleet, lease=RENEWED)


def test_a_lease_that_is_renewed_needs_instances_that_say_they_are_busy(stack: Stack, fleet: AnnexFleet) -> None:
    with pytest.raises(
        ValueError, match=r"LeaseChecker lease: received .*fix: pass protect_busy=True to the AnnexFleet"
    ):
        LeaseChecker(stack, "Lease", fleet=fleet, lease=RENEWED)
    assert LeaseChecker(stack, "Plain", fleet=fleet, lease=EIGHT_HOURS)


@pytest.mark.parametrize(
    ("lease", "declared", "protects"),
    [
        (EIGHT_HOURS, None, False),
        (EIGHT_HOURS, False, False),
        (EIGHT_HOURS, True, True),
        (RENEWED, None, True),
        (RENEWED, True, True),
    ],
)
def test_an_annex_sees_to_that(
    stack: Stack, point: ExecutionPoint, lease: LeaseTerms, declared: bool | None, protects: bool
) -> None:
    annex = annex_in(stack, "Muon", point, lease=lease, protect_busy=declared)
    assert annex.fleet.protect_busy is protects
    allowed = only(resources_of(stack), "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert ("ProtectWhileBusy" in {each["Sid"] for each in allowed}) is protects


def test_an_annex_that_is_renewed_does_not_go_without_the_protection(stack: Stack, point: ExecutionPoint) -> None:
    message = r"Annex protect_busy: received False, allowed true with renew_while_busy: .*; fix: leave protect_busy out"
    with pytest.raises(ValueError, match=message):
        annex_in(stack, "Muon", point, lease=RENEWED, protect_busy=False)


def test_what_a_lease_declares(stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint) -> None:
    lease = dataclasses.replace(RENEWED, max_instance_hours=100, warn_before_end=Duration.minutes(30))
    LeaseChecker(stack, "Lease", fleet=fleet_in(stack, "Muon", vpc, point, protect_busy=True), lease=lease)
    tags = declared_tags(stack)
    declared = {"annex:lease-renew": "1200", "annex:max-instance-hours": "100", "annex:warn-before-end": "1800"}
    assert declared.items() <= tags.items()


ENDS_AT = LeaseTerms(ends_at=datetime(2030, 6, 1, tzinfo=UTC), max_lifetime=Duration.days(30))
WARNINGS: list[tuple[LeaseTerms, Duration | None, int | None]] = [
    (EIGHT_HOURS, None, 900),
    (ENDS_AT, None, 900),
    (LeaseTerms(duration=Duration.minutes(30)), None, 900),
    (LeaseTerms(duration=Duration.seconds(1799)), None, 899),
    (LeaseTerms(duration=Duration.minutes(2)), None, 60),
    (LeaseTerms(duration=Duration.seconds(119)), None, None),
    (EIGHT_HOURS, Duration.hours(1), 3600),
    (EIGHT_HOURS, Duration.seconds(0), None),
    (ENDS_AT, Duration.seconds(0), None),
]


@pytest.mark.parametrize(("lease", "before", "declared"), WARNINGS)
def test_the_warning_of_an_annex(
    flags: dict[str, Any], stack: Stack, point: ExecutionPoint, lease: LeaseTerms, before: Duration | None,
    declared: int | None,
) -> None:  # fmt: skip
    draining = dataclasses.replace(point, drain_before_end=Duration.seconds(10))
    annex_in(stack, "Muon", draining, lease=dataclasses.replace(lease, warn_before_end=before))
    text = None if declared is None else str(declared)
    assert declared_tags(stack).get("annex:warn-before-end") == text
    # The same annex from a spec file.
    spans = {"lease": lease.duration, "warn_before_end": before}
    written = {key: f"{int(span.to_seconds())}s" for key, span in spans.items() if span is not None}
    given = {"lease": None, "lease_ends_at": lease.ends_at, "max_lifetime": "30d", "drain_before_end": "10s", **written}
    from_spec = template_of(flags, {**OWN_NETWORK, **given})["Resources"]
    assert group_tags(from_spec).get("annex:warn-before-end") == text


def test_two_fleets_of_a_name_in_a_stack_are_refused(stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint) -> None:
    fleet_in(stack, "Muon", vpc, point)
    said = r"AnnexFleet annex_name: received 'muon', allowed a name that is not used in the stack; Other/Muon uses it"
    with pytest.raises(ValueError, match=said):
        fleet_in(stack, "Second", vpc, point, annex_name="muon")
    with pytest.raises(ValueError, match=r"annex_name: received 'muon'.*Other/Muon uses it"):
        annex_in(stack, "Annex", point, annex_name="muon")
    assert fleet_in(stack, "Third", vpc, point, annex_name="muon-2")


def test_two_stacks_may_use_a_name_each_with_an_id_of_its_own(
    app: App, stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint
) -> None:
    # A nested stack is a stack of its own: before the outer one's fleet and after it.
    before = annex_in(NestedStack(stack, "Before"), "Muon", point)
    first = annex_in(stack, "Muon", point)
    after = annex_in(NestedStack(stack, "After"), "Muon", point)
    for other in (before, after, annex_in(Stack(app, "Second"), "Muon", point)):
        # The same words, that CloudFormation reads with another AWS::StackId.
        assert Stack.of(other).resolve(other.fleet.annex_id) == stack.resolve(first.fleet.annex_id)
    parts = ["/", {"Fn::Sub": "${AWS::StackId}.muon"}]
    assert stack.resolve(first.fleet.annex_id) == {"Fn::Select": [2, {"Fn::Split": parts}]}


def test_the_id_comes_last_in_a_stack_id() -> None:
    stack_id = "arn:aws:cloudformation:us-east-1:123456789012:stack/Annex-demo/8e1f4ad0-c7d2-11f0-8d6a-0affc1b2d3e4"
    assert f"{stack_id}.demo".split("/")[2] == "8e1f4ad0-c7d2-11f0-8d6a-0affc1b2d3e4.demo"


def test_parts_that_are_wired_by_hand_carry_name_and_id_too(stack: Stack, fleet: AnnexFleet) -> None:
    LeaseAlarms(stack, "Alarms", checker=LeaseChecker(stack, "Lease", fleet=fleet, lease=EIGHT_HOURS))
    identity = {"annex:name": "muon", "annex:id": stack.resolve(fleet.annex_id)}
    taggable = [(name, each) for name, each in resources_of(stack).items() if each["Type"] in TAGGABLE]
    assert {each["Type"] for _, each in taggable} >= {"AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::CloudWatch::Alarm"}
    for name, each in taggable:
        tags = {tag["Key"]: tag["Value"] for tag in each["Properties"]["Tags"]}
        assert identity.items() <= tags.items(), name


def test_an_alarm_topic_of_ones_own(stack: Stack, point: ExecutionPoint) -> None:
    topic = sns.Topic(stack, "Topic")
    annex_in(stack, "Muon", point, alarm_topic=topic)
    resources = resources_of(stack)
    reference = stack.resolve(topic.topic_arn)
    assert len(of_type(resources, "AWS::SNS::Topic")) == 1
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    assert {str(alarm["Properties"]["AlarmActions"]) for alarm in alarms} == {str([reference])}
    function = next(
        each["Properties"]
        for name, each in resources.items()
        if "MuonLeaseCheckerFunction" in name and each["Type"] == "AWS::Lambda::Function"
    )
    assert function["Environment"]["Variables"]["ANNEX_TOPIC"] == reference


def test_an_address_is_subscribed_to_the_topic_of_the_annex(stack: Stack, point: ExecutionPoint) -> None:
    annex_in(stack, "Muon", point, alarm_email="admin@example.edu")
    resources = resources_of(stack)
    (subscription,) = of_type(resources, "AWS::SNS::Subscription").values()
    assert subscription["Properties"]["Endpoint"] == "admin@example.edu"
    assert subscription["Properties"]["TopicArn"] == checker(resources)["Environment"]["Variables"]["ANNEX_TOPIC"]


def test_a_topic_or_an_address(stack: Stack, point: ExecutionPoint) -> None:
    topic = sns.Topic(stack, "Topic")
    with pytest.raises(
        ValueError, match=r"Annex alarm_topic, alarm_email: received 'both of them', allowed at most one"
    ):
        annex_in(stack, "Muon", point, alarm_topic=topic, alarm_email="admin@example.edu")
