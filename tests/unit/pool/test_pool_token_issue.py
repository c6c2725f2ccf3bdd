"""The pool's program that issues tokens: its call, and that none of its other output is shown."""

import stat
import sys
from pathlib import Path

import pytest

from annex_pool.command_error import AnnexError, InputError
from annex_pool.credential import issue, read_token_file
from tests.unit.pool.token_texts import token_text

TOKEN = token_text({"sub": "annex-demo@example.edu"})


def program(folder: Path, body: str) -> str:
    path = folder / "token program"
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"'{path}'"


def test_it_is_asked_for_the_least(tmp_path: Path) -> None:
    command = program(tmp_path, "print(*sys.argv[1:])") + " -key POOL"
    said = issue(command, "annex-demo@example.edu", 3600)
    least = "-authz ADVERTISE_STARTD -authz ADVERTISE_MASTER"
    assert said == f"-key POOL -identity annex-demo@example.edu {least} -lifetime 3600\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f"print({TOKEN!r}); sys.exit(3)", "failed with exit code 3: it printed no error"),
        ("print('first\\nno key POOL', file=sys.stderr); sys.exit(1)", "exit code 1: no key POOL"),
        (f"print('bad', {TOKEN!r}, file=sys.stderr); sys.exit(1)", "exit code 1: bad [hidden]"),
    ],
)
def test_its_failure_is_reported_without_a_token(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(AnnexError) as caught:
        issue(program(tmp_path, body), "x@y", 1)
    assert said in str(caught.value)
    assert "eyJ" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_it_cannot_be_started() -> None:
    with pytest.raises(AnnexError, match="--token-command") as caught:
        issue("no-such-program-here", "x@y", 1)
    assert caught.value.exit_code == 1


def test_it_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annex_pool.credential._ISSUE_SECONDS", 0.2)
    with pytest.raises(AnnexError, match="did not finish") as caught:
        issue(program(tmp_path, f"import time; print({TOKEN!r}, flush=True); time.sleep(60)"), "x@y", 1)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("command", ["", "  ", "'open"])
def test_a_command_that_is_none(command: str) -> None:
    with pytest.raises(InputError, match="token command"):
        issue(command, "x@y", 1)


def test_files(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read_token_file(str(tmp_path / "token")).strip() == TOKEN
    with pytest.raises(InputError, match="No such file"):
        read_token_file(str(tmp_path / "none"))
    with pytest.raises(InputError, match="Is a directory"):
        read_token_file(str(tmp_path))
    (tmp_path / "large").write_text("x" * 65_537)
    with pytest.raises(InputError, match="more than 65536 bytes"):
        read_token_file(str(tmp_path / "large"))
