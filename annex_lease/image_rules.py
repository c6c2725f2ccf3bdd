"""Rules about the image of an annex, beyond the form of one text.

A rule returns None, or the conflict in words, as those of `annex_lease.rules` do.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from annex_lease.built_forms import built_name, image_parameter
from annex_lease.forms import ROOT_DEVICE, arn_region
from annex_lease.instance_types import architectures
from annex_lease.kinds import written
from annex_lease.regions import partition
from annex_lease.rules import Conflict
from annex_lease.stock_images import ARM64, IMAGE_FAMILIES, X86_64, ImageFamily
from annex_lease.terms import IMAGE

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
# A name such as "ubuntu" or "al2023", and nothing that has a form of its own.
_NAME = re.compile(r"(?!ami-)[A-Za-z][A-Za-z0-9 ._-]*")
_SIMILAR = 0.6
_ENTERPRISE_LINUX = {"rhel", "redhat", "centos", "el"}
# Accounts of one partition do not exist in another: those that publish the images that are looked up are of this one.
_PARTITION = "aws"


def family_of(image: str) -> ImageFamily | None:
    """The stock image of that name; None: it is an image of another kind."""
    return IMAGE_FAMILIES.get(image)


@dataclass(frozen=True)
class ImageParameter:
    """SSM parameter that holds an image's id.

    Attributes:
        name: its name; the ARN of one that another account shares.
        version: its version. Default: None - the latest one.
    """

    name: str
    version: int | None = None

    @property
    def is_shared(self) -> bool:
        """True if it is known by its ARN."""
        return self.name.startswith("arn:")

    @property
    def is_public(self) -> bool:
        """True if AWS or a publisher provides it to every account."""
        return self.name.startswith(_PUBLIC)


def parameter_of(image: str) -> ImageParameter | None:
    """The parameter from which an image's id is read; None: it has none, as a stock image or an id.

    Args:
        image: the image as declared; one that the spec file builds has a parameter too.
    """
    built = built_name(image)
    if built is not None:
        return ImageParameter(image_parameter(built))
    if not image.startswith(_SSM):
        return None
    name = image.removeprefix(_SSM)
    if image.startswith(_SSM_ARN):
        return ImageParameter(name)
    name, _, version = name.partition(":")
    return ImageParameter(name, int(version) if version else None)


def default_root_device(image: str) -> str:
    """The device name of the root volume where none is declared.

    Args:
        image: a name, an id or a parameter, as the spec has it; empty: not known.
    """
    family = family_of(image)
    return ROOT_DEVICE.example if family is None else family.root_device


def other_root(name: str, image: str, root_device: str) -> str | None:
    """A warning about a stock image with another root volume than its publisher's images have; None if it has theirs.

    No error: a publisher can change it, and then `root_device` is the way out.

    Args:
        name: the annex's name.
        image: a name, an id or a parameter, as the spec has it.
        root_device: device name of the root volume, as declared.
    """
    family = family_of(image)
    if family is None or root_device == family.root_device:
        return None
    return (
        f"annex {name}: root_device is {root_device}, and the root volume of {family.title} is {family.root_device}: "
        "an instance with another root volume retires; fix: remove root_device"
    )


def nearest_families(text: str) -> list[str]:
    """The names of the stock images that a misspelt or unknown one may mean; empty if none is similar.

    Args:
        text: such as `debian-12`, `ubuntu`, `al2023` or `noble`.
    """
    asked = text.strip().lower().replace("_", "-").replace(" ", "-")
    system = re.split(r"[^a-z]", asked)[0]
    same = [name for name, each in IMAGE_FAMILIES.items() if system and system in _words(each)]
    close = difflib.get_close_matches(asked, IMAGE_FAMILIES, n=2, cutoff=_SIMILAR)
    return same or close


def _words(family: ImageFamily) -> set[str]:
    """The words by which people and files name a system: `amazon`, `amzn` and `al` for Amazon Linux."""
    parts = re.split(r"[^a-z]+", family.title.lower())
    initials = "".join(part[:1] for part in parts)
    extra = _ENTERPRISE_LINUX if family.epel else set()
    return {parts[0], "".join(parts), family.os_id, family.htcondor_suite, initials} - {""} | extra


def family_conflict(image: str) -> Conflict | None:
    """The name of a stock image that does not exist, or an image with blanks around it or in another case."""
    if IMAGE.form.matches(image):
        return None
    meant_as = _usual_case(image.strip())
    if IMAGE.form.matches(meant_as):
        return Conflict(IMAGE.name, IMAGE.allowed, advice=f'{IMAGE.name} = "{meant_as}"')
    if not _NAME.fullmatch(image):
        return None
    meant = " or ".join(f'"{each}"' for each in nearest_families(image))
    advice = f"did you mean {meant}?" if meant else f"{IMAGE.name} = {written(IMAGE)}"
    return Conflict(IMAGE.name, IMAGE.allowed, advice=advice)


def _usual_case(image: str) -> str:
    """The text with what has no capitals in lower case: all of it but the name of a parameter."""
    kind, colon, name = image.partition(":")
    return f"{kind.lower()}{colon}{name if kind.lower() == 'ssm' else name.lower()}"


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
    if _LABELLED.fullmatch(image):
        allowed = f"a version number after the name: CloudFormation reads no parameter by a label {_PAGE}"
        name = image.rpartition(":")[0]
        return Conflict(IMAGE.name, allowed, advice=f'"{name}" for the latest version')
    if image.startswith(_SSM) and _NO_LINUX.search(image):
        return Conflict(IMAGE.name, "a Linux image", advice=f"name a stock image, such as {written(IMAGE)}")
    if _RESERVED.match(image) and not image.startswith(f"{_SSM}{_PUBLIC}"):
        allowed = f'a parameter whose name does not begin with "aws" or "ssm", or a public one below {_PUBLIC}'
        return Conflict(IMAGE.name, allowed, advice="name an existing parameter")
    other = _OTHER_FORM.fullmatch(image)
    if other is not None and not IMAGE.form.matches(image) and IMAGE.form.matches(f"{_SSM}{other[1]}"):
        return Conflict(IMAGE.name, IMAGE.allowed, advice=f'{IMAGE.name} = "{_SSM}{other[1]}"')
    return family_conflict(image)


def image_region_conflict(image: str, region: str) -> Conflict | None:
    """An image that does not exist in the annex's Region.

    A parameter that is shared by its ARN is read in its own Region only. A stock image that is looked up is that of
    an account, and an account is in one partition of AWS.
    """
    family = family_of(image)
    if family is not None and family.owner and partition(region) != _PARTITION:
        allowed = (
            f"an image of the partition {partition(region)}: {family.title} is published from an account of another"
        )
        return Conflict(IMAGE.name, allowed, advice=f"name the id of an image in {region}")
    if not image.startswith(_SSM_ARN) or arn_region(image.removeprefix(_SSM)) == region:
        return None
    return Conflict(
        IMAGE.name, f"a parameter in the Region of the instances, {region}", advice=f"share one in {region}"
    )


def architecture_conflict(image: str, instance_types: Sequence[str]) -> Conflict | None:
    """A stock image, or a public one whose name says its architecture, must have that of the types."""
    wanted = architectures(instance_types)
    family = family_of(image)
    if family is not None:
        return _family_architecture(family, wanted)
    if not image.startswith(f"{_SSM}{_PUBLIC}"):
        return None
    said = [name for name, pattern in _IN_A_NAME.items() if pattern.search(image)]
    if len(said) != 1 or said == list(wanted):
        return None
    allowed = f"an image for {' and '.join(wanted)}, the architecture of the instance types"
    return Conflict(IMAGE.name, allowed, advice=f"name the image for {wanted[0]}, or types for {said[0]}")


def _family_architecture(family: ImageFamily, wanted: Sequence[str]) -> Conflict | None:
    if {*wanted} <= {*family.architectures}:
        return None
    others = [f'"{name}"' for name, each in IMAGE_FAMILIES.items() if {*wanted} <= {*each.architectures}]
    allowed = (
        f"an image for {' and '.join(wanted)}, the architecture of the instance types; HTCondor has packages for "
        f"{family.title} on {' and '.join(family.architectures)} only"
    )
    advice = f"name {' or '.join(others)}, or types for {family.architectures[0]}"
    return Conflict(IMAGE.name, allowed, advice=advice)
