"""Two annexes in one network: neither its deletion nor its change takes the network away from a running annex."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from lab.operator import REGION, REPOSITORY, Operator
from lab.steps import StepError, wait_for
from tests.e2e.aws_clients import client
from tests.e2e.by_hand import block, by_hand

NETWORK = f"AnnexNetwork-{REGION}"
NAMES = ("one", "two")
ALIVE = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
SPEC = "".join(
    f'\n[annex.{name}]\nvpc = "shared"\nsize = 1\nlease = "30m"\nmax_lifetime = "1h"\n' for name in NAMES
)  # fmt: skip


@pytest.fixture(scope="module")
def operator(operator_of: Callable[[str], Operator]) -> Operator:
    """Operator of two deployed annexes, each with an instance."""
    operator = operator_of(SPEC)
    operator.cdk("deploy", *(f"Annex-{name}" for name in NAMES), "--require-approval", "never")
    for name in NAMES:
        operator.annex("credential", "push", name)
    wait_for("an instance of each annex", 60, lambda: all(len(living(name)) == 1 for name in NAMES))
    return operator


def stacks() -> dict[str, dict[str, Any]]:
    """The stacks of the account by their names, but the CDK's own."""
    found = client("cloudformation").describe_stacks()["Stacks"]
    return {each["StackName"]: each for each in found if each["StackName"] != "CDKToolkit"}


def network() -> dict[str, str]:
    """Physical ids of the resources of the network stack by their logical ids."""
    found = client("cloudformation").describe_stack_resources(StackName=NETWORK)["StackResources"]
    return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}


def subnets() -> set[str]:
    """Ids of the shared subnets."""
    return {each for each in network().values() if each.startswith("subnet-")}


def group(name: str) -> dict[str, Any]:
    """The Auto Scaling group of an annex."""
    tag = {"Name": "tag:annex:name", "Values": [name]}
    [found] = client("autoscaling").describe_auto_scaling_groups(Filters=[tag])["AutoScalingGroups"]
    return dict(found)


def living(name: str) -> list[dict[str, Any]]:
    """The instances of an annex that are alive."""
    filters = [{"Name": "tag:annex:name", "Values": [name]}, *ALIVE]
    reservations = client("ec2").describe_instances(Filters=filters)["Reservations"]
    return [instance for each in reservations for instance in each["Instances"]]


def test_both_annexes_are_in_the_shared_subnets(operator: Operator) -> None:
    assert set(stacks()) == {NETWORK, "Annex-one", "Annex-two"}
    shared = subnets()
    assert len(shared) == 2
    vpcs = {each["VpcId"] for each in client("ec2").describe_subnets(SubnetIds=sorted(shared))["Subnets"]}
    for name in NAMES:
        assert set(group(name)["VPCZoneIdentifier"].split(",")) == shared
        [instance] = living(name)
        assert instance["SubnetId"] in shared
        assert {instance["VpcId"]} == vpcs
    first, second = ({each["GroupId"] for each in living(name)[0]["SecurityGroups"]} for name in NAMES)
    assert first
    assert not first & second


def test_the_network_stays_while_an_annex_uses_it(operator: Operator) -> None:
    before = network()
    client("cloudformation").delete_stack(StackName=NETWORK)
    stack = stacks()[NETWORK]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert "in use by Annex-one and Annex-two" in stack["StackStatusReason"]
    with pytest.raises(StepError) as refused:
        operator.cdk("destroy", "--exclusively", NETWORK, "--force")
    print(refused.value)
    assert "CREATE_COMPLETE" in str(refused.value), "the CDK names the state in which the stack stays"
    assert network() == before
    assert all(len(living(name)) == 1 for name in NAMES)


def reasons() -> str:
    """Reasons of all events of the network stack."""
    events = client("cloudformation").describe_stack_events(StackName=NETWORK)["StackEvents"]
    return "\n".join(each.get("ResourceStatusReason", "") for each in events)


