"""Properties that hold for every group and every tag."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from annex_lease import tags as lease_tags
from annex_lease import terms
from annex_lease.action_data import as_data
from annex_lease.actions import (
    Grant,
    NotifyInstances,
    PublishEnd,
    RecordUse,
    Report,
    ScheduleEnds,
    TerminateInstances,
)
from annex_lease.bookkeeping import END_ACTION, LATEST_END_ACTION
from annex_lease.decision import decide
from annex_lease.lease import NO_CAPS, Lease, LeaseCaps, Phase
from annex_lease.observed import BELIEVED, Compared, Credential, Group, GroupMember, Instance
from annex_lease.policy import policy_tags
from annex_lease.record import read_record
from annex_lease.tags import Tag, format_time
from tests.unit.lease.lease_model import CAP, CREATED, END, POLICY, a_group, apply, carry_out, settled

KEYS = [value for key, value in vars(lease_tags).items() if key.startswith("TAG_")]
DECLARED = {tag.key: tag.value for tag in policy_tags(POLICY)}
moments = st.datetimes(CREATED.replace(tzinfo=None), datetime(2026, 11, 1, 18), timezones=st.just(UTC))  # noqa: DTZ001
texts = st.one_of(
    st.text(max_size=30),
    st.integers(-5, 10**12).map(str),
    moments.map(format_time),
    st.sampled_from(["9999-12-31T23:59:59Z", "nan", "1e9", "", "2026-11-01T13:00:00"]),
)
states = st.one_of(
    st.sampled_from(["Pending", "Pending:Wait", "InService", "Terminating", "Terminating:Wait", "Terminated"]),
    st.sampled_from(["Standby", "Terminating:Retained", "Warmed:Stopped", "Future"]),
)
instances = st.lists(
    st.builds(GroupMember, st.sampled_from([f"i-{n}" for n in range(6)]), states, st.booleans()),
    max_size=5,
    unique_by=lambda instance: instance.id,
).map(tuple)
ids = st.sampled_from([f"i-{n}" for n in range(9)])
ends = st.one_of(st.none(), st.just(format_time(END)), texts)
listings = st.one_of(
    st.none(),
    st.lists(
        st.builds(Instance, ids, st.sampled_from(["running", "terminated"]), st.booleans(), ends),
        max_size=5,
        unique_by=lambda instance: instance.id,
    ).map(tuple),
)
schedules = st.one_of(st.none(), st.dictionaries(st.sampled_from([END_ACTION, LATEST_END_ACTION]), moments, max_size=2))
caps = st.builds(
    LeaseCaps,
    st.one_of(st.none(), st.integers(1, 10**5)),
    st.one_of(st.none(), st.integers(0, 4)),
    st.one_of(st.none(), st.integers(1, 10)),
)


@st.composite
def groups(draw: st.DrawFn) -> Group:
    # Mostly a record that can be read: the two dictionaries of any tags below look after the others.
    values = DECLARED | draw(st.sampled_from([{}, settled(), {lease_tags.TAG_UNTIL: format_time(CAP)}]))
    values |= draw(st.dictionaries(st.sampled_from(KEYS), texts, max_size=1))
    for key in draw(st.sets(st.sampled_from(KEYS), max_size=1)):
        values.pop(key, None)
    return Group(
        name="g",
        created=CREATED,
        min_size=draw(st.integers(0, 2)),
        max_size=draw(st.integers(0, 6)),
        desired=draw(st.integers(0, 6)),
        tags=tuple(Tag(key, value, draw(st.booleans())) for key, value in values.items()),
        members=draw(instances),
        suspended=draw(st.frozensets(st.sampled_from(["Launch", "Terminate", "AZRebalance"]))),
        new_instances_protected=draw(st.booleans()),
        deletion_protected=draw(st.booleans()),
        warm_pool=(warm := draw(st.booleans())),
        warm_pool_size=draw(st.integers(0, 3)) if warm else 0,
        caps=draw(st.one_of(st.just(NO_CAPS), caps)),
        credential=draw(st.sampled_from([None, *Credential])),
        instances=draw(listings),
        scheduled=draw(schedules),
        activity=draw(st.one_of(st.none(), st.text(max_size=5))),
        unread_for=draw(st.sampled_from([timedelta(0), BELIEVED])),
        short_for=draw(st.sampled_from([timedelta(0), BELIEVED])),
        late_for=draw(st.sampled_from([timedelta(0), BELIEVED])),
        compared=draw(st.one_of(st.none(), st.builds(Compared, ends.map(str), st.frozensets(ids, max_size=5)))),
        gone=draw(st.frozensets(ids, max_size=1)),
    )


_NONE = replace(POLICY, size=0)
NOTHING_TO_GRANT = replace(a_group(_NONE, suspended=frozenset({"Launch"}), instances=None), warm_pool=True)
MADE_EMPTY = a_group(
    _NONE, written=settled(), desired=1, suspended=frozenset({"Launch"}), instances=None, new_instances_protected=True
)


@example(NOTHING_TO_GRANT, CREATED, False)
@example(MADE_EMPTY, CREATED, False)
@given(groups(), moments, st.booleans())
def test_what_was_done_is_not_asked_for_again(group: Group, now: datetime, closing: bool) -> None:
    after = carry_out(group, now, closing=closing)
    if after.is_off() and any(isinstance(action, Grant) for action in decide(group, now, closing=closing).actions):
        # It was granted a size of 0: with Launch suspended the group counts as stopped from then on.
        after = carry_out(after, now, closing=closing)
    # A run that changed the number of instances leaves it to the next one to count them, to move the end by that, and
    # to report that none is too much.
    counts = (RecordUse, PublishEnd, ScheduleEnds, NotifyInstances, Report)
    assert all(isinstance(action, counts) for action in decide(after, now, closing=closing).actions)
    for _ in range(2):
        after = carry_out(after, now, closing=closing)
    assert decide(after, now, closing=closing).actions == ()


@given(groups(), moments)
def test_repeating_an_action_changes_nothing(group: Group, now: datetime) -> None:
    once = group
    twice = group
    for action in decide(group, now).actions:
        once = apply(once, action)
        twice = apply(apply(twice, action), action)
    assert once == twice


@given(st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=8)), texts), moments)
def test_no_tag_raises_or_passes_the_latest_end(values: dict[str, str], now: datetime) -> None:
    tags = tuple(Tag(key, value, False) for key, value in values.items())
    group = replace(a_group(), tags=tags)
    decision = decide(group, now)
    lease = Lease.of(tags, CREATED)
    assert decision.end is None or decision.end <= lease.latest_end
    assert decision.end is None or decision.end <= CREATED + timedelta(seconds=terms.MAX_LIFETIME.tag_range()[1])


@example({lease_tags.TAG_END: "2026-11-01T14:00:01Z"}, datetime(2026, 11, 1, 14, 0, 1, tzinfo=UTC))
@given(st.dictionaries(st.sampled_from([k for k in KEYS if k not in lease_tags.DECLARED_TAGS]), texts), moments)
def test_nothing_written_at_run_time_passes_the_declared_maximum_lifetime(
    values: dict[str, str], now: datetime
) -> None:
    group = a_group(written=values)
    end = decide(group, now).end
    assert end is not None
    assert end <= CAP


@given(groups(), moments, st.booleans())
def test_an_end_never_grants_and_a_grant_never_exceeds(group: Group, now: datetime, closing: bool) -> None:
    decision = decide(group, now, closing=closing)
    grants = [action for action in decision.actions if isinstance(action, Grant)]
    if grants:
        assert decision.phase in (Phase.GRANTED, Phase.ACTIVE)
        assert decision.end is not None
        assert now < decision.end
        assert not closing
        size = read_record(group.tags).policy
        assert size is not None
        # What an operator added by hand stays; a grant adds nothing to it.
        assert grants[0].capacity <= max(grants[0].granted.size, group.desired)
        # A MaxSize of 0 is what the scheduled action after an earlier latest end leaves.
        assert max(grants[0].capacity, grants[0].granted.size) <= (grants[0].max_size or group.max_size)
        assert grants[0].granted.size <= size.size
        assert grants[0].max_size is None or group.max_size == 0
        if grants[0].capacity > group.desired:
            assert group.credential is Credential.PRESENT
            assert "Launch" not in group.suspended or read_record(group.tags).renewal_pending


@given(groups(), st.datetimes(datetime(2026, 11, 3), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_annex_is_gone_after_its_maximum_lifetime_and_grace(group: Group, now: datetime) -> None:
    limit = CREATED + timedelta(seconds=terms.MAX_LIFETIME.tag_range()[1] + terms.GRACE.tag_range()[1])
    now = max(now, limit)
    for _ in range(3):
        group = carry_out(replace(group, unread_for=BELIEVED), now)
    seen = replace(group, instances=group.instances or (), empty_before=True)
    assert decide(seen, now).phase is Phase.ENDED
    assert group.alive() == ()


@given(groups(), moments, st.booleans())
def test_every_decision_can_be_logged(group: Group, now: datetime, closing: bool) -> None:
    for action in decide(group, now, closing=closing).actions:
        data = as_data(action)
        assert data["action"] == type(action).__name__
        assert data["reason"]


@pytest.fixture
def clock_of() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ", None)
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("clock_of")
@pytest.mark.parametrize("zone", ["UTC", "America/Chicago", "Asia/Kolkata", "Pacific/Kiritimati"])
def test_the_zone_of_the_host_does_not_matter(zone: str) -> None:
    os.environ["TZ"] = zone
    time.tzset()
    group = a_group(written={lease_tags.TAG_UNTIL: "2026-11-01T13:30:00Z"})
    local = datetime.fromtimestamp((END + timedelta(minutes=30)).timestamp()).astimezone()
    assert decide(group, local).phase is Phase.DRAINING
    assert decide(group, local - timedelta(seconds=1)).phase is Phase.GRANTED
    assert decide(group, local).end == datetime(2026, 11, 1, 13, 30, tzinfo=UTC)
    assert format_time(local) == "2026-11-01T13:30:00Z"


def test_a_long_list_of_ids_is_cut_in_the_log() -> None:
    many = tuple(GroupMember(f"i-{n}", "InService") for n in range(50))
    over = decide(a_group(written=settled(), members=many), CAP).actions
    (data,) = (as_data(action) for action in over if isinstance(action, TerminateInstances))
    assert len(data["instance_ids"]) == 20  # type: ignore[arg-type]
    assert data["instance_ids_count"] == 50
