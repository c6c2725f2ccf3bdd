"""Install files on the stock image of Debian: real apt, the official names, and repositories that must be refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from annex_boot.installation import DIRECTORY, check_command
from lab import image
from lab.image.recipe import HTCONDOR_SERIES
from lab.image.repository import sign
from lab.package_server import HOSTS
from tests.packages.system import System

TOP = f"repo/debian/{HTCONDOR_SERIES}"
LISTS_FAILED = "annex: install: reading the package lists failed"
PACKAGES_FAILED = "annex: install: installing condor nftables curl procps failed"


@pytest.fixture
def stock(tmp_path: Path) -> System:
    return System(image.stock_root(), tmp_path)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A copy of HTCondor's repository, to be changed."""
    repository, _ = image.packages()
    shutil.copytree(repository / "repo", tmp_path / "own/repo")
    return tmp_path / "own"


def test_htcondor_comes_from_its_official_name(stock: System) -> None:
    status, said = stock.install(*image.packages(), after=check_command(HTCONDOR_SERIES))
    assert status == 0
    assert "annex: install: HTCondor 25.14.1 is installed" in said
    assert said[-1] == "annex: check: HTCondor 25.14.1, no defect"
    assert any(HOSTS[0] in line for line in said)


def test_it_can_run_again(stock: System) -> None:
    again = "sh /usr/local/lib/annex-install/install 25.x; echo again $?; cat /tmp/sleeps"
    status, said = stock.install(*image.packages(), after=again)
    assert status == 0
    assert "again 0" in said
    assert not any(line.startswith("sleep") for line in said), "no attempt failed"


def test_a_mirror_takes_the_place_of_the_images_sources(stock: System) -> None:
    stock.write("etc/apt/mirrors/debian.list", "https://mirror.system.lab/none\n")
    mirrors = {"ANNEX_PACKAGE_MIRROR": f"https://{HOSTS[1]}", "ANNEX_HTCONDOR_MIRROR": "https://mirror.system.lab/repo"}
    status, said = stock.install(*image.packages(), **mirrors)
    assert status == 0
    assert "annex: install: HTCondor 25.14.1 is installed" in said


def resigned(top: Path) -> None:
    sign(top, "trixie", key=top / "stranger.asc")


def unsigned(top: Path) -> None:
    (top / "dists/trixie/InRelease").unlink()


def changed_list(top: Path) -> None:
    with (top / "dists/trixie/main/binary-amd64/Packages").open("a") as packages:
        packages.write("\n")


def missing(top: Path) -> None:
    shutil.rmtree(top)


def reason(said: list[str], failed: str, words: str) -> None:
    """The last line is the reason, with the words of the package manager, as one line of bounded length."""
    assert said[-1].startswith(f"{failed}: ")
    assert words in said[-1]
    assert said[-1].isprintable()
    assert len(said[-1]) < 430


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (resigned, "Missing key "),
        (unsigned, "trixie Release' is not signed."),
        (changed_list, "File has unexpected size"),
        (missing, "trixie Release' does not have a Release file."),
    ],
)
def test_a_repository_that_the_trusted_keys_did_not_sign_or_that_is_not_there_is_refused(
    stock: System, own: Path, change: Callable[[Path], None], words: str
) -> None:
    change(own / TOP)
    _, recorded = image.packages()
    status, said = stock.install(own, recorded)
    assert status == 1
    reason(said, LISTS_FAILED, words)
    assert said.count(f"{LISTS_FAILED}; again in 5 s") == 1


def test_the_shipped_key_alone_does_not_accept_the_labs_repository(stock: System) -> None:
    status, said = stock.run(f"rm /etc/annex/keys.d/lab.asc; {stock.prepared()}", *image.packages())
    assert status == 1
    reason(said, LISTS_FAILED, "Missing key ")


def test_a_repository_whose_lists_have_expired_is_refused(stock: System, own: Path) -> None:
    (stock.directory / "key").mkdir()
    key = stock.directory / "key/lab.asc"
    sign(own / TOP, "trixie", key=key, facts={"ValidTime": "-86400"})
    stock.write("etc/annex/keys.d/lab.asc", key.read_text())
    _, recorded = image.packages()
    status, said = stock.install(own, recorded)
    assert status == 1
    reason(said, LISTS_FAILED, "expired")


def test_a_package_that_is_not_the_listed_one_is_refused(stock: System, own: Path) -> None:
    (package,) = own.glob(f"{TOP}/pool/condor_*.deb")
    package.write_bytes(package.read_bytes()[:-1] + b"?")
    _, recorded = image.packages()
    status, said = stock.install(own, recorded, after="ls /usr/sbin/condor_master")
    assert status == 1
    assert "cannot access" in said[-1]
    (last,) = [line for line in said if line.startswith(f"{PACKAGES_FAILED}: ")]
    assert "condor amd64 25.14.1" in last
    assert "Hash Sum mismatch" in last


def test_packages_that_do_not_resolve_are_the_reason(stock: System, own: Path) -> None:
    (library,) = own.glob(f"{TOP}/pool/libpcre2-8-0_*.deb")
    library.unlink()
    key = stock.directory / "lab.asc"
    sign(own / TOP, "trixie", key=key)
    stock.write("etc/annex/keys.d/lab.asc", key.read_text())
    _, recorded = image.packages()
    status, said = stock.install(own, recorded)
    assert status == 1
    reason(said, PACKAGES_FAILED, "libpcre2-8-0")


def test_a_package_that_does_not_exist_is_the_reason(stock: System) -> None:
    file = f"{DIRECTORY}install"
    rename = f"sed -i 's/ condor nftables/ htcondor-annex nftables/' {file}"
    status, said = stock.run(f"{rename}; {stock.prepared()}", *image.packages())
    assert status == 1
    failed = PACKAGES_FAILED.replace("condor", "htcondor-annex")
    assert said[-1] == f"{failed}: E: Unable to locate package htcondor-annex"


def test_an_unknown_system_is_the_reason(stock: System) -> None:
    stock.write("etc/os-release", 'ID=slackware\nVERSION_ID=15.0\nPRETTY_NAME="Slackware 15.0"\n')
    status, said = stock.install()
    assert status == 1
    assert said[-1].startswith("annex: install: cannot install on Slackware 15.0, only on Debian 13, ")
