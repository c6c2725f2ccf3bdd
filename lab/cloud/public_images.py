"""Stock images that the lab has, and the public parameters with their ids.

https://wiki.debian.org/Cloud/AmazonEC2Image, "SSM parameters"
"""

from annex_lease.stock_images import IMAGE_FAMILIES
from lab.cloud.emulator import ec2, ssm
from lab.machines import STOCK_IMAGE_ID


def install() -> None:
    """Add Debian's image and its parameters."""
    family = IMAGE_FAMILIES["debian-13"]
    # Account of the publisher: https://wiki.debian.org/Cloud/AmazonEC2Image
    described = (STOCK_IMAGE_ID, "debian-13-amd64", family.title, "", family.root_device, "136693071363", None)
    ec2._STUB_AMIS.append(described)
    for parameter in family.parameters.values():
        ssm._PUBLIC_AMI_PARAMETERS[parameter] = STOCK_IMAGE_ID
