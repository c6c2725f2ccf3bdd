"""A group takes 50 tags: the template leaves room for those that are written while the annex exists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack, Tags
from aws_cdk.assertions import Template

from annex_constructs import AnnexFleet, LeaseChecker, LeaseTerms
from annex_lease.tags import RUNTIME_TAGS, TAG_END, TAG_ORPHAN
from tests.synth.templates import only

GROUP, TEMPLATE = "AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::LaunchTemplate"
ALL = 50
OF_GROUP = ALL - len(RUNTIME_TAGS)
OF_INSTANCES = ALL - len({TAG_END, TAG_ORPHAN})
SCOPES: dict[str, Callable[[App, Stack, str], None]] = {
    "app": lambda app, stack, key: Tags.of(app).add(key, "physics"),
    "stack": lambda app, stack, key: Tags.of(stack).add(key, "physics"),
    # CloudFormation passes these on to the resources.
    "stack alone": lambda app, stack, key: stack.tags.set_tag(key, "physics"),
}


def group_tags(stack: Stack) -> set[str]:
    group = only(dict(Template.from_stack(stack).to_json()["Resources"]), GROUP)
    return {tag["Key"] for tag in group["Tags"]}


@pytest.fixture
def declared(app: App, stack: Stack, fleet: AnnexFleet) -> int:
    """Number of tags that an annex with every value of a lease declares."""
    times: Any = {name: Duration.hours(1) for name in ("grace", "warn_before_end")}
    lease = LeaseTerms(duration=Duration.hours(8), max_instance_hours=9, **times)
    LeaseChecker(stack, "Lease", fleet=fleet, lease=lease)
    return len({"Name", "annex:name", "annex:id", "annex:size", "annex:lease-duration", "annex:max-lifetime"}) + len(
        {"annex:lease-grace", "annex:max-instance-hours", "annex:warn-before-end"}
    )


@pytest.mark.parametrize("scope", SCOPES)
def test_as_many_tags_as_leave_room(app: App, stack: Stack, declared: int, scope: str) -> None:
    for number in range(OF_GROUP - declared):
        SCOPES[scope](app, stack, f"team{number}")
    keys = group_tags(stack) | set(stack.tags.tag_values())
    assert len(keys) == OF_GROUP
    assert len(keys | RUNTIME_TAGS) == ALL


@pytest.mark.parametrize("scope", SCOPES)
def test_one_more_is_refused_with_the_way_out(app: App, stack: Stack, declared: int, scope: str) -> None:
    for number in range(OF_GROUP - declared + 1):
        SCOPES[scope](app, stack, f"team{number}")
    count = f"the Auto Scaling group of Other/Muon would have {OF_GROUP + 1} tags, allowed are {OF_GROUP}: AWS takes 50"
    with pytest.raises(RuntimeError, match=rf"{count}, and {ALL - OF_GROUP} are .*; fix: remove 1 of them"):
        app.synth()


@pytest.mark.parametrize("more", [0, 1])
def test_the_instances_have_a_limit_too(app: App, stack: Stack, declared: int, more: int) -> None:
    """The launch template may have tags that the group has not. What the group does not propagate does not count."""
    own = len({"Name", "annex:name", "annex:id"})
    for number in range(OF_GROUP - declared):
        Tags.of(app).add(f"group{number}", "physics", include_resource_types=[GROUP])
    for number in range(OF_INSTANCES - own - (OF_GROUP - declared) + more):
        Tags.of(app).add(f"instance{number}", "physics", include_resource_types=[TEMPLATE])
    if not more:
        assert own < len(group_tags(stack)) == OF_GROUP
        return
    count = f"the instances of Other/Muon would have {OF_INSTANCES + 1} tags, allowed are {OF_INSTANCES}"
    with pytest.raises(RuntimeError, match=rf"{count}: AWS takes 50, and 2 are .*; fix: remove 1 of them"):
        app.synth()


def test_tags_of_other_resources_do_not_count(app: App, stack: Stack, declared: int) -> None:
    for number in range(OF_GROUP):
        Tags.of(app).add(f"team{number}", "physics", exclude_resource_types=[GROUP, TEMPLATE])
    assert len(group_tags(stack)) == declared
