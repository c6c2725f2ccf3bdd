"""Machine image of the lab in the cache: its content, its mounts, its certificates."""

from __future__ import annotations

import re
import socket
import ssl
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from annex_boot.installation import UPDATE_UNITS
from lab import LabError, image
from lab.image import mirror as apt
from lab.image.recipe import CA_FILE, MASKED_UNITS


@pytest.fixture(scope="module")
def root() -> Path:
    return image.root_filesystem()


def test_the_second_call_only_looks(root: Path) -> None:
    began = time.monotonic()
    assert image.root_filesystem() == root
    assert time.monotonic() - began < 0.5


def test_nothing_stays_mounted(root: Path) -> None:
    assert str(root.parent) not in Path("/proc/mounts").read_text()


PLACES = ("usr/bin", "usr/sbin")


@pytest.mark.parametrize("program", ["condor_master", "cloud-init", "nft", "curl"])
def test_the_programs_of_an_execution_point_are_there(root: Path, program: str) -> None:
    assert any((root / place / program).exists() for place in PLACES)


@pytest.mark.parametrize("program", ["condor_master", "nft", "curl"])
def test_the_installation_brought_what_the_stock_image_lacks(program: str) -> None:
    assert not any((image.stock_root() / place / program).exists() for place in PLACES)


def test_only_the_pools_host_has_the_aws_cli(root: Path) -> None:
    assert not any((each / "usr/bin/aws").exists() for each in (root, image.stock_root()))
    assert (image.tools() / "usr/bin/aws").exists()


@pytest.mark.parametrize("package", ["cloudinit"])
def test_python_programs_are_compiled(root: Path, package: str) -> None:
    # Compiling them at every start would double a boot on an emulated CPU.
    sources = list((root / "usr/lib/python3/dist-packages" / package).rglob("*.py"))
    compiled = {path.name.partition(".")[0] for path in (root / "usr/lib/python3").rglob(f"{package}/**/*.pyc")}
    assert sources
    assert [path for path in sources if path.stem not in compiled] == []


def test_no_unit_starts_that_is_not_wanted(root: Path) -> None:
    units = root / "etc/systemd/system"
    assert [unit for unit in MASKED_UNITS if (units / unit).readlink() != Path("/dev/null")] == []
    assert [unit for unit in UPDATE_UNITS if (units / unit).readlink() != Path("/dev/null")] == []
    assert not (units / "multi-user.target.wants/condor.service").is_symlink()


@pytest.mark.parametrize("name", ["stock_root", "root_filesystem"])
def test_an_image_names_no_mirror_of_the_build(name: str) -> None:
    directory = getattr(image, name)()
    assert not (directory / "etc/apt/sources.list").exists()
    words = ["grep", "-rlE", f"{re.escape(apt.mirror())}|127\\.0\\.0\\.1", directory / "etc/apt"]
    assert subprocess.run(words, capture_output=True, text=True, check=False).stdout == ""


def test_htcondor_is_the_series_of_the_labs_repository(root: Path) -> None:
    status = (root / "var/lib/dpkg/status").read_text()
    assert re.search(r"^Package: condor\n(.+\n)*Version: 25\.", status, re.M)


def test_the_install_files_removed_what_must_not_be_in_an_image(root: Path) -> None:
    assert (root / "etc/machine-id").read_text() == ""
    assert [path for path in (root / "var/log").rglob("*") if path.is_file() and path.stat().st_size] == []
    assert not list((root / "var/lib/apt/lists").glob("*Packages"))


def test_a_package_server_has_the_lists_and_packages_of_the_installation() -> None:
    own, recorded = image.packages()
    assert list(own.glob("repo/debian/25.x/pool/condor_25.*.deb"))
    assert (own / "repo/debian/25.x/dists/trixie/InRelease").exists()
    assert (recorded / "debian/dists/trixie/InRelease").exists()
    assert list(recorded.glob("debian/pool/main/n/nftables/nftables_*.deb"))


def test_the_disk_and_the_kernel_are_ready_to_boot(root: Path) -> None:
    for disk in (image.disk_image(), image.stock_disk()):
        check_disk(disk)
    assert image.kernel().read_bytes()[:4] == b"\x7fELF"


def check_disk(disk: Path) -> None:
    with disk.open("rb") as file:
        file.seek(0x438)
        assert file.read(2) == b"\x53\xef", "no ext4"
    assert disk.stat().st_blocks * 512 < disk.stat().st_size / 4, "the disk is not sparse"


def test_the_authoritys_key_is_its_owners(root: Path) -> None:
    key = image.authority().certificate.with_name("ca.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not list(root.rglob("ca.key"))


def test_the_image_trusts_the_authority(root: Path) -> None:
    certificate = image.authority().certificate.read_text()
    assert (root / CA_FILE).read_text() == certificate
    assert certificate.strip() in (root / "etc/ssl/certs/ca-certificates.crt").read_text()


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("secretsmanager.us-east-1.amazonaws.com", True),
        ("sts.amazonaws.com", True),
        ("bucket.s3.us-east-1.amazonaws.com", True),
        ("198.18.0.1", True),
        ("htcss-downloads.chtc.wisc.edu", True),
        ("debian.mirror.lab", True),
        ("example.org", False),
        ("198.18.0.2", False),
    ],
)
def test_the_servers_are_believed_for_their_names_only(tmp_path: Path, name: str, accepted: bool) -> None:
    authority = image.authority()
    authority.issue(tmp_path / "server.crt", tmp_path / "server.key")
    assert stat.S_IMODE((tmp_path / "server.key").stat().st_mode) == 0o600
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    client = ssl.create_default_context(cafile=authority.certificate)
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    assert handshake(serving, client, name) is accepted


def handshake(serving: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bool:
    here, there = socket.socketpair()

    def serve() -> None:
        try:
            with serving.wrap_socket(there, server_side=True):
                pass
        except OSError:
            there.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=name):
            return True
    except ssl.SSLCertVerificationError:
        return False
    finally:
        here.close()
        thread.join()


@pytest.mark.parametrize(
    ("targets", "found"),
    [
        ("Packages\tDebian-Security\thttp://a/security/\nPackages\tDebian\thttp://a/debian/\n", "http://a/debian"),
        ("Translations\tDebian\thttp://b/debian/\nPackages\t\thttp://a/debian/\n", "http://a/debian"),
    ],
)
def test_the_mirror_is_the_hosts(monkeypatch: pytest.MonkeyPatch, targets: str, found: str) -> None:
    monkeypatch.setattr(apt, "run", lambda *_words: targets)
    assert apt.mirror() == found


def test_a_host_without_debian_sources_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "run", lambda *_words: "Packages\tNode\thttps://n/node/\n")
    with pytest.raises(LabError, match=r"no source of the Debian archive.*https://n/node"):
        apt.mirror()


def test_the_hosts_rules_for_fetching_never_switch_verification_off(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = 'Acquire::http::Proxy "http://proxy:3128";'
    monkeypatch.setattr(apt, "run", lambda *_words: f'Acquire::AllowInsecureRepositories "1";\n{proxy}\n')
    assert apt.acquire_settings() == [proxy]
