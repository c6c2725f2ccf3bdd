"""No arguments, no spec file and no name of the user's ends in a traceback: exit code 0, 1 or 2, and a text."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from annex_pool.cli import app
from annex_pool.environment import Environment
from annex_pool.region import RegionClients, SettingsError
from tests.runtime.pool.pool_world import SPEC

VERBS = ["plan", "status", "extend", "shorten", "renew", "check", "stop", "leftovers", "credential", "push", "annex"]
OPTIONS = ["--region", "--stack", "--id", "--for", "--until", "--spec", "--all", "--json", "--deployed", "--no-wait"]
OPTIONS += ["--wait-for", "--token-file", "--token-command", "--dry-run", "--version", "--help", "--", "-", "-x"]
VALUES = ["demo", "other", "Demo", "us-east-1", "all", "Mars", "1h", "0s", "999999999d", "-1h", "2030-01-01T00:00:00Z"]
VALUES += [
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "/",
    "/nowhere",
    "",
    "\udcff",
    "\0",
    "é" * 40,
    "[x]",
]
WORDS = st.lists(
    st.one_of(st.sampled_from(VERBS), st.sampled_from(OPTIONS), st.sampled_from(VALUES), st.text(max_size=8)),
    max_size=8,
)
TABLES = ["[pool]\n", "[defaults]\n", "[annex]\n", "[annex.demo]\n", "[[annex]]\n", "[base]\n", "[annex.demo.x]\n"]
LINES = [
    'region = "us-east-1"\n',
    "region = 3\n",
    "size = 0\n",
    "size = nan\n",
    'lease = "8h"\n',
    "lease = 1979-05-27\n",
]
LINES += [
    'collector = "cm"\n',
    "collector = []\n",
    "demo = 3\n",
    'account = "1"\n',
    "a.b.c = {}\n",
    "\0",
    "\ufeff",
    "[" * 3000,
]
FILES = st.one_of(
    st.binary(max_size=60),
    st.lists(st.sampled_from([*TABLES, *LINES, *(f"{line}\n" for line in SPEC.splitlines())]), max_size=14).map(
        lambda lines: "".join(lines).encode()
    ),
)
COMMANDS = ("plan demo", "plan demo --deployed", "status", "status demo", "status --all", "stop demo", "leftovers")


def no_account(_: str) -> RegionClients:
    raise SettingsError("there are no AWS credentials in this environment")


def run(words: list[str], spec: bytes) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "annexes.toml")
        file.write_bytes(spec)
        environment = Environment(connect=no_account, default_region=lambda: None, query_slots=lambda _: ())
        return CliRunner().invoke(app, words, obj=environment, env={"ANNEX_SPEC": str(file)}, input="")


def check(done: Result) -> None:
    assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code in (0, 1, 2)
    assert done.exit_code == 0 or done.output


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WORDS)
@example(["stop", "\udcff"])
@example(["status", "demo", "--region", "\udcff"])
@example(["extend", "demo", "--for", "\udcff"])
@example(["credential", "push", "demo", "--token-file", "\0"])
@example(["stop", "demo", "--spec", "\0"])
@example(["extend", "demo", "--until", "0001-01-01T00:00:00+23:59"])
def test_any_arguments(words: list[str]) -> None:
    check(run(words, SPEC.encode()))


@pytest.mark.parametrize("words", COMMANDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILES)
@example(b"x = " + b"[" * 3000)
@example(b"[annex]\ndemo = '\xff'")
@example(b'[annex."\\uD7FF\\u0001"]\n')
def test_any_spec_file(words: str, spec: bytes) -> None:
    check(run(words.split(), spec))
