"""`annexes.toml` shows every key with a valid value; a value in its defaults that a model has too is the model's."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from annex_lease.live_changes import LIVE_CHANGES
from annex_lease.terms import ANNEX_KEYS, POOL_KEYS
from annex_spec import AnnexSpec, BaseSpec, ImageSpec, PoolSpec, format_duration, load
from tests.docs.documents import ROOT

TEXT = (ROOT / "annexes.toml").read_text()
OFF = re.compile(r"^# (?=\w+ = |\[)", re.M)


@pytest.mark.parametrize("model", [PoolSpec, AnnexSpec, BaseSpec, ImageSpec])
def test_every_key_is_shown(model: type[PoolSpec | AnnexSpec | BaseSpec | ImageSpec]) -> None:
    for key in model.model_fields.keys() - {"name"}:
        assert re.search(rf"\b{key} = ", TEXT), key


def test_it_is_valid_with_every_key_that_is_off_switched_on(tmp_path: Path) -> None:
    file = tmp_path / "annexes.toml"
    file.write_text(OFF.sub("", TEXT))
    assert len(OFF.findall(TEXT)) > 8
    demo = load(file).annex("demo")
    assert demo.renew_while_busy and demo.max_instance_hours and demo.alarm_email


def test_the_defaults_shown_are_the_defaults() -> None:
    shown = tomllib.loads(OFF.sub("", TEXT))
    compared = 0
    tables = ((shown["defaults"], AnnexSpec), (shown["base"], BaseSpec), (shown["image"]["base"], ImageSpec))
    for table, model in tables:
        for key, value in table.items():
            default = model.model_fields[key].default
            written = format_duration(default) if isinstance(default, timedelta) else default
            if type(written) is type(value):  # not a key without a default, or with one that follows from other keys
                assert value == written, key
                compared += 1
    assert compared >= 7


def test_every_key_says_what_its_change_does_to_running_instances() -> None:
    """In the table that the page generates, or in the text above it; in one of them only."""
    page = (ROOT / "docs/reference/spec.md").read_text()
    _, _, section = page.partition("### What a changed key does to running instances")
    section, directive, _ = section.partition("```{live-changes}")
    assert directive
    said = {key for key in re.findall(r"`(\w+)`", section) if key != "name"}
    keys = {term.name for term in (*POOL_KEYS, *ANNEX_KEYS)}
    assert said | (LIVE_CHANGES.keys() - {"name"}) == keys
    assert not said & LIVE_CHANGES.keys()


def test_every_line_is_at_most_120_characters() -> None:
    assert max(map(len, TEXT.splitlines())) <= 120
