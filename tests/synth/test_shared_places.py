"""Stacks of shared networks by Region and account, and the warning about a file that makes many VPCs."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from annex_spec import AnnexSpec, PoolSpec
from stacks import AnnexNetworkStack, network_stacks, warn
from tests.synth.shared_networks import NETWORK, POOL, made, of_subnets, specs, template
from tests.synth.templates import GIVEN_NETWORK, OWN_NETWORK, TAGGABLE, of_type


def is_dual_stack(stack: AnnexNetworkStack) -> bool:
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    blocks = of_type(resources, "AWS::EC2::VPCCidrBlock")
    assigned = [each["Properties"].get("AssignIpv6AddressOnCreation", False) for each in of_subnets(resources)]
    assert assigned == [bool(blocks)] * 2
    return bool(blocks)


def test_one_network_for_each_region_and_account(app: App) -> None:
    places = [("us-east-1", None), ("us-east-1", None), ("eu-west-1", "123456789012"), ("eu-west-1", None)]
    annexes = specs(*({"region": region, "account": account} for region, account in places))
    other = AnnexSpec.model_validate({**OWN_NETWORK, "region": "us-east-1", "account": "123456789012"})
    found = network_stacks(app, POOL, [*annexes, other])
    assert {name: (each.node.id, each.stack_name, each.environment) for name, each in found.items()} == {
        "n0": ("AnnexNetwork-us-east-1", "AnnexNetwork-us-east-1", "aws://unknown-account/us-east-1"),
        "n1": ("AnnexNetwork-us-east-1", "AnnexNetwork-us-east-1", "aws://unknown-account/us-east-1"),
        "n2": ("AnnexNetwork-eu-west-1-123456789012", "AnnexNetwork-eu-west-1", "aws://123456789012/eu-west-1"),
        "n3": ("AnnexNetwork-eu-west-1-default", "AnnexNetwork-eu-west-1", "aws://unknown-account/eu-west-1"),
    }
    assert found["n0"] is found["n1"]


def test_stacks_of_what_may_be_one_account_are_alike(app: App) -> None:
    """Otherwise a deployment of one annex would change the network of another."""
    places: list[dict[str, Any]] = [
        {"account": None, "tags": {"team": "physics"}},
        {"account": "123456789012", "ipv6": True, "tags": {"team": "physics", "more": "1"}},
        {"account": "210987654321", "tags": {"team": "physics", "more": "1"}},
    ]
    made(app, specs(*places))
    found = [
        template(app, f"{NETWORK}-{account}") for account in ("default", *(each["account"] for each in places[1:]))
    ]
    for each in found:
        for resource in each["Resources"].values():
            resource.pop("Metadata", None)  # the path of the construct, which changes no resource
    assert found[0] == found[1] == found[2]
    assert of_type(found[0]["Resources"], "AWS::EC2::VPCCidrBlock")


def test_stacks_of_two_accounts_are_not(app: App) -> None:
    annexes = specs({"account": "123456789012", "ipv6": True}, {"account": "210987654321"})
    found = network_stacks(app, POOL, annexes)
    assert [is_dual_stack(found[each.name]) for each in annexes] == [True, False]


@pytest.mark.parametrize(
    ("collector", "ipv6", "dual"),
    [
        ("cm.example.edu", (False, False), False),
        ("cm.example.edu", (False, True), True),
        ("cm.example.edu", (True, True), True),
        ("[2001:db8::1]", (False, False), True),
    ],
)
def test_it_is_dual_stack_if_one_needs_it(app: App, collector: str, ipv6: tuple[bool, bool], dual: bool) -> None:
    pool = PoolSpec(collector=f"{collector}:9618", trust_domain="example.edu")
    found = network_stacks(app, pool, specs(*({"ipv6": each} for each in ipv6)))
    assert is_dual_stack(found["n0"]) is dual


def test_one_of_another_network_makes_none_dual_stack(app: App) -> None:
    other = AnnexSpec.model_validate({**OWN_NETWORK, "ipv6": True})
    assert not is_dual_stack(network_stacks(app, POOL, [*specs({}), other])["n0"])


def test_it_has_the_tags_that_all_its_annexes_have(app: App) -> None:
    tags = [{"team": "physics", "cost": "1", "more": "x"}, {"team": "physics", "cost": "2"}]
    stack = network_stacks(app, POOL, specs(*({"tags": each} for each in tags)))["n0"]
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    tagged = [each for each in resources.values() if each["Type"] in TAGGABLE]
    assert len(tagged) == 6
    for each in tagged:
        found = {tag["Key"]: tag["Value"] for tag in each["Properties"]["Tags"]}
        assert (found["team"], found["Name"]) == ("physics", NETWORK)
        assert not {"cost", "more"} & set(found)
    assert stack.tags.tag_values() == {}


def warned(app: App, annexes: list[AnnexSpec]) -> dict[str, list[str]]:
    """The messages of each annex's stack."""
    warn(made(app, annexes), annexes)
    assembly = app.synth()
    messages = {each.name: assembly.get_stack_artifact(f"Annex-{each.name}").messages for each in annexes}
    return {name: [str(message.entry.data) for message in each] for name, each in messages.items()}


@pytest.mark.parametrize(
    ("networks", "warns"),
    [
        (["own"] * 3, []),
        (["own"] * 4, ["n0", "n1", "n2", "n3"]),
        (["own", "own", "shared", "shared", "shared"], []),
        (["own", "own", "own", "shared"], ["n0", "n1", "n2"]),
        (["shared"] * 6, []),
        (["own"] * 3 + ["given"] * 2, []),
    ],
)
def test_a_file_of_many_networks_is_warned_of_once_for_each_stack(
    app: App, networks: list[str], warns: list[str]
) -> None:
    kinds = {
        "own": {"vpc": None},
        "shared": {},
        "given": {"vpc": GIVEN_NETWORK["vpc"], "subnets": GIVEN_NETWORK["subnets"]},
    }
    found = warned(app, specs(*(kinds[each] for each in networks)))
    assert [name for name, messages in found.items() if messages] == warns
    for name in warns:
        (message,) = found[name]
        assert "make 4 VPCs in us-east-1; by default an account may have 5 there" in message
        assert '"shared"' in message
