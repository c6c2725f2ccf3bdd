"""The EC2 API's StopInstances and TerminateInstances, and the instance attribute for termination protection.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from lab.cloud import instances
from lab.cloud.emulator import Response, ec2
from lab.cloud.instance_api import BATCH, Parameters, existing, guarded, listed, value, xml
from lab.cloud.query import ApiError, flag


def terminate_instances(parameters: Parameters) -> Response:
    """Terminate all instances; if one is protected, only those in other Availability Zones.

    "If you specify multiple instances and the request fails (for example, because of a single incorrect instance ID),
    none of the instances are terminated", and "the specified instances that are in the same Availability Zone as the
    protected instance are not terminated", while those in others are and "the request reports failure".
    """
    ids = listed(parameters, "InstanceId")
    if not ids or len(ids) > BATCH:
        raise ApiError(
            "InvalidParameterValue", f"TerminateInstances takes 1 to {BATCH} instance IDs, received {len(ids)}"
        )
    records = existing(ids)
    protected = [one for one in records if instances.details(one).api_termination_disabled]
    spared = {_zone(one) for one in protected}
    items = "".join(_change(instances.terminate, one) for one in records if _zone(one) not in spared)
    if protected:
        raise ApiError(
            "OperationNotPermitted",
            f"The instance '{protected[0]['InstanceId']}' may not be terminated. Modify its 'disableApiTermination' "
            "instance attribute and try again.",
        )
    return xml("TerminateInstances", f"<instancesSet>{items}</instancesSet>")


def _zone(record: instances.Record) -> str:
    return str(record["Placement"]["AvailabilityZone"])


def stop_instances(parameters: Parameters) -> Response:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html: not of spot instances here."""
    records = existing(listed(parameters, "InstanceId"))
    for record in records:
        if instances.details(record).spot:
            raise ApiError("UnsupportedOperation", "You can't stop the Spot Instance: its request is one-time")
    items = "".join(_change(instances.stop, one) for one in records)
    return xml("StopInstances", f"<instancesSet>{items}</instancesSet>")


def _change(change: Callable[[instances.Record], None], record: instances.Record) -> str:
    before = dict(record["State"])
    change(record)
    return (
        f"<item><instanceId>{record['InstanceId']}</instanceId>{_state('currentState', record['State'])}"
        f"{_state('previousState', before)}</item>"
    )


def _state(element: str, state: Mapping[str, Any]) -> str:
    return f"<{element}><code>{state['Code']}</code><name>{state['Name']}</name></{element}>"


def describe_attribute(parameters: Parameters) -> Response:
    record = existing([value(parameters, "InstanceId")])[0]
    found = instances.details(record)
    values = {
        "userData": base64.b64encode(found.user_data).decode(),
        "instanceInitiatedShutdownBehavior": found.shutdown_behavior,
        "instanceType": record["InstanceType"],
        "disableApiTermination": str(found.api_termination_disabled).lower(),
    }
    name = value(parameters, "Attribute")
    if name not in values:
        raise ApiError("InvalidParameterValue", f"Attribute must be one of {sorted(values)}, received '{name}'")
    return xml(
        "DescribeInstanceAttribute",
        f"<instanceId>{record['InstanceId']}</instanceId><{name}><value>{values[name]}</value></{name}>",
    )


def modify_attribute(parameters: Parameters) -> Response:
    """Two of the attributes of https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html."""
    found = instances.details(existing([value(parameters, "InstanceId")])[0])
    protection = value(parameters, "DisableApiTermination.Value")
    behavior = value(parameters, "InstanceInitiatedShutdownBehavior.Value")
    if not protection and behavior not in ("stop", "terminate"):
        raise ApiError(
            "UnsupportedOperation", "the lab modifies DisableApiTermination and InstanceInitiatedShutdownBehavior only"
        )
    if protection:
        found.api_termination_disabled = flag(protection)
    found.shutdown_behavior = behavior or found.shutdown_behavior
    return xml("ModifyInstanceAttribute", "<return>true</return>")


def install() -> None:
    """Take over these actions from MiniStack."""
    ec2._ACTION_MAP.update(
        StopInstances=guarded(stop_instances),
        TerminateInstances=guarded(terminate_instances),
        DescribeInstanceAttribute=guarded(describe_attribute),
        ModifyInstanceAttribute=guarded(modify_attribute),
    )
