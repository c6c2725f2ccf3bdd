"""Advice for launches that failed, by AWS's own words about them. Pure.

EC2 Auto Scaling keeps the reason of each failed launch in the status message of a scaling activity. With a mixed
instances policy the message names the error code of Amazon EC2: "Could not launch On-Demand Instances.
VcpuLimitExceeded - You have requested more vCPU capacity [...]. Launching EC2 instance failed." An instance that dies
while it starts has another form: "Instance became unhealthy while waiting for instance to be in InService state.
Termination Reason: Client.InternalError: Client error on launch".

Sources: EC2 Auto Scaling User Guide, "Troubleshoot Amazon EC2 Auto Scaling" (launch failures, AMI issues); Amazon EC2
API Reference, "Error codes"; public issues with real messages, which the unit test of this module names. AWS promises
no form of these texts: a text that no pattern knows gives no advice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class LaunchAdvice:
    """Advice for one kind of failed launch.

    Attributes:
        kind: name of the kind.
        pattern: expression for a part of AWS's message, without regard to case.
        advice: text for an operator; it names keys of the spec where one has to change.
    """

    kind: str
    pattern: str
    advice: str

    def fits(self, message: str) -> bool:
        """True if the message is of this kind."""
        return re.search(self.pattern, message, re.IGNORECASE) is not None


_QUOTA = "in the console of Service Quotas, service Amazon EC2, or make size smaller"

KINDS = (
    # Codes that others hold as a part, and texts that others could fit too, come first.
    LaunchAdvice(
        "spot-role",
        r"ServiceLinkedRoleCreationNotPermitted|service-linked role for EC2 Spot",
        "the account has no role for Spot Instances: have an administrator run `aws iam create-service-linked-role "
        "--aws-service-name spot.amazonaws.com` once",
    ),
    LaunchAdvice(
        "image-not-shared",
        r"Not authorized for images?\b",
        "the account may not use the image: have its owner share it, and its snapshot, with this account, or name "
        "another image",
    ),
    LaunchAdvice(
        "marketplace",
        r"accept terms and subscribe",
        "subscribe this account to the product of the image in AWS Marketplace, or name another image",
    ),
    LaunchAdvice(
        "spot-quota",
        r"MaxSpotInstanceCountExceeded|Max spot instance count exceeded",
        f"the account's quota of Spot Instances is used up: request more of 'All Standard (A, C, D, H, I, M, R, T, Z) "
        f"Spot Instance Requests', or of the quota of the types' family, {_QUOTA}, or raise on_demand_percentage",
    ),
    LaunchAdvice(
        "on-demand-quota",
        r"VcpuLimitExceeded|more vCPU capacity than your current|InstanceLimitExceeded|your current instance limit",
        f"the account's quota of vCPUs is used up: request more of 'Running On-Demand Standard (A, C, D, H, I, M, R, "
        f"T, Z) instances', or of the quota of the types' family, {_QUOTA}",
    ),
    LaunchAdvice(
        "fleet-quota",
        r"quota for maximum Fleet Requests",
        "the quotas of a new account can be 0: compare its quotas of vCPUs, and ask AWS Support to raise them",
    ),
    LaunchAdvice(
        "volume-quota",
        r"VolumeLimitExceeded|Volume limit exceeded|MaxIOPSLimitExceeded",
        "the account's quota of volumes is used up: request more storage in the console of Service Quotas, service "
        "Amazon EBS, or make size or volume_gib smaller",
    ),
    LaunchAdvice(
        "free-plan",
        r"not eligible for Free Tier",
        "an account on AWS's free plan starts some types only: upgrade its plan, or name types of `aws ec2 "
        "describe-instance-types --filters Name=free-tier-eligible,Values=true`",
    ),
    LaunchAdvice(
        "type-not-offered",
        r"not supported in your requested Availability Zone|Availability Zone is no longer supported"
        r"|requested configuration is currently not supported|instance types? .*do(es)? not exist|InvalidInstanceType",
        "name types in instance_types that the zones of its subnets offer, or subnets in other zones: `aws ec2 "
        "describe-instance-type-offerings --location-type availability-zone --filters "
        "Name=instance-type,Values=TYPE` lists them",
    ),
    LaunchAdvice(
        "capacity",
        r"InsufficientInstanceCapacity|do not have sufficient .*capacity|UnfulfillableCapacity|Insufficient capacity"
        r"|no (Spot )?capacity available",
        "AWS has too little capacity of these types in these zones now, and EC2 Auto Scaling tries again: name more "
        "types in instance_types and subnets in more zones, or raise on_demand_percentage for a lack of Spot Instances",
    ),
    LaunchAdvice(
        "architecture",
        r"architecture .*does not match",
        "name an image and instance_types of one architecture",
    ),
    LaunchAdvice(
        "image-gone",
        r"InvalidAMIID\.(NotFound|Malformed)|(image id|AMI ID) .*does not exist",
        "the image does not exist in this Region, is not shared with this account, or its settings of Allowed AMIs "
        "exclude it (`aws ec2 get-allowed-images-settings`): name another image, or have these changed",
    ),
    LaunchAdvice(
        "image-unavailable",
        r"InvalidAMIID\.Unavailable|AMI .*and cannot be run",
        "wait until the image is available, have its owner enable it, or name another image",
    ),
    LaunchAdvice(
        "volume-size",
        r"Volume of size .*is smaller than\s+snapshot",
        "raise volume_gib to the size that the image's snapshot needs",
    ),
    LaunchAdvice(
        "device",
        r"Invalid device name|InvalidBlockDeviceMapping",
        "set root_device to the name of the image's root device: `aws ec2 describe-images --image-ids IMAGE` shows it",
    ),
    LaunchAdvice(
        "key",
        r"InvalidKMSKey|KMS key|Client\.InternalError",
        "the volumes' key cannot be used: it must be enabled, and its policy or a grant must let the role "
        "AWSServiceRoleForAutoScaling use it. It is volume_key, or the account's default (`aws ec2 "
        "get-ebs-default-kms-key-id`), or that of the image's snapshot. See docs/how-to/keys-and-roles.md",
    ),
    LaunchAdvice(
        "subnet-full",
        r"InsufficientFreeAddressesInSubnet|not enough free addresses",
        "the subnet has no free address: remove what holds them, or name more subnets",
    ),
    LaunchAdvice(
        "tag-key",
        r"is not a valid tag key",
        "rename that tag, or set its PropagateAtLaunch to false: on instances a key may hold letters, digits and "
        "+ - = . , _ : @ only. Tags come from tags of the spec, from an app, and from `cdk deploy --tags`",
    ),
    LaunchAdvice(
        "tag-policy",
        r"TagPolicyViolation|tag polic(y|ies)",
        "set the tag to a value that the tag policy of the organisation allows, with tags of the spec",
    ),
    LaunchAdvice(
        "instance-profile",
        r"iamInstanceProfile|IAM Instance Profile",
        "the instance profile is new, or was deleted or changed: wait some minutes, then deploy the annex again",
    ),
    LaunchAdvice(
        "template-gone",
        r"InvalidLaunchTemplate|launch template .*does not exist",
        "the launch template was deleted or changed: deploy the annex again, or destroy it and make it again",
    ),
    LaunchAdvice(
        "network-gone",
        r"Invalid(Group|SecurityGroupID|SubnetID?|VpcID)\.|InvalidSubnet\b|No default VPC"
        r"|(security group|subnet|vpc)s? .*do(es)? not exist",
        "a part of the network was deleted: name subnets that exist, or destroy the annex and make it again",
    ),
    LaunchAdvice(
        "verification",
        r"PendingVerification|being verified|is being validated",
        "AWS verifies the account in this Region: wait up to 4 hours, then ask AWS Support",
    ),
    LaunchAdvice(
        "account",
        r"account is currently blocked|not subscribed to this service|OptInRequired",
        "AWS keeps the account from starting instances: ask AWS Support, about the account and not about a quota",
    ),
    LaunchAdvice(
        "denied",
        r"UnauthorizedOperation|not authorized to perform|explicit deny|AccessDenied",
        "a policy forbids the launch: that of the organisation, or of the role AWSServiceRoleForAutoScaling. An "
        "administrator sees which with `aws sts decode-authorization-message --encoded-message TEXT`",
    ),
    LaunchAdvice(
        "new-role",
        r"Authentication Failure|AuthFailure",
        "the role AWSServiceRoleForAutoScaling is new, or was deleted: wait some minutes, then have an administrator "
        "run `aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com`",
    ),
    LaunchAdvice(
        "shut-down",
        r"InstanceInitiatedShutdown|UserInitiatedShutdown",
        "an instance ended before it was in service: `aws ec2 get-console-output --latest --instance-id ID` shows its "
        "boot, and AWS CloudTrail who ended it",
    ),
    LaunchAdvice(
        "passing",
        r"Server\.InternalError|Internal error on launch|RequestLimitExceeded|Rate exceeded|ServiceUnavailable",
        "EC2 Auto Scaling tries again by itself: ask AWS Support if it stays",
    ),
)
"""The kinds that are known, each with its advice. The first that fits counts."""


def advice(message: str) -> str:
    """Advice for an operator about a failed launch; empty if the message is of no known kind.

    Args:
        message: AWS's message about it.
    """
    words = _one_line(message)
    return next((each.advice for each in KINDS if each.fits(words)), "")


def explained(message: str) -> str:
    """AWS's message on one line, whole, with the advice after it if there is one.

    Args:
        message: AWS's message about a failed launch.
    """
    words, known = _one_line(message), advice(message)
    return f"{words} (to do: {known})" if known else words


def _one_line(message: str) -> str:
    return " ".join(message.split())
