"""The lab's cloud in a process of its own, with machines that exist in its API only and a clock that can be set.

``python -m bench.cloud API METADATA STATE`` serves it; `Cloud` starts that process and is its client.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import boto3
import urllib3
from botocore.config import Config

_START_SECONDS = 60.0
_CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=600)  # thousands of instances are made in one call


class Cloud:
    """A running cloud and the clients for it.

    Attributes:
        calls: number of API calls, by operation name.
    """

    def __init__(self, state: Path) -> None:
        self.state = state
        self.port = _free_port()
        self.calls: Counter[str] = Counter()
        self._offset = timedelta()
        self._http = urllib3.PoolManager(ca_certs=str(self.authority))
        command = [sys.executable, "-m", "bench.cloud", f"127.0.0.1:{self.port}", f"127.0.0.1:{_free_port()}", state]
        with (state / "log").open("wb") as log:
            self._process = subprocess.Popen([*map(str, command)], stdout=log, stderr=subprocess.STDOUT)

    @property
    def endpoint(self) -> str:
        """URL of the API."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def authority(self) -> Path:
        """The certificate that clients must trust."""
        return self.state / "authority/ca.crt"

    def now(self) -> datetime:
        """The cloud's time, aware."""
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> None:
        """Advance the clock."""
        self._offset += timedelta(seconds=seconds)
        (self.state / "clock").write_text(str(self._offset.total_seconds()))

    def until(self, moment: datetime) -> None:
        """Set the clock."""
        self.advance((moment - self.now()).total_seconds())

    def settle(self) -> None:
        """Run every step that is due."""
        self._http.request("POST", f"{self.endpoint}/_lab/tick?count=3", timeout=600)

    def _client(self, service: str) -> Any:
        make = cast(Any, boto3.session.Session(aws_access_key_id="test", aws_secret_access_key="test").client)  # noqa: S106
        client = make(
            service, region_name="us-east-1", endpoint_url=self.endpoint, verify=str(self.authority), config=_CONFIG
        )
        client.meta.events.register("before-send", self._count)
        return client

    def _count(self, request: Any, event_name: str, **_: Any) -> None:
        self.calls[event_name.rsplit(".", 1)[1]] += 1

    @cached_property
    def autoscaling(self) -> Any:
        """The client of Auto Scaling."""
        return self._client("autoscaling")

    @cached_property
    def ec2(self) -> Any:
        """The client of EC2."""
        return self._client("ec2")

    @cached_property
    def secretsmanager(self) -> Any:
        """The client of Secrets Manager."""
        return self._client("secretsmanager")

    @cached_property
    def sns(self) -> Any:
        """The client of SNS."""
        return self._client("sns")

    def await_ready(self) -> None:
        """Wait until it answers. Raises RuntimeError with its log if it does not."""
        limit = time.monotonic() + _START_SECONDS
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                if self.authority.exists() and self._http.request("GET", f"{self.endpoint}/_lab/ready").status == 200:
                    return
            except (urllib3.exceptions.HTTPError, OSError):
                pass  # it does not listen yet
            time.sleep(0.1)
        raise RuntimeError(f"the lab's cloud did not start: {(self.state / 'log').read_text()}")

    def stop(self) -> None:
        """End it and wait."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)


@contextmanager
def running() -> Iterator[Cloud]:
    """Context with a running cloud."""
    with tempfile.TemporaryDirectory() as directory:
        cloud = Cloud(Path(directory))
        try:
            cloud.await_ready()
            yield cloud
        finally:
            cloud.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _serve(api: str, metadata: str, state: Path) -> None:
    from lab.cloud.no_machines import NoMachines
    from lab.cloud.server import Settings, run

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    moved = state / "clock"

    def clock() -> float:
        return time.time() + (float(moved.read_text() or 0) if moved.exists() else 0.0)

    run(Settings(api, metadata, state), NoMachines(), stop, clock)


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    os._exit(0)  # see lab.cloud.server.run
