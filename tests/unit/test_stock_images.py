"""The table of stock images: its form, and what follows from it for defaults, ports and names."""

from __future__ import annotations

import re

import pytest

from annex_lease import forms
from annex_lease.components import COMPONENTS
from annex_lease.egress import Opening, package_openings
from annex_lease.image_rules import ImageParameter, default_root_device, nearest_families, parameter_of
from annex_lease.installation_rules import default_htcondor
from annex_lease.stock_images import (
    ARM64,
    DEFAULT_IMAGE,
    HTCONDOR_REPOSITORIES,
    HTCONDOR_SERIES,
    IMAGE_FAMILIES,
    X86_64,
    ImageFamily,
)

FAMILIES = list(IMAGE_FAMILIES.values())
# In the names of public parameters.
IN_A_PARAMETER = {X86_64: r"(amd64|x86_64)", ARM64: r"arm64"}


def test_the_five_and_the_default() -> None:
    assert list(IMAGE_FAMILIES) == ["debian-13", "ubuntu-24.04", "amazon-linux-2023", "almalinux-9", "rocky-9"]
    assert DEFAULT_IMAGE == "debian-13"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_each_is_complete(family: ImageFamily) -> None:
    assert forms.IMAGE.matches(family.name)
    assert forms.ROOT_DEVICE.matches(family.root_device)
    assert family.architectures
    assert {*family.architectures} <= {ARM64, X86_64}
    # A public parameter for each architecture, or an account of 12 digits and a name; never both.
    assert bool(family.parameters) != bool(family.owner)
    assert bool(family.owner) == bool(family.image_name)
    if family.parameters:
        assert family.parameters.keys() == {*family.architectures}
        for architecture, parameter in family.parameters.items():
            assert parameter.startswith("/aws/service/")
            assert forms.IMAGE.matches(f"ssm:{parameter}")
            assert re.search(IN_A_PARAMETER[architecture], parameter)
    else:
        assert forms.ACCOUNT.matches(family.owner)
        assert family.image_name.endswith(f" {family.os_version}.*") or f"-{family.os_version}." in family.image_name


@pytest.mark.parametrize("family", FAMILIES, ids=lambda each: each.name)
def test_each_has_a_repository_of_its_package_manager(family: ImageFamily) -> None:
    urls = [f"{HTCONDOR_REPOSITORIES}/{family.htcondor_path.format(series=each)}" for each in HTCONDOR_SERIES]
    assert len({*urls}) == len(HTCONDOR_SERIES)
    assert bool(family.htcondor_suite) == (family.package_manager == "apt")
    assert ("$basearch" in family.htcondor_path) == (family.package_manager == "dnf")
    assert all(forms.MIRROR.matches(each.replace("$basearch", "x86_64")) for each in urls)
    assert family.epel == bool(family.extra_repository) == ("/el9/" in family.htcondor_path)
    assert {"condor", "nftables"} <= {*family.packages}


def test_the_repositories_are_those_of_the_manual() -> None:
    assert {name: each.htcondor_path for name, each in IMAGE_FAMILIES.items()} == {
        "debian-13": "debian/{series}",
        "ubuntu-24.04": "ubuntu/{series}",
        "amazon-linux-2023": "{series}/amzn2023/$basearch/release",
        "almalinux-9": "{series}/el9/$basearch/release",
        "rocky-9": "{series}/el9/$basearch/release",
    }
    assert [each.htcondor_suite for each in FAMILIES] == ["trixie", "noble", "", "", ""]
    with_arm64 = [each.name for each in FAMILIES if ARM64 in each.architectures]
    assert with_arm64 == ["ubuntu-24.04", "almalinux-9", "rocky-9"]
    assert all(X86_64 in each.architectures for each in FAMILIES)


def test_components_name_stock_images() -> None:
    for component, names in COMPONENTS.items():
        assert forms.COMPONENT.matches(component)
        assert {*names} <= IMAGE_FAMILIES.keys()
        assert names
    assert not {"debian-13", "ubuntu-24.04", "amazon-linux-2023"} & {*COMPONENTS["osg"]}


def test_defaults_that_follow_from_the_image() -> None:
    for name, family in IMAGE_FAMILIES.items():
        assert default_htcondor(name) == HTCONDOR_SERIES[0] == "25.0"
        assert default_root_device(name) == family.root_device
    for other in ("ami-0123456789abcdef0", "ssm:/images/annex", "built:debian", ""):
        assert default_htcondor(other) == "image"
        assert default_root_device(other) == "/dev/xvda"


