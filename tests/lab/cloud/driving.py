"""A running cloud and its controls for tests."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import boto3
import urllib3
from botocore.config import Config

ROOT = Path(__file__).parents[3]
CONTROLLED = Path(__file__).with_name("controlled.py")
T = TypeVar("T")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def eventually(check: Callable[[], T], what: str = "", seconds: float = 120.0) -> T:
    """The first true answer of a check, asked again and again. The limit ends what hangs; it is no promise of speed."""
    limit = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        assert time.monotonic() < limit, f"{what or check} did not happen within {seconds} s: {answer!r}"
        time.sleep(0.1)


@dataclass
class Cloud:
    state: Path
    port: int
    metadata_port: int
    process: "subprocess.Popen[bytes]"
    offset: float = 0.0
    clients: dict[str, Any] = field(default_factory=dict)
    http: urllib3.PoolManager | None = None

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def authority(self) -> Path:
        return self.state / "authority" / "ca.crt"

    def client(self, service: str, credentials: dict[str, Any] | None = None, region: str = "us-east-1") -> Any:
        """A client with these credentials (as STS or the metadata service name them), else the administrator's."""
        key = f"{service} {region} {(credentials or {}).get('AccessKeyId')}"
        if key not in self.clients:
            given = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test"}
            self.clients[key] = boto3.session.Session().client(
                cast("Any", service),
                region_name=region,
                endpoint_url=self.endpoint,
                verify=str(self.authority),
                aws_access_key_id=given["AccessKeyId"],
                aws_secret_access_key=given["SecretAccessKey"],
                aws_session_token=given.get("SessionToken") or given.get("Token"),
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self.clients[key]

    def advance(self, seconds: float) -> None:
        """Advance the cloud's clock."""
        self.offset += seconds
        (self.state / "clock").write_text(str(self.offset))

    def machine(self, instance_id: str, state: str) -> None:
        """Put a machine into a state, as if it did so by itself. It must have been started, which happens beside us."""
        file = self.state / "machines" / instance_id
        eventually(file.exists, f"{instance_id} started")
        file.write_text(state)

    def mark(self, name: str, present: bool = True) -> None:
        """Set or clear "hold" or "deaf"."""
        if present:
            (self.state / name).touch()
        else:
            (self.state / name).unlink(missing_ok=True)

    def get(self, path: str, method: str = "GET") -> Any:
        self.http = self.http or urllib3.PoolManager(ca_certs=str(self.authority))
        return self.http.request(method, self.endpoint + path, retries=False)

    def stop(self) -> None:
        for client in self.clients.values():
            client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(timeout=120) == 0
        finally:
            self.process.kill()
            self.process.wait()


def start(state: Path, wrapper: list[str] | None = None, port: int | None = None) -> Cloud:
    """Start a cloud with nothing but PATH in its environment; ``wrapper`` is put before its command."""
    state.mkdir(parents=True, exist_ok=True)
    port, metadata_port = port or free_port(), free_port()
    addresses = [f"127.0.0.1:{port}", f"0.0.0.0:{metadata_port}" if wrapper else f"127.0.0.1:{metadata_port}"]
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment["LAB_GROUP_DELETE_SECONDS"] = "4"
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(
            [*(wrapper or []), sys.executable, str(CONTROLLED), *addresses, str(state)],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    return Cloud(state, port, metadata_port, process)


def await_ready(cloud: Cloud) -> None:
    def ready() -> bool:
        assert cloud.process.poll() is None, (cloud.state / "log").read_text()
        if not cloud.authority.exists():
            return False
        try:
            return bool(cloud.get("/_lab/ready").status == 200)
        except (urllib3.exceptions.HTTPError, OSError):
            return False

    eventually(ready, "the cloud answers")


class Inside:
    """Runs functions in the network namespace of a process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._thread = ThreadPoolExecutor(1, initializer=self._enter)

    def _enter(self) -> None:
        with Path(f"/proc/{self.pid}/ns/net").open() as namespace:
            libc = ctypes.CDLL(None, use_errno=True)
            assert libc.setns(namespace.fileno(), 0x40000000) == 0, os.strerror(ctypes.get_errno())

    def __call__(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        return self._thread.submit(function, *arguments, **named).result()

    def close(self) -> None:
        self._thread.shutdown()
