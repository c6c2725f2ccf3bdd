"""Effects of a deployment on running instances: each key of `LIVE_CHANGES` is named, with the instances concerned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from annex_boot.settings import EpSettings
from annex_lease.egress import Opening, openings
from annex_lease.live_changes import LIVE_CHANGES, Reach
from annex_lease.observed import Group, GroupMember
from annex_pool.deployed_fleet import _PROTECTS, DeployedFleet, of_group
from annex_pool.live_effects import LiveEffect, in_another_region, live_effects, scaled_in
from annex_spec import PoolSpec
from tests.unit.pool.annex_specs import annex_spec

POOL = PoolSpec(collector="cm.example.edu", trust_domain="example.edu")
VPC, SUBNETS = "vpc-0123456789abcdef0", ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
OWN = DeployedFleet(
    on_demand_base=0,
    on_demand_percentage=0,
    subnets=("subnet-00000001", "subnet-00000002"),
    vpc="vpc-00000001",
    own_network=True,
    ipv6=False,
    role_path="/",
    protecting=frozenset(),
    openings=frozenset({*openings((9618,), (), (), None), Opening(80, 80, "Data that jobs fetch")}),
)
GIVEN = replace(OWN, vpc=VPC, own_network=False, subnets=tuple(sorted(SUBNETS)))
NETWORK: dict[str, Any] = {"vpc": VPC, "subnets": SUBNETS}
CHANGED: dict[str, tuple[DeployedFleet, dict[str, Any], str]] = {
    "vpc": (OWN, NETWORK, f"from the annex's own to {VPC}"),
    "subnets": (GIVEN, {**NETWORK, "subnets": SUBNETS[:1]}, f"from {', '.join(sorted(SUBNETS))} to {SUBNETS[0]}"),
    "on_demand_base": (OWN, {"on_demand_base": 1}, "from 0 to 1"),
    "on_demand_percentage": (OWN, {"on_demand_percentage": 50}, "from 0 to 50"),
    "size": (OWN, {"size": 1}, "from 3 to 1"),
    "role_path": (OWN, {"role_path": "/htcondor/"}, "from / to /htcondor/"),
    "ipv6": (OWN, {"ipv6": True}, "from false to true"),
}


def group(*busy: bool, size: int = 3) -> Group:
    """A group of one instance for each argument; True: it is protected."""
    members = tuple(GroupMember(f"i-{number}", "InService", protected) for number, protected in enumerate(busy))
    return Group("g", datetime(2030, 1, 1, tzinfo=UTC), 0, size, len(busy), (), members)


def opened(fleet: DeployedFleet, *more: Opening) -> DeployedFleet:
    return replace(fleet, openings=frozenset({*(fleet.openings or ()), *more}))


def effects(fleet: DeployedFleet, seen: Group, pool: PoolSpec | None = POOL, **spec: Any) -> tuple[LiveEffect, ...]:
    return live_effects(fleet, seen, annex_spec(**{"size": 3, **spec}), pool)


@pytest.mark.parametrize("key", CHANGED)
def test_a_changed_key_is_named_with_its_instances(key: str) -> None:
    fleet, spec, change = CHANGED[key]
    (found,) = effects(fleet, group(False, False, False), **spec)
    assert found.change is LIVE_CHANGES[key]
    assert f"{key} changes {change}: {LIVE_CHANGES[key].does}; " in found.text()
    data = found.as_data()
    concerned = 2 if key == "size" else 3
    assert (data["key"], data["effect"], data["instances"]) == (key, LIVE_CHANGES[key].reach.value, concerned)
    assert (data["busy"], data["idle"]) == (None, None), "these instances do not show that they are busy"
    assert "busy or idle" in found.text()


PORTS = {
    "collector": (9620, 9620, "HTCondor: collector, access points, CCB"),
    "access_point_ports": (20000, 20100, "HTCondor: access points"),
    "proxy": (3128, 3128, "Proxy for HTTP and HTTPS"),
    "dns_servers": (53, 53, "DNS"),
    "htcondor_mirror": (8443, 8443, "HTCondor: packages to install"),
    "package_mirror": (8080, 8080, "Packages to install"),
}
KEPT: dict[str, tuple[PoolSpec, dict[str, Any]]] = {
    "collector": (POOL.model_copy(update={"collector": "cm.example.edu:9620"}), {}),
    "access_point_ports": (POOL.model_copy(update={"access_point_ports": ("20000-20200",)}), {}),
    "proxy": (POOL, {"proxy": "http://proxy.example.edu:3128"}),
    "dns_servers": (POOL, {"dns_servers": ["192.0.2.53"]}),
    "htcondor_mirror": (POOL, {"image": "debian-13", "htcondor_mirror": "https://mirror.example.edu:8443/htcondor"}),
    "package_mirror": (POOL, {"image": "debian-13", "package_mirror": "http://mirror.example.edu:8080"}),
}


@pytest.mark.parametrize("key", PORTS)
def test_a_port_that_is_closed_is_named_and_one_that_stays_open_is_not(key: str) -> None:
    network = "192.0.2.53/32" if key == "dns_servers" else ""
    fleet = opened(OWN, Opening(*PORTS[key], "tcp", network))
    (found,) = effects(fleet, group(False))
    assert found.change is LIVE_CHANGES[key]
    shown = Opening(*PORTS[key], "tcp", network).described()
    assert f"{key} changes from a value that opens {shown} to one that does not: " in found.text()
    pool, spec = KEPT[key]
    assert effects(fleet, group(False), pool, **spec) == ()
    assert effects(fleet, group(False), None) == (), "no pool is declared"
    assert effects(replace(fleet, openings=None), group(False)) == ()


def test_every_key_of_the_table_is_named() -> None:
    elsewhere = {key for key, change in LIVE_CHANGES.items() if change.reach is Reach.ANOTHER_STACK}
    assert CHANGED.keys() | PORTS.keys() | elsewhere == LIVE_CHANGES.keys()
    assert elsewhere == {"name", "region", "account"}
    moved = in_another_region(group(True, False), "us-east-1", "us-west-2")
    assert f"region changes from us-east-1 to us-west-2: {LIVE_CHANGES['region'].does}; 2 instances" in moved.text()


def test_an_unchanged_spec_and_an_unknown_fleet_have_no_effect() -> None:
    assert effects(OWN, group(True, False, False)) == ()
    assert effects(GIVEN, group(True), **NETWORK) == ()
    assert effects(GIVEN, group(True), vpc=VPC, subnets=SUBNETS[::-1]) == ()
    everything: dict[str, Any] = {"on_demand_base": 1, "on_demand_percentage": 5, "role_path": "/a/", "ipv6": True}
    assert effects(DeployedFleet(), group(True), **everything, **NETWORK) == ()
    assert effects(replace(OWN, own_network=None), group(True)) == (), (
        "an annex without an id has no network of its own"
    )


def test_an_annex_that_is_replaced_says_so_first() -> None:
    for fleet, spec in ((OWN, NETWORK), (GIVEN, {}), (GIVEN, {**NETWORK, "vpc": "vpc-0fedcba9876543210"})):
        found = effects(fleet, group(False), on_demand_base=1, **spec)
        assert found[0].change.reach is Reach.ANOTHER_ANNEX
        assert found[0].text().startswith("THE ANNEX IS REPLACED: vpc changes from ")


def test_busy_and_idle_are_apart_where_the_protection_shows_it() -> None:
    protecting = replace(OWN, protecting=frozenset({"i-0", "i-1", "i-2"}))
    (found,) = effects(protecting, group(True, False, False), on_demand_base=1)
    assert (found.busy, found.as_data()["idle"]) == (1, 2)
    assert found.text().endswith("; 3 instances running, 1 busy and 2 idle")
    # One of them was launched before the annex declared the protection.
    older = replace(OWN, protecting=frozenset({"i-0", "i-1"}))
    assert effects(older, group(True, False, False), on_demand_base=1)[0].busy is None
    assert effects(OWN, group(True, True), on_demand_base=1)[0].busy == 2
    assert effects(OWN, group(), on_demand_base=1)[0].text().endswith("; no instance is running")


def test_a_smaller_size_ends_unprotected_instances_only() -> None:
    protecting = replace(OWN, protecting=frozenset({"i-0", "i-1", "i-2"}))
    seen = group(True, True, False)
    (found,) = effects(protecting, seen, size=1)
    assert scaled_in(seen, 1) == 1
    assert found.text().endswith(
        "; 2 instances of 3 above it: 1 idle of them to end at once, 1 busy to stay until the jobs are done"
    )
    assert (found.instances, found.busy) == (2, 1)
    (unknown,) = effects(OWN, group(False, False, False), size=2)
    assert unknown.text().endswith("; 1 instance of 3 above it: 1 of them to end at once, busy or idle")
    (kept,) = effects(protecting, group(True, True, True), size=1)
    assert kept.text().endswith("; 2 instances of 3 above it: 2 busy to stay until the jobs are done")


def test_a_size_that_ends_nothing_is_not_named() -> None:
    assert effects(OWN, group(False), size=1) == ()
    assert effects(OWN, group(False, False, False), size=4) == ()
    leaving = replace(group(False, False), members=(GroupMember("i-0", "InService"), GroupMember("i-1", "Terminating")))
    assert effects(OWN, leaving, size=1) == ()


def test_the_setting_of_the_protection_is_the_one_of_the_boot_files() -> None:
    times = {"drain_before_end": 60, "idle_timeout": 60, "join_timeout": 60, "shutdown_after_end": 60}
    settings = EpSettings(
        annex="demo",
        credential_arn="arn:aws:secretsmanager:us-east-1:123456789012:secret:a-AbCdEf",
        archive="example-bucket/boot.tar.gz",
        archive_digest="0" * 64,
        collector="cm.example.edu:9618",
        trust_domain="example.edu",
        root_device="/dev/xvda",
        times=times,
        protect_busy=True,
    )
    assert _PROTECTS.search(settings.to_env_file())
    assert not _PROTECTS.search(replace(settings, protect_busy=False).to_env_file())


@pytest.mark.parametrize(
    ("shares", "known"),
    [
        ({}, (0, 100)),
        ({"OnDemandBaseCapacity": 2}, (2, 100)),
        ({"OnDemandPercentageAboveBaseCapacity": 0}, (0, 0)),
        (None, (None, None)),
    ],
)
def test_a_share_that_aws_does_not_name_has_its_default(
    shares: dict[str, int] | None, known: tuple[int | None, int | None]
) -> None:
    """Without a share of the group, all instances above the base are on-demand (API, InstancesDistribution)."""
    described: Any = {} if shares is None else {"MixedInstancesPolicy": {"InstancesDistribution": shares}}
    fleet = of_group(described)
    assert (fleet.on_demand_base, fleet.on_demand_percentage) == known
