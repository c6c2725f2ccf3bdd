"""Texts about a lease: the caps as the function reads them, and what decided the end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.entries import Ledger, Override, Renewed
from annex_lease.lease import NO_CAPS, LeaseCaps
from annex_lease.policy import LeasePolicy
from annex_lease.tags import format_time
from tests.unit.lease.lease_model import CAP, CREATED, END, HOUR, POLICY, a_group, settled

NAMES = ("max_lifetime_seconds", "size", "max_instance_hours")
LONGER = CREATED + 1.5 * HOUR


def test_absent_and_empty_texts_are_no_caps() -> None:
    assert LeaseCaps.read({}) == LeaseCaps.read(dict.fromkeys(NAMES, "")) == NO_CAPS == LeaseCaps()


@pytest.mark.parametrize("name", NAMES)
def test_each_cap_is_read_by_its_name(name: str) -> None:
    caps = LeaseCaps.read({name: "7", "other": "8"})
    assert {each: getattr(caps, each) for each in NAMES} == dict.fromkeys(NAMES) | {name: 7}
    assert caps.problems == ()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["x", "-1", "1.5", " 7", "9" * 12, "${Token[1]}"])
def test_a_malformed_cap_is_reported_and_ignored(name: str, text: str) -> None:
    caps = LeaseCaps.read({"size": "1", name: text})
    assert getattr(caps, name) is None
    (problem,) = caps.problems
    assert problem.startswith(f"cap {name} is ignored: {lease_tags.shown(text)} is not a whole number")
    assert problem in replace(a_group(), caps=caps).lease.problems
    assert problem in replace(a_group(None), caps=caps).lease.problems
    assert caps.size == (1 if name != "size" else None), "the other caps stand"


@pytest.mark.parametrize(("name", "low"), [("max_lifetime_seconds", 1), ("size", 0), ("max_instance_hours", 1)])
def test_a_cap_has_the_range_of_its_tag(name: str, low: int) -> None:
    assert getattr(LeaseCaps.read({name: str(low)}), name) == low
    below = LeaseCaps.read({name: str(low - 1)})
    assert (getattr(below, name), len(below.problems)) == (None, 1)


LIMITED = replace(POLICY, max_instance_hours=1)
USED = {lease_tags.TAG_USED: Ledger(0, CREATED, 2).text()}
RENEWING = replace(POLICY, renew_seconds=1200)
VOID = "; the end {} that an operator wrote before is void: a deployment changed the declared end"


def until(end: object, against: object = END) -> dict[str, str]:
    text = format_time(end)  # type: ignore[arg-type]
    return {lease_tags.TAG_UNTIL: text, lease_tags.TAG_OVERRIDES: Override(end, against).text()}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "written", "text"),
    [
        (POLICY, {}, "ends at 2026-11-01T13:00:00Z, as declared"),
        (POLICY, until(LONGER), "ends at 2026-11-01T13:30:00Z, as an operator wrote"),
        (POLICY, until(END), "ends at 2026-11-01T13:00:00Z, as an operator wrote"),
        (POLICY, until(CAP), "ends at 2026-11-01T14:00:00Z, as an operator wrote"),
        (
            POLICY,
            until(CAP + HOUR),
            "ends at 2026-11-01T14:00:00Z, the maximum lifetime, before the end that was asked for",
        ),
        (
            replace(POLICY, duration_seconds=None, ends_at=CAP + HOUR),
            {},
            "ends at 2026-11-01T14:00:00Z, the maximum lifetime, before the end that was asked for",
        ),
        (replace(POLICY, duration_seconds=7200), {}, "ends at 2026-11-01T14:00:00Z, as declared"),
        (
            POLICY,
            until(LONGER, CREATED),
            "ends at 2026-11-01T13:00:00Z, as declared" + VOID.format("2026-11-01T13:30:00Z"),
        ),
        (
            RENEWING,
            {lease_tags.TAG_BUSY: Renewed(LONGER, END).text()},
            "ends at 2026-11-01T13:30:00Z, renewed because the annex was busy",
        ),
        (LIMITED, USED, "ends at 2026-11-01T12:30:00Z, when the 1 instance-hours are used up"),
        (replace(LIMITED, max_instance_hours=99), USED, "ends at 2026-11-01T13:00:00Z, as declared"),
        (None, {}, "the declared lease is missing or malformed"),
    ],
)
def test_the_text_of_a_lease_says_what_decided_its_end(
    policy: LeasePolicy | None, written: dict[str, str], text: str
) -> None:
    assert a_group(policy, written=settled() | written).lease.explained() == text


def test_an_end_that_the_function_caps_is_said_to_be_capped() -> None:
    group = replace(a_group(), caps=LeaseCaps(max_lifetime_seconds=1800))
    assert "the maximum lifetime, before the end that was asked for" in group.lease.explained()
    assert group.lease.effective_end == CREATED + timedelta(minutes=30)
