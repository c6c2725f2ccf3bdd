"""The rules between two declared values of an image, and between an image and an annex that boots it.

A rule returns None, or the conflict in words, as those of `annex_lease.rules` do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from annex_lease.built_forms import NEVER
from annex_lease.built_terms import (
    BUILD_SECURITY_GROUP,
    BUILD_SUBNET,
    BUILD_UNCHANGED,
    COPIES,
    KEEP_LAUNCHED,
    PARENT,
    RESULTS_TOPIC,
    SCHEDULE,
    SHARE_WITH,
    TEST_SCRIPT,
    VOLUME_KEYS,
)
from annex_lease.forms import arn_region
from annex_lease.image_rules import architecture_conflict, image_conflict, image_region_conflict
from annex_lease.installation_rules import installation_conflicts
from annex_lease.instance_rules import types_conflict
from annex_lease.instance_types import architectures
from annex_lease.kinds import written
from annex_lease.regions import is_misspelt, nearest_region, partition
from annex_lease.rules import Conflict
from annex_lease.stock_images import HTCONDOR_SERIES
from annex_lease.terms import IMAGE, ROOT_DEVICE, SCRIPT, VOLUME_GIB

_DAY = timedelta(days=1)


def parent_conflict(parent: str) -> Conflict | None:
    """The rule about an annex's image, for a parent."""
    return _of_parent(image_conflict(parent))


def parent_conflicts(
    parent: str, region: str, instance_types: Sequence[str], components: Sequence[str], package_mirror: str | None
) -> Iterator[Conflict | None]:
    """The result of each rule about an annex's image and its installation, for a parent.

    Args:
        parent: the image to begin with, as declared.
        region: the image's own Region.
        instance_types: types that build the image.
        components: names of components.
        package_mirror: URL of the mirror of the system's packages; None: there is none.
    """
    yield _of_parent(image_region_conflict(parent, region))
    yield _of_parent(architecture_conflict(parent, instance_types))
    yield from installation_conflicts(parent, HTCONDOR_SERIES[0], components, None, package_mirror)


def _of_parent(conflict: Conflict | None) -> Conflict | None:
    """The same conflict, in words about a parent."""
    if conflict is None:
        return None
    advice = conflict.advice.replace(f"{IMAGE.name} = ", f"{PARENT.name} = ")
    allowed = PARENT.allowed if conflict.allowed == IMAGE.allowed else conflict.allowed
    return replace(conflict, name=PARENT.name, allowed=allowed, advice=advice)


def build_types_conflict(instance_types: Sequence[str]) -> Conflict | None:
    """The rule about an annex's types, for those that build and test an image."""
    conflict = types_conflict(instance_types)
    return conflict and replace(conflict, advice=conflict.advice.replace("a second annex", "a second image"))


def regions_conflict(regions: Sequence[str]) -> Conflict | None:
    """A Region's code that is misspelt is refused; one that this release does not know is not."""
    for each in regions:
        if is_misspelt(each):
            return Conflict(COPIES.name, COPIES.allowed, advice=f'did you mean "{nearest_region(each)}"?')
    return None


def copies_conflict(region: str, regions: Collection[str]) -> Conflict | None:
    """The image is in its own Region anyway, and no image is copied to another partition of AWS."""
    if region in regions:
        return Conflict(COPIES.name, f"Regions besides the image's own, {region}", advice=f"remove {region}")
    others = ", ".join(each for each in regions if partition(each) != partition(region))
    if not others:
        return None
    allowed = f"Regions of the image's partition of AWS, {partition(region)}"
    return Conflict(COPIES.name, allowed, advice=f"remove {others}, and build an image of its own there")


def own_account_conflict(name: str, account: str | None, accounts: Collection[str]) -> Conflict | None:
    """The image is in its own account anyway.

    Args:
        name: name of the declared value.
        account: the image's account; None: it is not known.
        accounts: accounts that are declared.
    """
    if account not in accounts:
        return None
    return Conflict(name, f"accounts besides the image's own, {account}", advice=f"remove {account}")


def volume_keys_conflict(regions: Sequence[str], keys: Sequence[str]) -> Conflict | None:
    """A KMS key encrypts in its own Region only, so there is one at most for each Region of the image.

    Args:
        regions: all Regions of the image.
        keys: ARNs of the keys.
    """
    places = [arn_region(each) for each in keys]
    for place in places:
        if place not in regions or places.count(place) > 1:
            allowed = f"at most one key in each Region of the image, {', '.join(regions)}"
            return Conflict(VOLUME_KEYS.name, allowed, advice=f"remove a key of {place}")
    return None


