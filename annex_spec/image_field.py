"""The types of the values of `[image.NAME]`, made from `annex_lease.built_terms` as those of `annex_spec.field`."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from annex_lease import built_rules, built_terms
from annex_spec.field import matching, number, ruled, texts, unique, within, words

ImageName = Annotated[
    str,
    matching(built_terms.IMAGE_NAME.form),
    Field(description=built_terms.IMAGE_NAME.allowed, examples=["[image.base]"]),
]
Parent = Annotated[
    str, ruled(built_rules.parent_conflict), matching(built_terms.PARENT.form), words(built_terms.PARENT)
]
Series = Annotated[str, matching(built_terms.IMAGE_HTCONDOR.form), words(built_terms.IMAGE_HTCONDOR)]
TestScript = Annotated[Annotated[str, matching(built_terms.TEST_SCRIPT.form)] | None, words(built_terms.TEST_SCRIPT)]
BuildTypes = Annotated[
    tuple[Annotated[str, matching(built_terms.BUILD_TYPES.form)], ...],
    AfterValidator(unique),
    ruled(built_rules.build_types_conflict),
    texts(built_terms.BUILD_TYPES),
]
ImageVolumeGib = Annotated[int, number(built_terms.IMAGE_VOLUME_GIB)]
Copies = Annotated[
    tuple[Annotated[str, matching(built_terms.COPIES.form)], ...],
    AfterValidator(unique),
    ruled(built_rules.regions_conflict),
    texts(built_terms.COPIES),
]
Accounts = Annotated[
    tuple[Annotated[str, matching(built_terms.COPY_ACCOUNTS.form)], ...],
    AfterValidator(unique),
    texts(built_terms.COPY_ACCOUNTS),
]
VolumeKeys = Annotated[
    tuple[Annotated[str, matching(built_terms.VOLUME_KEYS.form)], ...],
    AfterValidator(unique),
    texts(built_terms.VOLUME_KEYS),
]
BuildSubnet = Annotated[Annotated[str, matching(built_terms.BUILD_SUBNET.form)] | None, words(built_terms.BUILD_SUBNET)]
BuildSecurityGroup = Annotated[
    Annotated[str, matching(built_terms.BUILD_SECURITY_GROUP.form)] | None, words(built_terms.BUILD_SECURITY_GROUP)
]
Schedule = Annotated[str, matching(built_terms.SCHEDULE.form), words(built_terms.SCHEDULE)]
BuildUnchanged = Annotated[bool, words(built_terms.BUILD_UNCHANGED)]
Keep = Annotated[int, number(built_terms.KEEP)]
KeepLaunched = Annotated[
    timedelta, within(built_terms.KEEP_LAUNCHED), ruled(built_rules.days_conflict), words(built_terms.KEEP_LAUNCHED)
]
ResultsTopic = Annotated[
    Annotated[str, matching(built_terms.RESULTS_TOPIC.form)] | None, words(built_terms.RESULTS_TOPIC)
]
