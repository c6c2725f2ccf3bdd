"""Cache of slow builds, by content: a finished entry is never changed, a partial one never used."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

_in_use: dict[Path, IO[str]] = {}  # locks of the entries this process uses: closed, and so released, with the process


def cache_directory() -> Path:
    """``$XDG_CACHE_HOME/htcondor-annex-lab``, by default below ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "htcondor-annex-lab"


def entry(key: str, build: Callable[[Path], None], *, cache: Path | None = None) -> Path:
    """Directory of the entry ``key``, built by ``build(directory)`` if there is none.

    Of several processes one builds and the others wait. The directory gets its name only when it is complete.
    The entry stays as long as this process lives; unused entries of other keys are removed after a build.
    """
    cache = cache or cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    directory = cache / key
    # Two locks: a build excludes all other processes, the use of an entry none.
    with (cache / f"{key}.build").open("a") as building:
        fcntl.flock(building, fcntl.LOCK_EX)
        if directory not in _in_use:
            _in_use[directory] = (cache / f"{key}.lock").open("a")
            fcntl.flock(_in_use[directory], fcntl.LOCK_SH)
        if not directory.is_dir():
            _build(directory, build)
            _remove_unused(cache, key)
    return directory


def _build(directory: Path, build: Callable[[Path], None]) -> None:
    partial = directory.with_name(f"{directory.name}.partial")
    shutil.rmtree(
        partial, ignore_errors=True
    )  # of a build that was interrupted; the lock shows that no process works in it
    partial.mkdir(mode=0o755)
    try:
        build(partial)
    except BaseException:  # also Ctrl-C: half a gigabyte without use
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(directory)


def _remove_unused(cache: Path, key: str) -> None:
    # The empty lock files stay: removing one that another process has just opened would allow two builds at once.
    for path in cache.glob("*.lock"):
        if path.stem == key:
            continue
        building = path.with_suffix(".build")
        with building.open("a") as build_lock, path.open("a") as use_lock, suppress(BlockingIOError):
            for lock in (build_lock, use_lock):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for remains in (cache / path.stem, cache / f"{path.stem}.partial"):
                shutil.rmtree(remains, ignore_errors=True)
