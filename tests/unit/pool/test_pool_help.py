"""Order of the verbs in the help of the `annex` command."""

from __future__ import annotations

import typer
from typer.testing import CliRunner

from annex_pool.cli import app


def test_a_verb_without_a_place_in_the_order_is_listed_last() -> None:
    other = typer.Typer(cls=app.info.cls, rich_markup_mode=None, add_completion=False)
    for name in ("audit", "stop", "plan"):
        other.command(name)(lambda: None)
    shown = CliRunner().invoke(other, ["--help"])
    assert shown.exit_code == 0, shown.output
    lines = [line.split()[0] for line in shown.output.partition("Commands:")[2].splitlines() if line.strip()]
    assert lines == ["plan", "stop", "audit"]
