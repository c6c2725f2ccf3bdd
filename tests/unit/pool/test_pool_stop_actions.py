"""`annex stop` carries out what ends something, of any kind, and leaves the bookkeeping to the lease checker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from annex_lease.actions import Action, EmptyGroup, FinishHooks, SuspendLaunch, TerminateInstances
from annex_lease.lease import Phase
from annex_lease.observed import Group, GroupMember, Instance
from annex_lease.outcome import Outcome
from annex_lease.policy import LeasePolicy, policy_tags
from annex_lease.tags import Tag
from annex_pool import stop as stop_module
from annex_pool.check import Answer
from annex_pool.deployed import Deployed
from annex_pool.environment import Environment
from annex_pool.place import Place
from annex_pool.region import RegionClients
from tests.unit.pool.annex_specs import annex_spec

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
POLICY = LeasePolicy("demo", 2, 16 * 3600, 900, duration_seconds=8 * 3600, max_instance_hours=100)
GROUP = Group(
    name="Annex-demo-Fleet",
    created=NOW - timedelta(hours=1),
    min_size=0,
    max_size=2,
    desired=2,
    tags=(*policy_tags(POLICY), Tag("annex:granted", "2", False), Tag("annex:used", "0@2030-01-01T11:00:00Zx2", False)),
)


def carried_out(monkeypatch: pytest.MonkeyPatch, first: Group, later: Group, now: datetime = NOW) -> list[list[type]]:
    """Kinds of the actions of each pass, for a group that is observed as `later` after the first pass."""
    passes: list[list[type]] = []
    aws: Any = RegionClients("us-east-1")

    def record(actions: Iterable[Action], annex: object) -> Outcome:
        passes.append([type(action) for action in actions])
        return Outcome()

    monkeypatch.setattr(stop_module, "find_annex", lambda *_, **__: Deployed("demo", aws, first))
    monkeypatch.setattr(stop_module, "write_tags", lambda *_: None)
    monkeypatch.setattr(stop_module, "observe", lambda _: later)
    monkeypatch.setattr(stop_module, "carry_out", record)
    environment = Environment(
        now=lambda: now, connect=lambda _: aws, ask_checker=lambda *_, **__: Answer(Phase.DRAINING, "", None, ())
    )
    stop_module.stop(environment, Place.of(annex_spec()), wait=False, timeout=None, say=lambda _: None)
    return passes


def test_bookkeeping_is_left_to_the_checker(monkeypatch: pytest.MonkeyPatch) -> None:
    members = (GroupMember("i-1", "InService"),)
    group = replace(GROUP, members=members)
    first, second = carried_out(monkeypatch, group, replace(group, instances=(Instance("i-1", "running"),)))
    assert (first, second) == ([EmptyGroup, SuspendLaunch], [])


def test_the_second_pass_carries_out_every_kind_of_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """The group looks empty; EC2's listing and a second description show an instance that waits for a hook."""
    later = replace(GROUP, members=(GroupMember("i-1", "Terminating:Wait"),), instances=())
    first, second = carried_out(monkeypatch, GROUP, later, now=NOW + timedelta(hours=9))
    assert first == [EmptyGroup, SuspendLaunch]
    assert second == [TerminateInstances, FinishHooks]
