"""The lab's own small API under ``/_lab/``, for requests that no AWS API has.

``GET /_lab/ready``; ``GET /_lab/instances``; ``POST /_lab/instances/ID/interrupt?seconds=120`` (a spot interruption);
``POST /_lab/tick?count=1`` (instances, groups and schedules take their next steps now, not at the clock's next ticks);
``GET /_lab/launches`` (ways in which launches can be made to fail, and those in use);
``POST /_lab/launches?fail=NAME&group=GROUP`` (every launch fails in this way, of all groups or of one; without ``fail``
they succeed again; ``text=TEXT`` in the place of a name is any other status message, with ``dies=1`` a termination
reason).
"""

import json
from typing import Any
from urllib.parse import parse_qs

from lab.cloud import clock, groups, instances, launch_failures, tags, world
from lab.cloud.asgi import Scope, Send, answer
from lab.machines import MachineState

_PATHS = "GET ready, GET instances, GET launches, POST tick, POST launches, POST instances/ID/interrupt"
_NOTICE = 120
"""Seconds between a spot interruption notice and the end of the instance, as on EC2."""


async def application(scope: Scope, send: Send) -> None:
    """Answer one request."""
    query = parse_qs(bytes(scope.get("query_string", b"")).decode())
    status, content = respond(str(scope["method"]), str(scope["path"]), query)
    await answer(send, status, json.dumps(content).encode(), {"Content-Type": "application/json"})


def respond(method: str, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
    """Status and content of the answer."""
    steps = [step for step in path.split("/") if step][1:]
    with world.lock:
        if (method, steps) == ("GET", ["ready"]):
            return 200, {"ready": True}
        if (method, steps) == ("POST", ["tick"]):
            return _tick(query.get("count", ["1"])[0])
        if (method, steps) == ("GET", ["launches"]):
            return 200, {"known": sorted(launch_failures.KNOWN), "failing": launch_failures.asked()}
        if (method, steps) == ("POST", ["launches"]):
            return _fail_launches({key: values[0] for key, values in query.items()})
        if (method, steps) == ("GET", ["instances"]):
            return 200, _instances()
        if method == "POST" and len(steps) == 3 and steps[0] == "instances" and steps[2] == "interrupt":
            return _interrupt(steps[1], query.get("seconds", [str(_NOTICE)])[0])
    return 404, {"error": f"{method} {path} is not one of {_PATHS}"}


def _tick(count: str) -> tuple[int, Any]:
    if not count.isdigit():
        return 400, {"error": f"count must be a whole number, received {count!r}"}
    for _ in range(int(count)):
        clock.tick()
    return 200, {}


def _fail_launches(query: dict[str, str]) -> tuple[int, Any]:
    name, text = query.get("fail", ""), query.get("text", "")
    if name and name not in launch_failures.KNOWN:
        return 400, {"error": f"fail must be one of {', '.join(sorted(launch_failures.KNOWN))}, received {name!r}"}
    other = launch_failures.LaunchFailure(text, dies=query.get("dies") == "1") if text else None
    launch_failures.let_fail(query.get("group", ""), launch_failures.KNOWN[name] if name else other)
    return 200, {"failing": launch_failures.asked()}


def _instances() -> list[dict[str, Any]]:
    machines = world.machines().states()
    return [
        _instance(record, str(machines.get(record["InstanceId"], MachineState.OFF)))
        for record in instances.everywhere()
    ]


def _instance(record: instances.Record, machine: str) -> dict[str, Any]:
    found = instances.details(record)
    with world.scope(found.account, found.region):
        group = groups.of_instance(record["InstanceId"])
        member = group.member(record["InstanceId"]) if group else None
        return {
            "id": record["InstanceId"],
            "state": instances.state(record),
            "machine": machine,
            "ip": record["PrivateIpAddress"],
            "mac": found.mac,
            "type": record["InstanceType"],
            "image": record["ImageId"],
            "lifecycle": "spot" if found.spot else "on-demand",
            "region": found.region,
            "reason": found.state_reason[1] if found.state_reason else "",
            "group": group.name if group else None,
            "member": member.lifecycle if member else None,
            "tags": tags.of(record["InstanceId"]),
        }


def _interrupt(instance_id: str, seconds: str) -> tuple[int, Any]:
    record = next((one for one in instances.everywhere() if one["InstanceId"] == instance_id), None)
    if record is None or instances.state(record) != "running":
        return 404, {"error": f"{instance_id} is no running instance"}
    found = instances.details(record)
    if not found.spot:
        return 409, {"error": f"{instance_id} is an on-demand instance: only spot instances are interrupted"}
    if not seconds.isdigit():
        return 400, {"error": f"seconds must be a whole number, received {seconds!r}"}
    # A rebalance recommendation comes at the latest with the notice:
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
    found.rebalance_at = found.rebalance_at or world.now()
    found.interrupt_at = world.now() + int(seconds)
    return 202, {"id": instance_id, "time": found.interrupt_at}
