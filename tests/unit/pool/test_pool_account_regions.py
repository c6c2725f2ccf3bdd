"""Asking all Regions at once: every answer counts, one that hangs holds up none, and each reason is one line."""

from __future__ import annotations

from threading import Barrier, Event
from time import monotonic

import pytest

from annex_pool.account_regions import ask_each, grouped
from annex_pool.command_error import AnnexError
from annex_pool.region import SettingsError

REGIONS = ("eu-west-1", "us-east-1", "us-west-2")


def test_all_are_asked_at_the_same_time() -> None:
    together = Barrier(len(REGIONS), timeout=10)

    def ask(region: str) -> str:
        together.wait()
        return region.upper()

    answers = ask_each(REGIONS, ask)
    assert list(answers.given.items()) == [(region, region.upper()) for region in REGIONS]
    assert answers.errors == {}


def test_a_refusal_hides_no_answer() -> None:
    def ask(region: str) -> str:
        if region == "us-east-1":
            raise AnnexError("AWS refused")
        return region

    answers = ask_each(REGIONS, ask)
    assert list(answers.given) == ["eu-west-1", "us-west-2"]
    assert answers.errors == {"us-east-1": "AWS refused"}


def test_a_region_that_hangs_is_named_in_time() -> None:
    hang = Event()

    def ask(region: str) -> str:
        if region == "us-east-1":
            hang.wait()
        return region

    before = monotonic()
    answers = ask_each(REGIONS, ask, 0.5)
    took = monotonic() - before
    hang.set()
    assert took < 5
    assert list(answers.given) == ["eu-west-1", "us-west-2"]
    assert answers.errors == {"us-east-1": "AWS did not answer in us-east-1 within 0 seconds"}


def test_the_first_answer_is_enough_if_one_is_asked_for() -> None:
    hang = Event()

    def ask(region: str) -> str:
        if region != "us-west-2":
            hang.wait()
        return region

    before = monotonic()
    assert list(ask_each(REGIONS, ask, 30, first=True).given) == ["us-west-2"]
    assert monotonic() - before < 5
    hang.set()


@pytest.mark.parametrize("error", [SettingsError("no credentials"), ValueError("a mistake of ours")])
def test_what_no_region_can_answer_ends_the_look(error: Exception) -> None:
    def ask(region: str) -> str:
        raise error

    with pytest.raises(type(error), match=str(error)):
        ask_each(REGIONS, ask)


def test_no_region_is_no_answer() -> None:
    assert ask_each((), str.upper).given == {}


def test_one_line_for_each_reason() -> None:
    assert grouped({}) == ()
    assert grouped({each: f"refused in {each}" for each in REGIONS} | {"sa-east-1": "silent"}) == (
        "eu-west-1, us-east-1, us-west-2 could not be asked: refused in eu-west-1",
        "sa-east-1 could not be asked: silent",
    )
