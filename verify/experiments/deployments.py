"""A deployment of an annex that exists: its run-time tags, and a release whose lease checker is broken."""

from __future__ import annotations

import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from annex_lease.invocation import DRY_CHECK
from annex_lease.tags import TAG_UNTIL
from verify.cdk import ROOT
from verify.experiment import Experiment
from verify.outcome import Seen
from verify.scene import Scene
from verify.stack_state import stack_events, stack_status

REASON = "broken on purpose"
BROKEN = f"raise RuntimeError({REASON!r})\n"
"""Raises when it is imported, so that no code of the lease checker runs."""
_PACKAGES = ("annex_spec", "annex_lease", "annex_boot", "annex_constructs", "stacks", "verify")
_MINUTES = timedelta(minutes=10)
_EVENTS = 12


def tags_survive(scene: Scene) -> Seen:
    """Write a run-time tag, change the size, deploy, and compare the tags that no template declares."""
    scene.end_at("a", scene.now() + timedelta(minutes=50))
    written = scene.tags("a")[TAG_UNTIL]
    size = int(str(scene.changes.get("size", 1)))
    declared_before = scene.tags("a")
    done = scene.deploy("a", size=3 - size)
    after = scene.tags("a")
    if not done.succeeded:
        return Seen(False, "the update of the stack failed", tuple(done.output.splitlines()[-_EVENTS:]))
    lost = sorted(declared_before.keys() - after.keys())
    kept = after.get(TAG_UNTIL)
    details = tuple(f"{key} = {value}" for key, value in sorted(after.items()))
    if kept == written and not lost:
        return Seen(True, f"{len(after)} tags, {TAG_UNTIL} unchanged; the update succeeded", details)
    return Seen(False, f"{TAG_UNTIL} was {written} and is {kept}; lost: {', '.join(lost) or 'none'}", details)


def broken_release(directory: Path) -> Path:
    """A copy of the packages with a lease checker that raises when it is imported."""
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "annex_lease/handler.py").write_text(BROKEN, encoding="utf-8")
    return directory


def broken_update_fails(scene: Scene) -> Seen:
    """Deploy a broken release on the live annex: the stack must roll back, and the lease go on."""
    before = scene.check("a", DRY_CHECK)
    began, since = time.monotonic(), scene.now()
    with tempfile.TemporaryDirectory() as directory:
        done = scene.deploy("a", release=broken_release(Path(directory)))
    took = time.monotonic() - began
    cloudformation, stack = scene.account.aws.cloudformation, scene.run.stack("a")
    status = stack_status(cloudformation, stack)
    failed = [
        f"{each['LogicalResourceId']} {each['ResourceStatus']}: {each.get('ResourceStatusReason', '')}"
        for each in stack_events(cloudformation, stack)
        if each["Timestamp"] >= since and each["ResourceStatus"].endswith("FAILED")
    ]
    after = scene.check("a", DRY_CHECK)
    refused = not done.succeeded and status == "UPDATE_ROLLBACK_COMPLETE"
    named = any(REASON in line for line in failed)
    goes_on = after["end"] == before["end"] and not after["errors"]
    text = f"{status} after {took:.0f} s, reason {'named' if named else 'not named'}, phase {after['phase']} afterwards"
    return Seen(refused and named and goes_on and took < _MINUTES.total_seconds(), text, tuple(failed[:_EVENTS]))


EXPERIMENTS = (
    Experiment(
        1,
        "run-time tags",
        "an update of the group keeps tags that no template declares, and those that the stack passes on to it",
        "AWS CloudFormation Template Reference, AWS::AutoScaling::AutoScalingGroup, Tags; aws/aws-cdk#20544; "
        "pulumi/pulumi-eks#144",
        2,
        tags_survive,
    ),
    Experiment(
        5,
        "broken release",
        "an update with a broken lease checker fails within minutes and rolls back, and the lease is enforced on",
        "AWS Lambda Developer Guide, 'Capturing records of Lambda asynchronous invocations'; docs/explanation/lease.md",
        3,
        broken_update_fails,
    ),
)
