"""A destroy on an AWS that refuses calls: what only records, looks for a reason or publishes keeps no stack."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from annex_lease import tags as lease_tags
from tests.world.aws_faults import Do, Fault, strike
from tests.world.aws_model import Call, NoFaults
from tests.world.aws_state import Account
from tests.world.cloudformation import lose_runtime_tags, request
from tests.world.examples import REPEATABLE
from tests.world.histories import EVENTS, History
from tests.world.stage import MINUTE, Stage
from tests.world.worlds import ModelWorld

LISTINGS = {"DescribeAutoScalingGroups", "DescribeInstances"}
ENDING = {
    *("UpdateAutoScalingGroup", "SuspendProcesses", "ResumeProcesses", "SetInstanceProtection", "DeleteWarmPool"),
    *("TerminateInstances", "DescribeLifecycleHooks", "CompleteLifecycleAction"),
}
"""Calls that a destroy needs, with the listings. Everything else may be refused."""
REFUSALS = [Fault.DENIED, Fault.THROTTLED, Fault.TIMEOUT]


class Refusing(NoFaults):
    """Refuses all calls of these operations; with `allowed`, all calls of other operations."""

    def __init__(self, fault: Fault, operations: Collection[str] = (), *, allowed: Collection[str] = ()) -> None:
        self._fault, self._operations, self._allowed = fault, operations, allowed
        self.struck: set[str] = set()

    def carry_out(self, call: Call, do: Do, past: Account) -> dict[str, Any]:
        """See `Faults`."""
        refused = call.operation not in self._allowed if self._allowed else call.operation in self._operations
        if not refused:
            return super().carry_out(call, do, past)
        self.struck.add(call.operation)
        return strike(self._fault, call, do, past)


def nothing_is_granted(stage: Stage) -> None:
    """A renewal is pending when the stack is deleted: a destroy would record it as used up."""
    stage.world.advance(MINUTE)
    stage.write(lease_tags.TAG_RENEWED, stage.at(stage.seconds()))


@pytest.mark.parametrize("fault", REFUSALS, ids=lambda one: one.value)
@pytest.mark.parametrize("before", [lose_runtime_tags, nothing_is_granted, lambda _stage: None])
def test_a_record_that_cannot_be_written_keeps_no_stack(
    fault: Fault, before: Any, model: ModelWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(model)
    stage.make()
    stage.minutes(2)
    before(stage)
    refusing = Refusing(fault, allowed=LISTINGS | ENDING)
    model.aws.faults = refusing
    assert request(stage, "Delete") == "SUCCESS"
    assert stage.alive() == []
    assert refusing.struck == {"CreateOrUpdateTags"}, "the record was tried to be written"
    assert "it could not be recorded that the annex is being destroyed" in capsys.readouterr().out.splitlines()[-1]


@REPEATABLE
@given(st.lists(st.tuples(st.sampled_from(EVENTS), *[st.integers(0, 11)] * 2), max_size=14), st.sampled_from(REFUSALS))
@example([("checks", 2, 0), ("renew", 3, 0), ("lose", 11, 0)], Fault.DENIED)
def test_no_history_needs_its_record_to_be_written_at_the_destroy(events: Any, fault: Fault) -> None:
    history = History()
    for event in events:
        history.happen(event)
    history.world.aws.faults = Refusing(fault, allowed=LISTINGS | ENDING)
    assert request(history.stage, "Delete") == "SUCCESS"
    assert history.stage.alive() == []


@pytest.mark.parametrize("operation", sorted(LISTINGS | {"UpdateAutoScalingGroup", "SuspendProcesses"}))
def test_a_refusal_of_what_ends_it_fails_the_destroy(operation: str, model: ModelWorld) -> None:
    stage = Stage(model)
    stage.make()
    stage.minutes(2)
    model.aws.faults = Refusing(Fault.DENIED, {operation})
    assert request(stage, "Delete") == "FAILED"
    model.aws.faults = NoFaults()
    assert request(stage, "Delete") == "SUCCESS"
    assert stage.alive() == []


def test_what_ends_an_annex_comes_before_what_is_recorded(model: ModelWorld) -> None:
    stage = Stage(model)
    stage.make()
    stage.minutes(2)
    lose_runtime_tags(stage)
    calls = len(model.aws.calls)
    assert request(stage, "Delete") == "SUCCESS"
    operations = [call.operation for call in model.aws.calls[calls:]]
    assert operations.index("UpdateAutoScalingGroup") < operations.index("CreateOrUpdateTags")
