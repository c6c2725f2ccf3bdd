"""A whole annex in one construct."""

from collections.abc import Sequence

import jsii
from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs import errors
from annex_constructs.alarm_topic import annex_sender, given_or_own_topic
from annex_constructs.annex_interface import IAnnex, ImportedAnnex
from annex_constructs.errors import Kind, check_form, check_kinds
from annex_constructs.fleet.annex_credential import AnnexCredential
from annex_constructs.fleet.annex_fleet import AnnexFleet
from annex_constructs.fleet.execution_point import ExecutionPoint
from annex_constructs.fleet.instance_permissions import busy_protection
from annex_constructs.fleet.network import given_or_own_network
from annex_constructs.identity import checked_annex_name, life_scope, tag_annex
from annex_constructs.lease.lease_alarms import LeaseAlarms
from annex_constructs.lease.lease_checker import LeaseChecker
from annex_constructs.lease.lease_terms import LeaseTerms
from annex_lease.forms import SECRET_ARN
from annex_lease.terms import IPV6, ON_DEMAND_BASE, ON_DEMAND_PERCENTAGE

_KINDS = {
    "execution_point": Kind("an ExecutionPoint", "ExecutionPoint(...)", ExecutionPoint),
    "lease": Kind("LeaseTerms", "LeaseTerms(duration=Duration.hours(8))", LeaseTerms),
    **{"vpc": errors.VPC, "vpc_subnets": errors.SUBNETS, "ipv6": errors.FLAG, "credential_key": errors.KEY},
    "protect_busy": errors.FLAG,
}
_ATTRIBUTES = ("annex_id", "auto_scaling_group_name", "credential_arn", "checker_name")


