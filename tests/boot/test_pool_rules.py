"""The shipped pool.conf on real HTCondor: it adds to a pool's own settings, and holds a stolen token to its annex."""

from __future__ import annotations

import re

import pytest

from tests.boot.boot_testbed import Bed

STARTD, MASTER = "ALLOW_ADVERTISE_STARTD_COLLECTOR", "ALLOW_ADVERTISE_MASTER_COLLECTOR"
ANNEXES = "annex-*@example.edu"
RULE = 'regexp("^annex-", TARGET.AuthenticatedIdentity) =!= true ||'
PACKAGE = ("condor@*", "condor@password")


@pytest.fixture(scope="module")
def settings(testbed: Bed) -> dict[str, str]:
    return testbed.run("pool_settings.sh")


@pytest.fixture(scope="module")
def attacked(testbed: Bed) -> dict[str, str]:
    return testbed.run("stolen_token.sh")


@pytest.mark.parametrize(
    ("case", "startds", "masters"),
    [
        ("plain", PACKAGE, PACKAGE),
        ("twice", PACKAGE, PACKAGE),
        ("lists", ("own-startd@example.edu",), ("own-master@example.edu",)),
        ("of_the_collector", ("own-startd@example.edu",), ("own-master@example.edu",)),
        ("daemons", ("own-daemon@example.edu",), ("own-daemon@example.edu",)),
        ("daemons_of_the_collector", ("own-daemon@example.edu",), ("own-daemon@example.edu",)),
        ("default", ("own-default@example.edu",), ("own-default@example.edu",)),
        ("empty", PACKAGE, PACKAGE),
        ("host_based", ("*.own.example.edu",), ("*.own.example.edu",)),
        ("legacy", ("*.own.example.edu",), ("*.own.example.edu",)),
        ("recommended_v9_0", ("condor@*", "condor_pool@*"), ("condor@*", "condor_pool@*")),
        ("get_htcondor", PACKAGE, PACKAGE),
        ("later", ("own-startd@example.edu",), ("own-master@example.edu",)),
    ],
)
def test_the_pools_own_daemons_stay_allowed(
    settings: dict[str, str], case: str, startds: tuple[str, ...], masters: tuple[str, ...]
) -> None:
    annexes = "annex-*@cm.example.edu" if case == "get_htcondor" else ANNEXES
    assert settings[f"{case}.{STARTD}"].split() == [*startds, annexes]
    assert settings[f"{case}.{MASTER}"].split() == [*masters, annexes]


def test_the_pools_own_list_is_not_touched(settings: dict[str, str]) -> None:
    assert settings["plain.ALLOW_ADVERTISE_STARTD"] == ""
    assert settings["lists.ALLOW_ADVERTISE_STARTD"] == "own-startd@example.edu"


@pytest.mark.parametrize(
    ("case", "domain"), [("list_of_domains", "cm1.example.edu"), ("domain_with_port", "cm1.example.edu:9619")]
)
def test_the_trust_domain_is_the_one_htcondor_takes(settings: dict[str, str], case: str, domain: str) -> None:
    assert settings[f"{case}.{STARTD}"].split()[-1] == f"annex-*@{domain}"


@pytest.mark.parametrize(
    ("case", "own"),
    [
        ("plain", "True"),
        ("twice", "True"),
        ("lists", "TARGET.Fine =!= false || TARGET.Known"),
        ("of_the_collector", "TARGET.Fine"),
    ],
)
def test_the_pools_own_requirements_hold_too(settings: dict[str, str], case: str, own: str) -> None:
    found = settings[f"{case}.COLLECTOR_REQUIREMENTS"]
    assert found.startswith(f"({own}) && ({RULE}")
    assert found.count(RULE) == 1


