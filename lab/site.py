"""Site of the lab: the network, the emulated AWS with its machines, and the pool, started and stopped together."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path

from lab import LabError, image
from lab.network import CLOUD_ADDRESS, METADATA_ADDRESS, PACKAGES_ADDRESS, POOL_NAMESPACE, Network
from lab.operator import REGION, REPOSITORY, Operator
from lab.pool import Pool
from lab.processes import start, stop
from lab.sandbox import directory
from lab.steps import wait_for

API = (CLOUD_ADDRESS, 443)
BOOT_SILENCE_SECONDS = 240.0  # with 25 others running on two cores, a booting machine wrote nothing for 70 s
SPEC = Path(__file__).with_name("annexes.toml")
START_SECONDS = 180.0  # one or two on an idle host; no promise, only the end of waiting for what hangs


class Site:
    """Context in which the pool and the cloud's API are served; after it nothing of them is left.

    Args:
        machines: ``qemu`` boots a machine for every instance; ``none`` only pretends, for tests of the API side.

    Raises:
        LabError: a part did not start; the message names its log.
    """

    def __init__(self, *, machines: str = "qemu") -> None:
        self.state = directory()
        self.pool = Pool(
            root_filesystem=image.root_filesystem(), tools=image.tools(), state=self.state, namespace=POOL_NAMESPACE
        )
        self.operator = operator(SPEC)
        self._machines = machines
        self._network = Network(self.state)
        self._cloud: subprocess.Popen[bytes] | None = None
        self._packages: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Site:
        """Starts the parts; if one cannot start, those before it are stopped again."""
        try:
            self._network.create()
            self.pool.start()
            self._start_cloud()
            self._await_cloud()
            wait_for("scheduler's ad in the collector", START_SECONDS, self._pool_answers)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.operator.save_environment()
        # The lab's own boto3 calls use the account's administrator.
        os.environ.update({k: v for k, v in self.operator.environment().items() if k.startswith("AWS_")})
        return self

    def __exit__(self, *_error: object) -> None:
        """Stops everything, machines before their network."""
        if self._cloud is not None:
            stop(self._cloud, seconds=30)
        if self._packages is not None:
            stop(self._packages)
        self.pool.stop()
        self._network.close()

    def evidence(self, lines: int = 25) -> str:
        """Ends of all logs, for the report of a failure: the other files of the lab are removed with it."""
        logs = [*self.state.glob("*.log"), *self.state.glob("machines/*/*.log")]
        logs += (self.pool.root / "var/log/condor").glob("*Log")
        tails = []
        for log in sorted(logs):
            tail = log.read_text(errors="replace").splitlines()[-lines:]
            tails.append(f"--- {log.relative_to(self.state)}\n" + "\n".join(tail))
        return "\n".join(tails)

    def _start_cloud(self) -> None:
        certificate, key = self.state / "server.crt", self.state / "server.key"
        image.authority().issue(certificate, key)
        if self._machines == "qemu":
            self._start_packages(certificate, key)
        host, port = API
        self._cloud = start(
            [sys.executable, "-m", "lab.cloud", "--bind", f"{host}:{port}", "--metadata", f"{METADATA_ADDRESS}:80",
             "--state", self.state / "cloud", "--tls-cert", certificate, "--tls-key", key,
             "--machines", self._machines],
            log=self.state / "cloud.log",
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(REPOSITORY),
                "PYTHONDONTWRITEBYTECODE": "1",
                "AWS_CA_BUNDLE": str(image.authority().certificate),
                "AWS_DEFAULT_REGION": REGION,
                "TMPDIR": os.environ["TMPDIR"],
                "ANNEX_LAB_DIRECTORY": str(self.state),
                "HOME": str(self.state),
                "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path("~/.cache").expanduser())),
            },
        )  # fmt: skip

    def _start_packages(self, certificate: Path, key: Path) -> None:
        self._packages = start(
            [sys.executable, "-m", "lab.package_server", "--bind", f"{PACKAGES_ADDRESS}:443",
             "--certificate", certificate, "--key", key, *image.packages()],
            log=self.state / "packages.log",
            env={"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip

    def _await_cloud(self) -> None:
        trust = ssl.create_default_context(cafile=str(image.authority().certificate))

        def answers() -> bool:
            if self._cloud is not None and self._cloud.poll() is not None:
                log = (self.state / "cloud.log").read_text(errors="replace")
                raise LabError(f"the lab's cloud ended with status {self._cloud.returncode}:\n{log[-4000:]}")
            try:
                with (
                    socket.create_connection(API, timeout=2) as plain,
                    trust.wrap_socket(plain, server_hostname=API[0]),
                ):
                    return True
            except OSError:
                return False

        wait_for("answer from the lab's cloud", START_SECONDS, answers, every=0.1)

    def _pool_answers(self) -> bool:
        return "Scheduler" in self.operator.run("condor_status", "-any", "-af", "MyType", check=False)


def operator(spec: Path) -> Operator:
    """The operator of this sandbox's pool, who works with the annexes of ``spec``; also from another process."""
    home = directory() / "operator"
    authority = image.authority().certificate
    return Operator(namespace=POOL_NAMESPACE, home=home, tools=home / "bin", authority=authority, spec=spec)


def machines() -> list[int]:
    """Process ids of the machines that run, from the sandbox's process table."""
    return [pid for pid, words in processes() if Path(words[0]).name.startswith("qemu-system")]


def machines_progress() -> list[int]:
    """Lines on each console, a value that changes with progress of a machine in its boot, its join or its end.

    A new end of the lease, which the machine repeats on its console, is no progress of its own.
    """
    consoles = sorted(directory().glob("machines/*/console.log"))
    return [sum(b"lease until" not in line for line in path.read_bytes().splitlines()) for path in consoles]


def processes() -> list[tuple[int, list[str]]]:
    """Process id and arguments of every process of the sandbox that has not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue  # ended meanwhile
            if words[0]:
                found.append((int(entry.name), words))
    return found
