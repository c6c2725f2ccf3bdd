"""EC2 instances: records whose states follow real machines.

MiniStack's own records are kept, because its other EC2 calls read them; further facts are in :class:`Details`.
 States: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from lab.cloud import addresses, attachments, tags, world
from lab.cloud.emulator import account, ec2, region
from lab.cloud.query import ApiError
from lab.cloud.templates import LaunchSpec, MetadataOptions
from lab.machines import Machine, MachineState

Record = dict[str, Any]

_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
_DETAILS = "_lab"
# "An instance remains visible in the console for a short while after termination" - about an hour:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html
_VISIBLE_AFTER_TERMINATION = 3600.0


@dataclass
class Details:
    """Facts about an instance that MiniStack's record does not hold."""

    account: str
    region: str
    mac: str
    interface_id: str
    reservation_id: str
    user_data: bytes
    shutdown_behavior: str
    metadata: MetadataOptions
    spot: bool
    launched: float
    api_termination_disabled: bool = False
    terminated: float | None = None
    transition_reason: str = ""
    state_reason: tuple[str, str] | None = None
    interrupt_at: float | None = None
    rebalance_at: float | None = None


def details(record: Record) -> Details:
    """The lab's part of an instance record."""
    found = record[_DETAILS]
    if not isinstance(found, Details):
        raise TypeError(f"instance {record['InstanceId']} was not launched by the lab")
    return found


def state(record: Record) -> str:
    """The instance's state name."""
    return str(record["State"]["Name"])


def everywhere() -> Iterator[Record]:
    """Every instance of every account and region."""
    yield from ec2._instances.all_values()


def find(instance_id: str) -> Record | None:
    """An instance of the current account and region, or None."""
    record: Record | None = ec2._instances.get(instance_id)
    return record


def at_address(address: str) -> Record | None:
    """The instance that holds a private address, or None."""
    for record in everywhere():
        if record["PrivateIpAddress"] == address and addresses.is_held(record):
            return record
    return None


def launch(spec: LaunchSpec, reservation_id: str = "") -> Record:
    """Make an instance and begin to start its machine. Call with the lock held.

    Raises:
        ApiError: a resource of the launch does not exist or is not allowed; nothing is made then.
    """
    for name in ("image_id", "instance_type", "subnet_id"):
        if not getattr(spec, name):
            raise ApiError("MissingParameter", f"The launch names no {name.replace('_', ' ')}")
    if spec.metadata.tags:
        tags.check_readable(spec.tags)
    profile = None
    if spec.profile:
        profile, error = ec2._resolve_iam_instance_profile(
            iam_arn=spec.profile.get("Arn", ""), iam_name=spec.profile.get("Name", "")
        )
        if error:
            raise ApiError("InvalidParameterValue", f"Invalid IAM instance profile {dict(spec.profile)}")
    address = addresses.allocate(spec.subnet_id)
    record: Record = ec2._launch_instances_internal(
        spec.image_id,
        spec.instance_type,
        spec.subnet_id,
        1,
        key_name=spec.key_name,
        sg_ids=list(spec.security_groups) or [_default_group(spec.subnet_id)],
        requested_private_ip=address,
        iam_profile=profile,
    )[0]
    _complete(record, spec, reservation_id)
    addresses.hold(address)
    world.machines().start(
        Machine(record["InstanceId"], details(record).mac, address, spec.image_id, spec.instance_type)
    )
    return record


def _default_group(subnet_id: str) -> str:
    """An instance without security groups gets its VPC's default one."""
    vpc = ec2._vpcs[ec2._subnets[subnet_id]["VpcId"]]
    return str(vpc["DefaultSecurityGroupId"])


