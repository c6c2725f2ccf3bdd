"""Missing instances of `annex status`: when they count, and when the reason of a failed launch is asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from annex_lease.actions import Decision
from annex_lease.lease import Phase
from annex_lease.observed import Group, GroupMember
from annex_pool.deployed import Deployed
from annex_pool.missing_instances import Reasons, failed_launches, shortfall
from annex_pool.region import RegionClients

GROUP = Group(
    name="Annex-demo-Fleet",
    created=datetime(2030, 1, 1, 12, tzinfo=UTC),
    min_size=0,
    max_size=2,
    desired=2,
    tags=(),
    members=(GroupMember("i-1", "InService", protected=True),),
)
FAILED = {"StatusCode": "Failed", "Description": "Launching a new EC2 instance", "StatusMessage": "no capacity"}
PENDING = (GroupMember("i-1", "Pending"), GroupMember("i-2", "Pending"))


class AutoScaling:
    """EC2 Auto Scaling with one failed launch. It counts the questions."""

    def __init__(self) -> None:
        self.asked = 0

    def get_paginator(self, name: str) -> AutoScaling:
        assert name == "describe_scaling_activities"
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        self.asked += 1
        return [{"Activities": [FAILED]}]


def decision(phase: Phase) -> Decision:
    return Decision(phase, "", None)


@pytest.mark.parametrize(
    ("phase", "expected"), [(Phase.GRANTED, 1), (Phase.DRAINING, 0), (Phase.ENDED, 0)], ids=lambda each: str(each)
)
def test_nothing_is_missing_when_the_lease_is_over(phase: Phase, expected: int) -> None:
    assert GROUP.shortfall() == 1
    assert shortfall(GROUP, decision(phase)) == expected


@pytest.mark.parametrize(
    ("members", "desired", "phase", "note"),
    [
        (PENDING[:1], 2, Phase.ACTIVE, "1 of 2 instances have not started; the newest launch that failed: no capacity"),
        (PENDING, 2, Phase.GRANTED, "no instance is in service; the newest launch that failed: no capacity"),
        (PENDING, 2, Phase.ACTIVE, None),
        ((), 0, Phase.GRANTED, None),
        ((), 2, Phase.ENDED, None),
    ],
)
def test_launches_are_asked_for_if_the_group_is_to_have_instances(
    members: tuple[GroupMember, ...], desired: int, phase: Phase, note: str | None
) -> None:
    group = replace(GROUP, members=members, desired=desired)
    answers = AutoScaling()
    found = Deployed("demo", cast("RegionClients", SimpleNamespace(autoscaling=answers)), group)
    reasons = failed_launches(found, group, decision(phase))
    assert (reasons, answers.asked) == (Reasons() if note is None else Reasons((note,)), 0 if note is None else 1)
