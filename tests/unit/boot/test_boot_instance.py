"""annex-prepare on unusual pools, machines, images and subnets: host name, accounts, root volume, IPv6."""

from __future__ import annotations

import re

import pytest

from annex_lease.forms import MAX_HOST_LENGTH
from tests.unit.boot.boot_root import SETTINGS, BootRoot

GOOD = SETTINGS.to_env_file()


@pytest.mark.parametrize(
    ("trust_domain", "host"),
    [
        ("example.edu", "example.edu"),
        ("Pool-1.Example.edu", "Pool-1.Example.edu"),
        ("LOCAL_POOL", "LOCAL-POOL"),
        ("cm.example.edu:9618", "cm.example.edu-9618"),
        ("[2001:db8::1]:9618", "2001-db8--1--9618"),
        ("_a_..b~.c_", "a.b.c"),
        ("___", "pool"),
        ("a" * 253, "a" * 63),
        (".".join(["a" * 63] * 3) + ".bcd", ".".join(["a" * 63] * 3) + ".bc"),
    ],
)
def test_any_trust_domain_gives_a_host_name(root: BootRoot, trust_domain: str, host: str) -> None:
    longest = "a" * 32
    changed = GOOD.replace("TRUST_DOMAIN=example.edu", f"TRUST_DOMAIN={trust_domain}").replace("=demo", f"={longest}")
    root.write("etc/annex/annex.env", changed)
    root.set_fact("instance-id", "i-0123456789abcdef0")
    assert root.run("prepare").returncode == 0
    name = root.read("etc/condor/condor_config").rpartition(" = ")[2].strip()
    assert name == f"i-0123456789abcdef0.annex-{longest}.{host}"
    assert len(name) <= MAX_HOST_LENGTH
    assert re.fullmatch(
        r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*", name
    )
    config = root.read("etc/condor/config.d/91-annex-instance").splitlines()
    assert f"TRUST_DOMAIN = {trust_domain}" in config, "as the pool has it"
    assert f"ANNEX_DOMAIN = annex-{longest}.{host}" in config


def test_the_collectors_are_those_of_the_settings(root: BootRoot) -> None:
    collectors = "cm1.example.edu:9618?sock=collector,[2001:db8::1]:9618,<10.0.0.1:9618?addrs=10.0.0.1-9618&noUDP>"
    root.write("etc/annex/annex.env", GOOD.replace("cm.example.edu:9618", collectors))
    assert root.run("prepare").returncode == 0
    assert f"ANNEX_COLLECTOR = {collectors}" in root.read("etc/condor/config.d/91-annex-instance").splitlines()


@pytest.mark.parametrize(
    ("cpus", "accounts"),
    [(1, 9), (192, 200), (1920, 1928)],  # the most that a type has, u7inh-32tb.480xlarge
)
def test_every_slot_has_an_account_with_an_id_of_its_own(root: BootRoot, cpus: int, accounts: int) -> None:
    root.write("usr/sbin/systemd-sysusers", "#!/bin/sh\ncat >/fake/accounts\n")
    assert root.run("prepare", OMP_NUM_THREADS=str(cpus)).returncode == 0
    written = [line.split() for line in root.read("fake/accounts").splitlines()]
    assert [(kind, name) for kind, name, *_ in written] == [("u", f"slot1_{n}") for n in range(1, accounts + 1)]
    ids = [int(number) for _, _, number, *_ in written]
    assert len(set(ids)) == accounts
    assert min(ids) >= 1000
    assert max(ids) < 60_000, "systemd and Debian use those for themselves (https://systemd.io/UIDS-GIDS/)"
    config = root.read("etc/condor/config.d/91-annex-instance")
    assert f"SLOT1_{accounts}_USER = slot1_{accounts}\n" in config


@pytest.mark.parametrize(("device", "root_device"), [("/dev/sda1", "/dev/xvda"), ("xvda", "/dev/sda1")])
def test_a_root_device_that_is_not_the_root_is_named(root: BootRoot, device: str, root_device: str) -> None:
    root.set_fact("block-device-mapping_root", device)
    root.write("etc/annex/annex.env", GOOD.replace("/dev/xvda", root_device))
    done = root.run("prepare")
    assert done.returncode != 0
    assert (
        f"the image's root volume is {device}, and root_device names {root_device}: correct root_device" in done.stdout
    )
    assert root.exists("run/annex/reason")
    assert root.calls("call-aws") == []


@pytest.mark.parametrize("device", ["/dev/xvda", "xvda", None])
def test_a_root_device_that_is_the_root_or_is_not_known(root: BootRoot, device: str | None) -> None:
    if device is not None:
        root.set_fact("block-device-mapping_root", device)
    assert root.run("prepare").returncode == 0


def test_metadata_over_ipv6_only(root: BootRoot) -> None:
    root.write("fake/imds-address", "http://[fd00:ec2::254]")
    done = root.run("prepare")
    assert done.returncode == 0, done.stdout