def test_the_parameter_of_a_built_image() -> None:
    assert parameter_of("built:my-image") == ImageParameter("/annex/image/my-image")


@pytest.mark.parametrize(
    ("image", "name", "version"),
    [
        ("ssm:name", "name", None),
        ("ssm:/my/images/ep:12", "/my/images/ep", 12),
        (
            "ssm:arn:aws:ssm:us-east-1:123456789012:parameter/ep",
            "arn:aws:ssm:us-east-1:123456789012:parameter/ep",
            None,
        ),
    ],
)
def test_the_parameter_of_an_image_of_ones_own(image: str, name: str, version: int | None) -> None:
    found = parameter_of(image)
    assert found == ImageParameter(name, version)
    assert (found.is_shared, found.is_public) == (name.startswith("arn:"), False)


def test_what_has_no_parameter_and_what_has_a_public_one() -> None:
    for image in (*IMAGE_FAMILIES, "ami-0123456789abcdef0", ""):
        assert parameter_of(image) is None
    for family in FAMILIES:
        for parameter in family.parameters.values():
            assert parameter_of(f"ssm:{parameter}") == ImageParameter(parameter)
            assert ImageParameter(parameter).is_public


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *[(text, ["debian-13"]) for text in ("debian-12", "debian", "Debian 13", "debian13", "trixie")],
        *[(text, ["ubuntu-24.04"]) for text in ("ubuntu", "ubuntu-22.04", "ubuntu_24.04", "noble", "ubunut-24.04")],
        *[(text, ["amazon-linux-2023"]) for text in ("amazon", "amazon-linux-2", "al2023", "amzn2023", "amazonlinux")],
        *[(text, ["almalinux-9"]) for text in ("almalinux-8", "almalinux", "alma-9")],
        *[(text, ["rocky-9"]) for text in ("rocky", "rocky-8", "rockylinux-9")],
        *[(text, ["almalinux-9", "rocky-9"]) for text in ("rhel-9", "centos-stream-9", "el9")],
        *[(text, []) for text in ("suse-15", "x", "", "13")],
    ],
)
def test_the_stock_image_that_is_meant(text: str, meant: list[str]) -> None:
    assert nearest_families(text) == meant


HTTP, TLS = "http://mirror.example.edu", "https://mirror.example.edu"
PACKAGES, OF_HTCONDOR = "Packages to install", "HTCondor: packages to install"


@pytest.mark.parametrize(
    ("image", "htcondor", "mirrors", "proxy", "expected"),
    [
        ("debian-13", "25.0", (None, None), None, []),
        ("amazon-linux-2023", "25.x", (None, None), None, []),
        ("ubuntu-24.04", "25.0", (None, None), None, [(80, PACKAGES)]),
        ("almalinux-9", "25.0", (None, None), None, [(80, PACKAGES)]),
        ("rocky-9", "25.0", (None, None), None, [(80, PACKAGES)]),
        # A system that is not known, and one on which nothing is installed.
        ("", "25.0", (None, None), None, [(80, PACKAGES)]),
        ("ami-0123456789abcdef0", "25.0", (None, None), None, [(80, PACKAGES)]),
        ("", "image", (None, None), None, []),
        ("debian-13", "25.0", (TLS, TLS), None, []),
        ("debian-13", "25.0", (HTTP, None), None, [(80, OF_HTCONDOR)]),
        ("debian-13", "25.0", (f"{TLS}:8443/a", f"{HTTP}:8080"), None, [(8443, OF_HTCONDOR), (8080, PACKAGES)]),
        # A mirror takes the place of the sources in plain HTTP.
        ("ubuntu-24.04", "25.0", (None, TLS), None, []),
        ("ubuntu-24.04", "25.0", (f"{TLS}:8443", f"{HTTP}:8080"), "http://proxy:3128", []),
    ],
)
def test_ports_that_an_installation_needs(
    image: str,
    htcondor: str,
    mirrors: tuple[str | None, str | None],
    proxy: str | None,
    expected: list[tuple[int, str]],
) -> None:
    found = package_openings(image, htcondor, *mirrors, proxy)
    assert found == tuple(Opening(port, port, use) for port, use in expected)
