"""Commands in a root directory: in namespaces of their own, which end with them, also after kill -9."""

from __future__ import annotations

from pathlib import Path

from lab.processes import run

PRIVATE = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C"}
_ENTER = 'mount -t proc proc "$0/proc" && mount -t tmpfs run "$0/run" && exec chroot "$0" sh -c "$1" 2>&1'


def in_root(root: Path, command: str, **environment: str) -> str:
    """Runs a shell command in the root directory, with the given variables, and returns all of its output.

    Raises:
        LabError: it failed.
    """
    variables = [f"{name}={value}" for name, value in (_ENVIRONMENT | environment).items()]
    return run("env", "-i", *variables, *PRIVATE, "sh", "-c", _ENTER, root, command)
