"""Program for a sandbox: boots one machine with a metadata service of its own, and prints facts about it as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lab import LabError, image, sandbox
from lab.machines import Machine
from lab.network import METADATA_ADDRESS, Network, mac_address
from lab.qemu import QemuHost

SILENCE_SECONDS = 240.0  # with 25 others running on two cores, a booting machine wrote nothing for 70 s
STOP_SECONDS = 90.0  # after 60 the plug is pulled
INSTANCE = "i-0123456789abcdef0"
IP = "10.20.30.40"
TOKEN = "token"
USER_DATA = """\
#cloud-config
write_files:
  - path: /root/look
    content: |
      { echo "address $(ip -4 -o address show eth0)"
        echo "resolver $(getent hosts sts.amazonaws.com)"
        echo "platform $(cat /sys/class/dmi/id/sys_vendor)"
        echo "source $(cloud-init query cloud_id)"
        echo "condor $(systemctl is-enabled condor) $(systemctl is-active condor)"
        echo "failed $(systemctl list-units --state=failed --no-legend --plain | wc -l)"
        echo "memory $(grep MemAvailable /proc/meminfo)"
        echo "the end"
      } | sed 's/^/FACT /' > /dev/console
runcmd:
  # After the boot: the login manager that handles the power button runs then.
  - [systemd-run, --no-block, -p, After=multi-user.target, sh, /root/look]
"""
TREE = {
    "meta-data/instance-id": INSTANCE,
    "meta-data/local-ipv4": IP,
    "meta-data/local-hostname": "ip-10-20-30-40.ec2.internal",
    "dynamic/instance-identity/document": json.dumps({"instanceId": INSTANCE, "region": "us-east-1"}),
    "user-data": USER_DATA,
}


class Metadata(BaseHTTPRequestHandler):
    """The instance metadata service, version 2, with the least that cloud-init accepts."""

    def do_PUT(self) -> None:
        self.answer(200, TOKEN) if self.path == "/latest/api/token" else self.answer(404, "")

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != TOKEN:
            return self.answer(401, "")
        path = self.path.lstrip("/").partition("/")[2].rstrip("/")
        if path in TREE:
            return self.answer(200, TREE[path])
        below = sorted({key[len(path) + 1 :].split("/")[0] for key in TREE if key.startswith(f"{path}/")})
        return self.answer(200 if below else 404, "\n".join(below))

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words: object) -> None:
        """Silent."""


def eventually(true: Callable[[], bool], seconds: float, progress: Callable[[], object] = lambda: None) -> float:
    """Seconds until it is true; without that, until so many seconds passed without progress."""
    began = last = time.monotonic()
    seen = progress()
    while not true() and time.monotonic() - last < seconds:
        if (now := progress()) != seen:
            seen, last = now, time.monotonic()
        time.sleep(0.1)
    return time.monotonic() - began


def interfaces() -> list[str]:
    return [link["ifname"] for link in json.loads(subprocess.check_output(["ip", "-json", "link"]))]


def descriptors() -> list[str]:
    """Open files of this process, except the one of this listing."""
    links = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sorted(link for link in links if not link.startswith("/proc/"))


def start_twice(host: QemuHost, machine: Machine) -> str:
    try:
        host.start(machine)
    except LabError as error:
        return str(error)
    return "no error"


def main() -> None:
    network = Network(sandbox.directory())
    network.create()
    metadata = ThreadingHTTPServer((METADATA_ADDRESS, 80), Metadata)
    threading.Thread(target=metadata.serve_forever, daemon=True).start()
    disk, stock, kernel = image.disk_image(), image.stock_disk(), image.kernel()
    before = descriptors()
    host = QemuHost(sandbox.directory() / "machines", network=network, disk=disk, stock_disk=stock, kernel=kernel)
    machine = Machine(INSTANCE, mac_address(IP), IP, "ami-0123456789abcdef0", "c6a.large")
    deaf = Machine("i-0deaf", mac_address("10.20.30.41"), "10.20.30.41", "ami-0123456789abcdef0", "c6a.large")
    host.start(machine)
    facts: dict[str, object] = {"twice": start_twice(host, machine)}
    host.stop("i-unknown")
    console = host.console(INSTANCE)

    def said() -> str:
        return console.read_text(errors="replace") if console.exists() else ""

    up = eventually(lambda: "FACT the end" in said(), SILENCE_SECONDS, progress=said)
    facts |= {"seconds": up, "console": console.read_text(errors="replace"), "running": host.states()[INSTANCE]}
    host.stop(INSTANCE)
    facts["off after"] = eventually(lambda: host.states()[INSTANCE] == "off", STOP_SECONDS)
    facts |= {"console at the end": console.read_text(errors="replace")[-2000:], "ports": interfaces()}
    facts["files"] = sorted(path.name for path in console.parent.iterdir())
    facts |= impatience(network, deaf)
    host.close()
    eventually(lambda: descriptors() == before, 5)
    facts["descriptors"] = [before, descriptors()]
    network.close()
    Path(sys.argv[1]).write_text(json.dumps(facts))


def impatience(network: Network, machine: Machine) -> dict[str, object]:
    """A machine that has not booted ignores the button and is killed. Another one runs when its host closes."""
    directory = sandbox.directory() / "impatient"
    disk, stock, kernel = image.disk_image(), image.stock_disk(), image.kernel()
    host = QemuHost(directory, network=network, disk=disk, stock_disk=stock, kernel=kernel, power_off_seconds=1)
    host.start(machine)
    starting = host.states()[machine.instance_id]
    host.stop(machine.instance_id)
    host.stop(machine.instance_id)
    pulled = eventually(lambda: host.states()[machine.instance_id] == "off", 30)
    host.start(Machine("i-0last", mac_address("10.20.30.42"), "10.20.30.42", "ami", "c6a.large"))
    host.close()
    return {"starting": starting, "pulled after": pulled, "closed": host.states()["i-0last"]}


if __name__ == "__main__":
    main()
