"""The instances of an annex: an Auto Scaling group that starts nothing by itself."""

from collections.abc import Sequence

import jsii
from aws_cdk import Tags
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from annex_constructs.errors import invalid_value
from annex_constructs.fleet.annex_credential import AnnexCredential
from annex_constructs.fleet.execution_point import ExecutionPoint
from annex_constructs.fleet.fleet_checks import check_capacity, check_types
from annex_constructs.fleet.instance_role import AnnexInstanceRole, busy_policy, retirement_policy
from annex_constructs.fleet.launch_template import execution_point_template
from annex_constructs.fleet.security_group import AnnexSecurityGroup
from annex_constructs.fleet.tag_keys import TagKeyValidation
from annex_constructs.identity import annex_id, check_only_one, checked_annex_name
from annex_constructs.nag import acknowledge
from annex_lease.tags import TAG_ID, TAG_NAME, Tag


@jsii.implements(iam.IGrantable, ec2.IConnectable)
class AnnexFleet(Construct):
    """A fleet of execution points, of size zero until a `LeaseChecker` grants it more.

    The group's minimum is 0 and its desired capacity is not in the template: no deployment starts or stops an
    instance, and one that changes the launch template leaves running instances alone; the next ones use it.
    Permissions are granted to the fleet itself (`bucket.grant_read(fleet)`), connections are opened on
    `fleet.connections`.

    :param vpc: network of the instances.
    :param instance_types: 1 to 40 types of one processor architecture, that of the image; AWS chooses among them
        where spot capacity is cheap and unlikely to be taken back.
    :param max_size: most instances there can be, 1 to 10000.
    :param execution_point: what each instance is.
    :param annex_name: the annex's name: a-z, 0-9 and single inner hyphens, at most 32 characters, one of its kind in
        the account and Region. Default: - the construct's id in lower case.
    :param credential: secret that holds the token by which the instances join. Default: - a new empty one.
    :param vpc_subnets: subnets of the VPC to use. Default: - its private subnets, or its public ones if it has no
        others.
    :param on_demand_base: how many instances are on-demand before any is spot. Default: 0.
    :param on_demand_percentage: percentage of the others that is on-demand. Default: 0 - all of them are spot.
    :param associate_public_ip_address: whether instances get a public IPv4 address; an execution point needs one, or a
        NAT gateway, to reach the pool and AWS. Default: - what the subnet says.
    :param security_group: security group of the instances. Default: - a new `AnnexSecurityGroup` for the pool.
    :param role: role of the instances. Default: - a new `AnnexInstanceRole` for the credential.
    :param protect_busy: whether an instance protects itself from scale-in while a job runs on it: a lease that is to be
        renewed while busy needs it. Default: False.
    :raises ValueError: a value is not allowed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        instance_types: Sequence[ec2.InstanceType],
        max_size: float,
        execution_point: ExecutionPoint,
        annex_name: str | None = None,
        credential: secretsmanager.ISecret | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        on_demand_base: float = 0,
        on_demand_percentage: float = 0,
        associate_public_ip_address: bool | None = None,
        security_group: ec2.ISecurityGroup | None = None,
        role: AnnexInstanceRole | None = None,
        protect_busy: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self._annex_name = checked_annex_name("AnnexFleet", construct_id, annex_name)
        check_only_one(AnnexFleet, self, self._annex_name)
        check_capacity(max_size, on_demand_base, on_demand_percentage)
        check_types(instance_types)
        self._declared = False
        self._execution_point = execution_point
        self._protect_busy = protect_busy
        self._max_size = max_size
        self._vpc = vpc
        self._credential = credential or AnnexCredential(self, "Credential")
        self._role = role or AnnexInstanceRole(self, "Role", credential=self._credential)
        self._security_group = security_group or AnnexSecurityGroup(
            self, "SecurityGroup", vpc=vpc, pool=execution_point.pool
        )
        self._launch_template = self._make_template(instance_types[0], associate_public_ip_address)
        distribution = autoscaling.InstancesDistribution(
            on_demand_base_capacity=on_demand_base,
            on_demand_percentage_above_base_capacity=on_demand_percentage,
            spot_allocation_strategy=autoscaling.SpotAllocationStrategy.PRICE_CAPACITY_OPTIMIZED,
        )
        self._group = self._make_group(instance_types, distribution, vpc_subnets)
        retirement_policy(self, "Retirement", role=self._role, group=self._group)
        if protect_busy:
            busy_policy(self, "Busy", role=self._role, group=self._group)
        Tags.of(self).add(TAG_NAME, self._annex_name)
        Tags.of(self).add(TAG_ID, self.annex_id)
        self.node.add_validation(TagKeyValidation(self, self._group, self._launch_template))

    def _make_template(
        self, instance_type: ec2.InstanceType, associate_public_ip_address: bool | None
    ) -> ec2.LaunchTemplate:
        return execution_point_template(
            self,
            "LaunchTemplate",
            annex_name=self._annex_name,
            annex_id=self.annex_id,
            execution_point=self._execution_point,
            instance_type=instance_type,
            credential=self._credential,
            role=self._role,
            security_group=self._security_group,
            associate_public_ip_address=associate_public_ip_address,
            protect_busy=self._protect_busy,
        )

    def _make_group(
        self,
        instance_types: Sequence[ec2.InstanceType],
        distribution: autoscaling.InstancesDistribution,
        vpc_subnets: ec2.SubnetSelection | None,
    ) -> autoscaling.AutoScalingGroup:
        group = autoscaling.AutoScalingGroup(
            self,
            "Group",
            vpc=self._vpc,
            vpc_subnets=vpc_subnets,
            min_capacity=0,
            max_capacity=self._max_size,
            mixed_instances_policy=autoscaling.MixedInstancesPolicy(
                launch_template=self._launch_template,
                launch_template_overrides=[
                    autoscaling.LaunchTemplateOverrides(instance_type=each) for each in instance_types
                ],
                instances_distribution=distribution,
            ),
            # It would exceed the maximum, and replace instances that AWS only may take back: their jobs would be lost
            # for nothing.
            capacity_rebalance=False,
            health_checks=autoscaling.HealthChecks.ec2(),
            new_instances_protected_from_scale_in=False,
        )
        Tags.of(group).add("Name", f"annex-{self._annex_name}")
        acknowledge(
            group,
            "AwsSolutions-AS3",
            "The lease checker reads the group every minute; notifications would add a topic that nobody reads.",
        )
        acknowledge(
            group,
            "AwsSolutions-EC26",
            "The launch template encrypts the volume; the rule fails on a group with a mixed instances policy.",
        )
        return group

    def declare_lease(self, tags: Sequence[Tag]) -> None:
        """Write a lease on the group, as its record. `LeaseChecker` does this; nobody else need.

        :param tags: what the contract between template and lease checker wants declared.
        :raises ValueError: the fleet has a lease already.
        """
        if self._declared:
            raise invalid_value(
                "LeaseChecker fleet",
                received=f"{self.node.path}, which has a lease already",
                allowed="a fleet without a lease: two checkers would undo each other's work",
                fix="make one LeaseChecker for each fleet",
            )
        self._declared = True
        for tag in tags:
            Tags.of(self._group).add(tag.key, tag.value, apply_to_launched_instances=tag.propagate)

    @property
    def annex_name(self) -> str:
        """The annex's name."""
        return self._annex_name

    @property
    def annex_id(self) -> str:
        """What no other annex has, be it of the same name in another stack: the stack's UUID, a dot and the name."""
        return annex_id(self._annex_name)

    @property
    def execution_point(self) -> ExecutionPoint:
        """What each instance is."""
        return self._execution_point

    @property
    def protect_busy(self) -> bool:
        """Whether an instance protects itself from scale-in while a job runs on it."""
        return self._protect_busy

    @property
    def max_size(self) -> float:
        """Most instances there can be."""
        return self._max_size

    @property
    def vpc(self) -> ec2.IVpc:
        """Network of the instances."""
        return self._vpc

    @property
    def auto_scaling_group(self) -> autoscaling.AutoScalingGroup:
        """The group."""
        return self._group

    @property
    def launch_template(self) -> ec2.LaunchTemplate:
        """What new instances are made from."""
        return self._launch_template

    @property
    def credential(self) -> secretsmanager.ISecret:
        """The secret that holds the token by which the instances join."""
        return self._credential

    @property
    def role(self) -> iam.IRole:
        """Role of the instances."""
        return self._role

    @property
    def security_group(self) -> ec2.ISecurityGroup:
        """Security group of the instances."""
        return self._security_group

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """Whom a grant to the fleet is given to: the role of the instances."""
        return self._role

    @property
    def connections(self) -> ec2.Connections:
        """What the instances may connect to."""
        return self._launch_template.connections
