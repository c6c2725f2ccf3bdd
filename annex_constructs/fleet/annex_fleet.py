"""Instances of an annex: an Auto Scaling group without declared capacity."""

from collections.abc import Sequence

import jsii
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from annex_constructs import errors
from annex_constructs.declared_values import check_types
from annex_constructs.errors import Kind, check_kinds
from annex_constructs.fleet.annex_credential import AnnexCredential, only_of_one_fleet
from annex_constructs.fleet.boot_archive import boot_archive_asset
from annex_constructs.fleet.execution_point import ExecutionPoint
from annex_constructs.fleet.fleet_group import check_capacity, fleet_group, mixed_instances
from annex_constructs.fleet.instance_permissions import InstanceTrustValidation, attach_instance_policy, instance_role
from annex_constructs.fleet.launch_template import execution_point_template
from annex_constructs.fleet.multipart_user_data import ExecutionPointUserData, UserDataValidation
from annex_constructs.fleet.security_group import own_security_group
from annex_constructs.fleet.tag_validation import TagValidation
from annex_constructs.fleet.volume_key import let_auto_scaling_use
from annex_constructs.identity import annex_id, check_only_one, checked_annex_name, life_scope, tag_annex
from annex_lease.instance_rules import types_conflict
from annex_lease.ownership import instance_name
from annex_lease.terms import INSTANCE_TYPES, ON_DEMAND_BASE, ON_DEMAND_PERCENTAGE

_KINDS = {
    "vpc": errors.VPC,
    "execution_point": Kind("an ExecutionPoint", "ExecutionPoint(...)", ExecutionPoint),
    "credential": errors.SECRET,
    "vpc_subnets": errors.SUBNETS,
    "associate_public_ip_address": errors.FLAG,
    "security_group": errors.SECURITY_GROUP,
    "role": errors.ROLE,
    "protect_busy": errors.FLAG,
}
_OPTIONAL = _KINDS.keys() - {"vpc", "execution_point", "protect_busy"}


