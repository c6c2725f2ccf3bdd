"""Images of the publishers of Linux systems that an annex can boot, and what an installation at boot needs to know.

Data only: the spec, the constructs, the install files and the documentation read this table. A system is here if its
publisher has an image of it for every AWS account, and HTCondor's repositories have packages for it (HTCondor manual,
"Linux (from our repositories)", https://htcondor.readthedocs.io/en/latest/getting-htcondor/from-our-repositories.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ARM64, X86_64 = "arm64", "x86_64"
"""The architecture of an image, as EC2 names it (EC2 API Reference, Image)."""
HTCONDOR_REPOSITORIES = "https://htcss-downloads.chtc.wisc.edu/repo"
"""URL of HTCondor's official repositories. A mirror of them takes its place."""
HTCONDOR_SERIES = ("25.0", "25.x")
"""Series that can be installed, the default one first: long-term support, and the newest features. The signing key that
is shipped with this project is that of release 25 (HTCondor manual, "Version History and Release Notes")."""
HTCONDOR_IN_IMAGE = "image"
"""In place of a series: HTCondor is in the image, and nothing is installed."""


@dataclass(frozen=True, kw_only=True)
class ImageFamily:
    """Stock images of one system: where they are published, and what an installation on them needs.

    Attributes:
        name: name in the spec.
        title: name of the system, for readers.
        publisher: publisher of the images, for readers.
        os_id: `ID` in `/etc/os-release`.
        os_version: `VERSION_ID` in `/etc/os-release`, up to its first dot unless the system names releases with one.
        package_manager: `apt` or `dnf`.
        architectures: processor architectures with both an image and packages of HTCondor.
        parameters: public SSM parameter with the newest image's id, by architecture. Default: none - the newest image
            is looked up by `owner` and `image_name`.
        owner: account that publishes the images. Default: "" - they have public parameters.
        image_name: pattern of their names, `*` for any characters. Default: "" - they have public parameters.
        root_device: device name that the images give their root volume.
        login_user: user that the images make for SSH. An annex opens no port for it.
        htcondor_path: path of HTCondor's repository below `HTCONDOR_REPOSITORIES`, with `{series}`; in that of `dnf`,
            `$basearch` is for `dnf` to fill in.
        htcondor_suite: suite of the `apt` repository; its component is `main`. Default: "" - there is none with `dnf`.
        epel: True if HTCondor's packages need those of EPEL. Default: False.
        extra_repository: repository of the distribution that is off in the image and that EPEL needs. Default: "".
        packages: packages that an execution point needs and the image may lack.
        mirrored: directories below a mirror of the system's packages. Default: none - it needs no mirror.
        plain_http: True if the package sources of the image use plain HTTP, or may. Default: False.
    """

    name: str
    title: str
    publisher: str
    os_id: str
    os_version: str
    package_manager: Literal["apt", "dnf"]
    architectures: tuple[str, ...]
    parameters: Mapping[str, str]
    owner: str = ""
    image_name: str = ""
    root_device: str
    login_user: str
    htcondor_path: str
    htcondor_suite: str = ""
    epel: bool = False
    extra_repository: str = ""
    packages: tuple[str, ...]
    mirrored: tuple[str, ...] = ()
    plain_http: bool = False


# condor: HTCondor. nftables: the firewall that keeps jobs from the metadata service. curl: the metadata service; the
# RPM systems have it as curl-minimal, which a package curl would conflict with. procps, procps-ng: pgrep, by which an
# instance sees that a job runs. The rest is in the systems' own images; cloud-init brings Python.
_APT_PACKAGES, _DNF_PACKAGES = ("condor", "nftables", "curl", "procps"), ("condor", "nftables", "procps-ng")

