"""Public parameters with the ids of stock images, for those that the lab has.

https://wiki.debian.org/Cloud/AmazonEC2Image, "SSM parameters"
"""

from annex_lease.stock_images import IMAGE_FAMILIES
from lab.cloud.emulator import ssm
from lab.machines import STOCK_IMAGE_ID


def install() -> None:
    """Add the parameters of Debian's image."""
    for parameter in IMAGE_FAMILIES["debian-13"].parameters.values():
        ssm._PUBLIC_AMI_PARAMETERS[parameter] = STOCK_IMAGE_ID
