"""The cache of what takes long to build, by content: a finished entry is never changed, a half-built one never used."""

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
    """Directory of the entry ``key``, built by ``build(directory)`` when there is none.

    Of several processes one builds and the others wait. The directory appears under its name only when it is complete.
    The entry stays as long as this process lives; entries of other keys that nobody uses are removed after a build.
    """
    cache = cache or cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    directory = cache / key
    # Two locks: who builds keeps the others waiting, who uses what was built keeps nobody waiting.
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
    shutil.rmtree(partial, ignore_errors=True)  # of a build that was interrupted; the lock says nobody is at work in it
    partial.mkdir(mode=0o755)
    try:
        build(partial)
    except BaseException:  # also Ctrl-C: half a gigabyte that nobody can use
        shutil.rmtree(partial, ignore_errors=True)
        raise
    partial.rename(directory)


def _remove_unused(cache: Path, key: str) -> None:
    # The lock files themselves stay, empty: removing one that somebody just opened would let two build at once.
    for path in cache.glob("*.lock"):
        if path.stem == key:
            continue
        building = path.with_suffix(".build")
        with building.open("a") as build_lock, path.open("a") as use_lock, suppress(BlockingIOError):
            for lock in (build_lock, use_lock):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for remains in (cache / path.stem, cache / f"{path.stem}.partial"):
                shutil.rmtree(remains, ignore_errors=True)
