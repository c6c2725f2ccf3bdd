"""One resource of every kind that an annex is made of, as it would be left behind."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from tests.runtime.pool.pool_world import aws

Make = Callable[[str, Mapping[str, str]], None]
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


def pairs(tags: Mapping[str, str]) -> list[Any]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _specified(kind: str, tags: Mapping[str, str]) -> Any:
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": pairs(tags)}]}


def _subnet(region: str) -> str:
    return aws(region).ec2.describe_subnets()["Subnets"][0]["SubnetId"]


def _vpc(region: str) -> str:
    return aws(region).ec2.describe_vpcs()["Vpcs"][0]["VpcId"]


def _instance(region: str, tags: Mapping[str, str]) -> None:
    ec2 = aws(region).ec2
    image = ec2.register_image(Name="image", RootDeviceName="/dev/xvda")["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, SubnetId=_subnet(region), **_specified("instance", tags))


def _volume(region: str, tags: Mapping[str, str]) -> None:
    aws(region).ec2.create_volume(AvailabilityZone=f"{region}a", Size=1, **_specified("volume", tags))


def _interface(region: str, tags: Mapping[str, str]) -> None:
    aws(region).ec2.create_network_interface(SubnetId=_subnet(region), **_specified("network-interface", tags))


def _address(region: str, tags: Mapping[str, str]) -> None:
    aws(region).ec2.allocate_address(Domain="vpc", **_specified("elastic-ip", tags))


def _template(region: str, tags: Mapping[str, str]) -> None:
    data: Any = {"InstanceType": "t3.micro"}
    aws(region).ec2.create_launch_template(
        LaunchTemplateName="left", LaunchTemplateData=data, **_specified("launch-template", tags)
    )


def _security_group(region: str, tags: Mapping[str, str]) -> None:
    aws(region).ec2.create_security_group(
        GroupName="left", Description="left", VpcId=_vpc(region), **_specified("security-group", tags)
    )


def _network(region: str, tags: Mapping[str, str]) -> None:
    aws(region).ec2.create_vpc(CidrBlock="10.9.0.0/16", **_specified("vpc", tags))


def _part(region: str, tags: Mapping[str, str]) -> None:
    cidr = "172.31.250.0/24"
    aws(region).ec2.create_subnet(VpcId=_vpc(region), CidrBlock=cidr, **_specified("subnet", tags))


def _routes(region: str, tags: Mapping[str, str]) -> None:
    aws(region).ec2.create_route_table(VpcId=_vpc(region), **_specified("route-table", tags))


def _gateway(region: str, tags: Mapping[str, str]) -> None:
    aws(region).ec2.create_internet_gateway(**_specified("internet-gateway", tags))


def _group(region: str, tags: Mapping[str, str]) -> None:
    image = aws(region).ec2.register_image(Name="image", RootDeviceName="/dev/xvda")["ImageId"]
    client = aws(region).autoscaling
    client.create_launch_configuration(LaunchConfigurationName="l", ImageId=image, InstanceType="t3.micro")
    client.create_auto_scaling_group(
        AutoScalingGroupName="left",
        MinSize=0,
        MaxSize=0,
        LaunchConfigurationName="l",
        AvailabilityZones=[f"{region}a"],
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": False} for key, value in tags.items()],
    )


def _secret(region: str, tags: Mapping[str, str]) -> None:
    aws(region).secretsmanager.create_secret(Name="left", SecretString="x", Tags=pairs(tags))


def _function(region: str, tags: Mapping[str, str]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("code.py", "")
    aws(region).functions.create_function(
        FunctionName="left",
        Runtime="python3.13",
        Role=_role_arn(),
        Handler="code.run",
        Code={"ZipFile": packed.getvalue()},
        Tags=dict(tags),
    )


def _role_arn() -> str:
    iam = aws().client("iam")
    return str(iam.create_role(RoleName="of-the-function", AssumeRolePolicyDocument=_TRUST)["Role"]["Arn"])


def _log_group(region: str, tags: Mapping[str, str]) -> None:
    aws(region).client("logs").create_log_group(logGroupName="left", tags=dict(tags))


def _queue(region: str, tags: Mapping[str, str]) -> None:
    aws(region).client("sqs").create_queue(QueueName="left", tags=dict(tags))


def _topic(region: str, tags: Mapping[str, str]) -> None:
    aws(region).client("sns").create_topic(Name="left", Tags=pairs(tags))


def alarm(region: str, tags: Mapping[str, str], name: str = "left") -> None:
    aws(region).client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Tags=pairs(tags),
        MetricName="m",
        Namespace="n",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        Statistic="Sum",
        ComparisonOperator="GreaterThanThreshold",
    )


def role(region: str, tags: Mapping[str, str], name: str = "Annex-demo-AnnexRole") -> None:
    aws(region).client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_TRUST, Tags=pairs(tags))


TAGGED: Mapping[str, Make] = {
    "instance": _instance,
    "volume": _volume,
    "network interface": _interface,
    "address": _address,
    "launch template": _template,
    "security group": _security_group,
    "VPC": _network,
    "subnet": _part,
    "route table": _routes,
    "internet gateway": _gateway,
    "Auto Scaling group": _group,
    "secret": _secret,
    "function": _function,
    "log group": _log_group,
    "queue": _queue,
    "topic": _topic,
    "role": role,
}
"""Functions that make a resource of each taggable kind, in a Region, with these tags and a neutral name."""


def schedule(region: str, name: str) -> None:
    aws(region).client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="rate(1 minute)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": f"arn:aws:lambda:{region}:123456789012:function:gone", "RoleArn": "arn:aws:iam::1:role/r"},
    )


def profile(name: str) -> None:
    aws().client("iam").create_instance_profile(InstanceProfileName=name)


def log_group(region: str, name: str) -> None:
    aws(region).client("logs").create_log_group(logGroupName=name)


def stack(region: str, name: str, description: str) -> None:
    template = {"Description": description, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}}
    aws(region).client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))
