"""Settings of AWS in the environment of the command that cannot be used: one error, never a traceback."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from annex_pool.cli import app
from annex_pool.region import RegionClients
from tests.runtime.pool.pool_world import SPEC, World

VERBS = [
    ("plan", "demo", "--deployed"),
    ("status", "demo"),
    ("status", "--all"),
    ("extend", "demo", "--for", "1h"),
    ("shorten", "demo", "--for", "1h"),
    ("renew", "demo", "--for", "1h"),
    ("check", "demo"),
    ("stop", "demo"),
    ("stop", "old"),
    ("leftovers", "demo"),
    ("credential", "push", "demo"),
]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_PROFILE", "nope", "The config profile (nope) could not be found"),
        ("AWS_CONFIG_FILE", "broken", "Unable to parse config file"),
        ("AWS_ENDPOINT_URL", "nonsense", "Invalid endpoint: nonsense"),
    ],
)
@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_it_is_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], name: str, value: str, said: str
) -> None:
    (world.folder / "annexes.toml").write_text(SPEC)
    broken: Path = world.folder / "config"
    broken.write_text("[profile x\n")
    monkeypatch.setenv(name, str(broken) if value == "broken" else value)
    environment = replace(world.environment(), connect=RegionClients)
    spec = {"ANNEX_SPEC": str(world.folder / "annexes.toml")}
    done = CliRunner().invoke(app, list(words), obj=environment, env=spec)
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 1
    assert said in done.stderr
