"""A changed spec updates a living annex and replaces nothing that its lease depends on.

A replaced group would begin a new life with a new lease; a replaced checker or schedule would leave a gap in which
no lease is enforced. Which properties CloudFormation can only set at creation is in AWS's resource schemas, as cfn-lint
brings them along.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from annex_constructs import function_code
from tests.synth.templates import OWN_NETWORK, TOPIC, Resources, annex_stack, named, template_of

CHANGES: dict[str, dict[str, Any]] = {
    "size": {"size": 7},
    "lease": {"lease": "9h", "max_lifetime": "3d", "grace": "1m"},
    "another kind of end": {"lease": None, "lease_ends_at": datetime(2030, 6, 1, 8, tzinfo=UTC), "max_lifetime": "30d"},
    "renewal": {"renew_while_busy": "1h"},
    "limit": {"max_instance_hours": 100, "price_per_hour": 0.1},
    "warning": {"warn_before_end": "1h"},
    "e-mail": {"alarm_email": "admin@example.edu"},
    "topic": {"alarm_topic": TOPIC},
    "image": {"image": "ami-0fedcba9876543210", "volume_gib": 100, "root_device": "/dev/sda1"},
    "image by parameter": {"image": "ssm:/a/parameter"},
    "stock image": {"image": "ubuntu-24.04", "htcondor": "25.x"},
    "types": {"instance_types": ("m6a.large",), "on_demand_base": 1, "on_demand_percentage": 50},
    "times": {"drain_before_end": "1m", "idle_timeout": "1h", "join_timeout": "1h"},
}
KEPT = (
    ("AWS::AutoScaling::AutoScalingGroup", "FleetGroup"),
    ("AWS::Lambda::Function", "LeaseCheckerFunction"),
    ("AWS::IAM::Role", "LeaseCheckerFunctionRole"),
    ("AWS::IAM::Role", "SchedulerRole"),
    ("AWS::SQS::Queue", "FailedRuns"),
    ("AWS::Scheduler::Schedule", "Schedule"),
    ("AWS::SecretsManager::Secret", "Credential"),
    ("Custom::AnnexLease", "LeaseChecker"),
)


def only_at_creation(kind: str) -> set[str]:
    """Properties whose change replaces a resource of the type; of a custom resource, its service token."""
    if kind.startswith("Custom::"):
        return {"ServiceToken"}
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    return {pointer.split("/")[2] for pointer in schema.get("createOnlyProperties", [])}


def replaced(before: Resources, after: Resources) -> list[str]:
    """Logical ids of what is gone, or would be replaced."""
    return [
        name
        for name, each in before.items()
        if name not in after
        or after[name]["Type"] != each["Type"]
        or any(
            after[name]["Properties"].get(key) != each["Properties"].get(key) for key in only_at_creation(each["Type"])
        )
    ]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_spec_replaces_nothing_that_the_lease_rests_on(
    own_network: Resources, flags: dict[str, Any], change: str
) -> None:
    resources = template_of(flags, {**OWN_NETWORK, **CHANGES[change]})["Resources"]
    gone = replaced(own_network, resources)
    assert not {named(own_network, kind, part) for kind, part in KEPT} & set(gone)
    # Only the annex's own topic is removed, when the spec names another one.
    assert [name for name in gone if "AlarmTopic" not in name] == []


def test_the_comparison_sees_a_replacement(own_network: Resources) -> None:
    group = named(own_network, "AWS::AutoScaling::AutoScalingGroup", "")
    changed = {**own_network[group], "Properties": {**own_network[group]["Properties"], "AutoScalingGroupName": "a"}}
    assert replaced(own_network, {**own_network, group: changed}) == [group]
    assert replaced(own_network, {name: each for name, each in own_network.items() if name != group}) == [group]
    assert replaced(own_network, own_network) == []


def test_a_deployment_says_what_it_found_about_the_end(flags: dict[str, Any]) -> None:
    """`cdk deploy` prints the outputs; this one is the sentence that the checker answers every deployment with.

    See `test_every_deployment_is_answered_with_what_decides_the_end`.
    """
    template = template_of(flags, OWN_NETWORK)
    lease = named(template["Resources"], "Custom::AnnexLease", "LeaseChecker")
    assert template["Outputs"]["Lease"]["Value"] == {"Fn::GetAtt": [lease, "Lease"]}


@pytest.mark.parametrize("change", ["lease", "another kind of end", "size", "limit"])
def test_a_changed_lease_is_checked_by_its_deployment(
    own_network: Resources, flags: dict[str, Any], change: str
) -> None:
    """So that the output is about the lease that was just deployed."""
    changed = template_of(flags, {**OWN_NETWORK, **CHANGES[change]})["Resources"]
    lease = named(own_network, "Custom::AnnexLease", "LeaseChecker")
    assert changed[lease]["Properties"]["Declared"] != own_network[lease]["Properties"]["Declared"]


def synthesised(flags: dict[str, Any]) -> Resources:
    """The resources of the annex in its own network, synthesised again."""
    return dict(Template.from_stack(annex_stack(App(context=flags), OWN_NETWORK)).to_json()["Resources"])


def test_changed_code_is_tried_by_its_deployment(
    own_network: Resources, flags: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release that brings only other code reaches the custom resource, whose Update runs it; else nothing would."""
    stage = function_code._stage

    def changed(root: Path, source: Path, directory: Path) -> None:
        stage(root, source, directory)
        if source.name == "keeping.py":
            with (directory / source).open("a") as staged:
                staged.write("# another release\n")

    monkeypatch.setattr(function_code, "_stage", changed)
    after = synthesised(flags)
    lease = named(own_network, "Custom::AnnexLease", "LeaseChecker")
    function = named(own_network, "AWS::Lambda::Function", "LeaseCheckerFunction")
    assert {name for name in own_network if after[name] != own_network[name]} == {lease, function}
    before = own_network[lease]["Properties"]
    assert {key for key in before if after[lease]["Properties"][key] != before[key]} == {"Code"}


def test_the_same_code_is_no_change(own_network: Resources, flags: dict[str, Any]) -> None:
    assert synthesised(flags) == own_network


@pytest.mark.parametrize("change", ["topic", "limit", "lease"])
def test_changed_settings_are_tried_by_their_deployment(
    own_network: Resources, flags: dict[str, Any], change: str
) -> None:
    changed = template_of(flags, {**OWN_NETWORK, **CHANGES[change]})["Resources"]
    lease = named(own_network, "Custom::AnnexLease", "LeaseChecker")
    function = named(own_network, "AWS::Lambda::Function", "LeaseCheckerFunction")
    variables = changed[function]["Properties"]["Environment"]["Variables"]
    assert changed[lease]["Properties"]["Settings"] == variables != own_network[lease]["Properties"]["Settings"]
