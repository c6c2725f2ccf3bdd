"""Errors about tags advise something that is enough, with the feature flags of this project and without any."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest
from aws_cdk import App, Duration, NestedStack, Stack, Tags
from aws_cdk import aws_ec2 as ec2

from annex_constructs import Annex, ExecutionPoint, LeaseTerms
from annex_lease.tags import MAX_TAGS
from tests.synth.templates import feature_flags

FLAGS: dict[str, dict[str, Any]] = {"flags of cdk.json": feature_flags(), "no flags": {}}
WRONG = ["cost centre"]
TOO_MANY = [f"team{number}" for number in range(MAX_TAGS - 10)]  # too many for the group, and not for a role


def app_with(flags: dict[str, Any], point: ExecutionPoint, *, nested: bool) -> App:
    app = App(context=flags)
    stack = Stack(app, "Outer")
    Annex(
        NestedStack(stack, "Inner") if nested else stack,
        "Muon",
        execution_point=point,
        instance_types=[ec2.InstanceType("c6a.large")],
        max_size=2,
        lease=LeaseTerms(duration=Duration.hours(8)),
    )
    return app


def add(app: App, keys: list[str], **options: Any) -> None:
    for key in keys:
        Tags.of(app).add(key, "physics", **options)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("keys", [WRONG, TOO_MANY], ids=["wrong", "too many"])
@pytest.mark.parametrize("flags", FLAGS)
def test_the_advice_is_enough(point: ExecutionPoint, flags: str, keys: list[str], nested: bool) -> None:
    app = app_with(FLAGS[flags], point, nested=nested)
    add(app, keys)
    with pytest.raises(RuntimeError, match=r"or add it with exclude_resource_types=(\[.*?\])") as refused:
        app.synth()
    advised = re.findall(r"exclude_resource_types=(\[.*?\])", str(refused.value))
    assert len(set(advised)) == 1
    types = ast.literal_eval(advised[0])
    again = app_with(FLAGS[flags], point, nested=nested)
    add(again, keys, exclude_resource_types=types)
    again.synth()
    # Of a wrong key, none of them is named without need.
    for left_out in types if keys is WRONG else []:
        less = app_with(FLAGS[flags], point, nested=nested)
        add(less, keys, exclude_resource_types=[kind for kind in types if kind != left_out])
        with pytest.raises(RuntimeError, match="Muon"):
            less.synth()


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (
            "aws:team",
            "physics",
            "tag key 'aws:team' of Outer/Muon/Fleet has AWS's own prefix, allowed are keys without",
        ),
        ("AWS:team", "physics", "tag key 'AWS:team' of Outer/Muon/Fleet has AWS's own prefix"),
        ("team", "v" * 257, "tag 'team' of Outer/Muon/Fleet has a value of 257 characters, allowed are 256; fix"),
    ],
)
def test_what_no_service_takes_is_refused(point: ExecutionPoint, flags: str, key: str, value: str, said: str) -> None:
    app = app_with(FLAGS[flags], point, nested=False)
    Tags.of(app).add(key, value)
    with pytest.raises(RuntimeError, match=said):
        app.synth()
    longest = app_with(FLAGS[flags], point, nested=False)
    Tags.of(longest).add("team", "v" * 256)
    longest.synth()


@pytest.mark.parametrize("flags", FLAGS)
def test_a_tag_of_the_stack_itself_is_removed_there(point: ExecutionPoint, flags: str) -> None:
    app = app_with(FLAGS[flags], point, nested=False)
    outer = app.node.find_child("Outer")
    assert isinstance(outer, Stack)
    outer.tags.set_tag("cost centre", "physics")
    with pytest.raises(RuntimeError, match=r"\['aws:cdk:stack'\]; a tag of Stack\(tags=...\) must be removed there"):
        app.synth()
    outer.tags.remove_tag("cost centre", 0)
    app.synth()
