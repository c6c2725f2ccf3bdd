"""Histories of an annex at random: what an operator, a deploy, AWS, a meddler and bad luck may do, in any order.

An event is a name and two small numbers, so that hypothesis can shorten a history that fails. Events that AWS refuses
(there is no such instance, say) do nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError

from annex_lease import tags as lease_tags
from tests.world.aws_faults import Fault, FaultAt
from tests.world.aws_model import NoFaults
from tests.world.aws_scaling import LAUNCHING, TERMINATING
from tests.world.cloudformation import lose_runtime_tags
from tests.world.stage import MINUTE, Stage
from tests.world.worlds import ModelWorld

Event = tuple[str, int, int]
STATES = ("Terminating:Retained", "Standby", "Pending:Wait", "Terminating:Wait", "Detaching", "Quarantined", "Future")
DAMAGE = ("", "9999-12-31T23:59:59Z", "1793545200000", "2026-11-01T13:00:00", "soon", "-1", "nan", "2@x", "1@1x1")


class History:
    """An annex on the model, and what happened to it.

    Attributes:
        bound: seconds after the start that no rule lets a lease pass: the latest end that was asked for within the
            maximum lifetime, or its end where a busy annex renews itself.
        sizes: all sizes that were ever declared.
    """

    def __init__(self, **policy: Any) -> None:
        self.world = ModelWorld()
        self.stage = Stage(self.world, strict=False)
        self.stage.make(policy=policy, topic=True)
        self.policy = self.stage.site.policy
        self.bound = float(
            self.policy.max_lifetime_seconds if self.policy.renew_seconds else self.policy.duration_seconds or 0
        )
        self.sizes = {self.policy.size}

    def happen(self, event: Event) -> None:
        """Let one event happen."""
        name, first, second = event
        action: Callable[[int, int], None] = getattr(self, f"_{name}")
        try:
            action(first, second)
        except ClientError:
            return

    def finish(self) -> float:
        """Nothing happens any more but a run a minute, until all must be gone; from when on, in seconds."""
        self.world.aws.faults = NoFaults()
        left = self.bound + self.policy.grace_seconds - self.stage.seconds()
        if left > 0:
            self.stage.minutes(2)
            self.world.advance(max(0.0, self.bound + self.policy.grace_seconds - self.stage.seconds()))
        self.stage.minutes(2)
        return self.world.aws.account.now

    @property
    def _autoscaling(self) -> Any:
        return self.world.operator.autoscaling

    @property
    def _group(self) -> dict[str, str]:
        return {"AutoScalingGroupName": self.stage.site.group}

    def _some(self, number: int) -> list[str]:
        ids = self.stage.alive()
        return [ids[number % len(ids)]] if ids else ["i-00000000000000bad"]

    def _checks(self, first: int, second: int) -> None:
        del second
        self.stage.minutes(1 + first % 3)

    def _lost_runs(self, first: int, second: int) -> None:
        self.world.advance(MINUTE * (1 + first * 4) + second)

    def _repeated_run(self, first: int, second: int) -> None:
        del second
        for _ in range(1 + first % 3):
            self.stage.run()

    def _late_run(self, first: int, second: int) -> None:
        """A run that was started some time ago, and gets to work now."""
        del second
        self.stage.run_as_of(self.world.now() - timedelta(seconds=20 * first))

    def _extend(self, first: int, second: int) -> None:
        seconds = self.stage.seconds() + 300 * first + second
        if seconds <= self.policy.max_lifetime_seconds:
            self.bound = max(self.bound, seconds)
        self.stage.write(lease_tags.TAG_UNTIL, self.stage.at(seconds))

    def _stop(self, first: int, second: int) -> None:
        del first, second
        self._extend(0, 0)  # a stop after the end is an override of its own, and has a grace of its own

    def _renew(self, first: int, second: int) -> None:
        self._extend(first, second)
        self.stage.write(lease_tags.TAG_RENEWED, self.stage.at(self.stage.seconds()))

    def _deploy(self, first: int, second: int) -> None:
        """CloudFormation replaces changed tags in two calls, with a moment between them."""
        size = first % 5
        self.sizes.add(size)
        tag = {"ResourceId": self.stage.site.group, "ResourceType": "auto-scaling-group", "Key": lease_tags.TAG_SIZE}
        self._autoscaling.delete_tags(Tags=[tag])
        if second % 2:
            self.stage.run()
        self.stage.write(lease_tags.TAG_SIZE, str(size))

    def _damage(self, first: int, second: int) -> None:
        keys: tuple[str, ...] = (
            lease_tags.TAG_UNTIL,
            lease_tags.TAG_GRANTED,
            lease_tags.TAG_END,
            lease_tags.TAG_NOTIFIED,
            lease_tags.TAG_USED,
        )
        keys += (lease_tags.TAG_BUSY, lease_tags.TAG_RENEWED, lease_tags.TAG_WARNED)
        self.stage.write(keys[first % len(keys)], DAMAGE[second % len(DAMAGE)])

    def _lose(self, first: int, second: int) -> None:
        """A deployment takes away tags that its template does not declare; which, is the bits of a number."""
        chosen = {
            key for place, key in enumerate(sorted(lease_tags.RUNTIME_TAGS)) if (first * 37 + second) >> place % 9 & 1
        }
        lose_runtime_tags(self.stage, lease_tags.RUNTIME_TAGS if first == 11 else chosen)

    def _retire(self, first: int, second: int) -> None:
        """An idle execution point leaves, and is not replaced."""
        del second
        self._autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=self._some(first)[0], ShouldDecrementDesiredCapacity=True
        )

    def _die(self, first: int, second: int) -> None:
        del second
        self.world.operator.ec2.terminate_instances(InstanceIds=self._some(first))

    def _halt(self, first: int, second: int) -> None:
        del second
        self.world.operator.ec2.stop_instances(InstanceIds=self._some(first))

    def _replace(self, first: int, second: int) -> None:
        """Other subnets or purchase options are deployed."""
        del first, second
        self.world.replace_instances(self.stage.site.group)

    def _protect(self, first: int, second: int) -> None:
        ids = self._some(first)
        self._autoscaling.set_instance_protection(**self._group, InstanceIds=ids, ProtectedFromScaleIn=bool(second % 2))

    def _protect_new(self, first: int, second: int) -> None:
        del first
        new = bool(second % 2)
        self._autoscaling.update_auto_scaling_group(**self._group, NewInstancesProtectedFromScaleIn=new)

    def _suspend(self, first: int, second: int) -> None:
        del second
        process = ("Launch", "Terminate", "ReplaceUnhealthy", "AZRebalance")[first % 4]
        self._autoscaling.suspend_processes(**self._group, ScalingProcesses=[process])

    def _resume(self, first: int, second: int) -> None:
        del second
        self._autoscaling.resume_processes(**self._group, ScalingProcesses=[("Launch", "Terminate")[first % 2]])

    def _resize(self, first: int, second: int) -> None:
        self.sizes.add(first % 5)
        sizes = {"MinSize": min(second % 2, first % 5), "DesiredCapacity": first % 5}
        self._autoscaling.update_auto_scaling_group(**self._group, **sizes)

    def _standby(self, first: int, second: int) -> None:
        ids, fewer = self._some(first), bool(second % 2)
        self._autoscaling.enter_standby(**self._group, InstanceIds=ids, ShouldDecrementDesiredCapacity=fewer)

    def _detach(self, first: int, second: int) -> None:
        ids, fewer = self._some(first), bool(second % 2)
        self._autoscaling.detach_instances(**self._group, InstanceIds=ids, ShouldDecrementDesiredCapacity=fewer)

    def _hook(self, first: int, second: int) -> None:
        transition = (LAUNCHING, TERMINATING)[first % 2]
        hook = {"LifecycleHookName": f"H{first % 3}", "LifecycleTransition": transition, "HeartbeatTimeout": 7200}
        result = ("CONTINUE", "ABANDON")[second % 2]
        self._autoscaling.put_lifecycle_hook(**self._group, **hook, DefaultResult=result)

    def _warm_pool(self, first: int, second: int) -> None:
        state = ("Running", "Stopped", "Hibernated")[second % 3]
        self._autoscaling.put_warm_pool(**self._group, MinSize=first % 3, PoolState=state)

    def _state(self, first: int, second: int) -> None:
        (key,) = self._some(first)
        if key in self.world.aws.account.instances:
            self.world.set_state(key, STATES[second % len(STATES)])

    def _fault(self, first: int, second: int) -> None:
        """One of the next calls fails."""
        fault = list(Fault)[second % len(Fault)]
        self.world.aws.remember()
        self.world.aws.faults = FaultAt(fault, {len(self.world.aws.calls) + first})
        self.stage.minutes(1)

    def _outage(self, first: int, second: int) -> None:
        """One operation is refused for some minutes."""
        operations: tuple[str, ...] = (
            "UpdateAutoScalingGroup",
            "SuspendProcesses",
            "DescribeInstances",
            "DescribeAutoScalingGroups",
        )
        operations += ("CreateOrUpdateTags", "TerminateInstances", "SetInstanceProtection", "Publish")
        self.world.aws.faults = FaultAt(Fault.DENIED, operation=operations[first % len(operations)])
        self.stage.minutes(1 + second % 2)
        self.world.aws.faults = NoFaults()


EVENTS = tuple(
    name.removeprefix("_")
    for name, value in vars(History).items()
    if name.startswith("_") and callable(value) and value.__code__.co_argcount == 3
)
"""The names of all events."""
