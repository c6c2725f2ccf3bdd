"""A whole annex in one construct."""

from collections.abc import Sequence

import jsii
from aws_cdk import Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs.alarm_topic import AlarmTopic
from annex_constructs.errors import invalid_value
from annex_constructs.fleet.annex_credential import AnnexCredential
from annex_constructs.fleet.annex_fleet import AnnexFleet
from annex_constructs.fleet.execution_point import ExecutionPoint
from annex_constructs.fleet.network import AnnexNetwork
from annex_constructs.identity import checked_annex_name
from annex_constructs.lease.lease_alarms import LeaseAlarms
from annex_constructs.lease.lease_checker import LeaseChecker
from annex_constructs.lease.lease_terms import LeaseTerms
from annex_lease.tags import TAG_ID, TAG_NAME


@jsii.implements(iam.IGrantable, ec2.IConnectable)
class Annex(Construct):
    """A leased fleet of EC2 instances that join an HTCondor pool as execution points: network, fleet, lease.

    Deploying it starts nothing until the pool's token is in its credential (`annex credential push`), destroying it
    leaves nothing. Permissions and connections of its instances are granted on the annex itself:
    `bucket.grant_read(annex)`.

    :param execution_point: what each instance is, and which pool it joins; its drain is shorter than the lease.
    :param instance_types: 1 to 40 types of one processor architecture, that of the image.
    :param max_size: most instances there can be, 1 to 10000.
    :param lease: until when the annex may exist. If it is renewed while busy, instances on which a job runs protect
        themselves from scale-in.
    :param size: how many instances the lease grants, 0 to `max_size`. Default: - `max_size`.
    :param annex_name: the annex's name: a-z, 0-9 and single inner hyphens, at most 32 characters, one of its kind in
        the account and Region. Default: - the construct's id in lower case.
    :param vpc: network of the instances. Default: - a new `AnnexNetwork`: public subnets, no NAT gateway.
    :param vpc_subnets: subnets of that VPC to use. Default: - as the CDK chooses: private ones if there are any.
    :param associate_public_ip_address: whether instances get a public IPv4 address. Default: - what the subnet says.
    :param on_demand_base: how many instances are on-demand before any is spot. Default: 0.
    :param on_demand_percentage: percentage of the others that is on-demand. Default: 0 - all of them are spot.
    :param alarm_topic: Amazon SNS topic of the same Region that is told when the lease is not enforced, and warned of
        its end; it must let CloudWatch publish. Default: - a new `AlarmTopic`.
    :param alarm_email: address to subscribe to the new topic; AWS asks it to confirm. Default: - nobody subscribes.
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
        associate_public_ip_address: bool | None = None,
        on_demand_base: float = 0,
        on_demand_percentage: float = 0,
        alarm_topic: sns.ITopic | None = None,
        alarm_email: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        name = checked_annex_name("Annex", construct_id, annex_name)
        if vpc is None and vpc_subnets is not None:
            allowed = "vpc_subnets only together with the vpc they are in"
            raise invalid_value("Annex vpc_subnets", received=vpc_subnets, allowed=allowed, fix="pass vpc too")
        topic = self._topic(name, alarm_topic, alarm_email)
        self._credential = AnnexCredential(self, "Credential")
        self._fleet = AnnexFleet(
            self,
            "Fleet",
            annex_name=name,
            vpc=vpc or AnnexNetwork(self, "Network").vpc,
            vpc_subnets=vpc_subnets,
            associate_public_ip_address=associate_public_ip_address,
            instance_types=instance_types,
            max_size=max_size,
            on_demand_base=on_demand_base,
            on_demand_percentage=on_demand_percentage,
            execution_point=execution_point,
            credential=self._credential,
            protect_busy=lease.renew_while_busy is not None,
        )
        self._checker = LeaseChecker(self, "LeaseChecker", fleet=self._fleet, lease=lease, size=size, topic=topic)
        self._alarms = LeaseAlarms(self, "Alarms", checker=self._checker, topic=topic)
        Tags.of(self).add(TAG_NAME, name)
        Tags.of(self).add(TAG_ID, self._fleet.annex_id)

    def _topic(self, name: str, topic: sns.ITopic | None, email: str | None) -> sns.ITopic:
        if topic is None:
            return AlarmTopic(self, "AlarmTopic", display_name=f"HTCondor annex {name}", email=email)
        if email is not None:
            raise invalid_value(
                "Annex alarm_topic, alarm_email",
                received="both of them",
                allowed="at most one of them",
                fix="subscribe the address to the topic, or pass alarm_email alone",
            )
        return topic

    @property
    def annex_name(self) -> str:
        """The annex's name."""
        return self._fleet.annex_name

    @property
    def fleet(self) -> AnnexFleet:
        """The instances."""
        return self._fleet

    @property
    def checker(self) -> LeaseChecker:
        """What grants the fleet its size and empties it when the lease ends."""
        return self._checker

    @property
    def alarms(self) -> LeaseAlarms:
        """What tells somebody that the lease is not enforced."""
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
        """Whom a grant to the annex is given to: the role of the instances."""
        return self._fleet.grant_principal

    @property
    def connections(self) -> ec2.Connections:
        """What the instances may connect to."""
        return self._fleet.connections
