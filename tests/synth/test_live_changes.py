"""`LIVE_CHANGES` holds exactly the declared values whose change reaches running instances.

Two templates are compared for each key of the spec. AWS's resource schemas, as cfn-lint brings them along, and the API
model of EC2 Auto Scaling say what a property that differs does to the group and to what its instances use.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import botocore.session
import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from annex_lease.live_changes import LIVE_CHANGES, Reach
from annex_lease.terms import ANNEX_KEYS, NAME, POOL_KEYS
from annex_spec import AnnexSpec, PoolSpec
from stacks import AnnexStack
from tests.synth.templates import GIVEN_NETWORK, OWN_NETWORK, TOPIC, Resources, named

GROUP = "AWS::AutoScaling::AutoScalingGroup"
TEMPLATE = "AWS::EC2::LaunchTemplate"
POOL = {"collector": "cm.example.edu", "trust_domain": "example.edu"}
KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
POLICY = "arn:aws:iam::123456789012:policy/boundary"
DATE = datetime(2030, 6, 1, 8, tzinfo=UTC)
SUBNET = ("subnet-0123456789abcdef0",)
PROTECTING = {**OWN_NETWORK, "protect_busy": True}
STOCK = {**OWN_NETWORK, "image": "debian-13"}
RENEWED = {**OWN_NETWORK, "renew_while_busy": "1h"}
# "gradual replacement of instances", "replaces old instances with new ones"
REPLACES = re.compile(r"\breplac\w+ (?:\w+ ){0,2}instances\b", re.IGNORECASE)
INTERRUPTS = re.compile(r"\binterruption\b", re.IGNORECASE)

Case = tuple[dict[str, Any], dict[str, Any]]  # a spec of an annex or a pool, and what changes of it
CASES: dict[str, list[Case]] = {
    "name": [(OWN_NETWORK, {"name": "other"})],
    "collector": [(POOL, {"collector": "cm.example.edu:9620"}), ({**POOL, "collector": "a:9620"}, {"collector": "a"})],
    "trust_domain": [(POOL, {"trust_domain": "other"})],
    "access_point_ports": [(POOL, {"access_point_ports": ("9700",)})],
    "region": [(OWN_NETWORK, {"region": "us-west-2"})],
    "account": [(OWN_NETWORK, {"account": "123456789012"})],
    "image": [(OWN_NETWORK, {"image": "ami-0fedcba9876543210"}), (OWN_NETWORK, {"image": "ssm:/a/parameter"}),
              (STOCK, {"image": "ubuntu-24.04"}), (STOCK, {"image": "built:debian"})],
    "htcondor": [(OWN_NETWORK, {"htcondor": "25.0"}), (STOCK, {"htcondor": "25.x"})],
    "components": [(STOCK, {"components": ("docker",)})],
    "script": [(OWN_NETWORK, {"script": "gpus.sh"}), (STOCK, {"script": "gpus.sh"})],
    "size": [(OWN_NETWORK, {"size": 1})],
    "lease": [(OWN_NETWORK, {"lease": "9h", "max_lifetime": "16h"})],
    "lease_ends_at": [(OWN_NETWORK, {"lease": None, "lease_ends_at": DATE, "max_lifetime": "16h"})],
    "max_lifetime": [(OWN_NETWORK, {"max_lifetime": "3d"})],
    "grace": [(OWN_NETWORK, {"grace": "1m"})], "drain_before_end": [(OWN_NETWORK, {"drain_before_end": "1m"})],
    "idle_timeout": [(OWN_NETWORK, {"idle_timeout": "1h"})], "join_timeout": [(OWN_NETWORK, {"join_timeout": "1h"})],
    "renew_while_busy": [(OWN_NETWORK, {"renew_while_busy": "1h"}), (RENEWED, {"renew_while_busy": None})],
    "protect_busy": [(OWN_NETWORK, {"protect_busy": True}), (PROTECTING, {"protect_busy": False})],
    "max_instance_hours": [(OWN_NETWORK, {"max_instance_hours": 100})],
    "price_per_hour": [(OWN_NETWORK, {"price_per_hour": 0.1})],
    "warn_before_end": [(OWN_NETWORK, {"warn_before_end": "1h"})],
    "alarm_email": [(OWN_NETWORK, {"alarm_email": "admin@example.edu"})],
    "alarm_topic": [(OWN_NETWORK, {"alarm_topic": TOPIC})], "opt_in": [(OWN_NETWORK, {"opt_in": False})],
    "owners": [(OWN_NETWORK, {"owners": ("ada",)})], "groups": [(OWN_NETWORK, {"groups": ("group",)})],
    "project_id": [(OWN_NETWORK, {"project_id": "muon"})], "start": [(OWN_NETWORK, {"start": "TARGET.A < 8192"})],
    "instance_types": [(OWN_NETWORK, {"instance_types": ("m6a.large",)})],
    "on_demand_base": [(OWN_NETWORK, {"on_demand_base": 1})],
    "on_demand_percentage": [(OWN_NETWORK, {"on_demand_percentage": 50})],
    "vpc": [
        (OWN_NETWORK, {"vpc": "vpc-0123456789abcdef0", "subnets": SUBNET}),
        (GIVEN_NETWORK, {"vpc": "vpc-0fedcba9876543210"}),
        (GIVEN_NETWORK, {"vpc": None, "subnets": None}),
    ],
    "subnets": [(GIVEN_NETWORK, {"subnets": SUBNET})],
    "ipv6": [(OWN_NETWORK, {"ipv6": True}), ({**OWN_NETWORK, "ipv6": True}, {"ipv6": False})],
    "dns_servers": [(OWN_NETWORK, {"dns_servers": ("192.0.2.53",)})],
    "proxy": [(OWN_NETWORK, {"proxy": "http://proxy.example.edu:3128"})],
    "htcondor_mirror": [(STOCK, {"htcondor_mirror": "http://mirror.example.edu:8080"})],
    "package_mirror": [(STOCK, {"package_mirror": "https://mirror.example.edu:8443/debian"})],
    "volume_gib": [(OWN_NETWORK, {"volume_gib": 100})], "root_device": [(OWN_NETWORK, {"root_device": "/dev/sda1"})],
    "tags": [(OWN_NETWORK, {"tags": {"team": "physics"}}), (GIVEN_NETWORK, {"tags": {"team": "physics"}})],
    "volume_key": [(OWN_NETWORK, {"volume_key": KEY})], "credential_key": [(OWN_NETWORK, {"credential_key": KEY})],
    "permissions_boundary": [(OWN_NETWORK, {"permissions_boundary": POLICY})],
    "role_path": [(OWN_NETWORK, {"role_path": "/htcondor/"})],
}  # fmt: skip

# Any directory with a script of a few kilobytes.
SCRIPTS = Path(__file__).parents[1] / "boot"


class Made(NamedTuple):
    """A synthesised stack: its place and its resources."""

    stack: tuple[str, str, str]
    resources: Resources


_MADE: dict[str, Made] = {}


def made(flags: dict[str, Any], pool: dict[str, Any], spec: dict[str, Any]) -> Made:
    """The stack of a pool and an annex, synthesised once."""
    key = repr((sorted(pool.items()), sorted(spec.items())))
    if key not in _MADE:
        _MADE[key] = _synthesised(flags, pool, spec)
    return _MADE[key]


def _synthesised(flags: dict[str, Any], pool: dict[str, Any], spec: dict[str, Any]) -> Made:
    declared = {key: value for key, value in spec.items() if value is not None}
    annex = AnnexSpec.model_validate(declared)
    stack = AnnexStack(App(context=flags), pool=PoolSpec.model_validate(pool), annex=annex, directory=SCRIPTS)
    template = dict(Template.from_stack(stack).to_json())
    return Made((stack.stack_name, stack.region, stack.account), template["Resources"])


def both(flags: dict[str, Any], case: Case) -> tuple[Made, Made]:
    before, change = case
    if "collector" in before:
        return made(flags, before, OWN_NETWORK), made(flags, {**before, **change}, OWN_NETWORK)
    return made(flags, POOL, before), made(flags, POOL, {**before, **change})


@cache
def schema(kind: str) -> dict[str, Any]:
    return dict(PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema)


def replacing(kind: str) -> set[str]:
    """Properties whose change replaces a resource of the type, always or under conditions.

    The conditions of a group are those of an UpdatePolicy, see `test_no_update_policy_replaces_instances`.
    """
    lists = ["createOnlyProperties"] + (["conditionalCreateOnlyProperties"] if kind != GROUP else [])
    return {pointer.split("/")[2] for each in lists for pointer in schema(kind).get(each, [])}


def texts(kind: str, path: tuple[str, ...]) -> Iterator[str]:
    """AWS's descriptions of a property and of those around it."""
    node: dict[str, Any] = schema(kind)
    for part in path:
        while "$ref" in node:
            node = schema(kind)["definitions"][node["$ref"].rpartition("/")[2]]
        node = node["properties"][part]
        yield str(node.get("description", ""))


