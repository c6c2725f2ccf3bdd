"""Exports of a stack that another stack imports stay as they are, as CloudFormation documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from .driving import Cloud, eventually
from .stacks import Stack, att, ref

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {}}
ONE, BOTH = {"Queue": QUEUE}, {"Queue": QUEUE, "Second": QUEUE}


@pytest.fixture
def stacks(cloud: Cloud) -> Iterator[Callable[[], Stack]]:
    """Makes stacks; those made last are removed first."""
    made: list[Stack] = []

    def make() -> Stack:
        made.append(Stack(cloud))
        return made[-1]

    yield make
    for one in reversed(made):
        one.delete()


def importing(export: str) -> dict[str, Any]:
    """A parameter whose value is an export."""
    value = {"Type": "String", "Value": {"Fn::ImportValue": export}}
    return {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": value}}


def status_of(stack: Stack) -> tuple[str, str]:
    [shown] = stack.client.describe_stacks(StackName=stack.name)["Stacks"]
    return str(shown["StackStatus"]), str(shown.get("StackStatusReason", ""))


def test_a_stack_stays_while_another_imports_from_it(stacks: Callable[[], Stack]) -> None:
    exporting, user, second = stacks(), stacks(), stacks()
    exporting.create(BOTH, {"Export": ref("Queue"), "ExportSecond": ref("Second")})
    user.create(importing(exporting.export("Export")))
    second.create(importing(exporting.export("Export")))
    exporting.client.delete_stack(StackName=exporting.name)
    status, reason = status_of(exporting)
    assert status == "CREATE_COMPLETE"
    expected = f"Cannot delete export {exporting.export('Export')} as it is in use by {user.name} and {second.name}."
    assert expected in reason
    user.delete()
    exporting.client.delete_stack(StackName=exporting.name)
    assert f"in use by {second.name}." in status_of(exporting)[1]
    second.delete()
    exporting.delete()


def test_a_stack_of_which_nothing_is_imported_can_be_deleted(stacks: Callable[[], Stack]) -> None:
    exporting = stacks()
    exporting.create(ONE, {"Export": ref("Queue")})
    exporting.delete()
    listed = exporting.client.list_exports()["Exports"]
    assert exporting.export("Export") not in {one["Name"] for one in listed}


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"Other": ref("Queue")}, "Cannot delete export"),
        ({"Export": ref("Second")}, "Cannot update export"),
    ],
)
def test_an_update_that_touches_an_import_rolls_back(
    stacks: Callable[[], Stack], outputs: dict[str, Any], message: str
) -> None:
    exporting, user = stacks(), stacks()
    before = exporting.create(BOTH, {"Export": ref("Queue")})
    user.create(importing(exporting.export("Export")))
    with pytest.raises(WaiterError):
        exporting.update(BOTH, outputs)
    assert status_of(exporting)[0] == "UPDATE_ROLLBACK_COMPLETE"
    assert f"{message} {exporting.export('Export')} as it is in use by {user.name}." in exporting.reasons()
    assert exporting.outputs() == before
    user.delete()
    exporting.update(BOTH, outputs)
    assert exporting.outputs() == {name: exporting.outputs()[name] for name in outputs}


def test_an_update_may_change_what_is_not_imported(stacks: Callable[[], Stack]) -> None:
    exporting, user = stacks(), stacks()
    exporting.create(BOTH, {"Export": ref("Queue"), "ExportSecond": ref("Second")})
    user.create(importing(exporting.export("Export")))
    exporting.update(BOTH, {"Export": ref("Queue"), "ExportSecond": att("Second", "Arn")})
    exporting.update(BOTH, {"Export": ref("Queue")})
    listed = {one["Name"] for one in exporting.client.list_exports()["Exports"]}
    assert exporting.export("Export") in listed
    assert exporting.export("ExportSecond") not in listed
    with pytest.raises(ClientError, match="is not imported by any stack"):
        exporting.client.list_imports(ExportName=exporting.export("ExportSecond"))


def test_a_stack_whose_deletion_failed_still_imports(cloud: Cloud, stacks: Callable[[], Stack]) -> None:
    exporting, user = stacks(), stacks()
    made = exporting.create({"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.69.0.0/16"}}},
                            {"Export": ref("Vpc")})  # fmt: skip
    subnet = {"VpcId": {"Fn::ImportValue": exporting.export("Export")}, "CidrBlock": "10.69.1.0/24"}
    inside = user.create({"Subnet": {"Type": "AWS::EC2::Subnet", "Properties": subnet}}, {"Subnet": ref("Subnet")})
    ec2 = cloud.client("ec2")
    held = ec2.create_network_interface(SubnetId=inside["Subnet"])["NetworkInterface"]["NetworkInterfaceId"]
    with pytest.raises(WaiterError):
        user.delete()
    exporting.client.delete_stack(StackName=exporting.name)
    assert f"in use by {user.name}." in status_of(exporting)[1]
    assert ec2.describe_vpcs(VpcIds=[made["Export"]])["Vpcs"]
    ec2.delete_network_interface(NetworkInterfaceId=held)


def test_two_stacks_cannot_export_one_name(stacks: Callable[[], Stack]) -> None:
    first, second = stacks(), stacks()
    first.create(ONE, {"Export": ref("Queue")})
    outputs = {"Export": {"Value": "value", "Export": {"Name": first.export("Export")}}}
    template = json.dumps({"Resources": ONE, "Outputs": outputs})
    second.client.create_stack(StackName=second.name, TemplateBody=template)
    eventually(lambda: status_of(second)[0] == "ROLLBACK_COMPLETE")
    assert f"Export with name {first.export('Export')} is already exported by stack {first.name}." in second.reasons()
