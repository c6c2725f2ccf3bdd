"""Counting of the instance-hours: by the launch times, and those outside the group too."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import RecordUse
from annex_lease.bookkeeping import counted
from annex_lease.decision import decide
from annex_lease.entries import Ledger
from annex_lease.observed import Fact, Group, GroupMember, Instance
from tests.unit.lease.lease_model import CREATED, HOUR, MINUTE, POLICY, RUNNING, a_group, settled, without

LIMITED = replace(POLICY, max_instance_hours=100)
NOW = CREATED + 50 * MINUTE


def counting(*instances: Instance, members: tuple[GroupMember, ...] = RUNNING) -> Group:
    """An annex whose ledger holds two instances since the creation; EC2 lists these."""
    written = settled() | {lease_tags.TAG_USED: Ledger(0, CREATED, 2).text()}
    return a_group(LIMITED, written=written, desired=len(members), members=members, instances=instances)


def running(key: str, launched: datetime | None = CREATED, *, member: bool = True) -> Instance:
    return Instance(key, "running", member, launched=launched)


def recorded(group: Group, now: datetime = NOW) -> list[Ledger]:
    return [action.ledger for action in decide(group, now).actions if isinstance(action, RecordUse)]


def test_a_new_instance_counts_from_its_launch() -> None:
    """However long no check saw it: the hour in which checks were lost is counted too."""
    three = (*RUNNING, GroupMember("i-3", "InService"))
    seen = counting(running("i-1"), running("i-2"), running("i-3", NOW - 40 * MINUTE), members=three)
    assert recorded(seen) == [Ledger(2 * 3000 + 2400, NOW, 3)]
    # The launch is not known: it may be a minute old.
    assert recorded(replace(seen, instances=(running("i-3", None),))) == [Ledger(2 * 3000 + 60, NOW, 3)]
    # Nothing counts twice, and no launch in the future takes anything away.
    for launched, used in ((CREATED + MINUTE, 2940), (NOW + HOUR, 0)):
        wrong = counting(running("i-1"), running("i-2"), running("i-3", launched), members=three)
        assert recorded(wrong) == [Ledger(2 * 3000 + used, NOW, 3)]
    early = counting(*(running(each.id, CREATED - HOUR) for each in three), members=three)
    assert recorded(early) == [Ledger(2 * 3000 + 3000, NOW, 3)], "the ledger counts from its own time on"


def test_an_instance_that_is_still_to_start_has_no_launch_of_another() -> None:
    """One of two lives, since the creation: the end by the hours is the same before and after EC2 was asked."""
    written = settled() | {lease_tags.TAG_USED: Ledger(0, CREATED, 1).text()}
    long = replace(LIMITED, duration_seconds=7000, max_instance_hours=2)
    group = a_group(long, written=written, desired=2, members=RUNNING[:1], instances=None)
    ends = {decide(replace(group, instances=each), NOW).end for each in (None, (running("i-1"),))}
    left = 2 * 3600 - 3000 - 60  # and a minute, in which the other one may have started
    assert ends == {NOW + timedelta(seconds=left // 2)}


def test_no_end_is_published_before_the_use_is_known() -> None:
    """The end by the hours would be wrong until EC2 was asked, a moment later."""
    written = settled() | {lease_tags.TAG_USED: Ledger(0, CREATED, 0).text()}
    group = a_group(replace(LIMITED, max_instance_hours=1), written=written, desired=2, members=RUNNING, instances=None)
    asking = decide(group, NOW)
    assert (asking.actions, asking.needs) == ((), frozenset({Fact.INSTANCES}))
    launched = tuple(running(each.id, NOW - 20 * MINUTE) for each in RUNNING)
    assert decide(replace(group, instances=launched), NOW).end == NOW + 10 * MINUTE
    refused = replace(group, refused=frozenset({Fact.INSTANCES}))
    assert decide(refused, NOW).end == CREATED + HOUR, "as far as is known"


def test_only_the_newest_are_new() -> None:
    ledger = Ledger(0, CREATED, 2)
    launches = (NOW - MINUTE, NOW - 2 * MINUTE, CREATED, CREATED - HOUR)
    assert counted(ledger, NOW, 4, launches).used == 2 * 3000 + 60 + 120
    assert counted(ledger, NOW, 2, launches).used == counted(ledger, NOW, 1, launches).used == 2 * 3000


def test_ec2_is_asked_before_new_instances_are_counted_and_a_refusal_counts_them_all_the_same() -> None:
    three = (*RUNNING, GroupMember("i-3", "InService"))
    unasked = replace(counting(members=three), instances=None)
    assert recorded(unasked) == []
    assert Fact.INSTANCES in decide(unasked, NOW).needs
    refused = replace(unasked, refused=frozenset({Fact.INSTANCES}))
    assert recorded(refused) == [Ledger(2 * 3000 + 60, NOW, 3)]
    # Fewer instances are counted at once.
    assert recorded(replace(unasked, members=RUNNING[:1])) == [Ledger(2 * 3000, NOW, 1)]


def test_a_detached_instance_uses_hours() -> None:
    one = RUNNING[:1]
    detached = counting(running("i-1"), running("i-2", member=False), members=one)
    assert recorded(detached) == [], "two as before"
    gone = counting(running("i-1"), Instance("i-2", "terminated", member=False), members=one)
    assert recorded(gone) == [Ledger(2 * 3000, NOW, 1)]
    # It uses the hours of those that are still to start.
    few = replace(
        detached,
        tags=a_group(
            replace(LIMITED, max_instance_hours=3), written={**settled(), lease_tags.TAG_USED: Ledger(0, NOW, 2).text()}
        ).tags,
        desired=2,
    )
    assert decide(few, NOW).end == CREATED + HOUR
    less = replace(
        few,
        tags=a_group(
            replace(LIMITED, duration_seconds=7200, max_instance_hours=1),
            written={**settled(), lease_tags.TAG_USED: Ledger(0, NOW, 2).text()},
        ).tags,
    )
    assert decide(less, NOW).end == NOW + HOUR / 3
    # Between two listings it is remembered.
    quiet = replace(detached, instances=None, lost=frozenset({"i-2"}))
    assert recorded(quiet) == []


def test_hours_that_cannot_be_read_are_those_of_the_larger_size() -> None:
    """The declared size, or the granted one: a deployment may have made it smaller since."""
    for granted, declared in ((5, 2), (1, 5)):
        written = {**settled(size=granted), lease_tags.TAG_USED: "x"}
        group = a_group(replace(LIMITED, size=declared), written=written, desired=1, members=RUNNING[:1])
        assert group.lease.ledger == Ledger(0, CREATED, 5)
        assert decide(group, NOW).used_seconds == 5 * 3000


def test_hours_that_cannot_be_read_count_without_a_granted_size_too() -> None:
    """The tag of the grant was deleted by hand: the other one shows that something ran."""
    spoilt = without(a_group(LIMITED, written={**settled(), lease_tags.TAG_USED: "x"}), lease_tags.TAG_GRANTED)
    assert spoilt.lease.ledger == Ledger(0, CREATED, 2)
    never = replace(without(spoilt, lease_tags.TAG_USED), suspended=frozenset())  # without the mark of a grant too
    assert never.lease.ledger is None


@pytest.mark.parametrize(("short_for", "count"), [(0, 2), (299, 2), (300, 1)])
def test_what_has_not_started_for_long_moves_no_end(short_for: int, count: int) -> None:
    written = settled() | {lease_tags.TAG_USED: Ledger(0, CREATED, 1).text()}
    one = replace(LIMITED, max_instance_hours=1)
    group = a_group(one, written=written, desired=2, members=RUNNING[:1])
    assert decide(replace(group, short_for=timedelta(seconds=short_for)), CREATED).end == CREATED + HOUR / count
