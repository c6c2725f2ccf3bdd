"""The instance metadata service, version 2 only, as an ASGI application; the instance is known by its address.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from lab.cloud import instances, metadata, world
from lab.cloud.asgi import Receive, Scope, Send, answer, headers_of, ignore_lifespan
from lab.cloud.instances import Record

_VERSIONS = re.compile(r"latest|1\.0|20\d\d-\d\d-\d\d")
_TOKEN_HEADER = "x-aws-ec2-metadata-token"  # noqa: S105 - the header's name
_MAX_TTL = 21600

_tokens: dict[str, tuple[str, float]] = {}
"""Token -> its instance, and its expiry."""

Reply = tuple[int, bytes, dict[str, str]]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer instances; another client gets 404."""
    if scope["type"] == "lifespan":
        await ignore_lifespan(receive, send)
        return
    if scope["type"] != "http":
        return
    client = scope.get("client")
    status, body, extra = respond(
        str(client[0]) if client else "", str(scope["method"]), str(scope["path"]), headers_of(scope)
    )
    await answer(send, status, body, {"Content-Type": "text/plain", "Server": "EC2ws", **extra})


def respond(address: str, method: str, path: str, headers: Mapping[str, str]) -> Reply:
    """One request from an address."""
    with world.lock:
        record = instances.at_address(address)
        if record is None:
            return 404, b"no instance has this address", {}
        found = instances.details(record)
        if not found.metadata.enabled:
            return 403, b"Forbidden", {}
        if path == "/latest/api/token":
            return _issue(record, headers) if method == "PUT" else (405, b"Method Not Allowed", {})
        if method not in ("GET", "HEAD"):
            return 405, b"Method Not Allowed", {}
        owner, expires = _tokens.get(headers.get(_TOKEN_HEADER, ""), ("", 0.0))
        if owner != record["InstanceId"] or expires < world.now():
            return 401, b"Unauthorized", {}
        with world.scope(found.account, found.region):
            return _read(record, path)


def _issue(record: Record, headers: Mapping[str, str]) -> Reply:
    # A request that came through a proxy is refused: the page above, "Packets with X-Forwarded-For".
    if "x-forwarded-for" in headers:
        return 403, b"Forbidden", {}
    ttl = headers.get(f"{_TOKEN_HEADER}-ttl-seconds", "")
    if not ttl.isdigit() or not 1 <= int(ttl) <= _MAX_TTL:
        return 400, b"Bad Request", {}
    token = secrets.token_urlsafe(42)
    _tokens[token] = (record["InstanceId"], world.now() + int(ttl))
    for old in [one for one, (_, expires) in _tokens.items() if expires < world.now()]:
        del _tokens[old]
    return 200, token.encode(), {f"{_TOKEN_HEADER}-ttl-seconds": ttl}


def _read(record: Record, path: str) -> Reply:
    version, *steps = [step for step in path.split("/") if step] or [""]
    if not version:
        return 200, b"latest", {}
    if not _VERSIONS.fullmatch(version):
        return 404, b"Not Found", {}
    node: Any = metadata.tree(record)
    for step in steps:
        if not isinstance(node, Mapping) or step not in node:
            return 404, b"Not Found", {}
        node = node[step]
    if isinstance(node, Mapping):
        return 200, _listing(node).encode(), {}
    if isinstance(node, bytes):
        return 200, node, {"Content-Type": "application/octet-stream"}
    return 200, str(node).encode(), {}


def _listing(directory: Mapping[str, Any]) -> str:
    return "\n".join(name + ("/" if isinstance(child, Mapping) else "") for name, child in sorted(directory.items()))