@jsii.implements(iam.IGrantable, ec2.IConnectable)
class AnnexFleet(Construct):
    """A fleet of execution points, of size zero until a `LeaseChecker` grants it more.

    The group's minimum is 0 and its desired capacity is not in the template. A changed launch template leaves running
    instances alone; the next ones use it. Permissions are granted to the fleet itself (`bucket.grant_read(fleet)`),
    connections are opened on `fleet.connections`, commands and parts are added to `fleet.user_data`.

    With another name or VPC it is another fleet: a deployment makes that and ends the old one. For other subnets or
    on-demand shares, AWS replaces running instances, with or without jobs, and terminates before it launches. For a
    smaller `max_size` it ends instances at once, except those that protect themselves.

    Example::

        fleet = AnnexFleet(
            stack,
            "Muon",
            vpc=vpc,
            instance_types=[ec2.InstanceType("c6a.large"), ec2.InstanceType("c6i.large")],
            max_size=20,
            execution_point=point,
        )
        LeaseChecker(stack, "Lease", fleet=fleet, lease=LeaseTerms(duration=Duration.hours(8)))

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param vpc: network of the instances.
    :param instance_types: 1 to 40 types of one processor architecture, that of the image; AWS chooses among them
        where spot capacity is cheap and unlikely to be interrupted.
    :param max_size: maximum number of instances, 1 to 10000.
    :param execution_point: properties of each instance.
    :param annex_name: the annex's name: a-z, 0-9 and single inner hyphens, at most 32 characters, unique in the
        account and Region. Default: - the construct's id in lower case.
    :param credential: secret of the annex's account and Region that holds the token with which the instances join. One
        that is imported, and encrypted with a key of its own, must be imported with that key
        (`Secret.from_secret_attributes(encryption_key=...)`), or the instances could not read it.
        Default: - a new empty one.
    :param vpc_subnets: subnets of the VPC. Default: - its private ones, or its public ones if it has no others.
    :param on_demand_base: number of instances that are on-demand before any is spot. Default: 0.
    :param on_demand_percentage: percentage of the others that is on-demand. Default: 0 - all of them are spot.
    :param associate_public_ip_address: whether instances get a public IPv4 address; an execution point needs one, or a
        NAT gateway, to reach the pool and AWS. Default: - as the subnet is set.
    :param security_group: security group of the instances. Default: - a new `AnnexSecurityGroup` for the pool.
    :param role: role of the instances, any that EC2 can assume. The fleet attaches a policy to it: read the credential
        (and decrypt it, if the secret has a key of its own), leave the group, protect itself while busy. A role to
        which the app cannot attach a policy (imported with `mutable=False`, or of another account) is refused.
        Default: - a new role.
    :param protect_busy: whether an instance protects itself from scale-in while a job runs on it: neither a smaller
        `max_size` nor a scheduled action ends it then. A lease that is renewed while busy needs it. Default: False.
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
        on_demand_base: float = ON_DEMAND_BASE.default_value,
        on_demand_percentage: float = ON_DEMAND_PERCENTAGE.default_value,
        associate_public_ip_address: bool | None = None,
        security_group: ec2.ISecurityGroup | None = None,
        role: iam.IRole | None = None,
        protect_busy: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        check_kinds("AnnexFleet", locals(), _KINDS, _OPTIONAL)
        self._annex_name = checked_annex_name("AnnexFleet", construct_id, annex_name)
        check_only_one(AnnexFleet, self, self._annex_name)
        check_capacity(max_size, on_demand_base, on_demand_percentage)
        check_types("AnnexFleet instance_types", instance_types, INSTANCE_TYPES, types_conflict)
        self._execution_point = execution_point
        self._protect_busy = protect_busy
        self._max_size = max_size
        self._vpc = vpc
        self._life = life_scope(self, self._annex_name, vpc)
        self._credential = only_of_one_fleet(credential or AnnexCredential(self._life, "Credential"))
        self._role = role or instance_role(self._life, "Role")
        self._security_group = security_group or own_security_group(self._life, "SecurityGroup", vpc, execution_point)
        self._archive = boot_archive_asset(self._life, "BootArchive", execution_point)
        self._launch_template = self._make_template(instance_types, associate_public_ip_address)
        instances = mixed_instances(self._launch_template, instance_types, on_demand_base, on_demand_percentage)
        self._group = fleet_group(
            self._life,
            "Group",
            name=instance_name(self._annex_name),
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            max_size=max_size,
            instances=instances,
        )
        self._allow_instances()
        let_auto_scaling_use(self, execution_point.volume_key)
        tag_annex(self, self._annex_name, self.annex_id)
        self._add_validations()

    def _make_template(
        self, instance_types: Sequence[ec2.InstanceType], associate_public_ip_address: bool | None
    ) -> ec2.LaunchTemplate:
        return execution_point_template(
            self._life,
            "LaunchTemplate",
            annex_name=self._annex_name,
            annex_id=self.annex_id,
            execution_point=self._execution_point,
            instance_types=instance_types,
            credential=self._credential,
            role=self._role,
            security_group=self._security_group,
            associate_public_ip_address=associate_public_ip_address,
            protect_busy=self._protect_busy,
            archive=self._archive,
        )

    def _allow_instances(self) -> None:
        attach_instance_policy(
            self._life,
            "InstancePolicy",
            role=self._role,
            credential=self._credential,
            group=self._group,
            protect_busy=self._protect_busy,
            others=[self._archive.permission],
        )

    def _add_validations(self) -> None:
        """Checks of what can still change after the fleet was made."""
        self.node.add_validation(InstanceTrustValidation(self, self._role))
        self.node.add_validation(TagValidation(self, self._group, self._launch_template, self._annex_name))
        self.node.add_validation(UserDataValidation(self, self.user_data))

    @property
    def annex_name(self) -> str:
        """The annex's name."""
        return self._annex_name

    @property
    def annex_id(self) -> str:
        """Unique id of this annex: the stack's UUID, a dot and the name."""
        return annex_id(self._annex_name)

    @property
    def execution_point(self) -> ExecutionPoint:
        """Properties of each instance."""
        return self._execution_point

    @property
    def protect_busy(self) -> bool:
        """True if an instance protects itself from scale-in while a job runs on it."""
        return self._protect_busy

    @property
    def max_size(self) -> float:
        """Maximum number of instances."""
        return self._max_size

    @property
    def vpc(self) -> ec2.IVpc:
        """Network of the instances."""
        return self._vpc

    @property
    def auto_scaling_group(self) -> autoscaling.AutoScalingGroup:
        """The Auto Scaling group."""
        return self._group

    @property
    def launch_template(self) -> ec2.LaunchTemplate:
        """Launch template of new instances."""
        return self._launch_template

    @property
    def user_data(self) -> ExecutionPointUserData:
        """User data of new instances, to which an app can add parts and commands."""
        user_data = self._launch_template.user_data
        assert isinstance(user_data, ExecutionPointUserData)  # noqa: S101 - what the template was made with
        return user_data

    @property
    def credential(self) -> secretsmanager.ISecret:
        """The secret that holds the token with which the instances join."""
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
        """The principal of a grant to the fleet: the role of the instances."""
        return self._role

    @property
    def connections(self) -> ec2.Connections:
        """Network connections of the instances."""
        return self._launch_template.connections