@jsii.implements(iam.IGrantable, ec2.IConnectable)
class Annex(IAnnex):
    """A leased fleet of EC2 instances that join an HTCondor pool as execution points: network, fleet, lease, alarms.

    Deploying it starts nothing until the pool's token is in its credential (`annex credential push`); destroying it
    leaves nothing. Permissions and connections of its instances are granted on the annex itself:
    `bucket.grant_read(annex)`. With another name or another VPC it is another annex: a deployment makes that, with a
    new lease and an empty credential, then ends the old one with all its instances and removes it. `AnnexFleet` says
    which other changes reach instances that run.

    Example, two instances for eight hours in a small VPC of their own::

        point = ExecutionPoint(pool=Pool(collector="cm.example.edu", trust_domain="example.edu"), machine_image=image)
        lease = LeaseTerms(duration=Duration.hours(8))
        Annex(stack, "Muon", execution_point=point, instance_types=types, max_size=2, lease=lease)

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param execution_point: what each instance is, and which pool it joins. Its `drain_before_end` is shorter than the
        lease.
    :param instance_types: 1 to 40 types of one processor architecture, that of the image.
    :param max_size: largest number of instances, 1 to 10000.
    :param lease: until when the annex may exist.
    :param size: how many instances the lease grants, 0 to `max_size`. Default: - `max_size`.
    :param annex_name: the annex's name: a-z, 0-9 and single inner hyphens, at most 32 characters, unique in the
        account and Region. Default: - the construct's id in lower case.
    :param vpc: network of the instances. Default: - a new `AnnexNetwork`: public subnets, no NAT gateway.
    :param vpc_subnets: subnets of that VPC to use. Default: - as the CDK chooses: private ones if there are any.
    :param ipv6: whether the new network is dual-stack. Default: False - it is if a collector is an IPv6 address.
    :param associate_public_ip_address: whether instances get a public IPv4 address. Default: - what the subnet says.
    :param on_demand_base: number of instances that are on-demand before any is spot. Default: 0.
    :param on_demand_percentage: percentage of the others that is on-demand. Default: 0 - all of them are spot.
    :param credential_key: KMS key of the annex's Region that encrypts the token, see `AnnexCredential`.
        Default: - the AWS managed key of Secrets Manager.
    :param role: role of the instances, any that EC2 can assume and to which the app can attach a policy; the annex
        attaches the policy that an execution point needs. Default: - a new role.
    :param alarm_topic: Amazon SNS topic of the same Region for alarms about the lease and the warning before its end;
        it must let CloudWatch publish. Default: - a new `AlarmTopic`.
    :param alarm_email: address to subscribe to the new topic; AWS asks it to confirm.
        Default: - no address is subscribed.
    :param protect_busy: whether instances protect themselves from scale-in while a job runs on them, see `AnnexFleet`.
        Default: - exactly if the lease is renewed while busy, which needs it.
    :raises ValueError: a value is not allowed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        execution_point: ExecutionPoint,
        instance_types: Sequence[ec2.InstanceType],
        max_size: float,
        lease: LeaseTerms,
        size: float | None = None,
        annex_name: str | None = None,
        vpc: ec2.IVpc | None = None,
        vpc_subnets: ec2.SubnetSelection | None = None,
        ipv6: bool = IPV6.default_value,
        associate_public_ip_address: bool | None = None,
        on_demand_base: float = ON_DEMAND_BASE.default_value,
        on_demand_percentage: float = ON_DEMAND_PERCENTAGE.default_value,
        credential_key: kms.IKey | None = None,
        role: iam.IRole | None = None,
        alarm_topic: sns.ITopic | None = None,
        alarm_email: str | None = None,
        protect_busy: bool | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        name = checked_annex_name("Annex", construct_id, annex_name)
        check_kinds("Annex", locals(), _KINDS, {"vpc", "vpc_subnets", "credential_key", "protect_busy"})
        topic = given_or_own_topic(
            self, "AlarmTopic", display_name=annex_sender(name), alarm_topic=alarm_topic, alarm_email=alarm_email
        )
        network = given_or_own_network(self, "Network", vpc, vpc_subnets, ipv6=ipv6 or execution_point.pool.needs_ipv6)
        self._credential = AnnexCredential(life_scope(self, name, network), "Credential", encryption_key=credential_key)
        self._fleet = AnnexFleet(
            self,
            "Fleet",
            annex_name=name,
            vpc=network,
            vpc_subnets=vpc_subnets,
            associate_public_ip_address=associate_public_ip_address,
            instance_types=instance_types,
            max_size=max_size,
            on_demand_base=on_demand_base,
            on_demand_percentage=on_demand_percentage,
            execution_point=execution_point,
            credential=self._credential,
            role=role,
            protect_busy=busy_protection(lease.renew_while_busy, protect_busy),
        )
        self._checker = LeaseChecker(self, "LeaseChecker", fleet=self._fleet, lease=lease, size=size, alarm_topic=topic)
        self._alarms = LeaseAlarms(self, "Alarms", checker=self._checker)
        tag_annex(self, name, self._fleet.annex_id)

    @staticmethod
    def from_annex_attributes(
        scope: Construct,
        construct_id: str,
        *,
        annex_name: str,
        annex_id: str,
        auto_scaling_group_name: str,
        credential_arn: str,
        checker_name: str,
    ) -> IAnnex:
        """An annex of another stack or app, in the account and Region of this stack: for grants and metrics.

        The stacks of this project's app have the attributes as outputs: `AnnexId`, `AutoScalingGroup`, `Credential`,
        `LeaseChecker`. Within one app, pass the `Annex` itself.

        :param scope: parent construct.
        :param construct_id: id in that scope.
        :param annex_name: the annex's name.
        :param annex_id: the annex's id, `<stack UUID>.<name>`.
        :param auto_scaling_group_name: name of the Auto Scaling group.
        :param credential_arn: ARN of the secret.
        :param checker_name: name of the lease checker's function.
        :raises ValueError: the name cannot be that of an annex, or the ARN that of a secret.
        """
        check_kinds("Annex", locals(), dict.fromkeys(_ATTRIBUTES, errors.TEXT), ())
        check_form("Annex credential_arn", credential_arn, SECRET_ARN)
        function = Stack.of(scope).format_arn(
            service="lambda",
            resource="function",
            resource_name=checker_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return ImportedAnnex(
            scope,
            construct_id,
            annex_name=checked_annex_name("Annex", construct_id, annex_name),
            annex_id=annex_id,
            auto_scaling_group_name=auto_scaling_group_name,
            credential_arn=credential_arn,
            checker_arn=function,
            checker_name=checker_name,
        )

    @property
    def annex_name(self) -> str:
        """The annex's name."""
        return self._fleet.annex_name

    @property
    def annex_id(self) -> str:
        """Unique id of the annex, `<stack UUID>.<name>`; also right in another stack of the app."""
        return self._checker.annex_id

    @property
    def auto_scaling_group_name(self) -> str:
        """Name of the Auto Scaling group."""
        return self._fleet.auto_scaling_group.auto_scaling_group_name

    @property
    def credential_arn(self) -> str:
        """ARN of the secret for the token by which the instances join."""
        return self._credential.secret_arn

    @property
    def credential_key(self) -> kms.IKey | None:
        """KMS key of the secret, if it is not the AWS managed one."""
        return self._credential.encryption_key

    @property
    def checker_arn(self) -> str:
        """ARN of the lease checker's function."""
        return self._checker.function.function_arn

    @property
    def checker_name(self) -> str:
        """Name of the lease checker's function."""
        return self._checker.checker_name

    @property
    def fleet(self) -> AnnexFleet:
        """The instances."""
        return self._fleet

    @property
    def checker(self) -> LeaseChecker:
        """The lease checker, which grants the fleet its size and empties it when the lease ends."""
        return self._checker

    @property
    def alarms(self) -> LeaseAlarms:
        """The alarm about a lease that is not enforced."""
        return self._alarms

    @property
    def credential(self) -> secretsmanager.ISecret:
        """The secret for the token by which the instances join."""
        return self._credential

    @property
    def vpc(self) -> ec2.IVpc:
        """Network of the instances."""
        return self._fleet.vpc

    @property
    def grant_principal(self) -> iam.IPrincipal:
        """Principal of a grant to the annex: the role of the instances."""
        return self._fleet.grant_principal

    @property
    def connections(self) -> ec2.Connections:
        """Connections of the instances."""
        return self._fleet.connections
