"""Program for a sandbox: makes the lab's network, tests it from every side, and prints the facts as JSON."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from lab import sandbox
from lab.network import BRIDGE, POOL_NAMESPACE, Network, mac_address

ASK = """
import json, socket, sys, time
answers = {}
for name in sys.argv[1:]:
    began = time.monotonic()
    try:
        found = sorted({a[4][0] for a in socket.getaddrinfo(name, 443)})
    except socket.gaierror as error:
        found = [error.errno == socket.EAI_NONAME and "no such name" or str(error)]
    answers[name] = [found, time.monotonic() - began]
print(json.dumps(answers))
"""
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).close()
    print("open")
except ConnectionRefusedError:
    print("refused")
except OSError:
    print("unreachable")
"""
NAMES = ("secretsmanager.us-east-1.amazonaws.com", "bucket.s3.us-east-1.amazonaws.com", "cm.pool.lab", "example.org")
# An instance here is a namespace with a port of the bridge, like a machine: it can send and answer at once.
INSTANCES = {"one": "10.0.0.10", "two": "10.0.0.11"}


def output(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def within(namespace: str, code: str, *words: str) -> str:
    return output("ip", "netns", "exec", namespace, sys.executable, "-c", code, *words).strip()


def make_instance(name: str, ip: str) -> None:
    output("ip", "netns", "add", name)
    output("ip", "link", "add", f"v{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
    output("ip", "link", "set", f"v{name}", "master", BRIDGE, "up")
    output("bridge", "link", "set", "dev", f"v{name}", "isolated", "on")
    output("ip", "-n", name, "address", "add", f"{ip}/8", "dev", "eth0")
    output("ip", "-n", name, "link", "set", "eth0", "up")
    output("ip", "-n", name, "route", "add", "default", "via", "10.255.255.254")


def listen(namespace: str | None, port: int, address: str = "") -> None:
    code = f"import socket, time; s = socket.create_server(({address!r}, {port})); time.sleep(600)"
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    subprocess.Popen([*prefix, sys.executable, "-c", code])


def plugged() -> dict[str, object]:
    """Properties of a machine's port, which ends with its last descriptor."""
    network = Network(sandbox.directory())
    port = network.plug("i-0123456789abcdef0", mac=mac_address("10.1.2.3"), ip="10.1.2.3")
    links = json.loads(output("bridge", "-details", "-json", "link", "show"))
    of_port = next(link for link in links if link["ifname"].startswith("i"))
    os.close(port)
    left = [link["ifname"] for link in json.loads(output("ip", "-json", "link"))]
    return {"isolated": of_port["isolated"], "name": of_port["ifname"], "left": of_port["ifname"] in left}


def main() -> None:
    network = Network(sandbox.directory())
    network.create()
    for name, ip in INSTANCES.items():
        make_instance(name, ip)
    listen(None, 443, "198.18.0.1")
    listen(None, 80, "169.254.169.254")
    for namespace in ("pool", "one", "two"):
        listen(namespace, 9618)
    time.sleep(1.5)
    facts = {
        "names": {side: json.loads(within(side, ASK, *NAMES)) for side in ("pool", "one")},
        "reach": {
            "instance to api": within("one", CONNECT, "198.18.0.1", "443"),
            "instance to metadata": within("one", CONNECT, "169.254.169.254", "80"),
            "instance to pool": within("one", CONNECT, "198.18.0.10", "9618"),
            "instance to instance": within("one", CONNECT, INSTANCES["two"], "9618"),
            "pool to api": within(POOL_NAMESPACE, CONNECT, "198.18.0.1", "443"),
            "pool to instance": within(POOL_NAMESPACE, CONNECT, INSTANCES["one"], "9618"),
            "pool to the world": within(POOL_NAMESPACE, CONNECT, "192.0.2.1", "443"),
        },
        "plugged": plugged(),
        "bridge": json.loads(output("ip", "-json", "link", "show", BRIDGE))[0]["address"],
        "own name": socket.gethostbyname(socket.gethostname()),
    }
    network.close()
    Path(sys.argv[1]).write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
