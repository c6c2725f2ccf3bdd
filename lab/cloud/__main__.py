"""``python -m lab.cloud``: serve the AWS APIs and the instance metadata service (``--help`` says how)."""

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from lab import LabError
from lab.cloud.no_machines import NoMachines
from lab.cloud.server import Settings, run
from lab.machines import MachineHost


def main(arguments: list[str] | None = None) -> str:
    """Serve until SIGTERM or SIGINT; returns the error, or None."""
    parser = argparse.ArgumentParser(prog="python -m lab.cloud", description="AWS APIs and the metadata service")
    parser.add_argument("--bind", required=True, metavar="HOST:PORT", help="address of the APIs, with TLS")
    parser.add_argument("--metadata", required=True, metavar="HOST:PORT", help="address of the metadata service")
    parser.add_argument("--state", required=True, type=Path, help="directory for all files of the cloud")
    parser.add_argument("--tls-cert", type=Path, help="certificate of the API (default: one of the cloud's own)")
    parser.add_argument("--tls-key", type=Path, help="its private key")
    parser.add_argument("--machines", required=True, choices=["qemu", "none"], help="host of the instances")
    given = parser.parse_args(arguments)
    if (given.tls_cert is None) != (given.tls_key is None):
        parser.error("--tls-cert and --tls-key go together: give both or none")
    for file in (given.tls_cert, given.tls_key):
        if file is not None and not file.is_file():
            parser.error(f"there is no file {file}")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    certificate = given.tls_cert.resolve() if given.tls_cert else None
    key = given.tls_key.resolve() if given.tls_key else None
    settings = Settings(given.bind, given.metadata, given.state.resolve(), certificate, key)
    try:
        run(settings, _host(given.machines), stop)
    except OSError as error:
        return f"error: cannot serve on {given.bind} and {given.metadata}: {error.strerror or error}; free or add them"
    except LabError as error:
        return f"error: {error}"
    return ""


def _host(kind: str) -> MachineHost:
    if kind == "none":
        return NoMachines()
    # Imported only if machines are wanted: they need root, a sandbox and an image.
    from lab import image
    from lab.network import Network
    from lab.qemu import QemuHost
    from lab.sandbox import directory

    state = directory()
    return QemuHost(
        state / "machines",
        network=Network(state),
        disk=image.disk_image(),
        stock_disk=image.stock_disk(),
        kernel=image.kernel(),
    )


if __name__ == "__main__":
    problem = main()
    sys.stderr.write(problem + "\n" if problem else "")
    sys.stderr.flush()
    logging.shutdown()
    os._exit(1 if problem else 0)  # see lab.cloud.server.run
