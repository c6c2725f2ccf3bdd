"""The declared values of an image that EC2 Image Builder builds; those that an annex has too are `annex_lease.terms`'s.

Each stands here once. The image's name is one of an annex's form: it is part of names in AWS.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from annex_lease import forms
from annex_lease.built_forms import (
    BUILD_SCHEDULE,
    IMAGE_PARAMETER_PREFIX,
    MAX_SCRIPT_BYTES,
    NEVER,
    RELATIVE_PATH,
    SECURITY_GROUP,
)
from annex_lease.image_terms import COMPONENTS, HTCONDOR_MIRROR, PACKAGE_MIRROR, ROOT_DEVICE, SCRIPT
from annex_lease.instance_terms import PERMISSIONS_BOUNDARY, ROLE_PATH, TAGS
from annex_lease.kinds import Flag, Number, Span, Term, Text, Texts
from annex_lease.stock_images import DEFAULT_IMAGE, HTCONDOR_SERIES
from annex_lease.terms import ACCOUNT, REGION

_DAY = timedelta(days=1)
_MOST = 50  # Regions, accounts: more than anybody has, and few enough for a template
DEFAULT_BUILD_TYPES = ("c6a.large", "c6i.large")
"""Instance types that build an image where none are declared."""

IMAGE_NAME = Text(
    "name",
    f"name of the image; its stack is `AnnexImage-<name>`, its parameter `{IMAGE_PARAMETER_PREFIX}<name>`",
    forms.ANNEX_NAME,
)
PARENT = Text(
    "parent",
    "image to begin with: a stock image, an image's id, or the SSM parameter that holds it",
    forms.PARENT_IMAGE,
    default=DEFAULT_IMAGE,
)
IMAGE_HTCONDOR = Text("htcondor", "series of HTCondor to install", forms.SERIES, default=HTCONDOR_SERIES[0])
IMAGE_COMPONENTS = replace(COMPONENTS, meaning="software to install besides HTCondor, in this order")
IMAGE_SCRIPT = replace(
    SCRIPT,
    meaning=f"shell script of your own that runs after the components, as root; at most {MAX_SCRIPT_BYTES} bytes",
)
TEST_SCRIPT = Text(
    "test_script",
    "shell script that runs on an instance of the finished image and fails if the image is wrong",
    RELATIVE_PATH,
    absent="none",
)
BUILD_TYPES = Texts(
    "instance_types",
    "EC2 instance types of one processor architecture that build and test the image, in order of preference",
    forms.INSTANCE_TYPE,
    "1 to 20 different EC2 instance types",
    '["c6a.large", "c6i.large"]',
    maximum=20,
    absent=" and ".join(f"`{each}`" for each in DEFAULT_BUILD_TYPES),
)
IMAGE_VOLUME_GIB = Number(
    "volume_gib",
    "size of the root volume; an annex's own is at least as large",
    "GiB",
    1,
    16_000,  # (CloudFormation Template Reference, AWS::ImageBuilder::ImageRecipe EbsInstanceBlockDeviceSpecification)
    "20",
    default=20,
)
IMAGE_ROOT_DEVICE = replace(ROOT_DEVICE, meaning="device name of the parent's root volume")
COPIES = Texts(
    "regions",
    "further Regions in which the image and its parameter are needed",
    forms.REGION,
    f"1 to {_MOST} different AWS Regions",
    '["eu-west-1"]',
    maximum=_MOST,
    absent="none, the image is in its own Region",
)
COPY_ACCOUNTS = Texts(
    "accounts",
    "further accounts that get a copy of the image and of its parameter; each needs the role "
    "`EC2ImageBuilderDistributionCrossAccountRole`",
    forms.ACCOUNT,
    f"1 to {_MOST} different accounts, 12 digits in quotes",
    '["123456789012"]',
    maximum=_MOST,
    absent="none",
)
SHARE_WITH = replace(
    COPY_ACCOUNTS,
    name="share_with",
    meaning="accounts that may launch the image without a copy; needs `volume_keys`",
)
VOLUME_KEYS = Texts(
    "volume_keys",
    "ARNs of the KMS keys that encrypt the image, at most one for each of its Regions",
    forms.KEY_ARN,
    "different ARNs of KMS keys, at most one in each of the image's Regions",
    '["arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"]',
    maximum=_MOST,
    absent="the account's default key for EBS in each Region",
)
BUILD_SUBNET = Text(
    "subnet", "subnet of the instances that build the image; with `security_group`", forms.SUBNET,
    absent="one of the default VPC",
)  # fmt: skip
BUILD_SECURITY_GROUP = Text(
    "security_group",
    "security group of these instances, which needs outbound 443/tcp, and 80/tcp for package sources in plain HTTP",
    SECURITY_GROUP,
    absent="the default group of the default VPC",
)
SCHEDULE = Text(
    "schedule", "how often the image is built, if its parent or a component changed", BUILD_SCHEDULE, default="monthly"
)
BUILD_UNCHANGED = Flag(
    "build_unchanged",
    f"build by the schedule also if Image Builder sees no change; with `schedule` other than `{NEVER}`",
    "true",
    default=False,
)
KEEP = Number(
    "keep",
    "number of newest images that are kept, however old they are",
    "images",
    1,
    10,  # (CloudFormation Template Reference, AWS::ImageBuilder::LifecyclePolicy Filter, RetainAtLeast)
    "3",
    default=3,
)
KEEP_LAUNCHED = Span(
    "keep_launched",
    "other images are kept as long as they were built or launched within this time; whole days",
    # EC2 reports a launch a day later (EC2 Image Builder User Guide, "AMI lifecycle exclusion rules").
    minimum=7 * _DAY,
    maximum=365 * _DAY,  # (CloudFormation Template Reference, AWS::ImageBuilder::LifecyclePolicy LastLaunched)
    example="90d",
    default=90 * _DAY,
)
RESULTS_TOPIC = Text(
    "results_topic", "ARN of the Amazon SNS topic that receives the result of every build", forms.TOPIC_ARN,
    absent="none",
)  # fmt: skip

# fmt: off
IMAGE_KEYS: tuple[Term, ...] = (
    REGION, ACCOUNT, PARENT, IMAGE_HTCONDOR, IMAGE_COMPONENTS, IMAGE_SCRIPT, TEST_SCRIPT, HTCONDOR_MIRROR,
    PACKAGE_MIRROR, BUILD_TYPES, IMAGE_VOLUME_GIB, IMAGE_ROOT_DEVICE, COPIES, COPY_ACCOUNTS, SHARE_WITH, VOLUME_KEYS,
    BUILD_SUBNET, BUILD_SECURITY_GROUP, SCHEDULE, BUILD_UNCHANGED, KEEP, KEEP_LAUNCHED, RESULTS_TOPIC, TAGS,
    PERMISSIONS_BOUNDARY, ROLE_PATH,
)
# fmt: on
"""Keys of `[image.NAME]`."""
