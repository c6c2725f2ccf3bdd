"""Programs of the lab: commands that run to their end, services that run until they are stopped."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import LabError

STOP_SECONDS = 10.0


def run(*words: str | Path, text: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """Runs a program to its end and returns its output.

    Raises:
        LabError: the program is missing, or ended with an error; the message has its arguments and its error output.
    """
    command = [str(word) for word in words]
    require(command[0])
    done = subprocess.run(command, input=text, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        complaint = done.stderr.strip() or done.stdout.strip() or "no message"
        raise LabError(f"`{' '.join(command)}` ended with status {done.returncode}: {complaint[-2000:]}")
    return done.stdout


def start(
    words: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None, pass_fds: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Starts a service; its output is appended to ``log``.

    The service gets a session of its own: Ctrl-C in the terminal then reaches only the foreground command, which stops
    the services in its own order. A service that is not stopped ends with the sandbox.
    """
    command = [str(word) for word in words]
    require(command[0])
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            pass_fds=pass_fds,
            start_new_session=True,
        )


def stop(service: subprocess.Popen[bytes], *, seconds: float = STOP_SECONDS) -> None:
    """Ends a service and waits for it: TERM first, KILL after ``seconds``. Harmless when it has ended already."""
    if service.poll() is None:
        service.terminate()
    try:
        service.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        service.kill()
        service.wait()


def require(program: str) -> None:
    """Raises LabError if ``program`` is not on PATH; the message has its package."""
    if shutil.which(program) is None:
        package = PACKAGES.get(Path(program).name)
        fix = f"; install the Debian package {package}" if package else ""
        raise LabError(f"the program {program!r} is not installed{fix}")


PACKAGES = {
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "nft": "nftables",
    "dnsmasq": "dnsmasq-base",
    "ip": "iproute2",
    "bridge": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "apt-get": "apt",
    "apt-ftparchive": "apt-utils",
    "gpg": "gpg",
}
