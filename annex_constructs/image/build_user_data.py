"""User data of the instances that build and test an image: the agent through which Image Builder drives them."""

from __future__ import annotations

from aws_cdk import Aws

from annex_lease.image_rules import family_of
from annex_lease.instance_types import architectures
from annex_lease.stock_images import ARM64, ImageFamily

# Systems Manager User Guide, "Find AMIs with the SSM Agent preinstalled".
_WITH_AGENT = frozenset({"ubuntu-24.04", "amazon-linux-2023"})
_PACKAGES = {"apt": ("debian", "deb", "dpkg -i"), "dnf": ("linux", "rpm", "rpm -i")}


def build_user_data(parent: str, instance_types: list[str]) -> str | None:
    """The user data for a parent that lacks the agent; None if Image Builder's own will do.

    Image Builder installs the agent on the systems that it supports, and Debian, AlmaLinux and Rocky Linux are not
    among them (EC2 Image Builder User Guide, "Supported operating systems"; "AdditionalInstanceConfiguration"). The
    agent is from AWS's own bucket in the Region, over HTTPS (Systems Manager User Guide, "Manually installing SSM Agent
    on EC2 instances for Linux"). The file asks for Image Builder's clean-up script, which user data of one's own turns
    off otherwise ("Security best practices for Image Builder").

    :param parent: the image's parent, as declared.
    :param instance_types: types of the instances.
    """
    family = family_of(parent)
    if family is None or family.name in _WITH_AGENT:
        return None
    return _script(family, ARM64 if architectures(instance_types) == (ARM64,) else "amd64")


def _script(family: ImageFamily, machine: str) -> str:
    system, suffix, install = _PACKAGES[family.package_manager]
    bucket = f"https://s3.{Aws.REGION}.{Aws.URL_SUFFIX}/amazon-ssm-{Aws.REGION}/latest"
    url = f"{bucket}/{system}_{machine}/amazon-ssm-agent.{suffix}"
    return f"""#!/bin/sh
touch /tmp/perform_cleanup
systemctl is-active --quiet amazon-ssm-agent && exit
python=$(sed -n '1s/^#! *//p' "$(command -v cloud-init)")
for pause in 5 15 30 60; do
    $python -c 'import sys, urllib.request; urllib.request.urlretrieve(*sys.argv[1:])' \\
        {url} /tmp/amazon-ssm-agent.{suffix} && break
    sleep $pause
done
{install} /tmp/amazon-ssm-agent.{suffix}
rm -f /tmp/amazon-ssm-agent.{suffix}
systemctl enable --now amazon-ssm-agent
"""
