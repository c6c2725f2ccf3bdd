"""Launch template: all resources of an instance name its annex, and none outlives the instance."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Aws, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

from annex_constructs import ExecutionPoint
from annex_constructs.fleet.boot_archive import boot_archive_asset
from annex_constructs.fleet.instance_permissions import instance_role
from annex_constructs.fleet.launch_template import execution_point_template
from tests.synth.templates import only

ID = Fn.join(".", [Fn.select(2, Fn.split("/", Aws.STACK_ID)), "muon"])


def data_of(stack: Stack) -> dict[str, Any]:
    resources = Template.from_stack(stack).to_json()["Resources"]
    return dict(only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"])


def make(stack: Stack, point: ExecutionPoint, *, public: bool | None = None, protect: bool = False) -> dict[str, Any]:
    vpc = ec2.Vpc(stack, "Vpc", nat_gateways=0)
    execution_point_template(
        stack,
        "Template",
        annex_name="muon",
        annex_id=ID,
        execution_point=point,
        instance_types=[ec2.InstanceType("c6a.large")],
        credential=secretsmanager.Secret(stack, "Secret"),
        role=instance_role(stack, "Role"),
        security_group=ec2.SecurityGroup(stack, "SecurityGroup", vpc=vpc),
        associate_public_ip_address=public,
        protect_busy=protect,
        archive=boot_archive_asset(stack, "Archive", point),
    )
    return data_of(stack)


def test_all_that_an_instance_leaves_behind_names_its_annex(stack: Stack, point: ExecutionPoint) -> None:
    specifications = make(stack, point)["TagSpecifications"]
    assert [each["ResourceType"] for each in specifications] == ["instance", "volume", "network-interface"]
    uuid = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    identity = {"Fn::Join": [".", [uuid, "muon"]]}
    for each in specifications:
        tags = {tag["Key"]: tag["Value"] for tag in each["Tags"]}
        assert tags == {"Name": "annex-muon", "annex:name": "muon", "annex:id": identity}


@pytest.mark.parametrize("public", [True, False])
def test_a_described_network_interface_is_deleted_with_its_instance(
    stack: Stack, point: ExecutionPoint, public: bool
) -> None:
    (interface,) = make(stack, point, public=public)["NetworkInterfaces"]
    assert (interface["AssociatePublicIpAddress"], interface["DeleteOnTermination"]) == (public, True)


def test_no_network_interface_is_described_without_need(stack: Stack, point: ExecutionPoint) -> None:
    assert "NetworkInterfaces" not in make(stack, point)


@pytest.mark.parametrize(("protect", "line"), [(True, "ANNEX_PROTECT_BUSY=1"), (False, "ANNEX_PROTECT_BUSY=0")])
def test_the_instance_knows_whether_to_protect_itself(
    stack: Stack, point: ExecutionPoint, protect: bool, line: str
) -> None:
    assert f"      {line}\n" in str(make(stack, point, protect=protect)["UserData"]).replace("\\n", "\n")
