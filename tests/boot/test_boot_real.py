"""The boot files with the programs of the machine image: cloud-init, systemd, nftables and HTCondor."""

from __future__ import annotations

import pytest

from tests.boot.boot_testbed import Bed


@pytest.fixture(scope="module")
def configuration(testbed: Bed) -> dict[str, str]:
    return testbed.run("configuration.sh")


def test_the_programs_accept_the_files(configuration: dict[str, str]) -> None:
    assert {name: configuration[name] for name in ("configure", "verify", "nft")} == {
        "configure": "0",
        "verify": "0",
        "nft": "0",
    }


@pytest.mark.parametrize("level", ["READ", "CLIENT", "DAEMON", "ADMINISTRATOR", "WRITE", "NEGOTIATOR"])
def test_every_level_demands_every_protection(configuration: dict[str, str], level: str) -> None:
    for what in ("AUTHENTICATION", "ENCRYPTION", "INTEGRITY"):
        assert configuration[f"SEC_{level}_{what}"] == "REQUIRED"
    assert configuration[f"SEC_{level}_AUTHENTICATION_METHODS"] == "IDTOKENS"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DAEMON_LIST", "MASTER STARTD"),
        ("COLLECTOR_HOST", "cm.example.edu:9618"),
        ("CCB_ADDRESS", "cm.example.edu:9618"),
        ("TRUST_DOMAIN", "example.edu"),
        ("UID_DOMAIN", "annex-demo.example.edu"),
        ("NETWORK_HOSTNAME", "i-0abc.annex-demo.example.edu"),
        ("USE_SHARED_PORT", "true"),
        ("STARTER_ALLOW_RUNAS_OWNER", "False"),
        ("SLOT_TYPE_1_PARTITIONABLE", "True"),
        ("NUM_SLOTS", "1"),
        ("ENABLE_KERNEL_TUNING", "False"),
        ("RunBenchmarks", "False"),
        ("FILETRANSFER_PLUGINS", "/usr/libexec/condor/curl_plugin"),
        ("ANNEX_DRAIN_BEFORE_END", "10"),
        ("ANNEX_DRAINING", "time() >= AnnexLeaseEnd - 10"),
        ("PREEMPT", "time() >= AnnexLeaseEnd - 10"),
        ("MachineMaxVacateTime", "7"),
        ("SHUTDOWN_GRACEFUL_TIMEOUT", "52"),
        ("POLLING_INTERVAL", "1"),
        ("STARTD_NOCLAIM_SHUTDOWN", "40"),
        ("UPDATE_INTERVAL", "5"),
        ("AnnexName", '"demo"'),
        ("AnnexInstanceId", '"i-0abc"'),
        ("AnnexInstanceType", '"c6a.large"'),
        ("AnnexLeaseEnd", "4070908800"),
    ],
)
def test_values(configuration: dict[str, str], name: str, value: str) -> None:
    assert configuration[name] == value


def test_no_name_is_allowed(configuration: dict[str, str]) -> None:
    levels = [
        "READ",
        "WRITE",
        "DAEMON",
        "ADMINISTRATOR",
        "NEGOTIATOR",
        "ADVERTISE_STARTD",
        "ADVERTISE_SCHEDD",
        "ADVERTISE_MASTER",
    ]
    assert {level: configuration[f"ALLOW_{level}"] for level in levels} == dict.fromkeys(levels, "")


def test_only_root_reaches_the_metadata_service(testbed: Bed) -> None:
    found = testbed.run("firewall.sh")
    everything, time_only = "169.254.169.254 [fd00:ec2::254] 169.254.169.123", "169.254.169.123"
    for who in ("root", "job", "condor", "container"):
        assert found[f"{who}-before"] == everything, "the test itself reaches it without the rules"
        for moment in ("after", "restored"):
            assert found[f"{who}-{moment}"] == (everything if who == "root" else time_only)
    assert found["firewall"] == "0"
    assert int(found["refused_ms"]) < 2000, "refused at once, not a wait for the job"
    assert found["firewall_with_hole"] == "1"
    assert found["flushed"] == "1", "the test itself removes the rules"
    assert int(found["restored_ms"]) < 15_000
    assert found["stopped_for_it"] == "1", "no job is lost for it"
    assert found["retires"] == "0"
    assert found["retiring"] == (
        "systemctl kill --kill-who=main --signal=QUIT condor.service;systemctl --no-block stop condor.service;"
        # At once, because no systemd runs here that could do it after 10 s.
        "systemctl kill --signal=KILL condor.service;systemctl --no-block start annex-retire.service;"
    )
    assert found["reason"] == "firewall rules are missing"


def test_joins_runs_follows_the_lease_and_leaves(testbed: Bed) -> None:
    found = testbed.run("pool.sh")
    assert found["slot"].split() == [
        "slot1@i-0abc.annex-demo.example.edu",
        "demo",
        "i-0abc",
        "c6a.large",
        "annex-demo@example.edu",
        "Partitionable",
        "7",
    ]
    assert int(found["joined_ms"]) < 10_000, "without any name service"
    assert found["ping"] == "0"
    allowed = {name for name, value in found.items() if name.startswith("may_") and value == "0"}
    # READ: the collector answers every client (ALLOW_READ = *) unless the pool restricts it.
    assert allowed == {"may_READ", "may_ADVERTISE_STARTD", "may_ADVERTISE_MASTER"}
    # A slot's own account, no token, an empty /tmp.
    assert found["short"] == "slot1_1 slot1_1 0"
    assert found["long_started_before"] != "0", "600 s do not fit into what is left of 400 s"
    assert int(found["extension_seen_ms"]) < 5_000
    assert found["long_started_after"] == "0"
    assert (found["evicted"], found["closed"]) == ("0", "0")
    assert 0 < int(found["left_ms"]) <= 3_500, "the job had 7 s of the drain, the starter ended within the other 3"
    assert found["protected_idle"] == "1", "nothing to protect before the first job"
    assert found["protected"] == "call-aws protect true"
    assert found["protection"] == "true false", "once each, by the startd"
    assert int(found["released_ms"]) < 45_000, "two looks"
    assert found["master_status"] == "0"
    assert 25_000 < int(found["idle_ms"]) < 80_000
    assert int(found["cycle_ms"]) < 10_000, "an idle job waits for no more than the interval of pool.conf"
    assert (found["reopened"], found["remembered"], found["refuses"]) == ("0", "0", "0")
