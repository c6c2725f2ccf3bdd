"""Properties of every history: spending stops, nothing is granted against the rules, no other annex is touched."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from annex_lease import tags as lease_tags
from tests.world.aws_model import NoFaults
from tests.world.disturbance import left_of
from tests.world.examples import REPEATABLE
from tests.world.histories import EVENTS, Event, History

SMALL = st.integers(0, 11)
histories = st.lists(st.tuples(st.sampled_from(EVENTS), SMALL, SMALL), max_size=14)
policies = st.sampled_from(
    [
        {},
        {"renew_seconds": 900},
        {"max_instance_hours": 1},
        {"renew_seconds": 1200, "max_instance_hours": 2, "warn_before_end_seconds": 600},
        {"duration_seconds": 90, "grace_seconds": 0},
    ]
)


def lived(policy: dict[str, Any], events: list[Event]) -> History:
    history = History(**policy)
    for event in events:
        history.happen(event)
    return history


@REPEATABLE
@given(policies, histories)
@example(
    {}, [("checks", 2, 0), ("detach", 0, 1), ("state", 0, 6), ("hook", 1, 1), ("warm_pool", 2, 0), ("resize", 4, 1)]
)
@example({"renew_seconds": 900}, [("checks", 2, 0), ("protect", 0, 1), ("lost_runs", 11, 0), ("renew", 9, 0)])
def test_after_the_end_and_the_grace_two_checks_are_enough(policy: dict[str, Any], events: list[Event]) -> None:
    history = lived(policy, events)
    over = history.finish()
    history.stage.minutes(10)
    assert history.world.used(history.stage.site.group, over) == 0
    assert history.stage.runs[-1].phase == "ended"
    history.world.advance(3 * 3600)
    assert history.world.used(history.stage.site.group, over) == 0


class OnlyWhatIsAllowed(NoFaults):
    """Looks at every call that raises the capacity, from outside: what the record says, and nothing of ours."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.grants = 0

    def carry_out(self, call: Any, do: Any, past: Any) -> dict[str, Any]:
        group = self.history.world.aws.account.groups[self.history.stage.site.group]
        if call.operation == "UpdateAutoScalingGroup" and call.params.get("DesiredCapacity", 0) > group.desired:
            self.grants += 1
            assert call.params["DesiredCapacity"] == int(group.tags[lease_tags.TAG_SIZE][0]) <= group.max_size
            assert "Launch" not in group.suspended
            assert call.at < self.history.bound
            assert "MinSize" not in call.params
        return super().carry_out(call, do, past)


CALM = [name for name in EVENTS if name not in ("fault", "outage", "late_run")]


@REPEATABLE
@given(policies, st.lists(st.tuples(st.sampled_from(CALM), SMALL, SMALL), max_size=14))
@example({}, [("checks", 0, 0)])
def test_no_capacity_is_granted_that_no_rule_allows(policy: dict[str, Any], events: list[Event]) -> None:
    history = History(**policy)
    watch = OnlyWhatIsAllowed(history)
    history.world.aws.faults = watch
    for event in events:
        history.happen(event)
    if events == [("checks", 0, 0)]:
        assert watch.grants == 1


LOSING = st.sampled_from(["checks", "lost_runs", "repeated_run", "die", "lose", "retire"])


@REPEATABLE
@given(policies, st.lists(st.tuples(LOSING, SMALL, SMALL), max_size=20))
@example({}, [("checks", 2, 0), ("retire", 0, 0), ("lose", 11, 0), ("checks", 2, 0)])
@example({}, [("checks", 2, 0), ("lose", 11, 0), ("retire", 0, 0), ("lose", 11, 0), ("checks", 2, 0)])
def test_lost_tags_grant_nothing_again(policy: dict[str, Any], events: list[Event]) -> None:
    """Any of the tags of the run time, lost at any moment: what was granted is granted once."""
    history = History(**policy)
    history.stage.minutes(2)
    watch = OnlyWhatIsAllowed(history)
    history.world.aws.faults = watch
    for event in events:
        history.happen(event)
    assert watch.grants == 0
    history.finish()
    declared = history.policy.size * (history.policy.max_lifetime_seconds + history.policy.grace_seconds)
    assert history.world.used(history.stage.site.group, 0) <= declared + 180 * history.policy.size