_DEBIAN_13 = ImageFamily(
    name="debian-13",
    title="Debian 13",
    publisher="Debian",
    os_id="debian",
    os_version="13",
    package_manager="apt",
    # HTCondor has packages for Debian 13 on x86_64 only; the images exist for arm64 too.
    architectures=(X86_64,),
    # https://wiki.debian.org/Cloud/AmazonEC2Image/Trixie has the images, and so the rest of this.
    parameters={X86_64: "/aws/service/debian/release/13/latest/amd64"},
    root_device="/dev/xvda",
    login_user="admin",
    htcondor_path="debian/{series}",
    htcondor_suite="trixie",
    packages=_APT_PACKAGES,
    mirrored=("debian", "debian-security"),
    # The images' /etc/apt/mirrors/debian.list and debian-security.list name Debian's mirror in AWS, over HTTPS.
)
_UBUNTU_24_04 = ImageFamily(
    name="ubuntu-24.04",
    title="Ubuntu 24.04",
    publisher="Canonical",
    os_id="ubuntu",
    os_version="24.04",
    package_manager="apt",
    architectures=(X86_64, ARM64),
    # https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
    parameters={
        X86_64: "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
        ARM64: "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id",
    },
    root_device="/dev/sda1",
    login_user="ubuntu",
    htcondor_path="ubuntu/{series}",
    htcondor_suite="noble",
    packages=_APT_PACKAGES,
    mirrored=("ubuntu", "ubuntu-ports"),  # the second for arm64
    # cloud-init's package_mirrors on EC2: http://<region>.ec2.archive.ubuntu.com/ubuntu/, and for arm64
    # http://<region>.ec2.ports.ubuntu.com/ubuntu-ports/ (config/cloud.cfg.tmpl of github.com/canonical/cloud-init).
    plain_http=True,
)
_AMAZON_LINUX_2023 = ImageFamily(
    name="amazon-linux-2023",
    title="Amazon Linux 2023",
    publisher="Amazon",
    os_id="amzn",
    os_version="2023",
    package_manager="dnf",
    # HTCondor has packages for Amazon Linux 2023 on x86_64 only; the images exist for arm64 too.
    architectures=(X86_64,),
    # Amazon Linux 2023 User Guide, "AL2023 on Amazon EC2".
    parameters={X86_64: "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"},
    root_device="/dev/xvda",
    login_user="ec2-user",
    htcondor_path="{series}/amzn2023/$basearch/release",
    packages=_DNF_PACKAGES,
    # Its repositories are in Amazon S3 in the same Region, over HTTPS (Amazon Linux 2023 User Guide, "Managing
    # repositories"): a gateway endpoint for S3 is enough, and no mirror is needed.
)
_ALMALINUX_9 = ImageFamily(
    name="almalinux-9",
    title="AlmaLinux 9",
    publisher="AlmaLinux OS Foundation",
    os_id="almalinux",
    os_version="9",
    package_manager="dnf",
    architectures=(X86_64, ARM64),
    parameters={},
    # https://wiki.almalinux.org/cloud/AWS.html; owner, name, root device and user are those of almalinux_9_ami.pkr.hcl
    # of github.com/AlmaLinux/cloud-images.
    owner="764336703387",
    image_name="AlmaLinux OS 9.*",
    root_device="/dev/sda1",
    login_user="ec2-user",
    htcondor_path="{series}/el9/$basearch/release",
    epel=True,
    extra_repository="crb",
    packages=_DNF_PACKAGES,
    mirrored=("almalinux", "epel"),
    # The list of mirrors has both schemes (https://github.com/AlmaLinux/mirrors/issues/590), and so has EPEL's, which
    # has only HTTPS with `protocol=https`.
    plain_http=True,
)
_ROCKY_9 = ImageFamily(
    name="rocky-9",
    title="Rocky Linux 9",
    publisher="Rocky Enterprise Software Foundation",
    os_id="rocky",
    os_version="9",
    package_manager="dnf",
    architectures=(X86_64, ARM64),
    parameters={},
    # https://rockylinux.org/download, "Cloud images"; the user is set in Rocky-9-EC2-Base.ks of
    # github.com/rocky-linux/kickstarts. The root device is that of the images as others describe them: no page of
    # Rocky's has it.
    owner="792107900819",
    image_name="Rocky-9-EC2-Base-9.*",
    root_device="/dev/sda1",
    login_user="rocky",
    htcondor_path="{series}/el9/$basearch/release",
    epel=True,
    extra_repository="crb",
    packages=_DNF_PACKAGES,
    mirrored=("rocky", "epel"),
    # The lists of mirrors.rockylinux.org and EPEL's metalink name mirrors of both schemes.
    plain_http=True,
)

IMAGE_FAMILIES: Mapping[str, ImageFamily] = {
    each.name: each for each in (_DEBIAN_13, _UBUNTU_24_04, _AMAZON_LINUX_2023, _ALMALINUX_9, _ROCKY_9)
}
"""The stock images by their names in the spec, the default one first."""
DEFAULT_IMAGE = _DEBIAN_13.name
"""The stock image of an annex that names none."""
