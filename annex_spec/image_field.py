"""The types of the values of `[image.NAME]`, made from `annex_lease.image_terms` as those of `annex_spec.field`."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from annex_lease import image_terms, instance_rules
from annex_lease.image_rules import days_conflict, regions_conflict
from annex_spec.field import matching, number, ruled, texts, unique, within, words

ImageName = Annotated[
    str,
    matching(image_terms.IMAGE_NAME.form),
    Field(description=image_terms.IMAGE_NAME.allowed, examples=["[image.base]"]),
]
Parent = Annotated[
    str, ruled(instance_rules.image_conflict), matching(image_terms.PARENT.form), words(image_terms.PARENT)
]
Series = Annotated[str, matching(image_terms.IMAGE_HTCONDOR.form), words(image_terms.IMAGE_HTCONDOR)]
Components = Annotated[
    tuple[Annotated[str, matching(image_terms.IMAGE_COMPONENTS.form)], ...],
    AfterValidator(unique),
    texts(image_terms.IMAGE_COMPONENTS),
]
Script = Annotated[Annotated[str, matching(image_terms.SCRIPT.form)] | None, words(image_terms.SCRIPT)]
TestScript = Annotated[Annotated[str, matching(image_terms.TEST_SCRIPT.form)] | None, words(image_terms.TEST_SCRIPT)]
HtcondorSource = Annotated[
    Annotated[str, matching(image_terms.HTCONDOR_SOURCE.form)] | None, words(image_terms.HTCONDOR_SOURCE)
]
PackageSource = Annotated[
    Annotated[str, matching(image_terms.PACKAGE_SOURCE.form)] | None, words(image_terms.PACKAGE_SOURCE)
]
BuildTypes = Annotated[
    tuple[Annotated[str, matching(image_terms.BUILD_TYPES.form)], ...],
    AfterValidator(unique),
    ruled(instance_rules.types_conflict),
    texts(image_terms.BUILD_TYPES),
]
ImageVolumeGib = Annotated[int, number(image_terms.IMAGE_VOLUME_GIB)]
ImageRootDevice = Annotated[str, matching(image_terms.IMAGE_ROOT_DEVICE.form), words(image_terms.IMAGE_ROOT_DEVICE)]
Copies = Annotated[
    tuple[Annotated[str, matching(image_terms.COPIES.form)], ...],
    AfterValidator(unique),
    ruled(regions_conflict),
    texts(image_terms.COPIES),
]
CopyAccounts = Annotated[
    tuple[Annotated[str, matching(image_terms.COPY_ACCOUNTS.form)], ...],
    AfterValidator(unique),
    texts(image_terms.COPY_ACCOUNTS),
]
ShareWith = Annotated[
    tuple[Annotated[str, matching(image_terms.SHARE_WITH.form)], ...],
    AfterValidator(unique),
    texts(image_terms.SHARE_WITH),
]
VolumeKeys = Annotated[
    tuple[Annotated[str, matching(image_terms.VOLUME_KEYS.form)], ...],
    AfterValidator(unique),
    texts(image_terms.VOLUME_KEYS),
]
BuildSubnet = Annotated[Annotated[str, matching(image_terms.BUILD_SUBNET.form)] | None, words(image_terms.BUILD_SUBNET)]
BuildSecurityGroup = Annotated[
    Annotated[str, matching(image_terms.BUILD_SECURITY_GROUP.form)] | None, words(image_terms.BUILD_SECURITY_GROUP)
]
Schedule = Annotated[str, matching(image_terms.SCHEDULE.form), words(image_terms.SCHEDULE)]
BuildUnchanged = Annotated[bool, words(image_terms.BUILD_UNCHANGED)]
Keep = Annotated[int, number(image_terms.KEEP)]
KeepLaunched = Annotated[
    timedelta, within(image_terms.KEEP_LAUNCHED), ruled(days_conflict), words(image_terms.KEEP_LAUNCHED)
]
ResultsTopic = Annotated[
    Annotated[str, matching(image_terms.RESULTS_TOPIC.form)] | None, words(image_terms.RESULTS_TOPIC)
]
