"""Launches and terminations of EC2 Auto Scaling: at the end of a lease, and at a retirement."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from verify.experiment import Experiment
from verify.options import DEFAULT_IMAGE
from verify.outcome import NotRunError, Seen
from verify.scene import Scene

_SECONDS_OF_LEASE, _EARLY_SECONDS = 60, 10
_END_SECONDS = 180.0
_RETIRE_SECONDS = 420.0
_AT_ONCE_SECONDS = 0.2


def lines(activities: list[dict[str, Any]]) -> tuple[str, ...]:
    """Scaling activities as lines of the report."""
    return tuple(f"{each['StartTime']:%H:%M:%S} {each['StatusCode']} {each['Description']}: {each['Cause']}"
                 for each in activities)  # fmt: skip


def since(scene: Scene, letter: str, start: datetime) -> list[dict[str, Any]]:
    """Scaling activities of an annex that began after a time."""
    return [each for each in scene.activities(letter) if each["StartTime"] >= start - timedelta(seconds=2)]


def counts(activities: list[dict[str, Any]]) -> tuple[int, int]:
    """Numbers of launches and of terminations."""
    texts = [str(each["Description"]) for each in activities]
    return sum(each.startswith("Launching") for each in texts), sum(each.startswith("Terminating") for each in texts)


def lease_ends_at_start(scene: Scene) -> Seen:
    """Grant an annex whose lease ends in a minute, and look what the group does before and after the end."""
    if scene.activities("b"):
        raise NotRunError("the annex has had instances before")
    start = scene.now()
    scene.give_credential("b")
    scene.end_at("b", start + timedelta(seconds=_SECONDS_OF_LEASE))
    end = str(scene.check("b")["end"])
    scene.wait_for("launch", _END_SECONDS, lambda: since(scene, "b", start), otherwise=lambda: scene.failed("b"))
    if scene.watch(_SECONDS_OF_LEASE - _EARLY_SECONDS - (scene.now() - start).total_seconds(), lambda: idle(scene)):
        raise NotRunError("the instance ended before the lease did")
    gone = scene.watch(_END_SECONDS, lambda: idle(scene))
    # A replacement would come within the next minutes.
    scene.watch(min(scene.options.watch_seconds, _END_SECONDS), lambda: not idle(scene))
    seen = since(scene, "b", start)
    launched, ended = counts(seen)
    text = f"lease end {end}: {launched} launch, {ended} termination, capacity {scene.group('b')['DesiredCapacity']}"
    return Seen(bool(gone) and idle(scene) and (launched, ended) == (1, 1), text, lines(seen))


def idle(scene: Scene) -> bool:
    """True if the group of annex b has and wants no instance."""
    group = scene.group("b")
    return not group["Instances"] and group["DesiredCapacity"] == 0


def retire_while_pending(scene: Scene) -> Seen:
    """Do what a retiring execution point does, at once after the launch: terminate with a smaller capacity."""
    start = scene.now()
    instance = scene.launch("b", every=_AT_ONCE_SECONDS)
    states = {each["InstanceId"]: str(each["LifecycleState"]) for each in scene.group("b")["Instances"]}
    if not states.get(instance, "").startswith("Pending"):
        raise NotRunError(f"the instance was {states.get(instance)} before it was seen")
    scene.account.aws.autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=instance, ShouldDecrementDesiredCapacity=True
    )
    scene.watch(_END_SECONDS, lambda: idle(scene))
    scene.watch(min(scene.options.watch_seconds, _END_SECONDS), lambda: not idle(scene))
    seen = since(scene, "b", start)
    launched, ended = counts(seen)
    text = f"in state {states.get(instance)}: {launched} launch, {ended} termination"
    return Seen(idle(scene) and (launched, ended) == (1, 1), text, lines(seen))


def leaves_by_itself(scene: Scene) -> Seen:
    """Start an instance of an image without HTCondor, which has to leave its group by itself."""
    if scene.account.emulated:
        raise NotRunError("needs a machine that boots; an emulator boots none of this image")
    if scene.options.image != DEFAULT_IMAGE:
        raise NotRunError("needs the default image, which has no HTCondor")
    start = scene.now()
    scene.launch("b")
    gone = scene.watch(_RETIRE_SECONDS, lambda: idle(scene))
    seen = since(scene, "b", start)
    launched, ended = counts(seen)
    took = (scene.now() - start).total_seconds()
    return Seen(
        bool(gone) and (launched, ended) == (1, 1), f"{ended} left after {took:.0f} s, {launched} launch", lines(seen)
    )


EXPERIMENTS = (
    Experiment(
        6,
        "a lease that ends at once",
        "an instance that is launched a minute before the end is terminated once, and not replaced",
        "EC2 Auto Scaling User Guide, 'Amazon EC2 Auto Scaling instance lifecycle'",
        4,
        lease_ends_at_start,
        ("b",),
    ),
    Experiment(
        14,
        "retiring while pending",
        "the group takes a termination with a smaller capacity while it launches, and replaces nothing",
        "EC2 Auto Scaling API Reference, TerminateInstanceInAutoScalingGroup",
        3,
        retire_while_pending,
        ("b",),
    ),
    Experiment(
        18,
        "leaving the group",
        "an instance whose image lacks HTCondor leaves its group with its own role, and is not replaced",
        "docs/how-to/build-the-image.md; EC2 User Guide, 'Retrieve security credentials from instance metadata'",
        3,
        leaves_by_itself,
        ("b",),
    ),
)
