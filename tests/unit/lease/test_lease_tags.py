"""Tags of the group with which EC2 starts no instance: they are named, and nothing is granted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from annex_lease.decision import decide
from annex_lease.lease import Phase
from annex_lease.tags import Tag
from tests.unit.lease.lease_model import MIDDLE, RUNNING, a_group, kinds, listed, settled


@pytest.mark.parametrize("key", ["cost/centre", "cost centre", "_index", "é"])
def test_a_tag_that_hinders_launches_is_an_obstacle(key: str) -> None:
    bare = a_group()
    group = replace(bare, tags=(*bare.tags, Tag(key, "x", True)))
    decision = decide(group, MIDDLE)
    assert (decision.phase, "Grant" in kinds(decision)) == (Phase.WAITING, False)
    assert any(repr(key) in problem and "PropagateAtLaunch" in problem for problem in decision.problems)
    for harmless in (Tag(key, "x", False), Tag("cost:centre", "x", True)):
        fine = decide(replace(bare, tags=(*bare.tags, harmless)), MIDDLE)
        assert ("Grant" in kinds(fine), fine.problems) == (True, ())


def test_it_is_a_problem_of_a_fleet_that_runs() -> None:
    """Nothing that dies would be replaced."""
    group = listed(a_group(written=settled(), desired=2, members=RUNNING))
    spoilt = replace(group, tags=(*group.tags, Tag("a/b", "x", True)))
    decision = decide(spoilt, MIDDLE)
    assert decision.phase is Phase.ACTIVE
    assert ["'a/b'" in problem for problem in decision.problems] == [True]