QUIET = (
    "checks",
    "lost_runs",
    "repeated_run",
    "late_run",
    "extend",
    "stop",
    "renew",
    "deploy",
    "damage",
    "die",
    "replace",
    "fault",
)


@REPEATABLE
@given(policies, st.lists(st.tuples(st.sampled_from(QUIET), SMALL, SMALL), max_size=14))
def test_never_more_instances_than_were_ever_declared(policy: dict[str, Any], events: list[Event]) -> None:
    history = History(**policy)
    for event in events:
        history.happen(event)
        assert len(history.stage.alive()) <= max(history.sizes)


SPENDING = st.sampled_from(
    ["checks", "extend", "renew", "die", "halt", "replace", "protect", "suspend", "resume", "lose"]
)


@REPEATABLE
@given(st.lists(st.tuples(SPENDING, SMALL, SMALL), max_size=25))
@example([("checks", 2, 0)] * 12)
@example([("checks", 2, 0)] * 12 + [("extend", 6, 0), ("renew", 9, 0), ("checks", 2, 0), ("renew", 10, 0)])
@example([("checks", 2, 0)] * 6 + [("lose", 11, 0), ("checks", 2, 0)] + [("extend", 8, 0), ("renew", 8, 0)])
def test_no_more_is_used_than_the_hours_allow(events: list[Event]) -> None:
    history = History(max_instance_hours=1, grace_seconds=60)
    for event in [*events, *[("checks", 2, 0)] * 12]:
        history.happen(event)
    history.finish()
    launches = len(history.world.aws.account.instances)
    # An instance is counted from the check on that sees it, and the last ones have their grace and two checks.
    slack = 60 * launches + 2 * (60 + 180)
    assert history.world.used(history.stage.site.group, 0) <= 3600 + slack


@REPEATABLE
@given(policies, histories)
@example({}, [("checks", 2, 0), ("deploy", 0, 0)])
@example({}, [("checks", 2, 0), ("lose", 11, 0)])
@example({}, [("checks", 2, 0), ("deploy", 0, 0), ("resize", 1, 1)])
def test_running_twice_is_running_once(policy: dict[str, Any], events: list[Event]) -> None:
    history = lived(policy, events)
    history.world.aws.faults = NoFaults()
    history.stage.run()
    once = left_of(history.stage)
    calls = len(history.world.aws.calls)
    history.stage.run()
    again = [call for call in history.world.aws.calls[calls:] if not call.operation.startswith("Describe")]
    # What a smaller size leaves is a surplus for the run after the one that granted it.
    for left in (once, after := left_of(history.stage)):
        left["tags"].pop(lease_tags.TAG_REPORTED, None)
    assert after == once
    # What takes time in AWS is asked for again while it lasts, and the instances that the first run caused are counted.
    counted = {lease_tags.TAG_USED, lease_tags.TAG_REPORTED}
    again = [call for call in again if not any(tag["Key"] in counted for tag in call.params.get("Tags", ()))]
    slow = {"TerminateInstances", "CompleteLifecycleAction", "DeleteWarmPool", "Publish"}
    assert {call.operation for call in again} <= slow


@REPEATABLE
@given(histories)
def test_a_dry_run_says_what_a_run_does_and_does_nothing(events: list[Event]) -> None:
    history = lived({}, events)
    history.world.aws.faults = NoFaults()
    stage = history.stage
    before, calls = repr(history.world.aws.account), len(history.world.aws.calls)
    dry = stage.run({"check": "dry-run"})
    assert all(call.operation.startswith("Describe") for call in history.world.aws.calls[calls:])
    if not dry.error and repr(history.world.aws.account) == before:  # no time passed for a second reading
        wet = stage.run({"check": "now"})
        assert dry.reply["actions"][: len(wet.reply["actions"])] == wet.reply["actions"][: len(dry.reply["actions"])]
        assert dry.reply["dry_run"] is True


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_can_happen(name: str) -> None:
    history = History()
    history.stage.minutes(2)
    getattr(history, f"_{name}")(0, 1)
