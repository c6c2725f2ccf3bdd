"""The AWS Regions that this release knows, for errors about a Region's code that is misspelt, and their partitions."""

from __future__ import annotations

import difflib

# botocore's endpoints.json, in its order; a test compares the two. A Region that is not here can be used as well.
# fmt: off
KNOWN_REGIONS = (
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
    "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2", "cn-north-1", "cn-northwest-1",
    "us-gov-east-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1",
    "eu-isoe-west-1", "us-isof-east-1", "us-isof-south-1", "eusc-de-east-1",
)
# fmt: on
_SIMILAR = 0.75
# botocore's partitions.json: the beginning of the code of each Region that is not in the partition `aws`.
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
_AREAS = frozenset(each.split("-")[0] for each in KNOWN_REGIONS)


def nearest_region(text: str) -> str:
    """The known Region whose code is most similar; empty if none is similar enough to be meant."""
    code = text.strip().lower().replace("_", "-")
    swapped = [each for each in KNOWN_REGIONS if sorted(each) == sorted(code)]
    if swapped:
        return swapped[0]
    ratios = {each: difflib.SequenceMatcher(None, code, each).ratio() for each in KNOWN_REGIONS}
    close = max(KNOWN_REGIONS, key=lambda each: ratios[each])
    return close if ratios[close] >= _SIMILAR else ""


def is_misspelt(region: str) -> bool:
    """True for a Region that is not known and whose area has the letters of a known one in another order: `ue-west-1`.

    Any other code of the right form can be that of a Region that AWS opened later.

    Args:
        region: a code of the form of a Region's.
    """
    area = region.split("-")[0]
    return region not in KNOWN_REGIONS and area not in _AREAS and area[::-1] in _AREAS


def partition(region: str) -> str:
    """Partition of a Region, as every ARN of it names it: `aws`, `aws-cn`, `aws-us-gov` and so on.

    Args:
        region: a Region's code.
    """
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")
