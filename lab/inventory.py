"""All resources of the lab's account. The difference of two inventories is what an annex left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast

import boto3

GONE = {"terminated"}
LISTINGS: list[tuple[str, str, str, str]] = [
    ("cloudformation", "describe_stacks", "Stacks", "StackName"),
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    ("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    ("ec2", "describe_volumes", "Volumes", "VolumeId"),
    ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    ("ec2", "describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("ec2", "describe_addresses", "Addresses", "AllocationId"),
    ("ec2", "describe_snapshots", "Snapshots", "SnapshotId"),
    ("ec2", "describe_key_pairs", "KeyPairs", "KeyName"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("scheduler", "list_schedules", "Schedules", "Arn"),
    ("scheduler", "list_schedule_groups", "ScheduleGroups", "Arn"),
    ("secretsmanager", "list_secrets", "SecretList", "ARN"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    ("iam", "list_users", "Users", "UserName"),
    ("ssm", "describe_parameters", "Parameters", "Name"),
    ("events", "list_rules", "Rules", "Arn"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    ("sqs", "list_queues", "QueueUrls", ""),
]


def everything() -> set[str]:
    """Names of all resources of the account in the default region, with the instances that are billed."""
    found = {f"{service}/{kind}/{name}" for service, call, kind, key in LISTINGS for name in
             _names(_client(service), call, kind, key)}  # fmt: skip
    return found | instances() | managed_policies()


def managed_policies() -> set[str]:
    """Names of the account's own managed policies, without those of AWS."""
    found = _client("iam").get_paginator("list_policies").paginate(Scope="Local")
    return {f"iam/Policies/{policy['Arn']}" for page in found for policy in page["Policies"]}


def instances() -> set[str]:
    """Names of the instances that are not terminated."""
    reservations = _pages(_client("ec2"), "describe_instances", "Reservations")
    alive = (i for reservation in reservations for i in reservation["Instances"] if i["State"]["Name"] not in GONE)
    return {f"ec2/Instances/{instance['InstanceId']}" for instance in alive}


@cache
def _client(service: str) -> Any:
    # Made once: the demonstration asks again and again, and to make a client takes longer than to ask.
    return cast(Callable[[str], Any], boto3.client)(service)  # the stubs know each service by its literal name only


def _names(client: Any, call: str, kind: str, key: str) -> Iterator[str]:
    for item in _pages(client, call, kind):
        yield item[key] if key else item


def _pages(client: Any, call: str, kind: str) -> Iterator[Any]:
    if client.can_paginate(call):
        for page in client.get_paginator(call).paginate():
            yield from page.get(kind, [])
    else:
        yield from getattr(client, call)().get(kind, [])
