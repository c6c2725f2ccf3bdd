"""One network for several annexes: its stack, what refers to it, and who does not take it for a leftover."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_cdk import App, Validations
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks
from cfnlint import ManualArgs, lint  # type: ignore[import-untyped]

from annex_lease.ownership import STACK_DESCRIPTION, STACK_ID_TAG, STACK_NAME_TAG
from annex_lease.sweep.orphan import OrphanCheck
from annex_lease.sweep.resources import Stack
from annex_lease.sweep.sweep_settings import SweepSettings
from annex_pool.leftovers.leftover import ListedResource, left_of
from annex_pool.leftovers.service_kinds import stack_resource
from annex_spec import AnnexSpec
from stacks import network_stacks
from tests.synth.shared_networks import NETWORK, POOL, SHARED, made, of_subnets, resources_of, specs, template
from tests.synth.templates import (
    GIVEN_NETWORK,
    OWN_NETWORK,
    TAGGABLE,
    annex_stack,
    named,
    of_type,
    only,
    template_of,
)
from tests.synth.test_another_annex import WITH_IDENTITY, kept
from tests.synth.test_changes import replaced
from tests.synth.test_order import WAYS_OUT, needs

SECURITY = {"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress"}
STACKS = (NETWORK, "Annex-n0")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
UUID = "0f1e2d3c-0000-4000-8000-000000000001"
WEAK = "@aws-cdk/core:defaultCrossStackReferences"


def imports(value: Any) -> set[str]:
    return set(re.findall(r'{"Fn::ImportValue": "([^"]+)"}', json.dumps(value)))


def test_two_annexes_use_one_vpc(app: App) -> None:
    made(app, specs({}, {}))
    network, *annexes = (template(app, name) for name in (NETWORK, "Annex-n0", "Annex-n1"))
    exported = {each["Export"]["Name"]: each["Value"]["Ref"] for each in network["Outputs"].values()}
    kinds = sorted(network["Resources"][name]["Type"] for name in exported.values())
    assert kinds == ["AWS::EC2::Subnet", "AWS::EC2::Subnet", "AWS::EC2::VPC"]
    for each in annexes:
        resources = each["Resources"]
        assert not [name for name, one in resources.items() if one["Type"] in {"AWS::EC2::VPC", *WAYS_OUT} - SECURITY]
        assert imports(resources) == set(exported)
        zones = only(resources, "AWS::AutoScaling::AutoScalingGroup")["VPCZoneIdentifier"]
        subnets = [exported[one["Fn::ImportValue"]] for one in zones]
        assert sorted(subnets) == sorted(of_type(network["Resources"], "AWS::EC2::Subnet"))


def test_its_annexes_are_deployed_after_it_and_removed_before_it(app: App) -> None:
    made(app, specs({}))
    before = {name: {each.id for each in app.synth().get_stack_artifact(name).dependencies} for name in STACKS}
    assert {name: each & set(STACKS) for name, each in before.items()} == {NETWORK: set(), "Annex-n0": {NETWORK}}
    assert not imports(resources_of(app, NETWORK))


@pytest.mark.parametrize("strength", ["weak", "strong"])
def test_cloudformation_keeps_a_network_that_is_used(flags: dict[str, Any], strength: str) -> None:
    """An export that is imported holds the stack. A weak reference does not, and is the default of this app."""
    assert flags[WEAK] == "weak"
    app = App(context={**flags, WEAK: strength})
    made(app, specs({}))
    text = json.dumps(template(app, "Annex-n0"))
    assert "Fn::ImportValue" in text
    assert "Fn::GetStackOutput" not in text


def test_annexes_that_share_none_have_no_such_stack(app: App) -> None:
    annexes = [AnnexSpec.model_validate(each) for each in (OWN_NETWORK, {**GIVEN_NETWORK, "name": "muon"})]
    assert network_stacks(app, POOL, annexes) == {}
    assert not imports(Template.from_stack(made(app, annexes)["demo"]).to_json())


def test_a_shared_network_must_be_there(app: App) -> None:
    with pytest.raises(ValueError, match="annex demo shares a network: pass the stack of it"):
        annex_stack(app, SHARED)


def test_it_costs_nothing_and_stays_for_no_reason(app: App) -> None:
    made(app, specs({"ipv6": True}))
    resources = resources_of(app, NETWORK)
    free = {"AWS::EC2::VPC", *WAYS_OUT} - SECURITY
    assert {each["Type"] for each in resources.values()} <= free
    assert {each.get("DeletionPolicy", "Delete") for each in resources.values()} == {"Delete"}
    assert all(each["Properties"]["MapPublicIpOnLaunch"] for each in of_subnets(resources))


def stack_of(name: str, description: str) -> Stack:
    arn = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/{UUID}"
    return Stack(name, arn, "DELETE_FAILED", NOW - timedelta(days=9), description)


def test_neither_the_sweeper_nor_a_search_takes_it_for_a_leftover(app: App) -> None:
    made(app, specs({"tags": {"team": "physics"}}))
    network = template(app, NETWORK)
    of_stack = {STACK_NAME_TAG: NETWORK, STACK_ID_TAG: stack_of(NETWORK, "").id}
    tagged = [each for each in network["Resources"].values() if each["Type"] in TAGGABLE]
    for each in tagged:
        tags = {tag["Key"]: tag["Value"] for tag in each["Properties"]["Tags"]} | of_stack
        # The sweeper lists resources by these two tags; an orphan without them is none of its own.
        assert not [key for key in tags if key.startswith("annex:")]
        assert left_of(ListedResource("VPC", "vpc-1", "", tags), None, "us-east-1") is None
    assert len(tagged) == 6
    check = OrphanCheck([], [], NOW, SweepSettings())
    for name, description, ours in (
        (NETWORK, network["Description"], False),
        ("Annex-n0", f"{STACK_DESCRIPTION}n0", True),
    ):
        item = {"StackName": name, "Description": description, "StackStatus": "CREATE_COMPLETE"}
        assert (left_of(stack_resource(item), None, "us-east-1") is not None) is ours
        assert (check.problem_of_stack(stack_of(name, description)) is not None) is ours


@pytest.mark.parametrize("other", [OWN_NETWORK, GIVEN_NETWORK])
def test_an_annex_that_begins_or_ends_to_share_is_another_annex(flags: dict[str, Any], other: dict[str, Any]) -> None:
    app = App(context=flags)
    made(app, specs({"name": "demo"}))
    shared, own = resources_of(app, "Annex-demo"), template_of(flags, other)["Resources"]
    assert not kept(own, shared) & WITH_IDENTITY
    for before, after in ((own, shared), (shared, own)):
        (lease,) = of_type(before, "Custom::AnnexLease")
        alarm = named(before, "AWS::CloudWatch::Alarm", "Unenforced")
        assert before.keys() - after.keys() - {lease, alarm} <= needs(before)[lease]


def test_one_that_becomes_dual_stack_replaces_nothing(flags: dict[str, Any]) -> None:
    """The annexes that import its exports stay as they are."""
    before, after = App(context=flags), App(context=flags)
    made(before, specs({}))
    made(after, specs({}, {"ipv6": True}))
    assert template(before, NETWORK)["Outputs"] == template(after, NETWORK)["Outputs"]
    assert replaced(resources_of(before, NETWORK), resources_of(after, NETWORK)) == []


def test_a_second_annex_changes_nothing_for_the_first(flags: dict[str, Any]) -> None:
    one, both = App(context=flags), App(context=flags)
    made(one, specs({}))
    made(both, specs({}, {}))
    assert template(one, NETWORK) == template(both, NETWORK)
    assert template(one, "Annex-n0") == template(both, "Annex-n0")


def test_no_checker_finds_anything_that_was_not_decided(app: App) -> None:
    made(app, specs({}))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    config = ManualArgs(regions=["us-east-1"], include_checks=["I"], ignore_checks=["I1022"])
    for stack in STACKS:  # the synthesis fails on a finding without an acknowledgement
        found = lint(json.dumps(template(app, stack)), config=config)
        assert [match for match in found if match.rule.id != "W3005"] == []
