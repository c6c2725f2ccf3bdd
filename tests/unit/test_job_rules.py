"""Which jobs an annex accepts: its condition in HTCondor's own library, against the ads of jobs."""

from __future__ import annotations

import itertools
import re
from typing import Any

import classad2  # type: ignore[import-untyped]
import htcondor2  # type: ignore[import-untyped] # noqa: F401 - gives classad2 HTCondor's own functions
import pytest

from annex_boot.boot_files import boot_file
from annex_lease.job_forms import JOBS, MAX_EXPRESSION_LENGTH, MAX_JOBS_LENGTH, PROJECT_OR_NONE
from annex_lease.job_rules import JobPolicy, jobs_conflict, start_conflict

ASKED = {"TargetAnnexName": "demo"}
OPTED: list[tuple[dict[str, Any], bool]] = [
    ({}, False),
    (ASKED, True),
    ({"TargetAnnexName": "second"}, False),
    ({"TargetAnnexName": "Demo"}, False),
    ({"TargetAnnexName": ""}, False),
    ({"TargetAnnexName": 1}, False),
    ({"MayUseAWS": True}, True),
    ({"MayUseAWS": False}, False),
    ({"MayUseAWS": "true"}, False),
    ({"MayUseAWS": 1}, False),
    ({"TargetAnnexName": "second", "MayUseAWS": True}, True),
    ({"TargetAnnexName": "demo", "MayUseAWS": False}, True),
    ({"AnnexName": "demo"}, False),
]
# Restriction, jobs that meet it, jobs that do not.
RESTRICTIONS: list[tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        {"owners": ("ada", "bob@example.edu")},
        [
            {"Owner": "ada", "User": "ada@elsewhere.edu"},
            {"Owner": "bob", "User": "bob@example.edu"},
        ],
        [
            {"Owner": "bob", "User": "bob@elsewhere.edu"},
            {"Owner": "eve", "User": "eve@example.edu"},
            {"Owner": "ad", "User": "ad@example.edu"},
            {"Owner": "Ada", "User": "Ada@example.edu"},
            {"Owner": "bob", "User": "Bob@example.edu"},
            {"Owner": "ada,eve", "User": "ada,eve@example.edu"},
            {},
        ],
    ),
    (
        {"groups": ("group_physics", "group_x.y")},
        [
            {"AcctGroup": "group_physics"},
            {"AcctGroup": "group_physics.muon"},
            {"AcctGroup": "Group_Physics.muon.2026"},
            {"AcctGroup": "group_x.y"},
        ],
        [
            {"AcctGroup": "group_physics2"},
            {"AcctGroup": "a.group_physics"},
            {"AcctGroup": "group_x"},
            {"AcctGroup": "group_xay"},
            {"AcctGroup": ""},
            {},
        ],
    ),
    (
        {"project_id": "muon-2026"},
        [{"ProjectID": "muon-2026"}],
        [{"ProjectID": "tau-2026"}, {"ProjectID": "muon"}, {"ProjectID": "Muon-2026"}, {"ProjectID": 1}, {}],
    ),
    (
        {"start": "TARGET.RequestMemory < 8192 || TARGET.Urgent"},
        [{"RequestMemory": 100}, {"RequestMemory": 9000, "Urgent": True}],
        [{"RequestMemory": 9000}, {"RequestMemory": "100"}, {}],
    ),
    (
        {"start": 'TARGET.Kind isnt "test"'},
        [{}, {"Kind": "other"}],
        [{"Kind": "test"}],
    ),
]


def evaluated(policy: JobPolicy, job: dict[str, Any] | None) -> Any:
    """START of a machine of the annex demo, as `condor.conf` composes it, for a job; None: without one."""
    (accepts,) = re.findall(r"^ANNEX_ACCEPTS = (.*)$", boot_file("condor.conf"), re.M)
    (start,) = re.findall(r"^START = (.*)$", boot_file("condor.conf"), re.M)
    text = start.replace("$(ANNEX_ACCEPTS)", accepts.replace("$(ANNEX_JOBS)", policy.condition))
    text = text.replace("$(ANNEX_JOB_SECONDS)", "0").replace("$(ANNEX_HEARD)", "true")
    text = text.replace("$(ANNEX_DRAIN_BEFORE_END)", "10")
    machine = classad2.ClassAd({"AnnexName": "demo", "AnnexLeaseEnd": 4_070_908_800})
    if policy.project_id is not None:
        machine["ProjectID"] = policy.project_id
    machine["Start"] = classad2.ExprTree(text)
    target = classad2.ClassAd({} if job is None else {"JobUniverse": 5, **job})
    return machine["Start"].eval(machine, target)


