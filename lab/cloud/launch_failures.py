"""Launches that fail as they do on AWS, by request: the lab has no quotas, no lack of capacity and no keys of its own.

Each failure has the status message of AWS, with the launch's own type, zone, image and subnet in it. Sources: EC2 Auto
Scaling User Guide, "Troubleshoot Amazon EC2 Auto Scaling"; Amazon EC2 API Reference, "Error codes"; public reports of
scaling activities.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lab.cloud.templates import LaunchSpec

DIED = "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "
"""Start of the message about an instance that ended before it was in service; its activity is "Cancelled"."""
_FAILED = " Launching EC2 instance failed."


@dataclass(frozen=True)
class LaunchFailure:
    """A way in which launches fail.

    ``text`` may hold {type}, {zone}, {image} and {subnet}. ``dies``: EC2 accepts the launch, and the instance ends
    before it is in service; ``text`` is its termination reason then.
    """

    text: str
    dies: bool = False

    def message(self, spec: LaunchSpec, zone: str) -> str:
        """Status message of the failed activity, or the termination reason of an instance that dies."""
        values = {"type": spec.instance_type, "zone": zone, "image": spec.image_id, "subnet": spec.subnet_id}
        text = self.text
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        return text if self.dies else text + _FAILED


_ON_DEMAND, _SPOT = "Could not launch On-Demand Instances. ", "Could not launch Spot Instances. "

KNOWN: Mapping[str, LaunchFailure] = {
    "on-demand-quota": LaunchFailure(
        f"{_ON_DEMAND}VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit of 0 "
        "allows for the instance bucket that the specified instance type belongs to. Please visit "
        "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
    ),
    "spot-quota": LaunchFailure(f"{_SPOT}MaxSpotInstanceCountExceeded - Max spot instance count exceeded."),
    "capacity": LaunchFailure(
        "We currently do not have sufficient {type} capacity in the Availability Zone you requested ({zone}). Our "
        "system will be working on provisioning additional capacity. You can currently get {type} capacity by not "
        "specifying an Availability Zone in your request or choosing other zones."
    ),
    "spot-capacity": LaunchFailure(
        f"{_SPOT}UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration. Please adjust "
        "your request and try again."
    ),
    "type-not-offered": LaunchFailure(
        "Your requested instance type ({type}) is not supported in your requested Availability Zone ({zone}). Please "
        "retry your request by not specifying an Availability Zone or choosing other zones."
    ),
    "image-gone": LaunchFailure(f"{_ON_DEMAND}InvalidAMIID.NotFound - The image id '[{{image}}]' does not exist."),
    "image-not-shared": LaunchFailure("Not authorized for images: [{image}]."),
    "image-disabled": LaunchFailure("AMI '{image}' is disabled, and cannot be run."),
    "architecture": LaunchFailure(
        "The architecture 'x86_64' of the specified instance type does not match the architecture 'arm64' of the "
        "specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can "
        "use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI."
    ),
    "volume-size": LaunchFailure(
        f"{_ON_DEMAND}InvalidBlockDeviceMapping - Volume of size 8GB is smaller than  snapshot "
        "'snap-0b5c5ea11d58e1fec', expect size >= 30GB."
    ),
    "key": LaunchFailure("Client.InternalError: Client error on launch", dies=True),
    "key-state": LaunchFailure(
        "Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state", dies=True
    ),
    "subnet-full": LaunchFailure(
        f"{_ON_DEMAND}InsufficientFreeAddressesInSubnet - There are not enough free addresses in subnet '{{subnet}}' "
        "to satisfy the requested number of instances."
    ),
    "tag-key": LaunchFailure(
        "'cost center/x' is not a valid tag key. Tag keys must match pattern ([0-9a-zA-Z\\\\-_+=,.@:]{1,255}), and "
        "must not be a reserved name ('.', '..', '_index')."
    ),
    "instance-profile": LaunchFailure(
        "Value (annex-profile) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name."
    ),
    "security-group-gone": LaunchFailure("The security group sg-0123456789abcdef0 does not exist."),
    "subnet-gone": LaunchFailure("The subnet ID '{subnet}' does not exist."),
    "denied": LaunchFailure(
        f"{_ON_DEMAND}UnauthorizedOperation - You are not authorized to perform this operation. User: "
        "arn:aws:sts::123456789012:assumed-role/AWSServiceRoleForAutoScaling/AutoScaling is not authorized to "
        "perform: ec2:RunInstances on resource: arn:aws:ec2:us-east-1:123456789012:instance/* with an explicit deny in "
        "a service control policy. Encoded authorization failure message: g4oZPBqZ4Bni8dE5dGjxYTnOZ."
    ),
    "verification": LaunchFailure(
        f"{_ON_DEMAND}PendingVerification - Your request for accessing resources in this region is being validated, "
        "and you will not be able to launch additional resources in this region until the validation is complete. We "
        "will notify you by email once your request has been validated. While normally resolved within minutes, please "
        "allow up to 4 hours for this process to complete."
    ),
    "spot-role": LaunchFailure(
        f"{_SPOT}AuthFailure.ServiceLinkedRoleCreationNotPermitted - The provided credentials do not have permission "
        "to create the service-linked role for EC2 Spot Instances."
    ),
}
"""Known failures by their names."""

_asked: dict[str, LaunchFailure] = {}


def let_fail(group: str, failure: LaunchFailure | None) -> None:
    """Let the launches of a group of any account fail from now on.

    Args:
        group: its name; empty: every group that has no failure of its own.
        failure: the way; None: they succeed again.
    """
    _asked.pop(group, None)
    if failure is not None:
        _asked[group] = failure


def of_group(group: str) -> LaunchFailure | None:
    """The way in which launches of this group fail now; None: they do not."""
    return _asked.get(group, _asked.get(""))


def asked() -> dict[str, str]:
    """Texts of the failures by their groups; empty text for every group that has none of its own."""
    return {group: failure.text for group, failure in _asked.items()}
