"""Codes of Regions: the known ones, those that may come, and misspelt ones."""

from __future__ import annotations

import boto3
import pytest

from annex_lease.forms import REGION
from annex_lease.regions import KNOWN_REGIONS, is_misspelt, nearest_region, partition
from tests.unit.aws_names import region_names


def test_the_known_regions_are_those_of_the_sdk() -> None:
    assert set(KNOWN_REGIONS) == region_names()
    assert len(KNOWN_REGIONS) == len(set(KNOWN_REGIONS))


@pytest.mark.parametrize("region", KNOWN_REGIONS)
def test_a_known_region_has_the_form(region: str) -> None:
    assert REGION.matches(region)
    assert not is_misspelt(region)
    assert nearest_region(region) == region


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("us-esat-1", "us-east-1"),
        ("ue-west-1", "eu-west-1"),
        ("pa-south-1", "ap-south-1"),  # and not af-south-1, in which more letters have their place
        ("us-east-l", "us-east-1"),
        ("us-east1", "us-east-1"),
        ("US-EAST-1", "us-east-1"),
        ("us_west_2", "us-west-2"),
        ("eu-centarl-1", "eu-central-1"),
        ("ap-southest-2", "ap-southeast-2"),
        ("eu-west-1a", "eu-west-1"),
        (" us-east-1", "us-east-1"),
        ("nowhere", ""),
        ("", ""),
    ],
)
def test_the_region_that_was_meant(text: str, meant: str) -> None:
    assert nearest_region(text) == meant
    assert not REGION.matches(text) or is_misspelt(text)


@pytest.mark.parametrize("region", ["us-south-1", "ap-southeast-12", "nz-north-1", "eu-isoe-north-1", "eusc-fr-west-1"])
def test_a_region_that_may_come_is_not_misspelt(region: str) -> None:
    assert REGION.matches(region)
    assert not is_misspelt(region)


@pytest.mark.parametrize("region", KNOWN_REGIONS)
def test_the_partition_of_a_region_is_that_of_the_sdk(region: str) -> None:
    assert partition(region) == boto3.Session().get_partition_for_region(region)
