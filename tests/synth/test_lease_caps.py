"""Caps of a lease: in tags of the group, and in the environment of the function, where no operator can write."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from annex_constructs import AnnexFleet, ExecutionPoint, LeaseChecker, LeaseTerms
from tests.synth.templates import OWN_NETWORK, Resources, checker, named, of_type, only, template_of
from tests.synth.test_order import needs

CAPS = {
    "ANNEX_MAX_LIFETIME_SECONDS": "annex:max-lifetime",
    "ANNEX_SIZE": "annex:size",
    "ANNEX_MAX_INSTANCE_HOURS": "annex:max-instance-hours",
}
GROUP = "AWS::AutoScaling::AutoScalingGroup"


def environment(resources: Resources) -> dict[str, Any]:
    """The caps in the environment of the function."""
    (function,) = (f for f in of_type(resources, "AWS::Lambda::Function").values() if "ANNEX_SIZE" in str(f))
    variables = function["Properties"]["Environment"]["Variables"]
    return {key: variables[key] for key in CAPS}


def tags(resources: Resources) -> dict[str, Any]:
    return {tag["Key"]: tag["Value"] for tag in only(resources, GROUP)["Tags"]}


def test_they_are_those_of_the_tags(resources: Resources) -> None:
    declared, caps = tags(resources), environment(resources)
    assert caps == {name: declared.get(key, "") for name, key in CAPS.items()}
    assert caps["ANNEX_SIZE"].isdigit()
    assert caps["ANNEX_MAX_LIFETIME_SECONDS"].isdigit()


@pytest.mark.parametrize("hours", [None, 100])
def test_a_limit_of_hours_is_one_if_it_is_declared(flags: dict[str, Any], hours: int | None) -> None:
    resources = template_of(flags, {**OWN_NETWORK, "max_instance_hours": hours})["Resources"]
    assert environment(resources)["ANNEX_MAX_INSTANCE_HOURS"] == ("" if hours is None else "100")


def test_a_size_that_only_cloudformation_knows(stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint) -> None:
    size = CfnParameter(stack, "Size", type="Number").value_as_number
    types = [ec2.InstanceType("c6a.large")]
    fleet = AnnexFleet(stack, "Muon", vpc=vpc, instance_types=types, max_size=20, execution_point=point)
    LeaseChecker(stack, "Lease", fleet=fleet, lease=LeaseTerms(duration=Duration.hours(8)), size=size)
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    assert environment(resources)["ANNEX_SIZE"] == tags(resources)["annex:size"] == {"Ref": "Size"}


@pytest.mark.parametrize(("hours", "most"), [(1, 2), (8, 16), (366 * 24 // 2, 366 * 24), (366 * 24, 366 * 24)])
def test_an_undeclared_maximum_lifetime_is_twice_the_lease(
    stack: Stack, fleet: AnnexFleet, hours: int, most: int
) -> None:
    LeaseChecker(stack, "Lease", fleet=fleet, lease=LeaseTerms(duration=Duration.hours(hours)))
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    seconds = str(most * 3600)
    assert tags(resources)["annex:max-lifetime"] == environment(resources)["ANNEX_MAX_LIFETIME_SECONDS"] == seconds


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"size": 7}, "ANNEX_SIZE"),
        ({"max_lifetime": "3d"}, "ANNEX_MAX_LIFETIME_SECONDS"),
        ({"max_instance_hours": 100}, "ANNEX_MAX_INSTANCE_HOURS"),
    ],
)
def test_a_deployment_checks_with_the_new_tags_and_the_new_environment(
    flags: dict[str, Any], own_network: Resources, change: dict[str, Any], name: str
) -> None:
    """The custom resource is updated, and after the group and the function, which it refers to."""
    changed = template_of(flags, {**OWN_NETWORK, **change})["Resources"]
    lease = named(changed, "Custom::AnnexLease", "")
    assert changed[lease] != own_network[lease]
    assert changed[lease]["Properties"]["Declared"][CAPS[name]] == environment(changed)[name]
    assert environment(changed)[name] != environment(own_network)[name]
    ((group, _),) = of_type(changed, GROUP).items()
    function = named(changed, "AWS::Lambda::Function", "LeaseCheckerFunction")
    assert {group, function} <= needs(changed)[lease]


def test_the_function_that_only_answers_has_no_caps(own_network: Resources) -> None:
    names = set(checker(own_network)["Environment"]["Variables"])
    assert set(CAPS) < names
    responder = named(own_network, "AWS::Lambda::Function", "Responder")
    assert not set(CAPS) & set(own_network[responder]["Properties"]["Environment"]["Variables"])
