"""The warning about a declared end that has passed: of the constructs, and so of every app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2

from annex_constructs import Annex, ExecutionPoint, LeaseTerms
from annex_constructs.lease import lease_declaration
from stacks import warn
from tests.synth.shared_networks import made, specs

END = datetime(2030, 6, 1, 8, tzinfo=UTC)
OWN = {"vpc": None}
TYPES = [ec2.InstanceType("c6a.large")]
ENDS = {**OWN, "lease": None, "lease_ends_at": END, "max_lifetime": timedelta(days=30)}
LATER = {**ENDS, "lease_ends_at": END + timedelta(days=1)}
WARNING = "the declared end of its lease, 2030-06-01T08:00:00Z, has passed"


@contextmanager
def at(now: datetime) -> Iterator[None]:
    """The constructs read this time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lease_declaration, "_now", lambda: now)
        yield


def synthesised(now: datetime) -> dict[str, tuple[list[str], object]]:
    """The messages and the template of each stack of the project's app."""
    app, annexes = App(), specs(ENDS, LATER, OWN)
    with at(now):
        warn(made(app, annexes), annexes)
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
    assert f"annex n0: {WARNING}" in message
    assert (after["n1"][0], after["n2"][0]) == ([], [])
    assert [template for _, template in before.values()] == [template for _, template in after.values()]


def own_app(point: ExecutionPoint, lease: LeaseTerms, now: datetime) -> tuple[list[str], bytes]:
    """The messages and the template of an app that makes an annex with the constructs."""
    app = App()
    stack = Stack(app, "Own")
    with at(now):
        Annex(stack, "Muon", execution_point=point, instance_types=TYPES, max_size=2, lease=lease)
    artifact = app.synth().get_stack_artifact("Own")
    messages = [f"{message.id}: {message.entry.data}" for message in artifact.messages]
    return messages, Path(artifact.template_full_path).read_bytes()


@pytest.mark.parametrize("seconds", [0, 86_400])
def test_an_own_app_is_warned_too(point: ExecutionPoint, seconds: int) -> None:
    lease = LeaseTerms(ends_at=END, max_lifetime=Duration.days(30))
    now = END + timedelta(seconds=seconds)
    (message,), template = own_app(point, lease, now)
    assert message.startswith("/Own/Muon/"), "the warning names the construct"
    assert f"annex muon: {WARNING}" in message
    assert own_app(point, lease, now) == ([message], template)
    assert own_app(point, lease, END - timedelta(seconds=1)) == ([], template)


def test_a_lease_with_a_length_never_has_passed(point: ExecutionPoint) -> None:
    assert own_app(point, LeaseTerms(duration=Duration.hours(8)), END)[0] == []
