"""Settings of the lease checker's function: what the template writes is what the function reads."""

from __future__ import annotations

import ast
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease.invocation import CheckerSettings

ROOT = Path(__file__).parents[3]
texts = st.text(max_size=20)
NAMES = [field.name for field in fields(CheckerSettings)]


@given(st.builds(CheckerSettings, group=texts, credential=texts, name=texts, id=texts, topic=texts))
def test_settings_are_read_as_they_were_written(settings: CheckerSettings) -> None:
    assert CheckerSettings.from_environ(settings.to_environ()) == settings


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_has_a_variable_of_its_own(name: str) -> None:
    environ = replace(CheckerSettings(), **{name: "x"}).to_environ()
    assert [key for key, value in environ.items() if value] == [f"ANNEX_{name.upper()}"]
    assert set(environ) == {f"ANNEX_{each.upper()}" for each in NAMES}


def test_other_variables_are_no_settings() -> None:
    assert CheckerSettings.from_environ({"PATH": "/bin", "ANNEX_OTHER": "x"}) == CheckerSettings()


def test_the_responder_reads_some_of_the_same_variables() -> None:
    """It shares no code with the checker, so the names stand in its source too."""
    source = (ROOT / "annex_constructs/lease/responder/index.py").read_text()
    names = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    variables = {name for name in names if isinstance(name, str) and re.fullmatch("ANNEX_[A-Z_]+", name)}
    assert variables == {"ANNEX_GROUP", "ANNEX_ID"} < set(CheckerSettings().to_environ())
