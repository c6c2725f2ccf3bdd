"""Answers CloudFormation where the lease checker cannot: its code is broken, it timed out or was throttled.

Lambda hands over the failed event (Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations").
The whole function is this one file, inside the template. It shares nothing with the checker, so that the cause of the
checker's failure does not break it too. Lambda repeats an invocation that raises twice.
"""

import json
import os
import time
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

GROUP, ANNEX_ID = os.environ["ANNEX_GROUP"], os.environ["ANNEX_ID"]
OWN = f"lease-of-{GROUP}"  # the checker's physical id for its custom resource
# States of EC2 and of the group that cost nothing.
DEAD = {"shutting-down", "terminated", "Terminated", "Warmed:Terminated"}
# An instance of the group has the first, which only EC2 Auto Scaling writes; a detached one keeps the second.
OWN_TAGS = {"aws:autoscaling:groupName": GROUP, "annex:id": ANNEX_ID}
PAGE = {"PageSize": 1000}  # an answer without pages does not fit into the memory for thousands of instances
PAUSE_SECONDS = 15  # between two listings: EC2 is eventually consistent
SPARE_SECONDS = 60  # kept for a last round of calls and for the answer
PROTECTION_BATCH, TERMINATION_BATCH = 50, 100  # SetInstanceProtection takes 50; AWS advises small batches
THROTTLED = ("RequestLimitExceeded", "Throttling")
CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})
scaling: Any = boto3.client("autoscaling", config=CONFIG)
ec2: Any = boto3.client("ec2", config=CONFIG)


def handler(record: dict[str, Any], context: Any) -> None:
    """Answer the custom resource request that the checker left unanswered; ignore other failed events."""
    event = record.get("requestPayload") or {}
    kind = event.get("RequestType")
    if not kind:
        return  # a scheduled check: the next one is soon, and the queue and the alarms report it
    cause = (record.get("responsePayload") or {}).get("errorMessage") or record["requestContext"]["condition"]
    reason = f"the lease checker failed: {cause}"
    physical_id = event.get("PhysicalResourceId") or id_of_failed_creation()
    if kind == "Delete":
        reason = drain(context) if physical_id == OWN else ""
    answer(event, physical_id, reason)


def id_of_failed_creation() -> str:
    """Return the physical id of a failed creation.

    Where nothing was granted it is not our id: the rollback's Delete then succeeds without a listing.
    """
    try:
        group, alive = look()
    except (BotoCoreError, ClientError):
        return OWN  # it may have been granted
    return OWN if alive or group.get("DesiredCapacity") else f"no-{OWN}"


def drain(context: Any) -> str:
    """Empty the annex; return the reason if it is not empty in time, else an empty text.

    Two listings in a row must be empty, with no call refused.
    """
    empty_looks, problem = 0, ""
    while context.get_remaining_time_in_millis() > SPARE_SECONDS * 1000:
        try:
            group, alive = look()
            refused = stop(group, alive)
            problem = "; ".join(refused or alive or obstacles(group))
        except (BotoCoreError, ClientError) as error:
            problem = str(error)
        empty_looks = 0 if problem else empty_looks + 1
        if empty_looks == 2:
            return ""
        time.sleep(PAUSE_SECONDS)
    return f"the lease checker is broken and its responder ran out of time; delete the stack again: {problem}"


def look() -> tuple[dict[str, Any], list[str]]:
    """Return the group and the ids of what may still be billed. EC2's state overrides the group's, which lags."""
    pages = scaling.get_paginator("describe_auto_scaling_groups").paginate(AutoScalingGroupNames=[GROUP])
    group: dict[str, Any] = next((one for page in pages for one in page["AutoScalingGroups"]), {})
    states = {one["InstanceId"]: one["LifecycleState"] for one in group.get("Instances", [])}
    for key, value in OWN_TAGS.items():
        own = [{"Name": f"tag:{key}", "Values": [value]}]
        for page in ec2.get_paginator("describe_instances").paginate(Filters=own, PaginationConfig=PAGE):
            for one in (one for reservation in page["Reservations"] for one in reservation["Instances"]):
                # Exactly ours: the value of a filter may hold wildcards.
                if {"Key": key, "Value": value} in one["Tags"]:
                    states[one["InstanceId"]] = one["State"]["Name"]
    return group, sorted(one for one, state in states.items() if state not in DEAD)


