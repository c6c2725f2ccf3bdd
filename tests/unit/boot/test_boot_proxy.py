"""A proxy reaches every call of AWS, HTCondor's transfers and jobs, and never the metadata service."""

from __future__ import annotations

import pytest

from annex_boot.boot_files import boot_file
from tests.unit.boot.boot_root import SETTINGS, BootRoot

PROXY = "http://proxy.example.edu:3128"
NAMES = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"}
DIRECT = {"169.254.169.254", "fd00:ec2::254", "localhost"}


@pytest.fixture
def behind(root: BootRoot) -> BootRoot:
    root.write("etc/annex/annex.env", SETTINGS.to_env_file().replace("ANNEX_PROXY=", f"ANNEX_PROXY={PROXY}"))
    return root


def environment(root: BootRoot, name: str = "fake/environment") -> dict[str, str]:
    pairs = (line.partition("=") for line in root.read(name).splitlines())
    return {key: value for key, _, value in pairs if key.lower().endswith("_proxy") and key != "ANNEX_PROXY"}


def check(found: dict[str, str]) -> None:
    assert {key for key, value in found.items() if value == PROXY} == NAMES
    for name in ("NO_PROXY", "no_proxy"):
        assert set(found[name].split(",")) >= DIRECT


@pytest.mark.parametrize("script", ["prepare", "retire", "busy"])
def test_every_call_of_aws_uses_it(behind: BootRoot, script: str) -> None:
    behind.write("etc/annex/annex.env", behind.read("etc/annex/annex.env").replace("BUSY=0", "BUSY=1"))
    behind.write("fake/step-1", ":")
    behind.run(script)
    assert behind.calls("call-aws")
    check(environment(behind))


def test_the_metadata_service_is_asked_directly(behind: BootRoot) -> None:
    assert behind.run("prepare").returncode == 0
    calls = behind.calls("curl")
    assert calls
    assert all("--noproxy *" in call for call in calls)


def test_jobs_and_transfers_use_it(behind: BootRoot) -> None:
    assert behind.run("prepare").returncode == 0
    check(environment(behind, "run/annex/proxy"))
    (line,) = [
        line
        for line in behind.read("etc/condor/config.d/91-annex-instance").splitlines()
        if line.startswith("STARTER_JOB_ENVIRONMENT = ")
    ]
    assert set(line.partition(" = ")[2].strip('"').split()) == set(behind.read("run/annex/proxy").splitlines())
    assert "EnvironmentFile=-/run/annex/proxy" in boot_file("condor-annex.conf").splitlines()


def test_a_damaged_setting_is_no_proxy(behind: BootRoot) -> None:
    """Retire works with any settings."""
    behind.write("etc/annex/annex.env", behind.read("etc/annex/annex.env").replace(PROXY, "http://$(id)"))
    behind.run("retire")
    assert behind.calls("call-aws")
    assert environment(behind) == {}


@pytest.mark.parametrize("script", ["prepare", "retire"])
def test_without_one_there_is_none(root: BootRoot, script: str) -> None:
    root.run(script)
    assert root.calls("call-aws")
    assert environment(root) == {}
    assert not root.exists("run/annex/proxy")
