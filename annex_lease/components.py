"""Software that can be installed besides HTCondor, and the systems that each piece of it can be installed on."""

from __future__ import annotations

from collections.abc import Mapping

_APT, _EL = ("debian-13", "ubuntu-24.04"), ("almalinux-9", "rocky-9")
_ALL = (*_APT, "amazon-linux-2023", *_EL)

COMPONENTS: Mapping[str, tuple[str, ...]] = {
    # "Alma Linux 9", "Rocky Linux 9" (https://osg-htc.org/docs/release/supported_platforms/).
    "osg": _EL,
    # https://cvmfs.readthedocs.io/en/stable/cpt-quickstart.html, "Getting the Software".
    "cvmfs": (*_APT, *_EL),
    # https://apptainer.org/docs/admin/latest/installation.html, "Install from pre-built packages"; HTCondor's packages
    # need it on Enterprise Linux, and not on Amazon Linux (build/packaging/rpm/condor.spec).
    "apptainer": (*_APT, *_EL),
    # docker.io of Debian and Ubuntu, docker of Amazon Linux, podman-docker of Enterprise Linux.
    "docker": _ALL,
    # https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/, "Supported Linux distributions".
    "nvidia": _ALL,
    # HTCondor's RPM packages need it (build/packaging/rpm/condor.spec); https://docs.pelicanplatform.org/install.
    "pelican": _ALL,
}
"""Names of the stock images that have a component, by the component's name. Another image may have any of them."""
