"""Changes of the model's instances and groups with time, as EC2 and EC2 Auto Scaling document it.

Where AWS documents no order or no time, the model takes what leaves an instance alive for longer.
"""

from __future__ import annotations

import heapq

from tests.world import aws_replacement
from tests.world.aws_sizes import REACTION, run_scheduled
from tests.world.aws_state import GROUP_TAG, ZONES, Account, Activity, Ec2Instance, Hook, ScalingGroup

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
BOOT, DEATH, STEP = 20.0, 40.0, 1.0  # seconds in `pending`, in `shutting-down`, and of any small step; undocumented
NOTICE = 30.0  # until a group notices a dead instance
RETRY = 60.0  # until a group tries again to launch; AWS waits for longer after each failure

# States that do not count against the desired capacity: instances on Standby do not ("Temporarily removing instances
# from your Auto Scaling group"), instances that leave do not, nor those of a warm pool ("Warm pools").
_UNCOUNTED = ("Terminat", "Standby", "EnteringStandby", "Detach", "Warmed:")


def advance(account: Account, seconds: float) -> None:
    """Let so many seconds pass; everything that falls due meanwhile happens, in the order of time."""
    until = account.now + seconds
    while account.agenda and account.agenda[0][0] <= until:
        at, kind, name = heapq.heappop(account.agenda)
        account.now = max(account.now, at)
        if kind == "group":
            group = account.groups.get(name)
            if group is not None and group.reacts_at == at:
                group.reacts_at = None
                _react(account, group)
        elif kind == "scheduled":
            if name in account.groups:
                run_scheduled(account, account.groups[name])
        else:
            instance = account.instances[name]
            if instance.due == at:
                instance.due = None
                _move_on(account, instance)
    account.now = until


def launch(account: Account, group: ScalingGroup, *, warm: bool = False) -> Ec2Instance:
    """Start one instance.

    It gets the group's tags that propagate at launch, whose values win over the launch template's ("Tag Auto Scaling
    groups and instances"), and the group's name in a tag that no user can write.
    """
    number = len(account.instances)
    tags = group.template_tags | {key: value for key, (value, propagate) in group.tags.items() if propagate}
    instance = Ec2Instance(
        id=f"i-{number:017x}",
        zone=ZONES[number % len(ZONES)],
        launched=account.now,
        tags=tags | {GROUP_TAG: group.name},
        launched_by=group.name,
        group=group.name,
        lifecycle="Warmed:Pending" if warm else "Pending",
        protected=group.protect_new and not warm,
        warm=warm,
    )
    account.instances[instance.id] = instance
    instance.activity = Activity(f"Launching a new EC2 instance: {instance.id}", account.now)
    group.activities.append(instance.activity)
    account.wake(instance, BOOT)
    return instance


def shut_down(account: Account, instance: Ec2Instance) -> None:
    """End an instance on the EC2 side: from `shutting-down` on it costs nothing ("Instance lifecycle")."""
    if instance.alive:
        instance.state, instance.unpaid_since = "shutting-down", account.now
        instance.hook = None
        account.wake(instance, DEATH)
        if instance.group and (group := account.groups.get(instance.group)):
            account.touch(group, NOTICE)


def leave(account: Account, instance: Ec2Instance) -> None:
    """Begin to take an instance out of its group: a terminating hook holds it in Terminating:Wait."""
    prefix = "Warmed:" if instance.warm else ""
    instance.protected = False
    group = account.groups[instance.group or ""]
    instance.activity = Activity(f"Terminating EC2 instance: {instance.id}", account.now)
    group.activities.append(instance.activity)
    hook = _hook(group, TERMINATING)
    if hook and instance.alive:
        _wait(account, instance, hook, f"{prefix}Terminating:Wait")
    else:
        instance.lifecycle = f"{prefix}Terminating"
        account.wake(instance, STEP)


def finish_hook(account: Account, group: ScalingGroup, instance: Ec2Instance, result: str) -> None:
    """End a wait, by CompleteLifecycleAction or by its heartbeat's timeout.

    At launch ABANDON terminates the instance, at termination both results do ("Lifecycle hooks"), unless the group's
    InstanceLifecyclePolicy retains the abandoned ("Control instance retention with instance lifecycle policies").
    """
    launching = "Pending" in instance.lifecycle
    instance.hook = None
    if launching and result == "CONTINUE":
        instance.lifecycle = instance.lifecycle.replace(":Wait", ":Proceed")
        account.wake(instance, STEP)
    elif launching:
        leave(account, instance)  # whether a terminating hook holds it then is not documented: the longer way
    elif result == "ABANDON" and group.retain_abandoned:
        instance.lifecycle = instance.lifecycle.replace(":Wait", ":Retained")
        account.wake(instance, None)
    else:
        instance.lifecycle = instance.lifecycle.replace(":Wait", ":Proceed")
        account.wake(instance, STEP)


