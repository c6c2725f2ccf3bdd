"""The same annex in several stages and stacks of one account: nothing collides, and nothing claims another stack."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, NestedStack, Stack, Stage
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs import Annex, AnnexFleet, ExecutionPoint, LeaseAlarms, LeaseChecker, LeaseTerms
from annex_spec import AnnexSpec, PoolSpec
from stacks import AnnexStack
from tests.synth.templates import OWN_NETWORK, feature_flags

LEASE = LeaseTerms(duration=Duration.hours(8))
TYPES = [ec2.InstanceType("c6a.large")]
FLAGS: dict[str, dict[str, Any]] = {"flags of cdk.json": feature_flags(), "no flags": {}}


def annex_stack(scope: Construct) -> AnnexStack:
    pool = PoolSpec(collector="cm.example.edu", trust_domain="example.edu")
    return AnnexStack(scope, pool=pool, annex=AnnexSpec.model_validate(OWN_NETWORK))


def annex_in(scope: Construct, point: ExecutionPoint, **more: Any) -> Annex:
    given = {"execution_point": point, "instance_types": TYPES, "max_size": 1, "lease": LEASE, **more}
    return Annex(scope, "Muon", **given)


def templates(app: App) -> dict[str, dict[str, Any]]:
    """Every template of the app by the name of its stack; of a nested stack by its file."""
    out = Path(app.synth().directory)
    found = {}
    for file in out.rglob("*.template.json"):
        found[file.name.removesuffix(".template.json")] = json.loads(file.read_text())
    return found


@pytest.mark.parametrize("flags", FLAGS)
def test_two_stages_of_one_account(flags: str) -> None:
    app = App(context=FLAGS[flags])
    stacks = [annex_stack(Stage(app, stage)) for stage in ("Prod", "Test")]
    assert [each.stack_name for each in stacks] == ["Prod-Annex-demo", "Test-Annex-demo"]
    one, other = (
        Path(app.synth().get_nested_assembly(f"assembly-{each}").stacks[0].template_full_path).read_text()
        for each in ("Prod", "Test")
    )
    for template, stack in ((one, stacks[0]), (other, stacks[1])):
        assert f"Annex demo of stack {stack.stack_name}: " in template
    # Names are CloudFormation's, ids come from the stack's own id; the CDK names subnets by their path.
    assert one.replace("Prod/", "Test/").replace("Prod-", "Test-") == other
    template = json.loads(one)
    assert not [each for each in template["Outputs"].values() if "Export" in each]
    assert "AWS::StackId" in json.dumps(template["Outputs"]["AnnexId"]["Value"])
    # No text names a stack that does not exist.
    assert "Annex-demo" not in one.replace("Prod/Annex-demo/", "").replace("Prod-Annex-demo", "")


@pytest.mark.parametrize("flags", FLAGS)
def test_a_nested_annex(point: ExecutionPoint, flags: str) -> None:
    app = App(context=FLAGS[flags])
    outer = Stack(app, "Outer")
    annex = annex_in(NestedStack(outer, "Inner"), point)
    cloudwatch.Alarm(outer, "Own", metric=annex.metric_record_ignored(), threshold=1, evaluation_periods=1)
    made = templates(app)
    assert len(made) == 2


Wiring = Callable[[Stack, Stack, ExecutionPoint], Construct]


def topic_elsewhere(here: Stack, there: Stack, point: ExecutionPoint) -> Construct:
    return annex_in(here, point, alarm_topic=sns.Topic(there, "Topic"))


def role_elsewhere(here: Stack, there: Stack, point: ExecutionPoint) -> Construct:
    role = iam.Role(there, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    return annex_in(here, point, role=role)


def network_elsewhere(here: Stack, there: Stack, point: ExecutionPoint) -> Construct:
    return annex_in(here, point, vpc=ec2.Vpc(there, "Vpc", nat_gateways=0))


def credential_elsewhere(here: Stack, there: Stack, point: ExecutionPoint) -> Construct:
    fleet = AnnexFleet(
        here,
        "Muon",
        vpc=ec2.Vpc(here, "Vpc", nat_gateways=0),
        instance_types=TYPES,
        max_size=1,
        execution_point=point,
        credential=secretsmanager.Secret(there, "Secret"),
    )
    return LeaseChecker(here, "Lease", fleet=fleet, lease=LEASE)


def alarms_elsewhere(here: Stack, there: Stack, point: ExecutionPoint) -> Construct:
    return LeaseAlarms(there, "Alarms", checker=annex_in(here, point).checker)


def operators_elsewhere(here: Stack, there: Stack, point: ExecutionPoint) -> Construct:
    role = iam.Role(there, "Operators", assumed_by=iam.AccountRootPrincipal())
    annex_in(here, point).grant_operate(role)
    return role


ELSEWHERE: list[Wiring] = [
    topic_elsewhere,
    role_elsewhere,
    network_elsewhere,
    credential_elsewhere,
    alarms_elsewhere,
    operators_elsewhere,
]


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("wire", ELSEWHERE)
def test_parts_in_two_stacks(point: ExecutionPoint, wire: Wiring, flags: str) -> None:
    """Both stacks are synthesised, and none of the two needs the other one in a circle."""
    app = App(context=FLAGS[flags])
    place = Environment(account="123456789012", region="us-east-1")
    here, there = Stack(app, "Here", env=place), Stack(app, "There", env=place)
    wire(here, there, point)
    assert set(templates(app)) == {"Here", "There"}


@pytest.mark.parametrize("flags", FLAGS)
def test_two_annexes_share_network_role_and_topic(point: ExecutionPoint, flags: str) -> None:
    app = App(context=FLAGS[flags])
    stack = Stack(app, "Shared")
    shared: dict[str, Any] = {
        "vpc": ec2.Vpc(stack, "Vpc", nat_gateways=0),
        "role": iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com")),
        "alarm_topic": sns.Topic(stack, "Topic"),
    }
    given: dict[str, Any] = {"execution_point": point, "instance_types": TYPES, "max_size": 1, "lease": LEASE}
    for name in ("Muon", "Tau"):
        Annex(stack, name, **given, **shared)
    resources = templates(app)["Shared"]["Resources"].values()
    assert len([each for each in resources if each["Type"] == "AWS::AutoScaling::AutoScalingGroup"]) == 2
    assert len([each for each in resources if each["Type"] == "Custom::AnnexLease"]) == 2


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("kind", ["another stack", "an outer stack", "a nested stack"])
def test_a_fleet_and_its_checker_in_two_stacks_are_refused(point: ExecutionPoint, kind: str, flags: str) -> None:
    app = App(context=FLAGS[flags])
    outer = Stack(app, "Outer")
    inner, second = NestedStack(outer, "Inner"), Stack(app, "Second")
    for each in (inner, second):
        sns.Topic(each, "Topic")  # no stack may be empty
    of_fleet, of_checker = {
        "another stack": (outer, second),
        "an outer stack": (inner, outer),
        "a nested stack": (outer, inner),
    }[kind]
    vpc = ec2.Vpc(of_fleet, "Vpc", nat_gateways=0)
    fleet = AnnexFleet(of_fleet, "Muon", vpc=vpc, instance_types=TYPES, max_size=1, execution_point=point)
    said = (
        "of another stack', allowed a fleet of the checker's own stack, which empties it before either is removed; fix"
    )
    with pytest.raises(ValueError, match=said):
        LeaseChecker(of_checker, "Lease", fleet=fleet, lease=LEASE)
    # The fix of the error.
    assert LeaseChecker(of_fleet, "Lease", fleet=fleet, lease=LEASE)
    assert templates(app)
