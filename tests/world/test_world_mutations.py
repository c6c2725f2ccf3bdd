"""Every mechanism of the lease, taken out once: some scenario or property must notice.

A scenario that passes without the mechanism that it is there for proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from annex_lease import actions, actuator, aws, batches, checker, decision, keeping, lease, memory, ownership, stopping
from annex_lease.lease import Lease
from annex_lease.observed import BELIEVED, Credential, Fact, Instance
from annex_lease.tags import TAG_UNTIL
from tests.world import test_world_endings as endings
from tests.world import test_world_hostile as hostile
from tests.world import test_world_scale as scale
from tests.world.aws_faults import Fault
from tests.world.aws_model import Client
from tests.world.scenarios import named
from tests.world.stage import Stage
from tests.world.worlds import ModelWorld

Mutation = Callable[[], Any]


def play(name: str, page_size: int | None = None) -> Callable[[], None]:
    def run() -> None:
        world = ModelWorld()
        world.aws.page_size = page_size
        stage = Stage(world)
        scenario = named(name)
        scenario.act(stage)
        scenario.check(stage)

    return run


def without(kind: type[Any]) -> Mutation:
    """Actions of this kind are not carried out."""
    perform = actuator.perform

    def some(action: Any, annex: Any) -> None:
        if not isinstance(action, kind):
            perform(action, annex)

    return lambda: mock.patch.object(actuator, "perform", some)


def put(room: Any, name: str, value: Any) -> Mutation:
    """Something else in the place of this name."""
    assert hasattr(room, name), f"{room.__name__} has no {name} any more: correct the name of the mechanism"
    return lambda: mock.patch.object(room, name, value)


def assert_missed(mutation: Mutation, proof: Callable[[], Any]) -> None:
    """The proof holds, and fails under the mutation."""
    proof()
    with mutation(), pytest.raises(AssertionError):
        proof()


@contextmanager
def first_pages_only() -> Iterator[None]:
    """Listings are taken for complete after their first page."""

    def first_page(self: Client, name: str) -> Any:
        return mock.Mock(paginate=lambda **given: [getattr(self, name)(**given)])

    with mock.patch.object(Client, "get_paginator", first_page):
        yield


@contextmanager
def failures_are_nothing() -> Iterator[None]:
    """A listing that fails is taken for an empty one."""
    listed = aws.list_instances

    def quietly(annex: Any) -> Any:
        try:
            return listed(annex)
        except Exception:  # noqa: BLE001 -- the blanket that must not be
            return ()

    with mock.patch.dict(checker._LOOK_UP, {Fact.INSTANCES: quietly}):
        yield


def _by_name_alone(instance: Any, identity: Any) -> Any:
    del identity
    return Instance(instance["InstanceId"], instance["State"]["Name"], True)


def _later_first(seen: Any, *given: Any, **more: Any) -> Any:
    decided = decision.decide(seen, *given, **more)
    return replace(decided, actions=tuple(reversed(decided.actions)))


def _not_one_by_one(annex: Any, ids: Any, call: Any, *, harmless: Any) -> list[str]:
    del annex, call, harmless
    return list(ids)


def looked_up(fact: Fact, answer: Any) -> Mutation:
    """A fact that is always this."""
    return lambda: mock.patch.dict(checker._LOOK_UP, {fact: lambda annex: answer})


def _believed_at_once(self: Any, seen: Any, now: Any) -> Any:
    del self, now
    return replace(seen, unread_for=BELIEVED)


@contextmanager
def no_cap_on_the_override() -> Iterator[None]:
    """A lease whose override ends after its latest end lasts until the declared end, as if it were none."""
    read = Lease.of

    def of(tags: Any, *given: Any, **more: Any) -> Any:
        found = read(tags, *given, **more)
        end = found.record.override_end
        if end is None or end <= found.latest_end:
            return found
        return read([tag for tag in tags if tag.key != TAG_UNTIL], *given)

    with mock.patch.object(Lease, "of", of):
        yield


def _twice_at_once(self: Any, seen: Any, now: Any) -> Any:
    del self, now
    return replace(seen, empty_before=True)


ACTIONS = {
    actions.PublishEnd: "extend",
    actions.RecordGrant: "renewed without a credential and deployed longer after it",
    actions.RecordOverride: "extended and then deployed longer",
    actions.ScheduleEnds: "extended after its scheduled action",
    actions.SuspendProcesses: "deploy and grant",
    actions.Grant: "deploy and grant",
    actions.NotifyInstances: "extend",
    actions.RenewLease: "renew while busy",
    actions.ResumeLaunch: "renewal of an ended annex",
    actions.RecordUse: "instances that come while no check runs",
    actions.Warn: "warned before the end",
    actions.Report: "more by hand than declared for a while",
    actions.EmptyGroup: "stopped and then deployed longer",
    actions.SuspendLaunch: "end",
    actions.ResumeTerminate: "end with terminate suspended",
    actions.DeleteWarmPool: "end with a warm pool",
    actions.ClearProtection: "end of a group that protects new instances",
    actions.FinishHooks: "end with instances waiting to launch",
    actions.AllowDeletion: "destroy with everything in the way",
    actions.Close: "renewed while it is destroyed",
    actions.Reopen: "a destroy that was taken back",
    actions.TerminateInstances: "end with an instance on standby",
}

MECHANISMS: dict[str, tuple[Mutation, Callable[[], Any]]] = {
    "what is beyond a cap counts as the cap": (
        no_cap_on_the_override,
        play("an end beyond the cap counts as the cap"),
    ),
    "a deployment that changes the end voids an override": (
        put(lease, "_is_void", lambda record, declared: False),
        play("extended and then deployed shorter"),
    ),
    "a lease is granted only with its credential": (
        looked_up(Fact.CREDENTIAL, Credential.PRESENT),
        play("deploy without credential"),
    ),
    "a listing is read to its last page": (first_pages_only, play("end with a detached instance", 0)),
    "one bad id does not save another": (
        put(batches, "one_by_one", _not_one_by_one),
        play("end with an instance that the api may not terminate"),
    ),
    "a reading that is wrong for seconds is not believed": (
        put(memory.Memory, "recall", _believed_at_once),
        play("a declared tag that is missing for seconds"),
    ),
    "a smaller size starts nothing": (
        put(keeping, "_capacity", lambda group: group.lease.size),
        play("a smaller size after the fleet went idle"),
    ),
    "a terminating hook has the grace": (
        put(stopping, "_hooks", lambda group, grace, hooks=stopping._hooks: hooks(group, grace=False)),
        play("end with instances waiting to terminate"),
    ),
    "what ended stays ended": (
        put(decision, "_was_stopped", lambda group, now: False),
        play("extend after the end"),
    ),
    "a lost record of a grant is no new grant": (
        put(lease, "assume_granted", lambda record, size: record),
        play("tags lost by a fleet that shrank"),
    ),
    "tags are compared whole": (
        put(aws, "_instance", _by_name_alone),
        hostile.test_a_group_whose_name_is_a_pattern_has_its_own_instances_only,
    ),
    "a detached instance is known by the annex's id": (
        put(ownership, "TAG_ID", "no such tag"),
        play("end with a detached instance"),
    ),
    "a listing that fails is an error": (
        failures_are_nothing,
        lambda: hostile.test_a_listing_that_is_refused_is_an_error_and_never_an_empty_one(
            "DescribeInstances", Fault.DENIED
        ),
    ),
    "spending is stopped first": (
        put(checker, "decide", _later_first),
        lambda: scale.test_no_time_left_stops_spending_first_and_the_next_run_continues(20.0),
    ),
    "hooks are finished": (
        put(stopping, "_hooks", lambda group, grace: ()),
        play("end with instances waiting to launch"),
    ),
    "an end is looked for twice": (
        put(memory.Memory, "recall", _twice_at_once),
        endings.test_the_end_is_reported_after_two_empty_listings_a_minute_apart,
    ),
    "no call is begun without time": (
        put(batches, "CALL_SECONDS", -1e9),
        lambda: scale.test_no_time_left_stops_spending_first_and_the_next_run_continues(20.0),
    ),
}


def test_every_kind_of_action_is_here() -> None:
    kinds = {kind for kind in actions.Action.__subclasses__() if kind.__module__ == actions.__name__}
    assert set(ACTIONS) == kinds


@pytest.mark.parametrize("kind", ACTIONS, ids=lambda kind: str(kind.__name__))
def test_an_action_that_is_not_carried_out_is_missed(kind: type[Any]) -> None:
    assert_missed(without(kind), play(ACTIONS[kind]))


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_that_is_taken_out_is_missed(name: str) -> None:
    assert_missed(*MECHANISMS[name])