def _move_on(account: Account, instance: Ec2Instance) -> None:
    if instance.state == "shutting-down":
        instance.state, instance.terminated = "terminated", account.now
        _close(account, instance)
        if instance.group and (group := account.groups.get(instance.group)):
            account.touch(group, REACTION)
        return
    if instance.state == "stopping":
        instance.state = "stopped"
        return
    if instance.state == "pending":
        instance.state = "running"
    group_of = account.groups.get(instance.group or "")
    if group_of is None:
        return
    where = instance.lifecycle
    if where in ("Pending", "Warmed:Pending"):
        hook = _hook(group_of, LAUNCHING)
        if hook:
            _wait(account, instance, hook, f"{where}:Wait")
        else:
            _settle_in(account, group_of, instance)
    elif where.endswith(":Wait"):
        hook = group_of.hooks.get(instance.hook or "")
        finish_hook(account, group_of, instance, hook.default if hook else "ABANDON")
    elif where.endswith("Pending:Proceed"):
        _settle_in(account, group_of, instance)
    elif "Terminating" in where:
        shut_down(account, instance)


def _close(account: Account, instance: Ec2Instance) -> None:
    if instance.activity is not None and instance.activity.ended is None:
        instance.activity.close(account.now, "Successful")


def _settle_in(account: Account, group: ScalingGroup, instance: Ec2Instance) -> None:
    _close(account, instance)
    if instance.warm:
        state = (group.warm_pool.state if group.warm_pool else "Stopped") or "Stopped"
        instance.lifecycle, instance.state = f"Warmed:{state}", "running" if state == "Running" else "stopped"
    else:
        instance.lifecycle = "InService"
    account.touch(group, REACTION)


def _wait(account: Account, instance: Ec2Instance, hook: Hook, lifecycle: str) -> None:
    instance.lifecycle, instance.hook = lifecycle, hook.name
    account.wake(instance, hook.heartbeat)


def _hook(group: ScalingGroup, transition: str) -> Hook | None:
    return next((hook for hook in group.hooks.values() if hook.transition == transition), None)


def _react(account: Account, group: ScalingGroup) -> None:
    """Do what EC2 Auto Scaling does on seeing the group: drop the dead, replace, scale out or in."""
    members = account.members(group)
    for one in members:
        if one.state == "terminated":
            one.group, one.lifecycle = None, "Terminated"
    members = [one for one in members if one.group]
    unhealthy = [one for one in members if one.lifecycle == "InService" and one.state != "running"]
    # "Health checks": an instance in any state but running is unhealthy at once, and is replaced. Suspended Terminate
    # keeps it ("Suspend and resume processes"); a dead instance needs no termination to be replaced.
    if "ReplaceUnhealthy" not in group.suspended:
        for one in unhealthy:
            if not one.alive or "Terminate" not in group.suspended:
                leave(account, one)
    counted = [one for one in members if not one.lifecycle.startswith(_UNCOUNTED)]
    target = aws_replacement.target(group, counted)
    if len(counted) < target and "Launch" not in group.suspended and not group.deleting:
        for _ in range(target - len(counted)):
            if group.launch_error:
                _fail_to_launch(account, group)
                break
            _die(account, group, launch(account, group))
    elif len(counted) > target and "Terminate" not in group.suspended:
        # "Use instance scale-in protection": protected instances are passed by, the desired capacity is lowered all
        # the same, and the scale-in continues once protection is removed. One that still starts is waited for.
        spare = [one for one in counted if one.lifecycle == "InService" and not one.protected]
        for one in sorted(spare, key=lambda one: one.id != group.leaving)[: len(counted) - target]:
            leave(account, one)
    elif len(counted) == target and (replaced := aws_replacement.next_to_end(account, group, counted)):
        leave(account, replaced)
    _tend_warm_pool(account, group, [one for one in members if one.warm], len(counted))
    if group.deleting and not account.members(group):
        del account.groups[group.name]


def _fail_to_launch(account: Account, group: ScalingGroup) -> None:
    """A failed launch is an activity with the reason, and is tried again ("Troubleshoot EC2 Auto Scaling")."""
    failed = Activity("Launching a new EC2 instance", account.now)
    failed.close(account.now, "Failed", f"{group.launch_error} Launching EC2 instance failed.")
    group.activities.append(failed)
    account.touch(group, RETRY)


def _die(account: Account, group: ScalingGroup, instance: Ec2Instance) -> None:
    """An instance that cannot start is accepted, dies, and is replaced: its activity is "Cancelled" with the reason.

    EC2 User Guide, "Troubleshoot instance launch issues", and public reports of such activities.
    """
    if group.launch_death and instance.activity is not None:
        reason = "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "
        instance.activity.close(account.now + STEP, "Cancelled", reason + group.launch_death)
        shut_down(account, instance)


def _tend_warm_pool(account: Account, group: ScalingGroup, warm: list[Ec2Instance], counted: int) -> None:
    pool = group.warm_pool
    if pool is None:
        return
    if pool.deleting:
        for one in warm:
            shut_down(account, one)
        if not warm:
            group.warm_pool = None
        return
    # PutWarmPool: without MaxGroupPreparedCapacity the pool fills the group up to its MaxSize, so a desired capacity
    # of 0 makes it grow; and Launch adds its instances too ("Suspend and resume processes", Launch).
    top = group.max_size if pool.prepared is None else pool.prepared
    wanted = max(pool.min_size, top - max(counted, group.desired))
    present = [one for one in warm if not one.lifecycle.startswith("Warmed:Terminat")]
    if "Launch" not in group.suspended and not group.launch_error:
        for _ in range(wanted - len(present)):
            launch(account, group, warm=True)
