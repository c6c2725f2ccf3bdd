"""The end of an annex without its lease checker: by scheduled actions of the group."""

from __future__ import annotations

from datetime import datetime, timedelta

from verify.experiment import Experiment
from verify.outcome import Seen
from verify.scene import Scene

_LEASE = timedelta(seconds=150)
_EARLY_SECONDS = 10.0  # an action may be put so much earlier, if another has its time
_LATE_SECONDS = 180.0  # an action may run up to two minutes late


def delete_schedule(scene: Scene) -> datetime:
    """Delete the schedule of annex b, so that its lease checker runs no more; returns when that was done first."""
    if scene.silent_since is not None:
        return scene.silent_since
    scheduler = scene.account.aws.client("scheduler")
    for name in scene.physical_ids("b", "AWS::Scheduler::Schedule"):
        scheduler.delete_schedule(Name=name.rsplit("/", 1)[-1])
    scene.silent_since = scene.now()
    return scene.silent_since


def scheduled_actions_end_it(scene: Scene) -> Seen:
    """Delete the schedule of a running annex, hold its capacity at one, and wait for the end of the lease."""
    scene.launch("b")
    end = scene.now() + _LEASE
    scene.end_at("b", end)
    scene.check("b")
    client = scene.account.aws.autoscaling
    name = scene.group_name("b")
    actions = client.describe_scheduled_actions(AutoScalingGroupName=name)["ScheduledUpdateGroupActions"]
    delete_schedule(scene)
    # An instance that leaves by itself cannot lower the capacity below the minimum: only the actions can.
    client.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=1)

    def sizes() -> tuple[int, int]:
        group = scene.group("b")
        return group["MinSize"], group["DesiredCapacity"]

    early = scene.watch((end - scene.now()).total_seconds() - _EARLY_SECONDS, lambda: sizes() == (0, 0))
    ended = scene.watch(_EARLY_SECONDS + _LATE_SECONDS, lambda: sizes() == (0, 0))
    took = (scene.now() - end).total_seconds()
    details = tuple(f"{each['ScheduledActionName']} at {each['StartTime']:%H:%M:%S}" for each in actions)
    text = f"{len(actions)} actions; minimum and capacity {sizes()} {took:.0f} s after the end"
    return Seen(ended and not early, text, details)


EXPERIMENTS = (
    Experiment(
        11,
        "scheduled actions",
        f"without a lease checker they end the group within {_LATE_SECONDS / 60:.0f} minutes of the end of the lease",
        "EC2 Auto Scaling User Guide, 'Scheduled scaling for Amazon EC2 Auto Scaling'",
        5,
        scheduled_actions_end_it,
        ("b",),
    ),
)