def sharing_conflict(regions: Sequence[str], keys: Sequence[str], share_with: Collection[str]) -> Conflict | None:
    """Another account cannot launch an image that the account's default key for EBS encrypts.

    So the EC2 User Guide, "Share an AMI with specific AWS accounts": the key must be a customer managed one.
    """
    lacking = sorted(set(regions) - {arn_region(each) for each in keys})
    if not share_with or not lacking:
        return None
    allowed = f"accounts only with a key of your own in each Region, and there is none in {', '.join(lacking)}"
    return Conflict(SHARE_WITH.name, allowed, advice=f"add the keys to {VOLUME_KEYS.name}, or remove {SHARE_WITH.name}")


def build_network_conflict(subnet: object | None, security_group: object | None) -> Conflict | None:
    """A subnet and a security group of its VPC are declared together."""
    if (subnet is None) == (security_group is None):
        return None
    missing, given = (BUILD_SUBNET, BUILD_SECURITY_GROUP) if subnet is None else (BUILD_SECURITY_GROUP, BUILD_SUBNET)
    allowed = f"{BUILD_SUBNET.name} and {BUILD_SECURITY_GROUP.name} together, or neither for the default VPC"
    return Conflict(missing.name, allowed, advice=f"{missing.name} = {written(missing)}, or remove {given.name}")


def script_conflict(script: object | None, test_script: object | None) -> Conflict | None:
    """A test belongs to a script of one's own."""
    if test_script is None or script is not None:
        return None
    return Conflict(TEST_SCRIPT.name, f"only with {SCRIPT.name}", advice=f"add {SCRIPT.name}, or remove it")


def schedule_conflict(schedule: str, build_unchanged: bool) -> Conflict | None:
    """Without a schedule nothing is built by it."""
    if schedule != NEVER or not build_unchanged:
        return None
    allowed = f"false with {SCHEDULE.name} = {NEVER}"
    return Conflict(BUILD_UNCHANGED.name, allowed, advice=f"remove it, or write {SCHEDULE.name} = {written(SCHEDULE)}")


def results_topic_conflict(topic: str | None, region: str) -> Conflict | None:
    """Image Builder publishes in its own Region."""
    if topic is None or arn_region(topic) == region:
        return None
    return Conflict(RESULTS_TOPIC.name, f"a topic in the image's Region, {region}", advice=f"use a topic of {region}")


def built_region_conflict(region: str, regions: Sequence[str], name: str) -> Conflict | None:
    """An annex boots an image of its own Region.

    Args:
        region: the annex's Region.
        regions: all Regions of the image.
        name: the image's name.
    """
    if region in regions:
        return None
    allowed = f"an image of {region}, the annex's Region; image {name} is in {', '.join(regions)}"
    return Conflict(IMAGE.name, allowed, advice=f'add "{region}" to {COPIES.name} of [image.{name}]')


def built_account_conflict(account: str | None, accounts: Collection[str | None], name: str) -> Conflict | None:
    """An annex reads the parameter of its own account.

    Args:
        account: the annex's account; None: that of the credentials in use, which is not known.
        accounts: accounts with the image and its parameter; None among them: one that is not known.
        name: the image's name.
    """
    if account is None or None in accounts or account in accounts:
        return None
    allowed = f"an image with a parameter in {account}, the annex's account"
    return Conflict(IMAGE.name, allowed, advice=f'add "{account}" to accounts of [image.{name}]')


def built_architecture_conflict(
    instance_types: Sequence[str], build_types: Sequence[str], name: str
) -> Conflict | None:
    """An image runs on the processor architecture on which it was built."""
    wanted, built = architectures(instance_types), architectures(build_types)
    if wanted == built:
        return None
    allowed = f"an image for {' and '.join(wanted)}, the architecture of the instance types"
    return Conflict(IMAGE.name, allowed, advice=f"image {name} is for {' and '.join(built)}: name another one")


def built_volume_conflict(volume_gib: int, image_gib: int, name: str) -> Conflict | None:
    """EC2 refuses a root volume that is smaller than the snapshot it is made of."""
    if volume_gib >= image_gib:
        return None
    allowed = f"{image_gib} GiB or more, the size of image {name}"
    return Conflict(VOLUME_GIB.name, allowed, advice=f"{VOLUME_GIB.name} = {image_gib}")


def built_root_conflict(root_device: str, image_device: str, name: str) -> Conflict | None:
    """An annex's root volume has the device name that the image gives it."""
    if root_device == image_device:
        return None
    return Conflict(ROOT_DEVICE.name, f"{image_device}, that of image {name}", advice="remove it")


def days_conflict(keep_launched: timedelta) -> Conflict | None:
    """Image Builder counts whole days."""
    if not keep_launched % _DAY:
        return None
    whole = keep_launched - keep_launched % _DAY
    return Conflict(KEEP_LAUNCHED.name, f"whole days; {KEEP_LAUNCHED.allowed}", whole)
