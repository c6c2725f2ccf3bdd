"""Auto Scaling group of a fleet: its capacity and its instance types."""

from collections.abc import Sequence

from aws_cdk import Tags, Token
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from annex_constructs.errors import check_whole_number
from annex_constructs.nag import acknowledge
from annex_lease.terms import ON_DEMAND_BASE, ON_DEMAND_PERCENTAGE, SIZE


def mixed_instances(
    launch_template: ec2.LaunchTemplate,
    instance_types: Sequence[ec2.InstanceType],
    on_demand_base: float,
    on_demand_percentage: float,
) -> autoscaling.MixedInstancesPolicy:
    """The instances of a fleet: any of its types, spot above the on-demand share.

    :param launch_template: launch template of the instances.
    :param instance_types: types that AWS may choose among.
    :param on_demand_base: number of instances that are on-demand before any is spot.
    :param on_demand_percentage: percentage of the others that is on-demand.
    """
    return autoscaling.MixedInstancesPolicy(
        launch_template=launch_template,
        launch_template_overrides=[autoscaling.LaunchTemplateOverrides(instance_type=each) for each in instance_types],
        instances_distribution=autoscaling.InstancesDistribution(
            on_demand_base_capacity=on_demand_base,
            on_demand_percentage_above_base_capacity=on_demand_percentage,
            spot_allocation_strategy=autoscaling.SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
        ),
    )


def fleet_group(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    vpc: ec2.IVpc,
    vpc_subnets: ec2.SubnetSelection | None,
    max_size: float,
    instances: autoscaling.MixedInstancesPolicy,
) -> autoscaling.AutoScalingGroup:
    """The Auto Scaling group of a fleet, with minimum 0 and no desired capacity.

    :param scope: the fleet.
    :param construct_id: id in that scope.
    :param name: value of the tag `Name` of the instances.
    :param vpc: network of the instances.
    :param vpc_subnets: subnets of the VPC; None: as the CDK selects them.
    :param max_size: maximum number of instances.
    :param instances: the instances.
    """
    group = autoscaling.AutoScalingGroup(
        scope,
        construct_id,
        vpc=vpc,
        vpc_subnets=vpc_subnets,
        min_capacity=0,
        max_capacity=max_size,
        mixed_instances_policy=instances,
        # Rebalancing exceeds the maximum, and replaces instances that AWS may never interrupt: their jobs would be lost
        # without need.
        capacity_rebalance=False,
        # While AWS replaces instances, "your Auto Scaling group can only increase and decrease capacity within that
        # minimum-maximum range" (EC2 Auto Scaling User Guide, "Instance maintenance policies"): never above desired,
        # also in an account whose default is to launch before it terminates.
        min_healthy_percentage=0,
        max_healthy_percentage=100,
        health_checks=autoscaling.HealthChecks.ec2(),
        new_instances_protected_from_scale_in=False,
    )
    # The way out of the network is removed after the group: EC2 refuses to detach an Internet gateway from a VPC in
    # which an instance has a public address, and an execution point that retires needs its routes (CloudFormation,
    # property VPCZoneIdentifier of AWS::AutoScaling::AutoScalingGroup). A VPC without resources adds nothing.
    group.node.add_dependency(vpc)
    Tags.of(group).add("Name", name)
    _acknowledge(group)
    return group


def _acknowledge(group: autoscaling.AutoScalingGroup) -> None:
    acknowledge(
        group,
        "AwsSolutions-AS3",
        "The lease checker reads the group every minute; notifications would add a topic without readers.",
    )
    acknowledge(
        group,
        "AwsSolutions-EC26",
        "The launch template encrypts the volume; the rule fails on a group with a mixed instances policy.",
    )


def check_capacity(max_size: float, on_demand_base: float, on_demand_percentage: float) -> None:
    """Refuse numbers of instances that a fleet cannot have.

    :param max_size: maximum number of instances.
    :param on_demand_base: number of instances that are on-demand before any is spot.
    :param on_demand_percentage: percentage of the others that is on-demand.
    :raises ValueError: a number is not allowed.
    """
    check_whole_number("AnnexFleet max_size", max_size, SIZE)
    maximum = SIZE.maximum if Token.is_unresolved(max_size) else int(max_size)
    check_whole_number("AnnexFleet on_demand_base", on_demand_base, ON_DEMAND_BASE, maximum=maximum)
    check_whole_number("AnnexFleet on_demand_percentage", on_demand_percentage, ON_DEMAND_PERCENTAGE)
