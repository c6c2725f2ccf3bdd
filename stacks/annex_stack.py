"""An annex of the spec file as a CloudFormation stack."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path

from aws_cdk import CfnOutput, CfnParameter, Duration, Environment, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from annex_constructs import Annex, ExecutionPoint, LeaseTerms, Pool, RoleSettings, StockImage
from annex_lease.forms import SHARED_NETWORK
from annex_lease.image_rules import family_of, parameter_of
from annex_lease.ownership import STACK_DESCRIPTION, stack_name
from annex_lease.terms import ANNEX_KEYS, EXECUTION_POINT_TIMES
from annex_spec import AnnexSpec, PoolSpec, image_warning, network_warning, read_script, root_warning
from stacks.base_stack import accept_redundant_dependencies, tag_resources
from stacks.network_stack import AnnexNetworkStack, imported_subnet, two_zones


class AnnexStack(Stack):
    """One annex: `cdk deploy Annex-<name>` launches it, `cdk destroy Annex-<name>` removes it.

    :param pool: the pool of the spec file.
    :param annex: one of its annexes.
    :param network: the stack of the network that it shares. Default: - none, it shares no network.
    :param directory: directory of the spec file: the annex's script is there or below it. Default: - the current one.
    :raises OSError: its script cannot be read.
    :raises ValueError: it shares a network, and there is no stack of one; or its script is none that could run.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        pool: PoolSpec,
        annex: AnnexSpec,
        network: AnnexNetworkStack | None = None,
        directory: Path = Path(),
    ) -> None:
        super().__init__(
            scope,
            stack_name(annex.name),
            description=f"{STACK_DESCRIPTION}{annex.name}: execution points under a lease",
            env=Environment(account=annex.account, region=annex.region),
            termination_protection=False,  # what costs money must be easy to remove
            # A fifth of the bytes of a template would be spaces.
            suppress_template_indentation=True,
        )
        vpc, subnets = self._network(annex, network)
        self._annex = Annex(
            self,
            "Annex",
            annex_name=annex.name,
            execution_point=self._execution_point(pool, annex, directory),
            instance_types=[ec2.InstanceType(name) for name in annex.instance_types],
            max_size=annex.size,
            lease=_lease(annex),
            protect_busy=annex.protect_busy,
            vpc=vpc,
            vpc_subnets=subnets,
            ipv6=annex.ipv6,
            on_demand_base=annex.on_demand_base,
            on_demand_percentage=annex.on_demand_percentage,
            credential_key=self._key("CredentialKey", annex.credential_key),
            alarm_topic=self._alarm_topic(annex),
            alarm_email=annex.alarm_email,
        )
        RoleSettings.apply(self, permissions_boundary=annex.permissions_boundary, role_path=annex.role_path)
        tag_resources(self, annex.tags)
        accept_redundant_dependencies(self)
        self._print_names()

    @property
    def annex(self) -> Annex:
        """The annex."""
        return self._annex

    @property
    def availability_zones(self) -> list[str]:
        """Two zones, named by CloudFormation at deployment: asking for their names at synthesis needs credentials."""
        return two_zones()

    def _network(
        self, annex: AnnexSpec, shared: AnnexNetworkStack | None
    ) -> tuple[ec2.IVpc | None, ec2.SubnetSelection | None]:
        """The shared network, or the one that the spec names, by its ids alone: a look-up needs credentials."""
        if annex.vpc is None:
            return None, None
        if annex.vpc == SHARED_NETWORK:
            if shared is None:
                raise ValueError(f"annex {annex.name} shares a network: pass the stack of it, see network_stacks")
            return shared.vpc, None
        vpc = ec2.Vpc.from_vpc_attributes(self, "Vpc", vpc_id=annex.vpc, availability_zones=self.availability_zones)
        subnets = [imported_subnet(self, f"Subnet{n}", each) for n, each in enumerate(annex.subnets, 1)]
        return vpc, ec2.SubnetSelection(subnets=subnets)

    def _execution_point(self, pool: PoolSpec, annex: AnnexSpec, directory: Path) -> ExecutionPoint:
        spans = [span for span in EXECUTION_POINT_TIMES if span in ANNEX_KEYS]
        return ExecutionPoint(
            pool=Pool(
                collector=pool.collector,
                trust_domain=pool.trust_domain,
                access_point_ports=pool.access_point_ports,
            ),
            machine_image=StockImage(annex.image) if family_of(annex.image) else self._image(annex),
            htcondor=annex.htcondor,
            components=annex.components,
            script=None if annex.script is None else read_script(directory, annex.script),
            htcondor_mirror=annex.htcondor_mirror,
            package_mirror=annex.package_mirror,
            volume_gib=annex.volume_gib,
            root_device=annex.root_device,
            volume_key=self._key("VolumeKey", annex.volume_key),
            dns_servers=annex.dns_servers,
            proxy=annex.proxy,
            opt_in=annex.opt_in,
            owners=annex.owners,
            groups=annex.groups,
            project_id=annex.project_id,
            start=annex.start,
            **{span.name: _duration(getattr(annex, span.name)) for span in spans},
        )

    def _image(self, annex: AnnexSpec) -> ec2.IMachineImage:
        """An image that is no stock image.

        CloudFormation reads a parameter at deployment, so all instances of one deployment boot one image.

        Without a version it reads the latest one; only a dynamic reference can name a version. A parameter that another
        account shares has an ARN in place of a name, which the CDK's L2 does not take (CloudFormation User Guide,
        "Specify existing resources at runtime with CloudFormation-supplied parameter types").
        """
        parameter = parameter_of(annex.image)
        if parameter is None:
            image = annex.image
        elif parameter.is_shared:
            shared = CfnParameter(
                self, "Image", type="AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", default=parameter.name
            )
            image = shared.value_as_string
        elif parameter.version is not None:
            image = ssm.StringParameter.value_for_string_parameter(self, parameter.name, parameter.version)
        else:
            return ec2.MachineImage.from_ssm_parameter(parameter.name, os=ec2.OperatingSystemType.LINUX)
        return ec2.MachineImage.generic_linux({annex.region: image})

    def _key(self, construct_id: str, arn: str | None) -> kms.IKey | None:
        return None if arn is None else kms.Key.from_key_arn(self, construct_id, arn)

    def _alarm_topic(self, annex: AnnexSpec) -> sns.ITopic | None:
        if annex.alarm_topic is None:
            return None
        return sns.Topic.from_topic_arn(self, "AlarmTopic", annex.alarm_topic)

    def _print_names(self) -> None:
        """Names and ids for AWS commands and for `Annex.from_annex_attributes`, and the end of the lease."""
        names = {
            "AnnexId": self._annex.annex_id,
            "AutoScalingGroup": self._annex.fleet.auto_scaling_group.auto_scaling_group_name,
            "Credential": self._annex.credential.secret_arn,
            "LeaseChecker": self._annex.checker.function.function_name,
        }
        for name, value in names.items():
            CfnOutput(self, name, value=value)
        found = "The end of the lease and what decided it, when the lease was last deployed"
        CfnOutput(self, "Lease", value=self._annex.checker.lease_found, description=found)


