"""Calls of a lease's end and of a sweep, decided by IAM on the Service Authorization Reference's resources and keys.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import IMAGE, Group, Network
from .driving import Cloud
from .test_authorisation import ACCOUNT, acting, denied, group_arn

__all__ = ["acting"]

Make = Callable[..., Group]
Acting = Callable[[list[dict[str, Any]]], Callable[[str], Any]]
OWN, OTHER = "u1.pa", "u2.pa"


def on_annex(action: str, resource: str, key: str, value: str = OWN) -> dict[str, Any]:
    return {"Action": action, "Resource": resource, "Condition": {"StringEquals": {f"{key}/annex:id": value}}}


def tags(value: str) -> list[dict[str, str]]:
    return [{"Key": "annex:id", "Value": value}]


def test_stopping_calls_are_for_the_own_group(group: Make, acting: Acting) -> None:
    own, other = group(MaxSize=1), group(MaxSize=1)
    actions = ["autoscaling:DeleteWarmPool", "autoscaling:ResumeProcesses"]
    client = acting([{"Action": actions, "Resource": group_arn(own)}])("autoscaling")
    for one in (own, other):
        one.call("put_warm_pool", MaxGroupPreparedCapacity=0)
    client.resume_processes(AutoScalingGroupName=own.name, ScalingProcesses=["Terminate"])
    client.delete_warm_pool(AutoScalingGroupName=own.name, ForceDelete=True)
    denied(client.resume_processes, AutoScalingGroupName=other.name, ScalingProcesses=["Terminate"])
    denied(client.delete_warm_pool, AutoScalingGroupName=other.name, ForceDelete=True)
    denied(client.put_warm_pool, AutoScalingGroupName=own.name)
    denied(client.describe_warm_pool, AutoScalingGroupName=own.name)


def test_a_detached_instance_is_terminated_by_the_annex_s_id(group: Make, acting: Acting) -> None:
    instances = f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/*"
    made = [group(Tags=[{**tags(one)[0], "PropagateAtLaunch": True}]) for one in (OWN, OTHER)]
    by_group = {"StringEquals": {"ec2:ResourceTag/aws:autoscaling:groupName": made[0].name}}
    action = "ec2:TerminateInstances"
    only_group = acting([{"Action": action, "Resource": instances, "Condition": by_group}])("ec2")
    by_id = acting([on_annex(action, instances, "ec2:ResourceTag")])("ec2")
    [own], [other] = made[0].desire(1), made[1].desire(1)
    made[0].call("detach_instances", InstanceIds=[own], ShouldDecrementDesiredCapacity=True)
    denied(only_group.terminate_instances, InstanceIds=[own])
    denied(by_id.terminate_instances, InstanceIds=[other])
    denied(by_id.terminate_instances, InstanceIds=[own, other])
    by_id.terminate_instances(InstanceIds=[own])
    assert made[1].ids() == [other]


def test_tags_of_groups_are_authorised_by_key(group: Make, acting: Acting) -> None:
    own = group()
    keys = {"ForAllValues:StringEquals": {"aws:TagKeys": ["annex:lease-end"]}}
    statement = {"Action": "autoscaling:CreateOrUpdateTags", "Resource": group_arn(own), "Condition": keys}
    client = acting([statement])("autoscaling")

    def tag(key: str) -> dict[str, Any]:
        base = {"ResourceId": own.name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
        return {**base, "Key": key, "Value": "1"}

    client.create_or_update_tags(Tags=[tag("annex:lease-end")])
    denied(client.create_or_update_tags, Tags=[tag("annex:size")])
    denied(client.create_or_update_tags, Tags=[tag("annex:lease-end"), tag("annex:size")])


def test_sizes_are_authorised_by_the_request_and_not_by_the_group(group: Make, acting: Acting) -> None:
    own = group(MaxSize=4)
    condition = {"Null": {"autoscaling:MaxSize": "true"}, "NumericEqualsIfExists": {"autoscaling:MinSize": "0"}}
    statement = {"Action": "autoscaling:UpdateAutoScalingGroup", "Resource": group_arn(own), "Condition": condition}
    update = acting([statement])("autoscaling").update_auto_scaling_group
    update(AutoScalingGroupName=own.name, DesiredCapacity=0)
    update(AutoScalingGroupName=own.name, MinSize=0, DesiredCapacity=0)
    denied(update, AutoScalingGroupName=own.name, MaxSize=4)
    denied(update, AutoScalingGroupName=own.name, MaxSize=0)
    denied(update, AutoScalingGroupName=own.name, MinSize=1)
    assert own.show()["MaxSize"] == 4


def test_scheduled_actions_are_for_the_own_group(group: Make, acting: Acting) -> None:
    own, other = group(), group()
    actions = ["autoscaling:PutScheduledUpdateGroupAction", "autoscaling:DeleteScheduledAction"]
    condition = {"NumericEquals": {"autoscaling:MinSize": "0"}}
    client = acting([{"Action": actions[0], "Resource": group_arn(own), "Condition": condition}])("autoscaling")
    start = datetime.now(UTC) + timedelta(seconds=own.cloud.offset + 3600)
    end = {"ScheduledActionName": "end", "StartTime": start}
    client.put_scheduled_update_group_action(AutoScalingGroupName=own.name, MinSize=0, DesiredCapacity=0, **end)
    for name, least in ((own.name, 1), (other.name, 0)):
        denied(client.put_scheduled_update_group_action, AutoScalingGroupName=name, MinSize=least, **end)
    denied(client.delete_scheduled_action, AutoScalingGroupName=own.name, ScheduledActionName="end")
    denied(client.describe_scheduled_actions, AutoScalingGroupName=own.name)
    acting([{"Action": actions[1], "Resource": group_arn(own)}])("autoscaling").delete_scheduled_action(
        AutoScalingGroupName=own.name, ScheduledActionName="end"
    )


def test_volumes_and_interfaces_are_deleted_by_their_tags(cloud: Cloud, network: Network, acting: Acting) -> None:
    ec2 = cloud.client("ec2")
    anything = f"arn:aws:ec2:us-east-1:{ACCOUNT}"
    allowed = {"Null": {"aws:ResourceTag/annex:id": "false"}}
    deletions = [("ec2:DeleteVolume", "volume"), ("ec2:DeleteNetworkInterface", "network-interface")]
    client = acting(
        [{"Action": one, "Resource": f"{anything}:{kind}/*", "Condition": allowed} for one, kind in deletions]
    )("ec2")

    def volume(*given: dict[str, str]) -> str:
        specification = [{"ResourceType": "volume", "Tags": list(given)}] if given else []
        made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=specification)
        return str(made["VolumeId"])

    def interface(*given: dict[str, str]) -> str:
        specification = [{"ResourceType": "network-interface", "Tags": list(given)}] if given else []
        made = ec2.create_network_interface(SubnetId=network.subnets[0], TagSpecifications=specification)
        return str(made["NetworkInterface"]["NetworkInterfaceId"])

    client.delete_volume(VolumeId=volume(*tags(OWN)))
    client.delete_network_interface(NetworkInterfaceId=interface(*tags(OWN)))
    foreign = volume(), interface()
    denied(client.delete_volume, VolumeId=foreign[0])
    denied(client.delete_network_interface, NetworkInterfaceId=foreign[1])
    ec2.delete_volume(VolumeId=foreign[0])
    ec2.delete_network_interface(NetworkInterfaceId=foreign[1])


@pytest.mark.parametrize("key", ["aws:ResourceTag", "secretsmanager:ResourceTag"])
def test_secrets_are_deleted_and_tagged_by_their_tags(cloud: Cloud, acting: Acting, key: str) -> None:
    manager = cloud.client("secretsmanager")
    own, other = (
        manager.create_secret(Name=f"{key[:3]}-{one}", SecretString="s", Tags=tags(one))["ARN"] for one in (OWN, OTHER)
    )
    tagging = on_annex("secretsmanager:TagResource", "*", key)
    tagging["Condition"]["ForAllValues:StringEquals"] = {"aws:TagKeys": ["annex:orphan"]}
    client = acting([on_annex("secretsmanager:DeleteSecret", "*", key), tagging])("secretsmanager")
    mark = [{"Key": "annex:orphan", "Value": "1"}]
    client.tag_resource(SecretId=own, Tags=mark)
    denied(client.tag_resource, SecretId=other, Tags=mark)
    denied(client.tag_resource, SecretId=own, Tags=[{"Key": "annex:id", "Value": OTHER}])
    denied(client.delete_secret, SecretId=other)
    client.delete_secret(SecretId=own)
    denied(client.restore_secret, SecretId=own)
    manager.delete_secret(SecretId=other, ForceDeleteWithoutRecovery=True)


def test_topics_and_queues_are_sent_to_by_their_arn(cloud: Cloud, acting: Acting) -> None:
    sns, sqs = cloud.client("sns"), cloud.client("sqs")
    topics = [sns.create_topic(Name=name)["TopicArn"] for name in ("own-topic", "other-topic")]
    queues = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("own-queue", "other-queue")]
    arn = sqs.get_queue_attributes(QueueUrl=queues[0], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    to_topic, to_queue = (
        {"Action": "sns:Publish", "Resource": topics[0]},
        {"Action": "sqs:SendMessage", "Resource": arn},
    )
    client = acting([to_topic, to_queue])
    client("sns").publish(TopicArn=topics[0], Message="m")
    denied(client("sns").publish, TopicArn=topics[1], Message="m")
    client("sqs").send_message(QueueUrl=queues[0], MessageBody="m")
    denied(client("sqs").send_message, QueueUrl=queues[1], MessageBody="m")
    denied(client("sqs").receive_message, QueueUrl=queues[0])
    for topic, queue in zip(topics, queues, strict=True):
        sns.delete_topic(TopicArn=topic)
        sqs.delete_queue(QueueUrl=queue)


def test_log_groups_are_deleted_and_tagged_by_name_and_tags(cloud: Cloud, acting: Acting) -> None:
    logs = cloud.client("logs")
    for name, owner in (("own-log", OWN), ("other-log", OTHER)):
        logs.create_log_group(logGroupName=name, tags={"annex:id": owner})
    arns = {name: f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}" for name in ("own-log", "other-log")}
    # With ":*" for all actions but those on tags:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    anything = arns["own-log"].replace("own-log", "*")
    deletion = on_annex("logs:DeleteLogGroup", f"{anything}:*", "aws:ResourceTag")
    client = acting([deletion, on_annex("logs:TagResource", anything, "aws:ResourceTag")])("logs")
    client.tag_resource(resourceArn=arns["own-log"], tags={"annex:orphan": "1"})
    denied(client.tag_resource, resourceArn=arns["other-log"], tags={"annex:orphan": "1"})
    denied(client.describe_log_groups)
    denied(client.delete_log_group, logGroupName="other-log")
    client.delete_log_group(logGroupName="own-log")
    logs.delete_log_group(logGroupName="other-log")


def test_launching_with_tags_is_authorised_for_everything_that_is_tagged(
    cloud: Cloud, network: Network, acting: Acting
) -> None:
    launch = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "SubnetId": network.subnets[0]}
    both = [{"ResourceType": kind, "Tags": tags(OWN)} for kind in ("instance", "volume")]
    run = {"Action": "ec2:RunInstances", "Resource": "*"}
    tagging = {"Action": "ec2:CreateTags", "Resource": f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/*"}
    some, all_of_it = acting([run, tagging])("ec2"), acting([run, {**tagging, "Resource": "*"}])("ec2")
    denied(some.run_instances, **launch, TagSpecifications=both)
    [made] = all_of_it.run_instances(**launch, TagSpecifications=both)["Instances"]
    cloud.client("ec2").terminate_instances(InstanceIds=[made["InstanceId"]])


def test_termination_protection_is_authorised_by_instance(cloud: Cloud, group: Make, acting: Acting) -> None:
    made = [group(Tags=[{**tags(one)[0], "PropagateAtLaunch": True}]) for one in (OWN, OTHER)]
    [own], [other] = made[0].desire(1), made[1].desire(1)
    client = acting([on_annex("ec2:ModifyInstanceAttribute", "*", "ec2:ResourceTag")])("ec2")
    client.modify_instance_attribute(InstanceId=own, DisableApiTermination={"Value": False})
    denied(client.modify_instance_attribute, InstanceId=other, DisableApiTermination={"Value": False})
    with pytest.raises(ClientError):
        client.modify_instance_attribute(InstanceId="i-00000000000000001", DisableApiTermination={"Value": False})
