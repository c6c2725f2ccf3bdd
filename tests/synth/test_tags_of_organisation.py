"""Tags of an organisation reach all that can have tags: by the spec's key `tags`, and by `Tags` of the CDK."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Tags
from aws_cdk.assertions import Template

from annex_boot.user_data import EC2_USER_DATA_BYTES
from annex_lease.tags import MAX_OWN_TAGS, MAX_TAGS, RUNTIME_TAGS, TAG_END, TAG_ORPHAN
from annex_spec import AnnexSpec, BaseSpec
from stacks import base_stacks
from tests.synth.templates import EVERYTHING, OWN_NETWORK, ROOT, TAGGABLE, Resources, annex_stack, feature_flags, only

FLAGS: dict[str, dict[str, Any]] = {"flags of cdk.json": feature_flags(), "no flags": {}}
GROUP, TEMPLATE = "AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::LaunchTemplate"
TEAM = {"team": "physics"}
# All types that a launch template can tag, but for spot requests: an on-demand instance has none, and would not start.
LAUNCHED = ["instance", "volume", "network-interface"]


def by_key(tags: list[dict[str, Any]]) -> dict[str, Any]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def launched(resources: Resources) -> dict[str, dict[str, Any]]:
    """Tags of what a launch makes, by the type of resource."""
    specifications = only(resources, TEMPLATE)["LaunchTemplateData"]["TagSpecifications"]
    return {each["ResourceType"]: by_key(each["Tags"]) for each in specifications}


def assert_everywhere(resources: Resources, wanted: dict[str, str]) -> None:
    for name, each in resources.items():
        if each["Type"] in TAGGABLE:
            assert wanted.items() <= by_key(each["Properties"]["Tags"]).items(), name
    assert list(launched(resources)) == LAUNCHED
    for tags in launched(resources).values():
        assert wanted.items() <= tags.items()
    (specification,) = only(resources, TEMPLATE)["TagSpecifications"]
    assert (specification["ResourceType"], wanted.items() <= by_key(specification["Tags"]).items()) == (
        "launch-template",
        True,
    )
    propagated = {tag["Key"] for tag in only(resources, GROUP)["Tags"] if tag["PropagateAtLaunch"]}
    assert wanted.keys() <= propagated


@pytest.mark.parametrize("flags", FLAGS)
def test_the_tags_of_the_spec(flags: str) -> None:
    stack = annex_stack(App(context=FLAGS[flags]), {**OWN_NETWORK, "tags": TEAM})
    assert_everywhere(dict(Template.from_stack(stack).to_json()["Resources"]), TEAM)
    assert stack.tags.tag_values() == {}, "no key is a tag of the stack and of a resource"


@pytest.mark.parametrize("flags", FLAGS)
def test_the_tags_of_the_app(flags: str) -> None:
    app = App(context=FLAGS[flags])
    stack = annex_stack(app, OWN_NETWORK)
    Tags.of(app).add("team", "physics")
    assert_everywhere(dict(Template.from_stack(stack).to_json()["Resources"]), TEAM)


def test_tags_of_the_launch_template_alone_reach_what_it_launches(flags: dict[str, Any]) -> None:
    stack = annex_stack(App(context=flags), OWN_NETWORK)
    Tags.of(stack.annex.fleet.launch_template).add("team", "physics")
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    assert all(tags["team"] == "physics" for tags in launched(resources).values())
    assert "team" not in by_key(only(resources, GROUP)["Tags"])


def test_a_tag_can_be_kept_off_what_is_launched(flags: dict[str, Any]) -> None:
    app = App(context=flags)
    stack = annex_stack(app, OWN_NETWORK)
    Tags.of(app).add("team", "physics", exclude_resource_types=[TEMPLATE])
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    assert not [kind for kind, tags in launched(resources).items() if "team" in tags]
    assert by_key(only(resources, GROUP)["Tags"])["team"] == "physics"


@pytest.mark.parametrize("flags", FLAGS)
def test_no_tag_of_the_app_hides_the_identity_of_the_annex(flags: str) -> None:
    app = App(context=FLAGS[flags])
    stack = annex_stack(app, OWN_NETWORK)
    for key in ("annex:name", "annex:id", "Name"):
        Tags.of(app).add(key, "another")
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    for tags in [by_key(only(resources, GROUP)["Tags"]), *launched(resources).values()]:
        assert "another" not in (tags["annex:name"], tags["annex:id"], tags["Name"])


def test_as_many_tags_as_the_spec_allows_leave_room_for_the_lease(flags: dict[str, Any]) -> None:
    many = {f"team{number}": "physics" for number in range(MAX_OWN_TAGS)}
    stack = annex_stack(App(context=flags), {**EVERYTHING, "tags": many})
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    of_group = by_key(only(resources, GROUP)["Tags"]).keys() | stack.tags.tag_values().keys()
    assert len(of_group | RUNTIME_TAGS) == MAX_TAGS
    assert len(of_group | launched(resources)["instance"].keys() | {TAG_END, TAG_ORPHAN}) <= MAX_TAGS


def test_one_more_by_the_app_is_refused(flags: dict[str, Any]) -> None:
    many = {f"team{number}": "physics" for number in range(MAX_OWN_TAGS)}
    app = App(context=flags)
    annex_stack(app, {**EVERYTHING, "tags": many})
    Tags.of(app).add("more", "physics")
    with pytest.raises(RuntimeError, match=r"the Auto Scaling group of .* would have"):
        app.synth()


@pytest.mark.parametrize("flags", FLAGS)
def test_the_tags_of_the_base(flags: str) -> None:
    app = App(context=FLAGS[flags])
    annex = AnnexSpec.model_validate({**OWN_NETWORK, "tags": {"other": "annex"}})
    (stack,) = base_stacks(app, BaseSpec(tags=TEAM), [annex])
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    assert stack.tags.tag_values() == {}
    for name, each in resources.items():
        if each["Type"] in TAGGABLE:
            tags = by_key(each["Properties"]["Tags"])
            assert tags["team"] == "physics", name
            assert "other" not in tags


def test_the_numbers_of_the_page() -> None:
    page = (ROOT / "docs/how-to/own-app.md").read_text()
    needed = MAX_TAGS - MAX_OWN_TAGS
    assert f"AWS takes {MAX_TAGS} tags, and the lease needs up to {needed} of them. So {MAX_OWN_TAGS} are free." in page
    assert f"All parts together may have {EC2_USER_DATA_BYTES // 1024} KB, which is EC2's limit." in page
