"""CloudFormation's resources of an annex behave as AWS documents."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from .conftest import IMAGE, Network
from .driving import Cloud, eventually
from .stacks import FAST, Stack, att, ref


def fleet(network: Network, **properties: Any) -> dict[str, Any]:
    version = att("Template", "LatestVersionNumber")
    return {
        "Template": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": {"ImageId": IMAGE, "InstanceType": "c6a.large"}},
        },
        "Group": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "Properties": {
                "MinSize": "0",
                "MaxSize": "3",
                "VPCZoneIdentifier": network.subnets,
                "MixedInstancesPolicy": {
                    "LaunchTemplate": {
                        "LaunchTemplateSpecification": {"LaunchTemplateId": ref("Template"), "Version": version},
                        "Overrides": [{"InstanceType": "c6i.large"}],
                    },
                    "InstancesDistribution": {"OnDemandPercentageAboveBaseCapacity": 0},
                },
                "Tags": [{"Key": "annex:size", "Value": "2", "PropagateAtLaunch": False}],
                **properties,
            },
        },
    }


def group_of(cloud: Cloud, name: str) -> dict[str, Any]:
    found = cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return dict(found[0]) if found else {}


def test_empty_secret(cloud: Cloud, stack: Stack) -> None:
    manager = cloud.client("secretsmanager")
    kinds = {"Empty": {}, "Given": {"SecretString": "x"}, "Generated": {"GenerateSecretString": {}}}
    resources = {
        name: {"Type": "AWS::SecretsManager::Secret", "Properties": properties} for name, properties in kinds.items()
    }
    made = stack.create(resources, {name: ref(name) for name in kinds})
    assert all(arn.startswith("arn:aws:secretsmanager:us-east-1:000000000000:secret:") for arn in made.values())
    current = {
        name: "AWSCURRENT" in str(manager.describe_secret(SecretId=arn).get("VersionIdsToStages"))
        for name, arn in made.items()
    }
    assert current == {"Empty": False, "Given": True, "Generated": True}
    manager.put_secret_value(SecretId=made["Empty"], SecretString="token")
    resources["Empty"]["Properties"] = {"Description": "changed"}
    assert stack.update(resources, {name: ref(name) for name in kinds}) == made
    assert manager.get_secret_value(SecretId=made["Empty"])["SecretString"] == "token"
    stack.delete()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        manager.describe_secret(SecretId=made["Empty"])


def test_group_keeps_a_desired_capacity_it_does_not_declare(cloud: Cloud, stack: Stack, network: Network) -> None:
    name = stack.create(fleet(network), {"Group": ref("Group")})["Group"]
    assert group_of(cloud, name)["DesiredCapacity"] == 0
    cloud.client("autoscaling").set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=2)
    cloud.client("autoscaling").create_or_update_tags(
        Tags=[{"ResourceId": name, "ResourceType": "auto-scaling-group", "Key": "annex:granted", "Value": "2",
               "PropagateAtLaunch": False}]
    )  # fmt: skip
    stack.update(fleet(network, HealthCheckGracePeriod=60), {"Group": ref("Group")})
    assert group_of(cloud, name)["DesiredCapacity"] == 2
    tags = {one["Key"]: one for one in group_of(cloud, name)["Tags"]}
    assert tags["annex:granted"]["Value"] == "2", "tags of others stay"
    assert tags["aws:cloudformation:stack-name"] | {"ResourceId": ""} == {
        "ResourceId": "",
        "ResourceType": "auto-scaling-group",
        "Key": "aws:cloudformation:stack-name",
        "Value": stack.name,
        "PropagateAtLaunch": True,
    }
    assert tags["annex:size"]["PropagateAtLaunch"] is False
    stack.update(fleet(network, MaxSize="1"), {"Group": ref("Group")})
    assert group_of(cloud, name)["DesiredCapacity"] == 1
    stack.delete()
    assert group_of(cloud, name) == {}


def test_deleting_a_group_waits_for_its_instances(cloud: Cloud, stack: Stack, network: Network) -> None:
    name = stack.create(fleet(network, DesiredCapacity="1"), {"Group": ref("Group")})["Group"]
    [member] = eventually(lambda: group_of(cloud, name)["Instances"])
    eventually(lambda: group_of(cloud, name)["Instances"][0]["LifecycleState"] == "InService")
    cloud.mark("deaf")
    stack.client.delete_stack(StackName=stack.name)
    eventually(lambda: group_of(cloud, name)["Instances"][0]["LifecycleState"] == "Terminating")
    assert stack.client.describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"] == "DELETE_IN_PROGRESS"
    cloud.machine(member["InstanceId"], "off")
    stack.client.get_waiter("stack_delete_complete").wait(StackName=stack.name, WaiterConfig=FAST)
    assert group_of(cloud, name) == {}


def test_deleting_a_group_with_protected_instances_fails(cloud: Cloud, stack: Stack, network: Network) -> None:
    settings = {"DesiredCapacity": "1", "NewInstancesProtectedFromScaleIn": True}
    name = stack.create(fleet(network, **settings), {"Group": ref("Group")})["Group"]
    [member] = eventually(lambda: group_of(cloud, name)["Instances"])
    with pytest.raises(WaiterError):
        stack.delete()
    assert "still has instances" in stack.reasons()
    cloud.client("autoscaling").set_instance_protection(
        AutoScalingGroupName=name, InstanceIds=[member["InstanceId"]], ProtectedFromScaleIn=False
    )
    stack.delete()


def test_bad_group_fails_the_stack_with_the_api_s_message(stack: Stack, network: Network) -> None:
    with pytest.raises(WaiterError):
        stack.create(fleet(network, DesiredCapacity="9"))
    assert "Desired capacity:9 must be between" in stack.reasons()


def test_hooks(cloud: Cloud, stack: Stack, network: Network) -> None:
    hook = {"LifecycleHookName": "in-line", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}
    resources = fleet(network, LifecycleHookSpecificationList=[hook])
    transition = "autoscaling:EC2_INSTANCE_LAUNCHING"
    properties = {"AutoScalingGroupName": ref("Group"), "LifecycleTransition": transition, "HeartbeatTimeout": 60}
    resources["Hook"] = {"Type": "AWS::AutoScaling::LifecycleHook", "Properties": properties}
    name = stack.create(resources, {"Group": ref("Group")})["Group"]
    hooks = cloud.client("autoscaling").describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
    assert {one["LifecycleTransition"] for one in hooks} == {hook["LifecycleTransition"], transition}


def test_network_attributes_and_rules(cloud: Cloud, stack: Stack) -> None:
    group = {"GroupDescription": "d", "VpcId": ref("Vpc")}
    rule = {"GroupId": att("Security", "GroupId"), "IpProtocol": "tcp", "FromPort": 9618, "ToPort": 9618}
    made = stack.create(
        {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.66.0.0/16"}},
            "Security": {"Type": "AWS::EC2::SecurityGroup", "Properties": group},
            "In": {
                "Type": "AWS::EC2::SecurityGroupIngress",
                "Properties": {**rule, "SourceSecurityGroupId": att("Security", "GroupId")},
            },
            "Out": {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": {**rule, "CidrIp": "192.0.2.0/24"}},
        },
        {"Block": att("Vpc", "CidrBlock"), "Id": att("Security", "Id"), "Group": att("Security", "GroupId")},
    )
    assert made["Block"] == "10.66.0.0/16"
    assert made["Id"] == made["Group"]
    [shown] = cloud.client("ec2").describe_security_groups(GroupIds=[made["Id"]])["SecurityGroups"]
    assert shown["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == made["Id"]
    assert "192.0.2.0/24" in str(shown["IpPermissionsEgress"])
    stack.delete()


def test_instance_profile_ref_is_its_name(cloud: Cloud, stack: Stack) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [ref("Role")]}},
    }
    made = stack.create(resources, {"Name": ref("Profile"), "Arn": att("Profile", "Arn")})
    assert made["Arn"] == f"arn:aws:iam::000000000000:instance-profile/{made['Name']}"
    stack.delete()
    with pytest.raises(ClientError, match="NoSuchEntity"):
        cloud.client("iam").get_instance_profile(InstanceProfileName=made["Name"])


def test_subnet_in_use_cannot_be_deleted(cloud: Cloud, stack: Stack) -> None:
    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.67.0.0/16"}}
    subnet = {"Type": "AWS::EC2::Subnet", "Properties": {"CidrBlock": "10.67.1.0/24", "VpcId": ref("Vpc")}}
    made = stack.create({"Vpc": vpc, "Subnet": subnet}, {"Subnet": ref("Subnet")})
    ec2 = cloud.client("ec2")
    [instance] = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=made["Subnet"])["Instances"]
    with pytest.raises(WaiterError):
        stack.delete()
    assert "DependencyViolation" in stack.reasons()
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance["InstanceId"]], WaiterConfig=FAST)
    stack.delete()


def test_a_stack_has_the_description_of_its_template(cloud: Cloud, stack: Stack) -> None:
    """Also one that a change set creates, as the CDK does, and after another change set."""
    client = cloud.client("cloudformation")
    for kind, done, text in (("CREATE", "create", "HTCondor annex a"), ("UPDATE", "update", "HTCondor annex b")):
        topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": text}}
        template = json.dumps({"Description": text, "Resources": {"Topic": topic}})
        client.create_change_set(StackName=stack.name, ChangeSetName=done, ChangeSetType=kind, TemplateBody=template)
        client.get_waiter("change_set_create_complete").wait(
            StackName=stack.name, ChangeSetName=done, WaiterConfig=FAST
        )
        client.execute_change_set(StackName=stack.name, ChangeSetName=done)
        client.get_waiter(f"stack_{done}_complete").wait(StackName=stack.name, WaiterConfig=FAST)
        [shown] = client.describe_stacks(StackName=stack.name)["Stacks"]
        assert shown["Description"] == text
    stack.delete()
