"""Install files on RPM systems: the real dnf and rpm, with signed repositories, and os-release of each system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from annex_boot.installation import DIRECTORY
from annex_lease.stock_images import HTCONDOR_REPOSITORIES, IMAGE_FAMILIES
from tests.packages.rpm_repositories import (
    Package,
    Signer,
    epel_packages,
    epel_release,
    htcondor_packages,
    repository,
    system_packages,
)
from tests.packages.system import System

SYSTEMS = [name for name, family in IMAGE_FAMILIES.items() if family.package_manager == "dnf"]
MIRROR = "https://mirror.system.lab"
LIST = "rpm -qa --qf 'HAS %{NAME}\\n'; cat /etc/yum.repos.d/annex.repo"


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Signer]]:
    home = tmp_path_factory.mktemp("k")
    found = {name: Signer(home / name, f"{name}@example.org") for name in ("htcondor", "system", "epel", "stranger")}
    yield found
    for each in found.values():
        each.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, signers: dict[str, Signer]) -> Path:
    """Directory of a package server: HTCondor's repositories and the systems'."""
    top, scratch = tmp_path_factory.mktemp("served"), tmp_path_factory.mktemp("scratch")
    for directory in ("el9", "amzn2023"):
        repository(htcondor_repository(top, directory), htcondor_packages(), signers["htcondor"], scratch)
    for name in ("almalinux", "rocky"):
        for part, packages in {
            "BaseOS": system_packages(),
            "AppStream": [Package("of-appstream")],
            "extras": [epel_release(signers["epel"].key)],
            "CRB": [Package("of-crb")],
        }.items():
            repository(top / f"{name}/9/{part}/x86_64/os", packages, signers["system"], scratch)
    repository(top / "epel/9/Everything/x86_64", epel_packages(), signers["epel"], scratch)
    # Amazon Linux has all that HTCondor's package for it needs.
    repository(top / "amzn/core/x86_64", [*system_packages(), *map(Package, ("voms", "scitokens-cpp", "apptainer"))],
               signers["system"], scratch)  # fmt: skip
    return top


def htcondor_repository(top: Path, directory: str) -> Path:
    return top / f"repo/25.x/{directory}/x86_64/release"


@pytest.fixture
def stock(tmp_path: Path, signers: dict[str, Signer]) -> Callable[[str], System]:
    """A machine of a system, whose image trusts the key of these repositories besides the shipped one."""

    def make(name: str) -> System:
        family = IMAGE_FAMILIES[name]
        system = System(Path("/"), tmp_path)
        version = "9.6" if family.epel else family.os_version
        system.write("etc/os-release", f'ID="{family.os_id}"\nVERSION_ID="{version}"\nPRETTY_NAME="{family.title}"\n')
        key = "/etc/pki/rpm-gpg/RPM-GPG-KEY-System-9"
        system.write(key, signers["system"].key)
        parts = ("BaseOS", "AppStream", "extras", "CRB") if family.epel else ("core",)
        sources = ""
        for part in parts:
            path = f"{family.os_id}/9/{part}/$basearch/os" if family.epel else f"{family.os_id}/core/$basearch"
            sources += f"[{part.lower()}]\nname={part}\nbaseurl={MIRROR}/{path}\ngpgcheck=1\ngpgkey=file://{key}\n"
            sources += "enabled=0\n" if part == "CRB" else ""
        system.write("etc/yum.repos.d/system.repo", sources)
        system.write("etc/annex/keys.d/lab.asc", signers["htcondor"].key)
        return system

    return make


@pytest.mark.parametrize("name", SYSTEMS)
def test_htcondor_and_what_it_needs_come_from_their_repositories(
    stock: Callable[[str], System], served: Path, name: str
) -> None:
    status, said = stock(name).install(served, after=LIST)
    assert status == 0
    family = IMAGE_FAMILIES[name]
    assert "annex: install: HTCondor 25.14.1 is installed" in said
    assert f"baseurl={HTCONDOR_REPOSITORIES}/{family.htcondor_path.format(series='25.x')}" in said
    assert "gpgcheck=1" in said
    installed = {line.removeprefix("HAS ") for line in said if line.startswith("HAS ")}
    assert {"condor", "nftables", "procps-ng", "voms", "scitokens-cpp", "pelican"} <= installed
    assert ("of-crb" in installed) == ("epel-release" in installed) == family.epel


@pytest.mark.parametrize("name", ["almalinux-9", "rocky-9"])
def test_a_mirror_takes_the_place_of_all_sources_of_the_system(
    stock: Callable[[str], System], served: Path, name: str
) -> None:
    system = stock(name)
    system.write("etc/yum.repos.d/other.repo", f"[other]\nname=other\nbaseurl={MIRROR}/none\nskip_if_unavailable=0\n")
    status, said = system.install(served, ANNEX_PACKAGE_MIRROR=MIRROR, ANNEX_HTCONDOR_MIRROR=f"{MIRROR}/repo")
    assert status == 0, "the source that does not exist was asked"
    assert "annex: install: HTCondor 25.14.1 is installed" in said


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("signer", ["stranger", None])
def test_a_package_that_the_trusted_keys_did_not_sign_is_refused(
    stock: Callable[[str], System], served: Path, signers: dict[str, Signer], tmp_path: Path, name: str,
    signer: str | None,
) -> None:  # fmt: skip
    directory = "amzn2023" if name.startswith("amazon") else "el9"
    (tmp_path / "scratch").mkdir()
    wrong = htcondor_repository(tmp_path / "wrong", directory)
    repository(wrong, htcondor_packages(), signers[signer] if signer else None, tmp_path / "scratch")
    status, said = stock(name).install(tmp_path / "wrong", served, after=LIST)
    assert status == 1
    last = [line for line in said if line.startswith("annex: ")][-1]
    words = {"stranger": "Public key for ", None: "is not signed"}[signer]
    assert last.startswith("annex: install: installing condor nftables procps-ng failed: ")
    assert words in last
    assert "HAS condor" not in said


def test_the_shipped_key_alone_does_not_accept_another_signer(stock: Callable[[str], System], served: Path) -> None:
    system = stock("almalinux-9")
    (system.directory / "files/etc/annex/keys.d/lab.asc").unlink()
    status, said = system.install(served, after=LIST)
    assert status == 1
    assert f"gpgkey= file://{DIRECTORY}key.asc" in said
    assert "HAS condor" not in said


@pytest.mark.parametrize("skipped", [True, False])
@pytest.mark.parametrize("removed", ["repo", "epel/9", "almalinux/9/extras"])
def test_a_repository_that_is_missing_is_the_reason(
    stock: Callable[[str], System], served: Path, tmp_path: Path, removed: str, skipped: bool
) -> None:
    system = stock("almalinux-9")
    system.write("etc/dnf/dnf.conf", f"[main]\ngpgcheck=1\nskip_if_unavailable={skipped}\n")
    fewer = tmp_path / "fewer"
    for each in served.rglob("*.rpm"):
        directory = each.parent.relative_to(served)
        if not str(directory).startswith(removed):
            target = fewer / directory
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.is_symlink():
                target.symlink_to(served / directory)
    status, said = system.install(fewer)
    assert status == 1
    # A repository of the system's own that is skipped is noticed when its packages are wanted.
    noticed_late = skipped and removed == "epel/9"
    reason = "installing condor nftables procps-ng failed" if noticed_late else "reading the package lists failed"
    words = {
        "repo": "Failed to download metadata for repo 'annex-htcondor'",
        "epel/9": "nothing provides apptainer" if noticed_late else "Failed to download metadata for repo 'epel'",
        "almalinux/9/extras": "epel-release" if skipped else "Failed to download metadata for repo 'extras'",
    }[removed]
    assert said[-1].startswith(f"annex: install: {reason}: Error: ")
    assert words in said[-1]


def test_packages_that_do_not_resolve_are_the_reason(
    stock: Callable[[str], System], served: Path, signers: dict[str, Signer], tmp_path: Path
) -> None:
    (tmp_path / "scratch").mkdir()
    fewer = tmp_path / "fewer/epel/9/Everything/x86_64"
    repository(fewer, epel_packages()[:1], signers["epel"], tmp_path / "scratch")
    status, said = stock("almalinux-9").install(tmp_path / "fewer", served)
    assert status == 1
    assert said[-1].startswith("annex: install: installing condor nftables procps-ng failed: Error: Problem: ")
    assert "nothing provides scitokens-cpp needed by condor" in said[-1]
