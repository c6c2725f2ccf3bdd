"""Rules about the Region, the image, the instance types and the keys of an annex, beyond the form of one text.

A rule returns None, or the conflict in words, as those of `annex_lease.rules` do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from annex_lease.forms import arn_region
from annex_lease.instance_types import ARM64, X86_64, architectures, unusable
from annex_lease.regions import is_misspelt, nearest_region, partition
from annex_lease.rules import Conflict
from annex_lease.terms import IMAGE, INSTANCE_TYPES, PERMISSIONS_BOUNDARY, REGION

_PAGE = "(CloudFormation User Guide, 'ssm dynamic reference')"
_PUBLIC = "/aws/service/"
_SSM, _SSM_ARN = "ssm:", "ssm:arn:"
_LABELLED = re.compile(r"ssm:[^:]+:(?!\d+$)[^:]*")
# "aws" and "ssm" cannot begin the name of a parameter of one's own (Systems Manager API Reference, PutParameter).
_RESERVED = re.compile(r"ssm:/?(aws|ssm)", re.IGNORECASE)
_SECRET = re.compile(r"ssm:/aws/reference/secretsmanager/|ssm-secure:|secretsmanager:")
_NO_LINUX = re.compile(r"windows|/ec2-macos/|/freebsd/", re.IGNORECASE)
# How a template or a launch template writes a parameter, how a person does, and how `aws ssm` prints its ARN.
_OTHER_FORM = re.compile(r"(?:\{\{)?(?:resolve:)?(?:ssm:)?((?:/|arn:aws[a-z-]*:ssm:).+?)(?:\}\})?")
_VERSION_OF_SHARED = re.compile(r"ssm:(arn:[^:]*:ssm:[^:]*:[^:]*:[^:]*):[^:]*")
# The public parameters of Amazon ECS and Amazon EKS that hold a JSON object; the id is one level below.
_JSON = re.compile(r"ssm:(?:arn:[^/]*)?/aws/service/(?:ecs|eks)/.*/recommended(:[0-9]+)?")
_IN_A_NAME = {ARM64: re.compile("arm64|aarch64"), X86_64: re.compile("amd64|x86_64")}


def region_conflict(region: str) -> Conflict | None:
    """A Region's code that is misspelt is refused; one that this release does not know is not."""
    close = nearest_region(region)
    if REGION.form.matches(region) and not is_misspelt(region):
        return None
    return Conflict(REGION.name, REGION.allowed, advice=f'did you mean "{close}"?') if close else None


def image_conflict(image: str) -> Conflict | None:
    """An image that CloudFormation cannot read from its parameter, or that is not a Linux image by its name."""
    if _SECRET.match(image):
        allowed = f"a parameter of the type String: CloudFormation reads no other one into an image {_PAGE}"
        return Conflict(IMAGE.name, allowed, advice="store the id in such a parameter")
    shared = _VERSION_OF_SHARED.fullmatch(image)
    if shared is not None:
        # A dynamic reference, which alone has versions, reads no parameter of another account.
        allowed = "the ARN of a shared parameter without a version or a label: CloudFormation reads its latest version"
        return Conflict(IMAGE.name, allowed, advice=f'"ssm:{shared[1]}"')
    if _JSON.fullmatch(image):
        allowed = "a parameter with the image's id alone: this one holds a JSON object"
        return Conflict(IMAGE.name, allowed, advice=f'"{re.sub(":[0-9]+$", "", image)}/image_id"')
    if _LABELLED.fullmatch(image) and not image.startswith(_SSM_ARN):
        allowed = f"a version number after the name: CloudFormation reads no parameter by a label {_PAGE}"
        name = image.rpartition(":")[0]
        return Conflict(IMAGE.name, allowed, advice=f'"{name}" for the latest version')
    if image.startswith(_SSM) and _NO_LINUX.search(image):
        return Conflict(IMAGE.name, "a Linux image with HTCondor", advice="name the image of a Debian with HTCondor")
    if _RESERVED.match(image) and not image.startswith(f"{_SSM}{_PUBLIC}"):
        allowed = f'a parameter whose name does not begin with "aws" or "ssm", or a public one below {_PUBLIC}'
        return Conflict(IMAGE.name, allowed, advice="name an existing parameter")
    other = _OTHER_FORM.fullmatch(image)
    if other is not None and not IMAGE.form.matches(image) and IMAGE.form.matches(f"{_SSM}{other[1]}"):
        return Conflict(IMAGE.name, IMAGE.allowed, advice=f'{IMAGE.name} = "{_SSM}{other[1]}"')
    return None


def image_region_conflict(image: str, region: str) -> Conflict | None:
    """A parameter that is shared by its ARN is read in its own Region only."""
    if not image.startswith(_SSM_ARN) or arn_region(image.removeprefix(_SSM)) == region:
        return None
    return Conflict(IMAGE.name, f"a parameter in the annex's Region, {region}", advice=f"share one in {region}")


def architecture_conflict(image: str, instance_types: Sequence[str]) -> Conflict | None:
    """A public image whose name says its architecture must have that of the types."""
    if not image.startswith(f"{_SSM}{_PUBLIC}"):
        return None
    wanted = architectures(instance_types)
    said = [name for name, pattern in _IN_A_NAME.items() if pattern.search(image)]
    if len(said) != 1 or said == list(wanted):
        return None
    allowed = f"an image for {' and '.join(wanted)}, the architecture of the instance types"
    return Conflict(IMAGE.name, allowed, advice=f"name the image for {wanted[0]}, or types for {said[0]}")


def types_conflict(instance_types: Sequence[str]) -> Conflict | None:
    """All types boot one image, see the tags of their instance, and run Linux."""
    for each in instance_types:
        reason = unusable(each)
        if reason:
            allowed = f"types that an annex works on, and not {each}: {reason}"
            return Conflict(INSTANCE_TYPES.name, allowed, advice=f"remove {each}")
    if len(architectures(instance_types)) > 1:
        allowed = "types of one processor architecture, because all boot the same image"
        return Conflict(INSTANCE_TYPES.name, allowed, advice="make a second annex for the other architecture")
    return None


def partition_conflict(name: str, arn: str | None, region: str) -> Conflict | None:
    """A resource of another partition of AWS, such as GovCloud, does not exist for an annex's account.

    Args:
        name: name of the declared value.
        arn: ARN that is declared; None: none is.
        region: the annex's Region.
    """
    wanted = partition(region)
    if arn is None or arn.split(":")[1] == wanted:
        return None
    allowed = f"an ARN that begins with arn:{wanted}: as all of {region} do"
    return Conflict(name, allowed, advice=f"name one that exists in {region}")


def boundary_conflict(boundary: str | None, account: str | None) -> Conflict | None:
    """The boundary of a role is a policy of the role's own account, or one of AWS.

    So the IAM User Guide, "Permissions boundaries for IAM entities".

    Args:
        boundary: ARN of the policy; None: none is declared.
        account: the annex's account; None: none is declared.
    """
    owner = "aws" if boundary is None else boundary.split(":")[4]
    if account is None or owner in ("aws", account):
        return None
    return Conflict(PERMISSIONS_BOUNDARY.name, f"a policy of the annex's account, {account}", advice="use one of it")


def key_conflict(name: str, key: str | None, region: str) -> Conflict | None:
    """A KMS key encrypts in its own Region only.

    Args:
        name: name of the declared value.
        key: ARN of the key; None: none is declared.
        region: the annex's Region.
    """
    if key is None or arn_region(key) == region:
        return None
    return Conflict(name, f"a key in the annex's Region, {region}", advice=f"use a key of {region}")
