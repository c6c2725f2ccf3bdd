"""Inventories of any Region, at random: groups and resources of annexes with similar names, tags lost or forged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from annex_lease.observed import GroupMember
from annex_lease.ownership import GROUP_TAG, STACK_ID_TAG
from annex_lease.sweep.resources import Inventory, ResourceKind, TaggedResource
from annex_lease.tags import TAG_END, TAG_ID, TAG_NAME, TAG_ORPHAN, format_time
from tests.unit.sweep.sweep_model import HOUR, NOW, ONE, OTHER, THIRD, group, stack, stack_arn

NAMES = ("a", "pa", "paper")
UUIDS = (ONE, OTHER, THIRD)
IDS = [f"{uuid}.{name}" for uuid in UUIDS for name in NAMES]

ages = st.integers(-180, 30 * 60).map(lambda minutes: timedelta(minutes=minutes))
times = ages.map(lambda age: format_time(NOW - age)) | st.sampled_from(["", "soon", "9999-99-99T00:00:00Z"])
uuids, names = st.sampled_from(UUIDS), st.sampled_from(NAMES)


often = st.sampled_from([True, True, True, False])


@st.composite
def groups(draw: st.DrawFn) -> Any:
    name, uuid = draw(names), draw(uuids)
    lost = draw(st.sets(st.sampled_from([TAG_ID, TAG_NAME, "annex:lease-duration"]), max_size=1))
    extra = {TAG_ID: draw(st.sampled_from(IDS))} if TAG_ID in lost and draw(st.booleans()) else {}
    extra |= {TAG_ORPHAN: draw(times)} if draw(st.booleans()) else {}
    extra |= {STACK_ID_TAG: stack_arn(draw(uuids))} if draw(st.booleans()) else {}
    extra |= {TAG_END: draw(times)} if draw(st.booleans()) else {}
    off = frozenset() if draw(often) else frozenset({"Launch"})
    asg = f"asg-{draw(st.integers(0, 4))}"
    return group(name, uuid, ended=draw(ages), asg=asg, without=lost, extra=extra, suspended=off)


@st.composite
def resources(draw: st.DrawFn, kinds: tuple[ResourceKind, ...]) -> TaggedResource:
    kind = draw(st.sampled_from(kinds))
    tags = {TAG_NAME: draw(names)}
    tags |= {TAG_ID: f"{draw(uuids)}.{tags[TAG_NAME] if draw(often) else draw(names)}"} if draw(often) else {}
    tags |= {TAG_ORPHAN: format_time(NOW - 2 * HOUR) if draw(often) else draw(times)} if draw(often) else {}
    optional = {
        TAG_ID: st.sampled_from(["rubbish", f"{ONE}.", "."]),
        GROUP_TAG: st.integers(0, 6).map(lambda n: f"asg-{n}"),
        STACK_ID_TAG: uuids.map(stack_arn) | st.just("rubbish"),
        TAG_END: times,
    }
    tags = {key: draw(value) for key, value in optional.items() if not draw(often)} | tags
    if TAG_ID in tags and not draw(often):
        del tags[TAG_NAME]
    states = ["running", "stopped", "terminated"] if kind is ResourceKind.INSTANCE else ["available", "in-use"]
    name = f"{kind.value}-{draw(st.integers(0, 99))}"
    return TaggedResource(
        kind, name, tags, NOW - draw(ages) if draw(st.booleans()) else None, draw(st.sampled_from(states))
    )


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    made = {each.name: each for each in draw(st.lists(groups(), max_size=3))}
    found = {r.id: r for r in draw(st.lists(resources((ResourceKind.INSTANCE,)), max_size=6))}
    others = {
        r.id: r
        for r in draw(
            st.lists(resources((ResourceKind.VOLUME, ResourceKind.INTERFACE, ResourceKind.SECRET)), max_size=3)
        )
    }
    states = st.sampled_from(["CREATE_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_FAILED"])
    stacks = [stack(uuid, status=draw(states)) for uuid in draw(st.sets(uuids))]

    def members(name: str) -> tuple[GroupMember, ...]:
        # As on AWS, a group lists those that carry its tag; it may lag behind.
        own = [each for each in found.values() if each.tags.get(GROUP_TAG) == name and draw(often)]
        return tuple(GroupMember(each.id, "InService", draw(st.booleans())) for each in own)

    full = {each.name: members(each.name) for each in made.values()}
    seen = [replace(each, members=full[each.name], desired=len(full[each.name])) for each in made.values()]
    return Inventory(tuple(seen), tuple(found.values()), tuple(others.values()), tuple(stacks))
