"""Machine image of the lab in the cache: its content, its mounts, its certificates."""

from __future__ import annotations

import socket
import ssl
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

from lab import LabError, image
from lab.image import mirror as apt
from lab.image.recipe import CA_FILE, DISABLED_UNITS, MASKED_UNITS


@pytest.fixture(scope="module")
def root() -> Path:
    return image.root_filesystem()


def test_the_second_call_only_looks(root: Path) -> None:
    began = time.monotonic()
    assert image.root_filesystem() == root
    assert time.monotonic() - began < 0.5


def test_nothing_stays_mounted(root: Path) -> None:
    assert str(root.parent) not in Path("/proc/mounts").read_text()


@pytest.mark.parametrize("program", ["condor_master", "aws", "cloud-init", "nft", "curl"])
def test_the_programs_of_an_execution_point_are_there(root: Path, program: str) -> None:
    assert any((root / place / program).exists() for place in ("usr/bin", "usr/sbin"))


@pytest.mark.parametrize("package", ["cloudinit", "awscli"])
def test_python_programs_are_compiled(root: Path, package: str) -> None:
    # Compiling them at every start would double a boot on an emulated CPU.
    sources = list((root / "usr/lib/python3/dist-packages" / package).rglob("*.py"))
    compiled = {path.name.partition(".")[0] for path in (root / "usr/lib/python3").rglob(f"{package}/**/*.pyc")}
    assert sources
    assert [path for path in sources if path.stem not in compiled] == []


def test_no_unit_starts_that_is_not_wanted(root: Path) -> None:
    units = root / "etc/systemd/system"
    assert [unit for unit in MASKED_UNITS if (units / unit).readlink() != Path("/dev/null")] == []
    assert [unit for unit in DISABLED_UNITS if (units / "multi-user.target.wants" / unit).is_symlink()] == []


def test_the_image_names_no_mirror(root: Path) -> None:
    assert not (root / "etc/apt/sources.list").exists()
    found = subprocess.run(
        ["grep", "-rlF", apt.mirror(), root / "etc/apt"], capture_output=True, text=True, check=False
    )
    assert found.stdout == ""


def test_the_disk_and_the_kernel_are_ready_to_boot(root: Path) -> None:
    disk = image.disk_image()
    with disk.open("rb") as file:
        file.seek(0x438)
        assert file.read(2) == b"\x53\xef", "no ext4"
    assert disk.stat().st_blocks * 512 < disk.stat().st_size / 4, "the disk is not sparse"
    assert image.kernel().read_bytes()[:4] == b"\x7fELF"


def test_the_authoritys_key_is_its_owners(root: Path) -> None:
    key = root.parent / "ca/ca.key"
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
        ("example.org", False),
        ("198.18.0.2", False),
    ],
)
def test_the_server_is_believed_for_the_names_of_aws_only(tmp_path: Path, name: str, accepted: bool) -> None:
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
