"""CloudFormation's resources of an annex against what AWS documents of them."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from .conftest import IMAGE, Network
from .driving import Cloud, eventually

_names = itertools.count(1)
FAST = {"Delay": 0.2, "MaxAttempts": 300}


class Stack:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.name = cloud, f"Stack{next(_names)}"
        self.client = cloud.client("cloudformation")

    def _send(self, verb: str, resources: dict[str, Any], outputs: dict[str, Any] | None) -> None:
        shown = {name: {"Value": value} for name, value in (outputs or {}).items()}
        template = {"Resources": resources, **({"Outputs": shown} if shown else {})}
        send = getattr(self.client, f"{verb}_stack")
        send(StackName=self.name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
        self.client.get_waiter(f"stack_{verb}_complete").wait(StackName=self.name, WaiterConfig=FAST)

    def create(self, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, str]:
        self._send("create", resources, outputs)
        return self.outputs()

    def update(self, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, str]:
        self._send("update", resources, outputs)
        return self.outputs()

    def outputs(self) -> dict[str, str]:
        shown = self.client.describe_stacks(StackName=self.name)["Stacks"][0]
        return {one["OutputKey"]: one["OutputValue"] for one in shown.get("Outputs", [])}

    def delete(self) -> None:
        self.client.delete_stack(StackName=self.name)
        self.client.get_waiter("stack_delete_complete").wait(StackName=self.name, WaiterConfig=FAST)

    def reasons(self) -> str:
        events = self.client.describe_stack_events(StackName=self.name)["StackEvents"]
        return "\n".join(one.get("ResourceStatusReason", "") for one in events)


@pytest.fixture
def stack(cloud: Cloud) -> Iterator[Stack]:
    made = Stack(cloud)
    yield made
    made.client.delete_stack(StackName=made.name)


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


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


ANSWER = """
import json, os, urllib.request, boto3
def handler(event, context):
    if "RequestType" not in event:
        return sorted(os.environ)
    data = {"Who": boto3.client("sts").get_caller_identity()["Arn"], "Token": event["ServiceToken"]}
    body = {k: event[k] for k in ("StackId", "RequestId", "LogicalResourceId")}
    body.update(Status="SUCCESS", PhysicalResourceId="it", Data=data)
    request = urllib.request.Request(event["ResponseURL"], data=json.dumps(body).encode(), method="PUT")
    urllib.request.urlopen(request).read()
"""


def function(code: str, **variables: str) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    properties = {
        "Handler": "index.handler",
        "Runtime": "python3.13",
        "Code": {"ZipFile": code},
        "Role": att("Role", "Arn"),
        "Timeout": 20,
        "Environment": {"Variables": variables},
    }
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": properties},
    }


def custom(**properties: Any) -> dict[str, Any]:
    return {"Type": "Custom::Thing", "Properties": {"ServiceToken": att("Function", "Arn"), **properties}}


def test_custom_resource_is_answered_by_a_function_with_its_role(cloud: Cloud, stack: Stack) -> None:
    resources = {**function(ANSWER, ANNEX_GROUP="g"), "Thing": custom()}
    outputs = {"Who": att("Thing", "Who"), "Token": att("Thing", "Token"), "Ref": ref("Thing"), "Name": ref("Function")}
    made = stack.create(resources, outputs)
    assert made["Ref"] == "it"
    assert ":assumed-role/" in made["Who"]
    assert made["Token"].endswith(f":function:{made['Name']}")
    answer = cloud.client("lambda").invoke(FunctionName=made["Name"])["Payload"].read()
    names = set(json.loads(answer))
    assert {"ANNEX_GROUP", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME", "AWS_ENDPOINT_URL"} <= names
    assert not {"AUTH", "GATEWAY_PORT", "S3_DATA_DIR", "MINISTACK_REGION", "HOME", "PYTHONPATH"} & names
    stack.delete()


@pytest.mark.parametrize(
    "code",
    ["raise RuntimeError('at import')", "def handler(event, context):\n    raise RuntimeError('in the handler')\n"],
)
def test_silent_custom_resource_fails_after_its_service_timeout(stack: Stack, code: str) -> None:
    began = time.monotonic()
    with pytest.raises(WaiterError):
        stack.create({**function(code), "Thing": custom(ServiceTimeout=2)})
    assert time.monotonic() - began < 30
    assert "did not receive a response from your Custom Resource" in stack.reasons()


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


@pytest.mark.parametrize("allowed", [True, False])
def test_function_writes_its_log_with_its_own_role(cloud: Cloud, stack: Stack, allowed: bool) -> None:
    resources = function(ANSWER)
    write = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": att("Log", "Arn")}
    document = {"Version": "2012-10-17", "Statement": [write]}
    resources["Role"]["Properties"]["Policies"] = [{"PolicyName": "p", "PolicyDocument": document}] if allowed else []
    resources["Log"] = {"Type": "AWS::Logs::LogGroup", "Properties": {}}
    resources["Function"]["Properties"]["LoggingConfig"] = {"LogGroup": ref("Log")}
    made = stack.create(resources, {"Log": ref("Log"), "Function": ref("Function")})
    logs = cloud.client("logs")

    def streams() -> list[Any]:
        found: list[Any] = logs.describe_log_streams(logGroupName=made["Log"])["logStreams"]
        return found

    cloud.client("lambda").invoke(FunctionName=made["Function"])
    assert bool(streams()) == allowed
    logs.delete_log_group(logGroupName=made["Log"])
    cloud.client("lambda").invoke(FunctionName=made["Function"])
    assert not logs.describe_log_groups(logGroupNamePrefix=made["Log"])["logGroups"]


SCHEDULED = """
import boto3, json
def handler(event, context):
    boto3.client("secretsmanager").put_secret_value(SecretId="told", SecretString=json.dumps(event))