def differing(before: object, after: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of the properties that differ; a list is compared as a whole."""
    if isinstance(before, dict) and isinstance(after, dict) and not any("::" in key for key in before):
        for key in sorted(before.keys() | after.keys()):
            yield from differing(before.get(key), after.get(key), (*path, key))
    elif before != after:
        yield path


def references(value: object) -> set[str]:
    """Logical ids that a value names."""
    text = json.dumps(value)
    return {*re.findall(r'\{"Ref": "(\w+)"\}', text), *re.findall(r'\{"Fn::GetAtt": \["(\w+)"', text)}


def used_by_instances(resources: Resources) -> set[str]:
    """Logical ids of what a running instance needs: its subnets, security group, role, and what those are made of."""
    group, template = (named(resources, kind, "") for kind in (GROUP, TEMPLATE))
    data = resources[template]["Properties"]["LaunchTemplateData"]
    waiting = references(resources[group]["Properties"]["VPCZoneIdentifier"]) | references(data)
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in resources and name not in found and name != template:
            found.add(name)
            waiting |= references(resources[name]["Properties"])
    return found


def sets_desired_capacity() -> bool:
    """True if the API model says that a smaller MaxSize sets the desired capacity."""
    model = botocore.session.get_session().get_service_model("autoscaling").operation_model("UpdateAutoScalingGroup")
    text = re.sub("<[^>]+>", "", model.documentation)
    return "the new MaxSize is smaller than the current size of the group, this sets the group's DesiredCap" in text


def reaches(before: Made, after: Made) -> set[Reach]:
    """Effects of a deployment on running instances, as AWS documents them."""
    if before.stack != after.stack:
        return {Reach.ANOTHER_STACK}
    old, new = before.resources, after.resources
    group = named(old, GROUP, "")
    changed = {
        name: list(differing(each["Properties"], new[name]["Properties"])) for name, each in old.items() if name in new
    }
    if group not in new or any(path[0] in replacing(GROUP) for path in changed[group]):
        return {Reach.ANOTHER_ANNEX}
    found = {Reach.REPLACED for path in changed[group] if any(map(REPLACES.search, texts(GROUP, path)))}
    if ("MaxSize",) in changed[group] and sets_desired_capacity():
        found.add(Reach.SCALED_IN)
    for name in used_by_instances(old):
        kind = old[name]["Type"]
        if name not in new or any(
            path[0] in replacing(kind) or any(map(INTERRUPTS.search, texts(kind, path))) for path in changed[name]
        ):
            found.add(Reach.CUT_OFF)
    return found


def test_every_key_is_changed() -> None:
    assert CASES.keys() == {term.name for term in (NAME, *POOL_KEYS, *ANNEX_KEYS)}


@pytest.mark.parametrize("key", CASES)
def test_the_table_holds_what_reaches_running_instances(flags: dict[str, Any], key: str) -> None:
    listed = {LIVE_CHANGES[key].reach} if key in LIVE_CHANGES else set()
    for case in CASES[key]:
        assert reaches(*both(flags, case)) == listed, case


def test_the_table_holds_keys_only() -> None:
    assert LIVE_CHANGES.keys() <= CASES.keys()
    assert {each.reach for each in LIVE_CHANGES.values()} == set(Reach)


def test_no_update_policy_replaces_instances(flags: dict[str, Any]) -> None:
    """Conditional create-only properties of a group replace it, or its instances, under such a policy only.

    CloudFormation User Guide, "UpdatePolicy attribute": AutoScalingReplacingUpdate, AutoScalingRollingUpdate.
    """
    conditional = {pointer.split("/")[2] for pointer in schema(GROUP)["conditionalCreateOnlyProperties"]}
    assert {"MixedInstancesPolicy", "LaunchTemplate", "VPCZoneIdentifier"} <= conditional
    for spec in (OWN_NETWORK, GIVEN_NETWORK):
        resources = made(flags, POOL, spec).resources
        policy = resources[named(resources, GROUP, "")].get("UpdatePolicy", {})
        assert policy.keys() <= {"AutoScalingScheduledAction"}


def test_the_derivation_sees_a_replaced_group_and_a_role_that_is_gone(flags: dict[str, Any]) -> None:
    before = made(flags, POOL, OWN_NETWORK)
    assert reaches(before, before) == set()
    group, role = (named(before.resources, kind, "Fleet") for kind in (GROUP, "AWS::IAM::Role"))
    renamed, without = deepcopy(before), deepcopy(before)
    renamed.resources[group]["Properties"]["AutoScalingGroupName"] = "a"
    assert reaches(before, renamed) == {Reach.ANOTHER_ANNEX}
    del without.resources[role]
    assert reaches(before, without) == {Reach.CUT_OFF}
