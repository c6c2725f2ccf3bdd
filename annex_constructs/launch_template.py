"""What an instance of an annex is made from."""

from aws_cdk import Stack, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from annex_constructs.execution_point import ExecutionPoint
from annex_constructs.instance_role import AnnexInstanceRole
from annex_constructs.user_data import EpSettings, render_user_data


def execution_point_template(
    scope: Construct,
    construct_id: str,
    *,
    annex_name: str,
    execution_point: ExecutionPoint,
    instance_type: ec2.InstanceType,
    credential: secretsmanager.ISecret,
    role: AnnexInstanceRole,
    security_group: ec2.ISecurityGroup,
    associate_public_ip_address: bool | None,
) -> ec2.LaunchTemplate:
    """The launch template of an execution point.

    Version 2 of the metadata service only, one network hop away and over IPv4 only, with the instance's tags in it:
    the execution point reads its lease there. An instance that shuts down is terminated, so that one which switches
    itself off is not billed as a stopped one. No key pair.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param annex_name: the annex's name.
    :param execution_point: what the instance is.
    :param instance_type: type of an instance launched from the template alone; the group overrides it.
    :param credential: secret that holds the token by which the instance joins.
    :param role: role of the instance.
    :param security_group: security group of the instance.
    :param associate_public_ip_address: whether it gets a public IPv4 address; None is what the subnet says.
    """
    template = ec2.LaunchTemplate(
        scope,
        construct_id,
        machine_image=execution_point.machine_image,
        instance_type=instance_type,
        role=role,
        security_group=security_group,
        associate_public_ip_address=associate_public_ip_address,
        user_data=ec2.UserData.custom(_user_data(scope, annex_name, execution_point, credential)),
        block_devices=[_root_device(execution_point)],
        instance_initiated_shutdown_behavior=ec2.InstanceInitiatedShutdownBehavior.TERMINATE,
        require_imdsv2=True,
        http_endpoint=True,
        http_put_response_hop_limit=1,
        http_protocol_ipv6=False,
        instance_metadata_tags=True,
        detailed_monitoring=False,
    )
    Tags.of(template).add("Name", f"annex-{annex_name}")
    return template


def _root_device(execution_point: ExecutionPoint) -> ec2.BlockDevice:
    volume = ec2.BlockDeviceVolume.ebs(
        execution_point.volume_gib,
        delete_on_termination=True,
        encrypted=True,
        volume_type=ec2.EbsDeviceVolumeType.GP3,
    )
    return ec2.BlockDevice(device_name=execution_point.root_device, volume=volume)


def _user_data(
    scope: Construct, annex_name: str, execution_point: ExecutionPoint, credential: secretsmanager.ISecret
) -> str:
    return render_user_data(
        EpSettings(
            annex=annex_name,
            region=Stack.of(scope).region,
            credential_arn=credential.secret_arn,
            collector=execution_point.pool.address,
            trust_domain=execution_point.pool.trust_domain,
            drain_seconds=execution_point.drain_seconds,
            idle_seconds=execution_point.idle_seconds,
            join_seconds=execution_point.join_seconds,
            dead_man_seconds=execution_point.dead_man_seconds,
        )
    )
