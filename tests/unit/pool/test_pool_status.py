"""The join of AWS's side with the pool's side, and the output if one of them did not answer."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from annex_lease.decision import decide
from annex_lease.observed import Group, GroupMember, Instance
from annex_lease.policy import LeasePolicy, policy_tags
from annex_lease.tags import Tag
from annex_pool.annex_status import AnnexStatus
from annex_pool.collector import Slot, read_slot
from annex_pool.commands.status_command import show_statuses
from annex_pool.place import Place
from annex_pool.status import Observation, status_of
from annex_spec import AnnexSpec
from tests.unit.pool.annex_specs import annex_spec

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
POLICY = LeasePolicy("demo", 2, 16 * 3600, 900, duration_seconds=8 * 3600)
GROUP = Group(
    name="Annex-demo-Fleet",
    created=NOW - timedelta(hours=1),
    min_size=0,
    max_size=2,
    desired=2,
    tags=(*policy_tags(POLICY), Tag("annex:granted", "2", False)),
    members=(
        GroupMember("i-1", "InService", protected=True),
        GroupMember("i-2", "Pending"),
        GroupMember("i-3", "Terminated"),
    ),
    instances=(
        Instance("i-1", "running"),
        Instance("i-2", "pending"),
        Instance("i-4", "running"),
        Instance("i-5", "terminated"),
    ),
)
SLOTS = (
    Slot("slot1@i-1", "demo", "i-1", False),
    Slot("slot1_1@i-1", "demo", "i-1", True),
    Slot("slot1_2@i-1", "demo", "i-1", True),
    Slot("slot1_3@i-1", "demo", "i-1", False),
    Slot("slot1@i-9", "demo", "i-9", False),
    Slot("slot1@i-2", "demo2", "i-2", True),
)
SEEN = Observation(Place.of(annex_spec()), True, GROUP, decide(GROUP, NOW), SLOTS, ())


def text(*statuses: AnnexStatus, width: int = 240) -> str:
    out = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    show_statuses(statuses, out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_a_detached_instance_hides_none_that_is_missing() -> None:
    """The lease checker counts likewise: the group is to have three, and one of those that live is not in it."""
    detached = Instance("i-4", "running", member=False)
    group = replace(GROUP, desired=3, instances=(Instance("i-1", "running"), Instance("i-2", "pending"), detached))
    assert len(group.alive()) == 3
    assert status_of(replace(SEEN, group=group, decision=decide(group, NOW)), NOW).shortfall == 1
    off = replace(group, suspended=frozenset({"Launch"}))
    assert status_of(replace(SEEN, group=off, decision=decide(off, NOW)), NOW).shortfall == 0


def test_both_sides() -> None:
    assert status_of(SEEN, NOW).as_data() == {
        "name": "demo",
        "region": "us-east-1",
        "stack": "Annex-demo",
        "id": None,
        "time": "2030-01-01T12:00:00Z",
        "phase": "active",
        "reason": "the declared size was granted",
        "size": 2,
        "granted": 2,
        "lease": {
            "created": "2030-01-01T11:00:00Z",
            "declared_end": "2030-01-01T19:00:00Z",
            "effective_end": "2030-01-01T19:00:00Z",
            "latest_end": "2030-01-02T03:00:00Z",
            "seconds_left": 7 * 3600,
            "explained": "ends at 2030-01-01T19:00:00Z, as declared",
            "override_void": False,
            "next_warning": None,
        },
        "instance_hours": None,
        "instances": [
            {"id": "i-1", "state": "InService", "protected": True, "joined": True, "jobs_running": 2},
            {"id": "i-2", "state": "Pending", "protected": False, "joined": False, "jobs_running": 0},
            {"id": "i-4", "state": "running", "protected": False, "joined": False, "jobs_running": 0},
        ],
        "joined": 1,
        "protected": 1,
        "overdue": 0,
        "surplus": 1,
        "shortfall": 0,
        "closed": False,
        "unmatched_slots": ["slot1@i-9"],
        "jobs_running": 2,
        "record_problems": [],
        "problems": [
            "3 instances are 1 above the declared size 2, which costs money until the lease ends: the desired "
            "capacity was raised by hand, instances are on standby or detached, or busy ones stay after the size was "
            "made smaller"
        ],
        "errors": [],
    }


def test_a_silent_pool_is_not_an_empty_one() -> None:
    status = status_of(replace(SEEN, slots=None, errors=("no answer",)), NOW)
    data = status.as_data()
    assert (data["joined"], data["jobs_running"], data["unmatched_slots"]) == (None, None, None)
    assert status.instances
    assert {instance.joined for instance in status.instances} == {None}
    assert text(status).splitlines()[1].split()[-5:] == ["?", "1", "?", "-", "-"]


def test_a_refusal_of_aws_is_not_an_empty_group() -> None:
    status = status_of(replace(SEEN, answered=False, group=None, decision=None, errors=("denied",)), NOW)
    assert (status.phase, status.instances, status.size, status.lease) == (None, None, None, None)
    assert status.jobs_running == 2
    assert text(status).splitlines()[1].split() == ["demo", *["?"] * 8, "2", "?", "-"]


def test_not_deployed() -> None:
    status = status_of(replace(SEEN, group=None, decision=None, slots=()), NOW)
    assert (status.phase, status.instances, status.jobs_running) == ("not deployed", (), 0)
    assert "not deployed" in text(status)


def test_a_slot_of_an_annex_that_is_not_deployed_is_unmatched() -> None:
    status = status_of(replace(SEEN, group=None, decision=None), NOW)
    assert status.unmatched_slots
    assert "slot slot1@i-9 claims to belong to this annex" in text(status)
    explained = "the pool may list the slots of a terminated instance for 15m more\n"
    assert text(status).count(explained) == 1
    assert explained not in text(status_of(replace(SEEN, slots=SLOTS[:1]), NOW))


def test_a_lease_that_is_over_has_nothing_left() -> None:
    later = NOW + timedelta(hours=9)
    status = status_of(replace(SEEN, decision=decide(GROUP, later)), later)
    assert status.as_data()["lease"]["seconds_left"] == 0  # type: ignore[index]
    assert "over" in text(status)
    assert status.phase == "draining"


def test_an_unreadable_record_is_shown_as_such() -> None:
    group = replace(GROUP, tags=())
    status = status_of(replace(SEEN, group=group, decision=decide(group, NOW)), NOW)
    # A record that stays unreadable for minutes ends the annex, and one look knows nothing of that.
    assert (status.size, status.lease, status.phase, status.overdue) == (None, None, "active", 0)
    assert "demo: the declared lease is missing or malformed" in text(status)
    assert "annex:max-lifetime is missing" in text(status)


def test_the_table_is_plain_and_unbroken_in_a_pipe() -> None:
    shown = text(status_of(SEEN, NOW))
    assert "\x1b" not in shown
    states = "3 (1 InService, 1 Pending, 1 running)"
    row = f"demo   active  2030-01-01T19:00:00Z  7h    2     2        {states}  1       1     2 "
    assert row in shown


def test_no_cell_is_cut_on_a_narrow_terminal() -> None:
    row = text(status := status_of(SEEN, NOW)).splitlines()[1]
    assert row in text(status, width=len(row))
    for width in (len(row) - 1, 80, 40, 20):
        shown = text(status, width=width).splitlines()
        assert "lease end (UTC)     2030-01-01T19:00:00Z" in shown
        assert "instances           3 (1 InService, 1 Pending, 1 running)" in shown
        assert "\N{HORIZONTAL ELLIPSIS}" not in "".join(shown)
    assert text(status, replace(status, name="other"), width=80).count("lease end (UTC)") == 2


LIMITED = LeasePolicy(
    "demo", 2, 16 * 3600, 900, duration_seconds=8 * 3600, max_instance_hours=10, warn_before_end_seconds=1800
)


def limited(spec: AnnexSpec, *extra: Tag, now: datetime = NOW) -> AnnexStatus:
    group = replace(GROUP, tags=(*policy_tags(LIMITED), Tag("annex:granted", "2", False), *extra))
    return status_of(Observation(Place.of(spec), True, group, decide(group, now), SLOTS, ()), now)


def test_hours_and_money() -> None:
    used = Tag("annex:used", "3600@2030-01-01T11:30:00Zx2", False)
    status = limited(annex_spec(price_per_hour=0.5), used)
    assert status.as_data()["instance_hours"] == {"used": 2.0, "limit": 10, "cost": 1.0, "cost_limit": 5.0}
    assert " 2.00/10 = 1.00/5.00 " in text(status)
    bare = limited(annex_spec(), used)
    assert bare.as_data()["instance_hours"] == {"used": 2.0, "limit": 10, "cost": None, "cost_limit": None}
    assert " 2.00/10 " in text(bare)
    assert status_of(SEEN, NOW).hours is None


def test_the_limit_that_counts_is_the_deployed_one() -> None:
    status = limited(annex_spec(max_instance_hours=99))
    assert status.hours
    assert status.hours.limit == 10


def test_the_next_warning() -> None:
    used = Tag("annex:used", "0@2030-01-01T11:30:00Zx0", False)
    assert limited(annex_spec(), used).next_warning == datetime(2030, 1, 1, 18, 30, tzinfo=UTC)
    assert "2030-01-01T18:30:00Z" in text(limited(annex_spec(), used))
    for end, warning in (("2030-01-01T19:00:00Z", None), ("2030-01-01T18:00:00Z", "2030-01-01T18:30:00Z")):
        status = limited(annex_spec(), used, Tag("annex:lease-warned", end, False))
        assert status.as_data()["lease"]["next_warning"] == warning  # type: ignore[index]
    assert limited(annex_spec(), used, now=NOW + timedelta(hours=9)).next_warning is None


def test_a_record_that_had_to_be_ignored_is_named() -> None:
    status = limited(annex_spec(), Tag("annex:lease-until", "soon", False))
    assert [problem.split(":")[:2] for problem in status.record_problems] == [["annex", "lease-until"]]
    assert "annex:lease-until" in text(status)


def test_what_should_be_gone_is_said() -> None:
    later = NOW + timedelta(hours=9)
    status = status_of(replace(SEEN, decision=decide(GROUP, later)), later)
    assert status.overdue == 3
    assert "demo: 3 instances should be gone by now" in text(status)
    assert "should be gone" not in text(status_of(SEEN, NOW))


@pytest.mark.parametrize(
    ("ad", "busy"),
    [
        ({"State": "Claimed", "PartitionableSlot": True}, False),
        ({"State": "Claimed"}, True),
        ({"State": "Claimed", "PartitionableSlot": False}, True),
        ({"State": "Unclaimed"}, False),
        ({}, False),
    ],
)
def test_a_claimed_dynamic_slot_runs_a_job(ad: dict[str, object], busy: bool) -> None:
    slot = read_slot({"Name": "slot1@x", "AnnexName": "demo", "AnnexInstanceId": 7, **ad})
    assert (slot.busy, slot.instance_id) == (busy, "")
