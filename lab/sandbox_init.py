"""First process of a sandbox: prepares its mounts, runs the command, and ends with it. The sandbox ends then."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

from lab.processes import run
from lab.sandbox import DIRECTORY, FORWARDED, FROM_KERNEL, VARIABLE

HOST_NAME = "annex-lab"
RESOLVER = "198.18.0.1"
HOSTS = f"127.0.0.1 localhost {HOST_NAME}\n::1 localhost\n198.18.0.10 cm.pool.lab\n"


def main() -> None:
    """Called by `lab.sandbox` in the new namespaces, with the command as arguments."""
    _prepare()
    # Some programs put hundreds of megabytes and no clean-up into TMPDIR; here it ends with the sandbox.
    environment = os.environ | {VARIABLE: str(DIRECTORY), "TMPDIR": str(DIRECTORY / "tmp")}
    sys.exit(_run(sys.argv[1:], environment))


def _prepare() -> None:
    # A /run of its own: files of daemons, `ip netns` and the lab are neither seen nor left on the host.
    run("mount", "-t", "tmpfs", "-o", "mode=755", "annex-lab", "/run")
    for directory in (DIRECTORY, DIRECTORY / "tmp", Path("/run/netns"), Path("/run/lock")):
        directory.mkdir()
    (DIRECTORY / "tmp").chmod(0o1777)
    _replace(Path("/etc/resolv.conf"), f"nameserver {RESOLVER}\n")
    _replace(Path("/etc/hosts"), HOSTS)
    socket.sethostname(HOST_NAME)
    run("ip", "link", "set", "lo", "up")


def _replace(path: Path, text: str) -> None:
    """Shows ``text`` in place of a file of the host, inside the sandbox only."""
    target = path.resolve()
    if target.is_relative_to("/run"):  # a link to a file hidden above, as systemd-resolved has it
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return
    source = DIRECTORY / path.name
    source.write_text(text)
    run("mount", "--bind", source, target)


def _run(command: list[str], environment: dict[str, str]) -> int:
    child = os.posix_spawnp(command[0], command, environment, setsigmask=[], setsigdef=[signal.SIGPIPE])
    while True:
        received = signal.sigwaitinfo(FORWARDED | {signal.SIGCHLD})
        if received.si_signo != signal.SIGCHLD:
            if received.si_code != FROM_KERNEL:
                os.kill(child, received.si_signo)
            continue
        for pid, status in _ended():
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code


def _ended() -> list[tuple[int, int]]:
    """Children that ended, orphans of the sandbox included: one signal may mean several of them."""
    ended: list[tuple[int, int]] = []
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, status))