def warn(stacks: Mapping[str, Stack], annexes: Collection[AnnexSpec]) -> None:
    """Put the warnings about the quota of VPCs, and about the image, at the stacks of the annexes.

    A command of the CDK prints the warnings of the stacks that it is about, and how to acknowledge each. Of an end that
    has passed the constructs warn themselves.

    :param stacks: the stacks of the annexes by the annexes' names.
    :param annexes: the annexes of the spec file.
    """
    for annex in annexes:
        found = {
            "annex:vpcQuota": network_warning(annex, annexes),
            "annex:bareImage": image_warning(annex),
            "annex:rootDevice": root_warning(annex),
        }
        for name, warning in found.items():
            if warning is not None:
                Validations.of(stacks[annex.name]).add_warning(name, warning)


def _lease(annex: AnnexSpec) -> LeaseTerms:
    return LeaseTerms(
        duration=None if annex.lease is None else _duration(annex.lease),
        ends_at=annex.lease_ends_at,
        max_lifetime=_duration(annex.max_lifetime),
        grace=_duration(annex.grace),
        renew_while_busy=None if annex.renew_while_busy is None else _duration(annex.renew_while_busy),
        max_instance_hours=annex.max_instance_hours,
        warn_before_end=None if annex.warn_before_end is None else _duration(annex.warn_before_end),
    )


def _duration(value: timedelta) -> Duration:
    return Duration.seconds(int(value.total_seconds()))