"""


def schedule(role: str, **properties: Any) -> dict[str, Any]:
    target = {
        "Arn": att("Function", "Arn"),
        "RoleArn": att(role, "Arn"),
        "Input": '{"at": "<aws.scheduler.scheduled-time>"}',
    }
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "ScheduleExpression": "rate(1 minute)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": target,
            **properties,
        },
    }


def scheduler_role(*policies: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [one]}} for one in policies
            ],
        },
    }


@pytest.mark.parametrize("allowed", [True, False])
def test_schedule_invokes_its_function_with_its_own_role(cloud: Cloud, stack: Stack, allowed: bool) -> None:
    manager = cloud.client("secretsmanager")
    resources = function(SCHEDULED)
    write = {"Effect": "Allow", "Action": "secretsmanager:PutSecretValue", "Resource": "*"}
    resources["Role"]["Properties"]["Policies"] = [
        {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [write]}}
    ]
    invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": att("Function", "Arn")}
    resources["Scheduler"] = scheduler_role(*([invoke] if allowed else []))
    resources["Every"] = schedule("Scheduler", ScheduleExpressionTimezone="America/Chicago")
    manager.create_secret(Name="told")
    try:
        stack.create(resources)
        time.sleep(1)  # the cloud sees a new schedule with its next tick
        cloud.advance(61)

        def told() -> Any:
            return manager.describe_secret(SecretId="told").get("VersionIdsToStages")

        if allowed:
            eventually(told)
            assert json.loads(manager.get_secret_value(SecretId="told")["SecretString"])["at"].endswith("Z")
        else:
            time.sleep(2)
            assert not told()
    finally:
        manager.delete_secret(SecretId="told", ForceDeleteWithoutRecovery=True)


def test_tagging_api_finds_what_an_operator_looks_for(cloud: Cloud, stack: Stack) -> None:
    tags = [{"Key": "annex:name", "Value": stack.name}]
    resources = function(ANSWER)
    resources["Function"]["Properties"]["Tags"] = tags
    resources["Secret"] = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Tags": tags}}
    made = stack.create(resources, {"Secret": ref("Secret"), "Function": att("Function", "Arn")})
    find: Callable[..., Any] = cloud.client("resourcegroupstaggingapi").get_resources
    for kind, arn in (("lambda:function", made["Function"]), ("secretsmanager:secret", made["Secret"])):
        found = find(ResourceTypeFilters=[kind], TagFilters=[{"Key": "annex:name", "Values": [stack.name]}])
        assert [one["ResourceARN"] for one in found["ResourceTagMappingList"]] == [arn]