def _complete(record: Record, spec: LaunchSpec, reservation_id: str) -> None:
    address = record["PrivateIpAddress"]
    record[_DETAILS] = Details(
        account=account(),
        region=region(),
        mac=addresses.mac(address),
        interface_id=f"eni-{uuid4().hex[:17]}",
        reservation_id=reservation_id or f"r-{uuid4().hex[:17]}",
        user_data=spec.user_data,
        shutdown_behavior=spec.shutdown_behavior,
        metadata=spec.metadata,
        spot=spec.spot,
        launched=world.now(),
        api_termination_disabled=spec.api_termination_disabled,
    )
    _set(record, "pending")
    launched = datetime.datetime.fromtimestamp(world.now(), datetime.UTC)
    record["LaunchTime"] = launched.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    zone = ec2._subnets[spec.subnet_id]["AvailabilityZone"]
    record["Placement"]["AvailabilityZone"] = zone
    # No instance of the lab has a public address: nothing can connect to it.
    record["PublicIpAddress"] = record["PublicDnsName"] = ""
    suffix = "ec2.internal" if region() == "us-east-1" else f"{region()}.compute.internal"
    record["PrivateDnsName"] = f"ip-{address.replace('.', '-')}.{suffix}"
    ec2._tags[record["InstanceId"]] = [{"Key": key, "Value": value} for key, value in spec.tags.items()]
    attachments.attach(record, spec, details(record).interface_id, details(record).mac)


def terminate(record: Record, reason: tuple[str, str] = ("Client.UserInitiatedShutdown", "User initiated")) -> None:
    """Begin to terminate an instance: its machine gets a request to shut down, and is killed after a while."""
    if state(record) in ("shutting-down", "terminated"):
        return
    _set(record, "shutting-down")
    details(record).state_reason = (reason[0], f"{reason[0]}: {reason[1]}")
    details(record).transition_reason = f"{reason[1]} ({_stamp()})"
    world.machines().stop(record["InstanceId"])


def stop(record: Record) -> None:
    """Begin to stop an instance: it keeps its volumes, and can be terminated later."""
    if state(record) in ("pending", "running"):
        _set(record, "stopping")
        world.machines().stop(record["InstanceId"])


def advance(states: dict[str, MachineState]) -> None:
    """Move every instance to the state its machine is in. Call with the lock held."""
    now = world.now()
    for record in list(everywhere()):
        found = details(record)
        with world.scope(found.account, found.region):
            machine = states.get(record["InstanceId"], MachineState.OFF)
            _advance_one(record, machine)
            if found.interrupt_at is not None and now >= found.interrupt_at:
                terminate(record, ("Server.SpotInstanceTermination", "Instance interrupted"))
            if found.terminated is not None and now - found.terminated > _VISIBLE_AFTER_TERMINATION:
                ec2._instances.pop(record["InstanceId"], None)
                ec2._tags.pop(record["InstanceId"], None)


def _advance_one(record: Record, machine: MachineState) -> None:
    current = state(record)
    if current == "pending" and machine == MachineState.RUNNING:
        _set(record, "running")
    elif current == "pending" and machine == MachineState.OFF:
        why = world.machines().start_failure(record["InstanceId"]) or "the machine stopped while it booted"
        details(record).state_reason = ("Server.InternalError", f"Server.InternalError: {why}")
        _gone(record)
    elif current == "running" and machine == MachineState.OFF:
        # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_ChangingInstanceInitiatedShutdownBehavior.html
        code = "Client.InstanceInitiatedShutdown"
        details(record).state_reason = (code, f"{code}: Instance initiated shutdown")
        if details(record).shutdown_behavior == "terminate":
            _gone(record)
        else:
            _set(record, "stopped")
    elif current == "stopping" and machine == MachineState.OFF:
        _set(record, "stopped")
    elif current == "shutting-down" and machine == MachineState.OFF:
        _gone(record)


def _gone(record: Record) -> None:
    _set(record, "terminated")
    addresses.release(record["PrivateIpAddress"])
    found = details(record)
    found.terminated = world.now()
    record["_terminated_at"] = found.terminated
    association = ec2._find_active_iam_instance_profile_association(record["InstanceId"])
    if association:
        ec2._mark_iam_instance_profile_association_disassociated(association)
    attachments.release(record, found.interface_id)
    world.machines().forget(record["InstanceId"])


def _set(record: Record, name: str) -> None:
    record["State"] = {"Code": _CODES[name], "Name": name}


def _stamp() -> str:
    return datetime.datetime.fromtimestamp(world.now(), datetime.UTC).strftime("%Y-%m-%d %H:%M:%S GMT")
