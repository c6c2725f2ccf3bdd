"""Output that cannot be written keeps no command from its work and ends in no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from annex_lease.tags import TAG_UNTIL, format_time
from annex_pool.region import one_line
from tests.runtime.pool.pool_world import SPEC, World, deploy

ROOT = Path(__file__).parents[3]
FULL = Path("/dev/full")


def annex(folder: Path, words: str, out: Any, **environ: str) -> tuple[int, str]:
    """Exit code and error output of the command as a process of its own."""
    file = folder / "annexes.toml"
    file.write_text(SPEC)
    done = subprocess.run(
        [sys.executable, "-m", "annex_pool", *words.split()],
        stdout=out,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "ANNEX_SPEC": str(file), **environ},
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", ["plan demo", "plan demo --json", "--help", "--version"])
def test_a_disk_that_is_full(tmp_path: Path, words: str) -> None:
    with FULL.open("w") as full:
        code, said = annex(tmp_path, words, full)
    assert (code, said) == (1, "error: the command could not finish: [Errno 28] No space left on device\n")


@pytest.mark.parametrize("words", ["plan demo", "--version"])
def test_a_pipe_that_nothing_reads(tmp_path: Path, words: str) -> None:
    read, write = os.pipe()
    os.close(read)
    assert annex(tmp_path, words, write) == (1, "")
    os.close(write)


def test_a_terminal_that_lacks_a_character(tmp_path: Path) -> None:
    folder = tmp_path / "\N{LATIN SMALL LETTER U WITH DIAERESIS}"
    folder.mkdir()
    code, said = annex(folder, "plan demo", subprocess.DEVNULL, PYTHONIOENCODING="ascii")
    assert (code, said) == (0, "")
    code, said = annex(folder, "plan other", subprocess.DEVNULL, PYTHONIOENCODING="ascii")
    assert code == 2
    assert "Traceback" not in said


def test_a_warning_that_cannot_be_written_does_not_keep_an_annex_running(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy("demo")
    world.spec = SPEC.replace("size = 1", "size = 0")
    whole, refused = typer.echo, []

    def echo(message: Any, *, err: bool = False, **options: Any) -> None:
        if err:
            refused.append(message)
            raise BrokenPipeError
        whole(message, **options)

    monkeypatch.setattr(typer, "echo", echo)
    assert world.annex("stop", "demo").exit_code == 0
    assert refused
    assert refused[0].startswith("warning: ")
    until = world.tag("demo", TAG_UNTIL)
    assert until is not None
    assert until <= format_time(world.now() + timedelta(seconds=1))


SECRETS: Mapping[str, str] = {
    "An HTTP Client raised an unhandled exception: Invalid header value b'c2VjcmV0\\nxyz'": "An HTTP Client raised an "
    "unhandled exception: Invalid header value, is there a line end in a credential?",
    "several\n lines": "several lines",
}


@pytest.mark.parametrize("text", SECRETS)
def test_no_credential_is_shown(text: str) -> None:
    assert one_line(text) == SECRETS[text]
