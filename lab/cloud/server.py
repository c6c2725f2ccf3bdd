"""The cloud's listeners and its clock, from start to stop."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config

from lab.ca import Authority
from lab.cloud.environment import prepare
from lab.machines import MachineHost

_TICK = 0.2
"""Seconds between two steps of machines, groups and schedules."""
_FAREWELL = 1.5
"""Seconds for requests under way when the cloud is stopped."""


@dataclass(frozen=True)
class Settings:
    """Addresses, files and ports of the cloud.

    ``certificate`` and ``key`` are those of the API's listener; if both are None, an authority of the
    cloud makes them, ``STATE/authority/ca.crt``.
    """

    bind: str
    metadata: str
    state: Path
    certificate: Path | None = None
    key: Path | None = None


def run(
    settings: Settings, host: MachineHost, stop: threading.Event, clock_source: Callable[[], float] = time.time
) -> None:
    """Serve until ``stop`` is set. Replaces the process environment; once per process.

    When it returns, every machine is off, but threads that wait for a custom resource's answer may still do so, for up
    to an hour: the caller ends the process without joining them (``os._exit``).

    Args:
        settings: Addresses and directories.
        host: Machine host of the instances.
        stop: Ends the cloud, and with it every machine.
        clock_source: The time in seconds since the epoch; tests can advance it.

    Raises:
        PatchPointError: the installed MiniStack is not the one the lab extends.
        OSError: an address cannot be bound.
    """
    settings.state.mkdir(parents=True, exist_ok=True)
    authority = Authority(settings.state / "authority")
    authority.create()
    certificate, key = settings.state / "authority/server.crt", settings.state / "authority/server.key"
    authority.issue(certificate, key)
    internal = socket.create_server(("127.0.0.1", 0), backlog=100)
    port = int(internal.getsockname()[1])
    prepare(settings.state, port, certificate, key)

    from lab.cloud import api, clock, metadata_service, world  # MiniStack reads the environment when imported

    world.install(world.Machines(host, clock_source))
    api.extend(f"https://127.0.0.1:{port}", authority.certificate)
    ticking = clock.Clock(_TICK)
    ticking.start()
    listeners = (
        (api.application, _tls(settings.bind, settings.certificate or certificate, settings.key or key)),
        (api.second_listener, _tls(f"fd://{internal.detach()}", certificate, key)),
        (metadata_service.application, _plain(settings.metadata)),
    )
    logging.getLogger("asyncio").addFilter(_worth_logging)
    loop = asyncio.new_event_loop()  # asyncio.run() would wait for those threads
    try:
        loop.run_until_complete(_serve(listeners, stop))
    finally:
        ticking.stop()
        world.machines().close()


async def _serve(listeners: tuple[tuple[Any, Config], ...], stop: threading.Event) -> None:
    async def stopped() -> None:
        while not stop.is_set():
            await asyncio.sleep(0.1)

    servers = [asyncio.create_task(serve(app, config, shutdown_trigger=stopped)) for app, config in listeners]
    done, _ = await asyncio.wait([*servers, asyncio.create_task(stopped())], return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()  # a listener that cannot be bound ends the cloud with its error
    # A client that closed without a TLS close_notify would delay the end by half a minute.
    await asyncio.wait(servers, timeout=_FAREWELL)


def _worth_logging(record: logging.LogRecord) -> bool:
    """Log filter for harmless errors: idle connections closed without close_notify, and the cloud's own end."""
    if "was destroyed but it is pending" in record.getMessage():
        return False  # the cloud ends without waiting for every task, see run()
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, TimeoutError) and "SSL shutdown" in str(error))


def _plain(bind: str) -> Config:
    config = Config()
    config.bind = [bind]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    config.include_server_header = False
    return config


def _tls(bind: str, certificate: Path, key: Path) -> Config:
    config = _plain(bind)
    config.certfile, config.keyfile = str(certificate), str(key)
    config.alpn_protocols = ["http/1.1"]
    return config
