"""Software that can be installed besides HTCondor, and the systems that each piece of it can be installed on."""

from __future__ import annotations

from collections.abc import Mapping

_APT, _EL = ("debian-13", "ubuntu-24.04"), ("almalinux-9", "rocky-9")
_ALL = (*_APT, "amazon-linux-2023", *_EL)

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    # "Alma Linux 9", "Rocky Linux 9" (https://osg-htc.org/docs/release/supported_platforms/).
    "osg": _EL,
    # https://cvmfs.readthedocs.io/en/latest/, "Package Repositories"; Enterprise Linux has it from the OSG.
    "cvmfs": (*_APT, *_EL),
    # https://apptainer.org/docs/admin/latest/installation.html, "Install from pre-built packages"; HTCondor's packages
    # need it on Enterprise Linux. Not Debian: its packages are signed by no key. Not Amazon Linux: EPEL is not for it.
    "apptainer": ("ubuntu-24.04", *_EL),
    # Those of Debian, Ubuntu and Amazon Linux; Docker's own for Enterprise Linux.
    "docker": _ALL,
    # https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/, "Supported Linux distributions". Not
    # Enterprise Linux: the key was not found of NVIDIA's repository for it.
    "nvidia": (*_APT, "amazon-linux-2023"),
    # HTCondor's packages need it (build/packaging/rpm/condor.spec and build/packaging/debian/control.in).
    "pelican": _ALL,
}
"""Names of the stock images that have a component, by the component's name. Another image may have any of them."""