def obstacles(group: dict[str, Any]) -> list[str]:
    """Return what keeps CloudFormation from deleting an empty group."""
    found = ["the group has a warm pool"] if "WarmPoolConfiguration" in group else []
    protection = group.get("DeletionProtection", "none")
    return found if protection == "none" else [*found, f"the group has the deletion protection {protection}"]


def stop(group: dict[str, Any], alive: list[str]) -> list[str]:
    """Make every call that ends the annex, whether or not others fail; return the refusals."""
    refused: list[str] = []
    if group:
        of = {"AutoScalingGroupName": GROUP}
        nothing = {"MinSize": 0, "DesiredCapacity": 0, "NewInstancesProtectedFromScaleIn": False}
        refused += ask(scaling.update_auto_scaling_group, **of, **nothing)
        refused += ask(scaling.suspend_processes, **of, ScalingProcesses=["Launch"])
        refused += ask(scaling.resume_processes, **of, ScalingProcesses=["Terminate"])
        if group.get("DeletionProtection", "none") != "none":
            refused += ask(scaling.update_auto_scaling_group, **of, DeletionProtection="none")
        # One that is being deleted is listed until its instances are gone.
        if group.get("WarmPoolConfiguration", {"Status": "PendingDelete"}).get("Status") != "PendingDelete":
            refused += ask(scaling.delete_warm_pool, **of, ForceDelete=True)
        protected = [one["InstanceId"] for one in group["Instances"] if one["ProtectedFromScaleIn"]]
        protected = [one for one in protected if one in alive]
        clear = {**of, "ProtectedFromScaleIn": False}
        refused += in_batches(scaling.set_instance_protection, protected, PROTECTION_BATCH, **clear)
        refused += finish_hooks(group["Instances"], of)
    return refused + in_batches(ec2.terminate_instances, alive, TERMINATION_BATCH)


def finish_hooks(members: list[dict[str, Any]], of: dict[str, str]) -> list[str]:
    """Finish the lifecycle hooks that instances wait for; return a refused listing.

    A refusal for one instance does not count: it waits for one hook at a time and may have left it. The next listing
    shows that.
    """
    try:
        hooks = scaling.describe_lifecycle_hooks(**of)["LifecycleHooks"]
    except (BotoCoreError, ClientError) as error:
        return [str(error)]
    for hook in hooks:
        launching = hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_LAUNCHING"
        state, result = ("Pending:Wait", "ABANDON") if launching else ("Terminating:Wait", "CONTINUE")
        done = {**of, "LifecycleHookName": hook["LifecycleHookName"], "LifecycleActionResult": result}
        for one in members:
            if one["LifecycleState"] == state:
                ask(scaling.complete_lifecycle_action, **done, InstanceId=one["InstanceId"])
    return []


def in_batches(call: Callable[..., object], ids: list[str], size: int, **given: Any) -> list[str]:
    """Call for all ids; where one id blocks its batch, once for each id of that batch."""
    refused: list[str] = []
    for start in range(0, len(ids), size):
        batch = ids[start : start + size]
        problem = ask(call, InstanceIds=batch, **given)
        if problem and any(code in problem[0] for code in THROTTLED):
            refused += problem  # more calls would make it worse: the next round asks again
        elif problem:
            for one in batch:
                refused += ask(call, InstanceIds=[one], **given)
    return refused


def ask(call: Callable[..., object], **given: Any) -> list[str]:
    """Call; return the refusal, if there was one."""
    try:
        call(**given)
    except (BotoCoreError, ClientError) as error:
        return [str(error)]
    return []


def answer(event: dict[str, Any], physical_id: str, reason: str) -> None:
    """Answer CloudFormation: FAILED for a reason, or SUCCESS (User Guide, "Custom resource response objects")."""
    body = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    # The answer may have 4,096 bytes.
    body |= {"Status": "FAILED" if reason else "SUCCESS", "Reason": ascii(reason)[1:-1][:1000]}
    body["PhysicalResourceId"] = physical_id
    print(json.dumps(body))  # noqa: T201 - the function's log
    if not event["ResponseURL"].startswith(("https://", "http://")):
        raise ValueError("the request has no usable ResponseURL: it must begin with https://")
    # The address is signed for an empty content type.
    put = Request(event["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT")  # noqa: S310
    with urlopen(put, timeout=15) as response:  # noqa: S310 - the scheme was checked above
        response.read()
