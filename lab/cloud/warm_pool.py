"""A group's warm pool: instances launched in advance, beside the group, stopped or running.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/warm-pool-instance-lifecycle.html
Scaling out does not use the pool here: the group launches new instances and the pool shrinks. The numbers of
instances are the same in the end.
"""

from lab.cloud import instances, launching, lifecycle, world
from lab.cloud.groups import Group, Member
from lab.cloud.query import ApiError

_CAUSE = "in response to a difference between desired and actual warm pool size"


def advance(group: Group) -> None:
    """Let a group's warm pool take its next steps. Call with the lock held."""
    for member in list(group.warm):
        _follow(group, member)
    if group.warm_pool is None:
        return
    if group.warm_pool.deleting:
        group.warm_pool = group.warm_pool if group.warm else None
        return
    reconcile(group)


def size(group: Group) -> int:
    """Number of instances that the pool holds now.

    "the difference between the group's maximum capacity and its desired capacity", or between
    MaxGroupPreparedCapacity and the desired capacity, at least MinSize: so the pool *grows* when a group is scaled in.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutWarmPool.html
    """
    pool = group.warm_pool
    if pool is None or pool.deleting:
        return 0
    prepared = group.maximum if pool.prepared is None else pool.prepared
    return max(pool.minimum, prepared - group.desired)


def reconcile(group: Group) -> None:
    """Launch or terminate instances of the pool until it has its size. Call with the lock held."""
    staying = [one for one in group.warm if not one.lifecycle.startswith("Warmed:Terminat")]
    for member in staying[size(group) :] if "Terminate" not in group.suspended else []:
        _begin_termination(group, member)
    # Launch is also the process that "adds instances to a warm pool":
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
    missing = 0 if "Launch" in group.suspended else size(group) - len(staying)
    for _ in range(missing):
        if world.now() < group.launch_backoff_until or not _launch(group):
            return


def _launch(group: Group) -> bool:
    activity = group.begin("Launching a new EC2 instance into warm pool", _CAUSE)
    try:
        member = launching.launch_member(group)
    except ApiError as error:
        activity.close("Failed", launching.refusal(error))
        group.launch_backoff_until = world.now() + launching.RETRY
        return False
    activity.description += f": {member.instance_id}"
    member.activity, member.lifecycle, member.protected = activity, "Warmed:Pending", False
    group.warm.append(member)
    return True


def _follow(group: Group, member: Member) -> None:
    record = instances.find(member.instance_id)
    state = "terminated" if record is None else instances.state(record)
    if state in ("shutting-down", "terminated") and not member.lifecycle.startswith("Warmed:Terminat"):
        member.lifecycle = "Warmed:Terminating"  # it was terminated without the group
    if state == "terminated":
        group.warm.remove(member)
        if member.activity is not None:
            member.activity.close("Successful")
    elif member.lifecycle == "Warmed:Pending" and state == "running":
        if not lifecycle.wait(group, member, "LAUNCHING"):
            _prepare(group, member)
    elif member.lifecycle == "Warmed:Pending:Proceed" and state == _resting(group):
        member.lifecycle = f"Warmed:{group.warm_pool.state}" if group.warm_pool else "Warmed:Stopped"
        if member.activity is not None:
            member.activity.close("Successful")


def _resting(group: Group) -> str:
    return "running" if group.warm_pool is not None and group.warm_pool.state == "Running" else "stopped"


def _prepare(group: Group, member: Member) -> None:
    member.lifecycle = "Warmed:Pending:Proceed"
    record = instances.find(member.instance_id)
    if record is not None and _resting(group) == "stopped":
        instances.stop(record)


def proceed(group: Group, member: Member, result: str) -> None:
    """Continue after the last lifecycle action of a warmed instance."""
    launching_ends = member.lifecycle == "Warmed:Pending:Wait"
    if launching_ends and result == "CONTINUE":
        _prepare(group, member)
    elif launching_ends:
        _begin_termination(group, member)
    elif result == "ABANDON" and group.retain_abandoned:
        member.lifecycle = "Warmed:Terminating:Retained"
    else:
        _terminate(member)


def _begin_termination(group: Group, member: Member) -> None:
    member.activity = group.begin(f"Terminating EC2 instance from warm pool: {member.instance_id}", _CAUSE)
    member.lifecycle = "Warmed:Terminating"
    if not lifecycle.wait(group, member, "TERMINATING"):
        _terminate(member)


def _terminate(member: Member) -> None:
    member.lifecycle = "Warmed:Terminating:Proceed" if member.lifecycle.endswith("Wait") else "Warmed:Terminating"
    record = instances.find(member.instance_id)
    if record is not None:
        instances.terminate(record)


def delete(group: Group) -> None:
    """Delete the pool with its instances "without waiting", hooks and suspensions ignored: API_DeleteWarmPool."""
    if group.warm_pool is not None:
        group.warm_pool.deleting = True
    for member in group.warm:
        member.waiting.clear()
        _terminate(member)
    if not group.warm:
        group.warm_pool = None
