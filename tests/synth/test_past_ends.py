"""The warning at the stack of an annex whose declared end has passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aws_cdk import App

from stacks import warn
from tests.synth.shared_networks import made, specs

END = datetime(2030, 6, 1, 8, tzinfo=UTC)
OWN = {"vpc": None}
ENDS = {**OWN, "lease": None, "lease_ends_at": END, "max_lifetime": timedelta(days=30)}
LATER = {**ENDS, "lease_ends_at": END + timedelta(days=1)}


def synthesised(now: datetime) -> dict[str, tuple[list[str], object]]:
    """The messages and the template of each annex's stack."""
    app, annexes = App(), specs(ENDS, LATER, OWN)
    warn(made(app, annexes), annexes, now)
    assembly = app.synth()
    artifacts = {each.name: assembly.get_stack_artifact(f"Annex-{each.name}") for each in annexes}
    return {
        name: ([str(message.entry.data) for message in each.messages], each.template)
        for name, each in artifacts.items()
    }


def test_only_an_end_that_has_passed_is_warned_of_and_no_template_depends_on_the_time() -> None:
    before, after = synthesised(END - timedelta(seconds=1)), synthesised(END)
    assert [messages for messages, _ in before.values()] == [[], [], []]
    (message,) = after["n0"][0]
    assert "annex n0: lease_ends_at is 2030-06-01T08:00:00Z, which has passed" in message
    assert (after["n1"][0], after["n2"][0]) == ([], [])
    assert [template for _, template in before.values()] == [template for _, template in after.values()]