@pytest.mark.parametrize(
    ("change", "reason"), [("removed", "Cannot delete export"), ("changed", "Cannot update export")]
)
def test_no_update_takes_a_part_of_the_network_away(operator: Operator, change: str, reason: str) -> None:
    before, aws = network(), client("cloudformation")
    assert "Cannot update export" not in reasons()
    template = aws.get_template(StackName=NETWORK)["TemplateBody"]
    body = json.loads(template) if isinstance(template, str) else template
    exported = [name for name, each in body["Outputs"].items() if "Subnet" in name and "Export" in each]
    assert len(exported) == 2
    for name in exported:
        if change == "removed":
            del body["Outputs"][name]
        else:
            body["Outputs"][name]["Value"] = "subnet-of-another-network"
    parameters = [{"ParameterKey": key, "UsePreviousValue": True} for key in body.get("Parameters", {})]
    aws.update_stack(StackName=NETWORK, TemplateBody=json.dumps(body), Parameters=parameters)
    wait_for("refusal", 60, lambda: f"{reason} {NETWORK}:" in reasons(), otherwise=reasons)
    wait_for("rollback", 60, lambda: stacks()[NETWORK]["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE")
    assert network() == before


def test_the_end_of_one_annex_leaves_the_other_and_the_network(operator: Operator) -> None:
    before, [instance] = network(), living("two")
    operator.cdk("destroy", "Annex-one", "--force")
    assert set(stacks()) == {NETWORK, "Annex-two"}
    assert network() == before
    assert [each["InstanceId"] for each in living("two")] == [instance["InstanceId"]]
    operator.annex("check", "two")
    assert operator.status("two")["phase"] == "active"
    operator.annex("leftovers", "one")
    client("cloudformation").delete_stack(StackName=NETWORK)
    assert stacks()[NETWORK]["StackStatusReason"].endswith("in use by Annex-two.")


def test_resources_of_others_in_the_network_are_named_by_the_commands_of_the_page(operator: Operator) -> None:
    operator.cdk("destroy", "Annex-two", "--force")
    assert set(stacks()) == {NETWORK}
    aws = client("ec2")
    [subnet, _] = sorted(subnets())
    vpc = aws.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    interface = aws.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    group = aws.create_security_group(GroupName="of-others", Description="of others", VpcId=vpc)["GroupId"]
    delete, look = (
        next(each for each in console_blocks() if f"aws {words}" in each)
        for words in ("cloudformation delete-stack", "ec2 describe-vpc-endpoints")
    )
    by_hand(operator, delete)
    wait_for("failure", 60, lambda: stacks()[NETWORK]["StackStatus"] == "DELETE_FAILED")
    operator.annex("leftovers", "--all")
    listed = by_hand(operator, look)
    assert interface in listed
    assert group in listed
    aws.delete_network_interface(NetworkInterfaceId=interface)
    aws.delete_security_group(GroupId=group)


def console_blocks() -> list[str]:
    """The console blocks of the page about networks."""
    page = "how-to/networks-and-images.md"
    number = (REPOSITORY / "docs" / page).read_text().count("```console")
    return [block(page, "console", each) for each in range(number)]


def test_nothing_is_left_after_the_last_annex_and_the_network(operator: Operator) -> None:
    operator.cdk("destroy", "--exclusively", NETWORK, "--force")
    assert stacks() == {}
    assert "nothing is left of any annex" in operator.annex("leftovers", "--all")
    assert client("ec2").describe_instances(Filters=ALIVE)["Reservations"] == []
    tag = [{"Name": "tag:Name", "Values": [NETWORK]}]
    assert client("ec2").describe_vpcs(Filters=tag)["Vpcs"] == []
    assert client("ec2").describe_subnets(Filters=tag)["Subnets"] == []
    assert client("ec2").describe_internet_gateways(Filters=tag)["InternetGateways"] == []
    exports = client("cloudformation").list_exports()["Exports"]
    assert [each["Name"] for each in exports if NETWORK in each["ExportingStackId"]] == []