def accepts(policy: JobPolicy, job: dict[str, Any]) -> bool:
    found = evaluated(policy, job)
    assert found in (True, False), "neither undefined nor an error"
    return bool(found)


@pytest.mark.parametrize(("job", "expected"), OPTED)
def test_a_job_asks_for_the_annex(job: dict[str, Any], expected: bool) -> None:
    assert accepts(JobPolicy(), job) is expected
    assert accepts(JobPolicy(opt_in=False), job)


@pytest.mark.parametrize(("given", "good", "bad"), RESTRICTIONS)
def test_each_restriction_holds_alone(
    given: dict[str, Any], good: list[dict[str, Any]], bad: list[dict[str, Any]]
) -> None:
    for opt_in, asked in itertools.product((True, False), ({}, ASKED)):
        policy = JobPolicy(opt_in=opt_in, **given)
        assert JOBS.matches(policy.condition)
        for job in good:
            assert accepts(policy, {**job, **asked}) is (bool(asked) or not opt_in), job
        for job in bad:
            assert not accepts(policy, {**job, **asked}), job


def test_all_restrictions_hold_together() -> None:
    kinds = [each for each in RESTRICTIONS if each[0] != {"start": 'TARGET.Kind isnt "test"'}]
    policy = JobPolicy(**{key: value for given, _, _ in kinds for key, value in given.items()})
    for chosen in itertools.product(*(((good[0], True), (bad[0], False)) for _, good, bad in kinds)):
        job: dict[str, Any] = dict(ASKED)
        for attributes, _ in chosen:
            job |= attributes
        assert accepts(policy, job) is all(met for _, met in chosen), job


@pytest.mark.parametrize("policy", [JobPolicy(), JobPolicy(opt_in=False), JobPolicy(start='TARGET.A =?= "b"')])
def test_without_a_job_start_is_open(policy: JobPolicy) -> None:
    """False would say that the machine accepts no job at all."""
    assert evaluated(policy, None) is classad2.Value.Undefined


@pytest.mark.parametrize("project", ["muon-2026", None])
def test_the_project_is_a_text_of_the_configuration(project: str | None) -> None:
    text = JobPolicy(project_id=project).project
    assert PROJECT_OR_NONE.matches(text)
    assert (classad2.ExprTree(text).eval() if text else None) == project


def test_the_condition_has_a_limit() -> None:
    def policy(count: int) -> JobPolicy:
        return JobPolicy(owners=tuple(f"user{number:04}" for number in range(count)))

    most = max(count for count in range(200) if len(policy(count).condition) <= MAX_JOBS_LENGTH)
    assert jobs_conflict(policy(most)) is None
    found = jobs_conflict(policy(most + 1))
    assert found is not None
    assert (found.name, str(MAX_JOBS_LENGTH) in found.allowed) == ("owners", True)
    assert found.advice == "shorten owners, such as by groups in place of users"
    # A condition of just the limit, and one of a character more.
    rest = MAX_JOBS_LENGTH - len(JobPolicy(owners=("a",)).condition)
    assert jobs_conflict(JobPolicy(owners=("a" * (rest + 1),))) is None
    assert jobs_conflict(JobPolicy(owners=("a" * (rest + 2),))) is not None
    groups = jobs_conflict(JobPolicy(groups=tuple(f"group{number:04}" for number in range(200))))
    assert groups is not None
    assert (groups.name, groups.advice) == ("groups", "shorten groups, such as by a group above them")
    longest = JobPolicy(start="a" * MAX_EXPRESSION_LENGTH, project_id="p" * 64)
    assert jobs_conflict(longest) is None, "what names no users and no groups has no need of the limit"


def test_a_mistake_in_start_is_shown_with_its_position() -> None:
    assert start_conflict("TARGET.RequestMemory < 8192") is None
    found = start_conflict("TARGET.RequestMemory < $(LIMIT)")
    assert found is not None
    assert found.allowed.endswith("; a macro of the configuration ($) is not allowed at character 24")
    assert found.advice == 'start = "TARGET.RequestMemory < 8192"'


def test_the_sentences_name_each_restriction() -> None:
    policy = JobPolicy(owners=("ada",), groups=("g",), project_id="p", start="true")
    assert policy.sentences("demo") == (
        'jobs with My.TargetAnnexName = "demo", or with My.MayUseAWS = true',
        "only of ada (owners)",
        "only of g and their subgroups (groups)",
        'only with My.ProjectID = "p" (project_id)',
        "only if true (start)",
    )
    assert JobPolicy(opt_in=False).sentences("demo") == ("every job of the pool (opt_in = false)",)
