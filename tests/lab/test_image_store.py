"""Cache of the lab's image: an entry is complete or absent, built once, and removed when it is unused."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.image.store import cache_directory, entry

REPOSITORY = Path(__file__).parents[2]


def build(directory: Path) -> None:
    (directory / "file").write_text("built")


def fail(directory: Path) -> None:
    (directory / "half").write_text("made")
    raise RuntimeError("interrupted")


def refuse(directory: Path) -> None:
    raise AssertionError(f"nothing had to be built, but {directory} was asked for")


def test_an_entry_is_built_once(tmp_path: Path) -> None:
    directory = entry("one", build, cache=tmp_path)
    assert (directory / "file").read_text() == "built"
    assert entry("one", refuse, cache=tmp_path) == directory


def test_a_failed_build_leaves_nothing_and_can_be_repeated(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="interrupted"):
        entry("one", fail, cache=tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.build", "one.lock"]
    assert (entry("one", build, cache=tmp_path) / "file").exists()


def test_what_a_killed_build_left_is_not_used(tmp_path: Path) -> None:
    partial = tmp_path / "one.partial"
    partial.mkdir()
    (partial / "half").write_text("made")
    assert [p.name for p in entry("one", build, cache=tmp_path).iterdir()] == ["file"]
    assert not partial.exists()


def test_an_entry_that_no_process_uses_is_removed_by_the_next_build(tmp_path: Path) -> None:
    with python(tmp_path, "entry('old', build, cache=cache)") as user:
        assert user.wait(timeout=60) == 0
    entry("new", build, cache=tmp_path)
    assert not (tmp_path / "old").exists()


def test_an_entry_in_use_stays(tmp_path: Path) -> None:
    with python(tmp_path, "entry('old', build, cache=cache); print('built', flush=True); sys.stdin.read()") as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "built\n"
        entry("new", build, cache=tmp_path)
        assert (tmp_path / "old/file").exists()
        user.communicate(timeout=60)


def test_an_entry_in_use_delays_no_process(tmp_path: Path) -> None:
    entry("one", build, cache=tmp_path)
    with python(tmp_path, "entry('one', build, cache=cache)") as user:
        assert user.wait(timeout=60) == 0


def test_of_two_processes_one_builds(tmp_path: Path) -> None:
    code = "entry('one', lambda d: (time.sleep(0.3), (cache / f'built-by-{os.getpid()}').touch()), cache=cache)"
    with ExitStack() as stack:
        processes = [stack.enter_context(python(tmp_path, code)) for _ in range(3)]
        assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert len(list(tmp_path.glob("built-by-*"))) == 1


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_directory() == Path("/home/ada/.cache/htcondor-annex-lab")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/ada")
    assert cache_directory() == Path("/var/cache/ada/htcondor-annex-lab")


def python(cache: Path, code: str) -> subprocess.Popen[str]:
    program = textwrap.dedent(
        """
        import os, sys, time
        from pathlib import Path
        from lab.image.store import entry
        cache = Path(sys.argv[1])
        def build(directory): (directory / "file").touch()
        """
    )
    return subprocess.Popen(
        [sys.executable, "-c", program + code, str(cache)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
