"""A real HTCondor pool on one host: central manager and access point, from the machine image, in its own namespace."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab.operator import REPOSITORY
from lab.processes import run, start, stop

HOST = "cm.pool.lab"
TRUST_DOMAIN = "pool.lab"
USER = "ada"
TOOLS = ("condor_status", "condor_q", "condor_submit", "condor_history", "condor_ping", "condor_token_create",
         "condor_token_list", "condor_reconfig", "condor_config_val", "condor_rm", "condor_wait", "aws")  # fmt: skip

HOST_FACTS = f"""\
# What is true of this host alone. Everything else is HTCondor's default or annex_pool/pool.conf.
TRUST_DOMAIN = {TRUST_DOMAIN}
UID_DOMAIN = {TRUST_DOMAIN}
CONDOR_HOST = {HOST}
NETWORK_HOSTNAME = {HOST}
# The package's directories below /run are made by systemd, which does not run here.
LOCK = $(LOG)
RUN = $(LOG)
# It would tune the kernel of the machine that the lab runs on.
ENABLE_KERNEL_TUNING = False
DAEMON_LIST = MASTER COLLECTOR NEGOTIATOR SCHEDD
"""

OPERATOR = f"""\
# The operator's Python bindings on the pool's host.
COLLECTOR_HOST = {HOST}
TRUST_DOMAIN = {TRUST_DOMAIN}
NETWORK_HOSTNAME = {HOST}
SEC_CLIENT_AUTHENTICATION = OPTIONAL
LOG = $ENV(HOME)
"""


class Pool:
    """The pool's host: a copy-on-write root over the cached root file system, and its daemons.

    It mounts only inside the sandbox's private mount namespace, so nothing of it outlives the sandbox.
    """

    def __init__(self, *, root_filesystem: Path, tools: Path, state: Path, namespace: str) -> None:
        """``tools``: directory of more programs, laid over the root file system."""
        self.root = state / "pool"
        self.home = state / "operator"
        self.tools = self.home / "bin"
        self._lower = f"{tools}:{root_filesystem}"
        self._state = state
        self._namespace = namespace
        self._master: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._mount()
        self._configure()
        self._make_operator()
        self._master = start(
            ["ip", "netns", "exec", self._namespace, "chroot", self.root, "condor_master", "-f"],
            log=self._state / "pool.log",
        )

    def stop(self) -> None:
        """Ends the daemons; processes that remain end with the sandbox."""
        if self._master is not None:
            stop(self._master)

    def as_user(self, *words: str) -> list[str]:
        """Arguments of a command that runs ``words`` as an ordinary user of the access point."""
        # Without the operator's environment: a user of the pool has neither its configuration nor AWS credentials.
        clean = ["env", "-i", "PATH=/usr/bin:/bin", f"HOME=/home/{USER}", "LANG=C.UTF-8"]
        return ["chroot", str(self.root), "runuser", "-u", USER, "--", *clean, *words]

    def _mount(self) -> None:
        # The state directory is in memory, which overlayfs needs for its upper layer: not an overlay itself.
        upper, work = self._state / "pool-upper", self._state / "pool-work"
        for path in (upper, work, self.root):
            path.mkdir()
        run("mount", "-t", "overlay", "annex-lab-pool", "-o",
            f"lowerdir={self._lower},upperdir={upper},workdir={work}", self.root)  # fmt: skip
        for name in ("proc", "sys", "dev"):
            run("mount", "--rbind", f"/{name}", self.root / name)
        run("mount", "-t", "tmpfs", "-o", "mode=755", "annex-lab-run", self.root / "run")
        # Every daemon resolves names; the lab's resolver answers at once, also with "no such name".
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        shutil.copyfile("/etc/resolv.conf", self.root / "etc/resolv.conf")

    def _configure(self) -> None:
        configuration = self.root / "etc/condor/config.d"
        (configuration / "pool.conf").write_bytes((REPOSITORY / "annex_pool/pool.conf").read_bytes())
        (configuration / "90-host.conf").write_text(HOST_FACTS)
        run("chroot", self.root, "useradd", "--create-home", USER)

    def _make_operator(self) -> None:
        self.tools.mkdir(parents=True)
        (self.home / "condor_config").write_text(OPERATOR)
        for tool in TOOLS:
            script = self.tools / tool
            # Programs of the image trust the lab's authority by themselves.
            body = f'#!/bin/sh\nunset CONDOR_CONFIG AWS_CA_BUNDLE\nexec chroot {self.root} {tool} "$@"\n'
            script.write_text(body)
            script.chmod(0o755)
