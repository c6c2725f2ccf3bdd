"""Permissions of an annex's policies, decided by the cloud's IAM enforcement."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Group, Network
from .driving import Cloud

Make = Callable[..., Group]
ACCOUNT = "000000000000"


@pytest.fixture
def acting(cloud: Cloud, request: pytest.FixtureRequest) -> Callable[[list[dict[str, Any]]], Callable[[str], Any]]:
    """Makes a role with statements and gives a source of clients that act as it."""
    made = 0

    def make(statements: list[dict[str, Any]]) -> Callable[[str], Any]:
        nonlocal made
        made += 1
        name = re.sub(r"[^\w+=,.@-]", "-", f"{request.node.name[:30]}{request.node.name[-20:]}-{made}")
        iam = cloud.client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]}
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        credentials = cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return lambda service: cloud.client(service, credentials)

    return make


def denied(call: Callable[..., Any], **arguments: Any) -> None:
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    codes = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError")
    assert raised.value.response["Error"]["Code"] in codes


def group_arn(group: Group) -> str:
    return f"arn:aws:autoscaling:us-east-1:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName/{group.name}"


def test_group_actions_on_the_own_group_only(cloud: Cloud, group: Make, acting: Any) -> None:
    own, other = group(), group()
    actions = ["UpdateAutoScalingGroup", "SuspendProcesses", "SetInstanceProtection", "CompleteLifecycleAction"]
    actions += ["CreateOrUpdateTags"]
    client = acting(
        [
            {"Action": [f"autoscaling:{one}" for one in actions], "Resource": group_arn(own)},
            {"Action": "autoscaling:DescribeAutoScalingGroups", "Resource": "*"},
        ]
    )("autoscaling")
    members = {one.name: one.desire(1) for one in (own, other)}
    assert len(client.describe_auto_scaling_groups()["AutoScalingGroups"]) >= 2
    denied(client.describe_scaling_activities)
    for one, allowed in ((own, True), (other, False)):
        calls: list[tuple[Callable[..., Any], dict[str, Any]]] = [
            (client.update_auto_scaling_group, {"MinSize": 0}),
            (client.suspend_processes, {"ScalingProcesses": ["Launch"]}),
            (client.set_instance_protection, {"InstanceIds": members[one.name], "ProtectedFromScaleIn": False}),
        ]
        for call, arguments in calls:
            if allowed:
                call(AutoScalingGroupName=one.name, **arguments)
            else:
                denied(call, AutoScalingGroupName=one.name, **arguments)
    denied(client.set_desired_capacity, AutoScalingGroupName=own.name, DesiredCapacity=0)
    denied(client.delete_auto_scaling_group, AutoScalingGroupName=own.name)


def test_group_tags_are_authorised_group_by_group(group: Make, acting: Any) -> None:
    own, other = group(), group()
    client = acting([{"Action": "autoscaling:CreateOrUpdateTags", "Resource": group_arn(own)}])("autoscaling")

    def tags(*groups: Group) -> list[dict[str, Any]]:
        base = {"ResourceType": "auto-scaling-group", "Key": "annex:lease-end", "Value": "1", "PropagateAtLaunch": True}
        return [{**base, "ResourceId": one.name} for one in groups]

    client.create_or_update_tags(Tags=tags(own))
    denied(client.create_or_update_tags, Tags=tags(other))
    denied(client.create_or_update_tags, Tags=tags(own, other))
    assert other.show()["Tags"] == []
    denied(client.delete_tags, Tags=tags(own))


def test_retirement_of_own_members_only(group: Make, acting: Any) -> None:
    own, other = group(), group()
    action = "autoscaling:TerminateInstanceInAutoScalingGroup"
    client = acting([{"Action": action, "Resource": group_arn(own)}])("autoscaling")
    [mine], [foreign] = own.desire(1), other.desire(1)
    retire = client.terminate_instance_in_auto_scaling_group
    denied(retire, InstanceId=foreign, ShouldDecrementDesiredCapacity=True)
    denied(retire, InstanceId="i-00000000000000001", ShouldDecrementDesiredCapacity=True)
    retire(InstanceId=mine, ShouldDecrementDesiredCapacity=True)
    assert other.ids() == [foreign]


def test_instances_are_authorised_one_by_one_by_their_tags(cloud: Cloud, group: Make, acting: Any) -> None:
    own, other = group(), group()
    condition = {"ec2:ResourceTag/aws:autoscaling:groupName": own.name}
    client = acting(
        [
            {
                "Action": "ec2:TerminateInstances",
                "Resource": f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/*",
                "Condition": {"StringEquals": condition},
            },
            {
                "Action": "ec2:CreateTags",
                "Resource": f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/*",
                "Condition": {
                    "StringEquals": condition,
                    "ForAllValues:StringEquals": {"aws:TagKeys": ["annex:lease-end"]},
                },
            },
        ]
    )("ec2")
    [mine], [foreign] = own.desire(1), other.desire(1)
    end, rubbish = {"Key": "annex:lease-end", "Value": "1"}, {"Key": "annex:name", "Value": "other"}
    client.create_tags(Resources=[mine], Tags=[end])
    denied(client.create_tags, Resources=[mine], Tags=[rubbish])
    denied(client.create_tags, Resources=[mine], Tags=[end, rubbish])
    denied(client.create_tags, Resources=[foreign], Tags=[end])
    denied(client.create_tags, Resources=[mine, foreign], Tags=[end])
    denied(client.terminate_instances, InstanceIds=[foreign])
    denied(client.terminate_instances, InstanceIds=[mine, foreign])
    denied(client.describe_instances)
    assert (own.ids(), other.ids()) == ([mine], [foreign])
    client.terminate_instances(InstanceIds=[mine])


def test_secrets_own_and_other(cloud: Cloud, acting: Any) -> None:
    manager = cloud.client("secretsmanager")
    own, other = (manager.create_secret(Name=name, SecretString="s")["ARN"] for name in ("own", "other"))
    client = acting([{"Action": "secretsmanager:GetSecretValue", "Resource": own}])("secretsmanager")
    assert client.get_secret_value(SecretId=own)["SecretString"] == "s"
    assert client.get_secret_value(SecretId="own")["SecretString"] == "s"
    denied(client.get_secret_value, SecretId=other)
    denied(client.describe_secret, SecretId=own)


def test_secret_without_value_has_no_current_version(cloud: Cloud) -> None:
    manager = cloud.client("secretsmanager")
    arn = manager.create_secret(Name="empty")["ARN"]
    assert not manager.describe_secret(SecretId=arn).get("VersionIdsToStages")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        manager.get_secret_value(SecretId=arn)
    manager.put_secret_value(SecretId=arn, SecretString="now")
    assert manager.get_secret_value(SecretId=arn)["SecretString"] == "now"


def test_launching_with_a_role_needs_pass_role_and_tags_need_create_tags(
    cloud: Cloud, network: Network, acting: Any
) -> None:
    iam = cloud.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="passed", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.create_instance_profile(InstanceProfileName="passed")
    iam.add_role_to_instance_profile(InstanceProfileName="passed", RoleName="passed")
    run = {"Action": "ec2:RunInstances", "Resource": "*"}
    to_ec2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    passing = {"Action": "iam:PassRole", "Resource": role, "Condition": to_ec2}
    tagging = {"Action": "ec2:CreateTags", "Resource": "*"}
    launch = {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1, "SubnetId": network.subnets[0]}
    with_role = {**launch, "IamInstanceProfile": {"Name": "passed"}}
    tagged = {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]}
    plain, passer, both = acting([run]), acting([run, passing]), acting([run, passing, tagging])
    plain("ec2").run_instances(**launch)
    denied(plain("ec2").run_instances, **with_role)
    passer("ec2").run_instances(**with_role)
    denied(passer("ec2").run_instances, **with_role, **tagged)
    both("ec2").run_instances(**with_role, **tagged)


def test_resource_tag_conditions_on_groups(group: Make, acting: Any) -> None:
    own = group(Tags=[{"Key": "annex:name", "Value": "pa", "PropagateAtLaunch": False}])
    other = group(Tags=[{"Key": "annex:name", "Value": "paper", "PropagateAtLaunch": False}])
    for key in ("autoscaling:ResourceTag/annex:name", "aws:ResourceTag/annex:name"):
        condition = {"StringEquals": {key: "pa"}}
        client = acting([{"Action": "autoscaling:SetDesiredCapacity", "Resource": "*", "Condition": condition}])(
            "autoscaling"
        )
        client.set_desired_capacity(AutoScalingGroupName=own.name, DesiredCapacity=0)
        denied(client.set_desired_capacity, AutoScalingGroupName=other.name, DesiredCapacity=0)


def test_wrong_secret_key_and_unknown_access_key_are_refused(cloud: Cloud, acting: Any) -> None:
    for key in ("AKIAUNKNOWN000000000", "ASIAUNKNOWN000000000"):
        client = cloud.client("autoscaling", {"AccessKeyId": key, "SecretAccessKey": "x"})
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            client.describe_auto_scaling_groups()