@pytest.mark.parametrize(
    ("name", "default", "own"),
    [
        ("NEGOTIATOR_INTERVAL", "5", "90"),
        ("NEGOTIATOR_CYCLE_DELAY", "2", "45"),
        ("IGNORE_INVALIDATE", "True", "False"),
        ("SEC_ENABLE_TOKEN_FETCH", "False", "False"),
    ],
)
def test_a_value_of_the_pools_own_stays(settings: dict[str, str], name: str, default: str, own: str) -> None:
    assert settings[f"plain.{name}"] == settings[f"twice.{name}"] == default
    assert settings[f"lists.{name}"] == own


@pytest.mark.parametrize(
    ("case", "own"), [("plain", []), ("twice", []), ("lists", ["Own", "Other"]), ("of_the_collector", ["Other"])]
)
def test_the_pools_own_transforms_stay(settings: dict[str, str], case: str, own: list[str]) -> None:
    names = settings[f"{case}.JOB_TRANSFORM_NAMES"].split()
    assert names[: len(own) + 1] == [*own, "AnnexOptIn"]
    assert {*names[len(own) + 1 :]} <= {"PelicanRetry"}, "HTCondor itself adds it after all files"


def test_the_collectors_own_value_stays(settings: dict[str, str]) -> None:
    assert settings["of_the_collector.IGNORE_INVALIDATE"] == "False"


def test_an_ad_must_name_the_annex_of_its_sender_in_every_attribute(attacked: dict[str, str]) -> None:
    # a: right. b: one slot attribute names something else. c, d: the same for masters. e, f: the pool's own startd,
    # and the pool's own requirements.
    assert attacked["accepted"].split() == ["a0", "a1", "a2", "c0", "e0"]


def test_ads_of_others_cannot_be_removed(attacked: dict[str, str]) -> None:
    assert attacked["remembered"] == attacked["accepted"]
    assert attacked["master_remembered"] == "cm.example.edu"
    assert attacked["forgotten"] == "", "the test itself removes them where the pool allows it"


def test_a_token_cannot_be_traded(attacked: dict[str, str]) -> None:
    assert attacked["traded"] != "0"
    assert "disabled" in attacked["refusal"].lower(), attacked["refusal"]


@pytest.fixture(scope="module")
def accepted(testbed: Bed) -> dict[str, str]:
    return testbed.run("opt_in.sh")


def test_a_stolen_machine_gets_only_jobs_that_asked_for_its_annex(accepted: dict[str, str]) -> None:
    assert accepted["start"] == "true", "the machine accepts every job"
    assert accepted["ran_stolen"].split() == ["g-late-yes", "h-aws", "i-demo", "j-local"]
    assert accepted["spooled"] == "1 4", "a spooled job: idle without the name, completed with it"
    assert not [name for name in accepted if name.startswith("refused_")]
    assert accepted["edited"] == "0", "a job can ask for an annex when it is in the queue"


def test_a_pool_can_open_an_annex_to_every_job(accepted: dict[str, str]) -> None:
    assert {*accepted["ran_open"].split()} - {*accepted["ran_stolen"].split()} == {"a-none", "l-open"}


def test_the_access_point_adds_the_clause_once_beside_the_pools_own_transforms(accepted: dict[str, str]) -> None:
    assert accepted["own_transform"] == "own"
    assert (accepted["once"], accepted["once_factory"]) == ("1", "1")
    assert accepted["parentheses"].startswith("((TARGET.Cpus > 0 || TARGET.Memory > 0) && ")
    assert re.match(r"\[\d+\] +0 .*AuthenticatedIdentity", accepted["analysis"]), (
        "the analysis shows the condition that no slot meets"
    )


def test_a_machine_accepts_only_jobs_of_its_annex_without_help_of_the_access_point(accepted: dict[str, str]) -> None:
    assert accepted["clauses"] == "0"
    assert accepted["state"] == "Unclaimed muon-2026"
    assert accepted["project_of_master"] == "muon-2026"
    assert accepted["ran_honest"].split() == ["e-demo"]
