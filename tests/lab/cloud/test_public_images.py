"""The stock image of the lab: found by its publisher's public parameter, as CloudFormation and `annex` look for it."""

from __future__ import annotations

from annex_lease.stock_images import IMAGE_FAMILIES
from lab.machines import STOCK_IMAGE_ID

from .driving import Cloud


def test_the_public_parameter_has_the_image(cloud: Cloud) -> None:
    (parameter,) = IMAGE_FAMILIES["debian-13"].parameters.values()
    assert cloud.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"] == STOCK_IMAGE_ID


def test_the_image_is_described_with_the_root_device_of_its_family(cloud: Cloud) -> None:
    (image,) = cloud.client("ec2").describe_images(ImageIds=[STOCK_IMAGE_ID])["Images"]
    assert image["RootDeviceName"] == IMAGE_FAMILIES["debian-13"].root_device
