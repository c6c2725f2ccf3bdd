"""Every action of the lease checker is one readable line, for any number of instances."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease.action_data import as_data
from annex_lease.actions import EmptyGroup, FinishHooks, Grant, TerminateInstances, Warn
from annex_lease.entries import Granted
from annex_pool.commands.check_command import action_line

END = datetime(2030, 1, 1, 12, tzinfo=UTC)
MANY = tuple(f"i-{number:04}" for number in range(250))


@pytest.mark.parametrize(
    ("action", "line"),
    [
        (EmptyGroup("both must be 0"), "EmptyGroup: both must be 0"),
        (TerminateInstances(("i-1",), "over"), "TerminateInstances instance_ids 1 (i-1): over"),
        (TerminateInstances(MANY[:3], "over"), "TerminateInstances instance_ids 3 (i-0000, i-0001, i-0002): over"),
        (TerminateInstances(MANY, "over"), "TerminateInstances instance_ids 250 (i-0000, i-0001, i-0002, ...): over"),
        (FinishHooks((), ("i-2",), "waits"), "FinishHooks terminating 1 (i-2): waits"),
        (Warn(END, 3, "soon"), "Warn end 2030-01-01T12:00:00Z, alive 3: soon"),
        (Grant(Granted(3), None, 3, None, True, "due"), "Grant granted 3, capacity 3, starts True: due"),
    ],
)
def test_what_on_what_and_why(action: TerminateInstances, line: str) -> None:
    assert action_line(as_data(action)) == line


def test_an_action_of_another_release() -> None:
    assert action_line({"action": "Sing", "song_count": 2, "ids": ["a"], "loud": True}) == (
        "Sing song_count 2, ids 1 (a), loud True"
    )
    assert action_line({}) == "?"


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.lists(st.text())))
def test_always_one_line(action: dict[str, object]) -> None:
    assert action_line(action).isprintable()
