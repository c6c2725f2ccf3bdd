"""Auto Scaling without a request: launch, scale in, replace, follow the instances' states.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-lifecycle.html
"""

from collections import deque

from lab.cloud import (
    instances,
    launch_failures,
    launching,
    lifecycle,
    replacement,
    scheduled_actions,
    warm_pool,
    world,
)
from lab.cloud.groups import Activity, Group, Member, everywhere, remove

RETAINED = "Terminating:Retained"
"""State of a member whose termination was abandoned under a policy that retains it: it runs on, and is billed.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-lifecycle-policy.html
"""


def advance() -> None:
    """Let every group take its next steps. Call with the lock held."""
    for group in list(everywhere()):
        with world.scope(group.account, group.region):
            for member in list(group.members):
                _follow(group, member)
            scheduled_actions.run_due(group)
            reconcile(group)
            _replace(group)
            warm_pool.advance(group)
            if group.deleting and not group.managed():
                remove(group.name)


def reconcile(group: Group) -> None:
    """Launch or scale in until the group has its desired capacity. Call with the lock held."""
    excess = len(group.launched()) - replacement.target(group)
    if "Launch" not in group.suspended and not group.deleting:
        for _ in range(-excess):
            if world.now() < group.launch_backoff_until or not launching.launch(group):
                return
    if excess <= 0:
        return
    for member in _victims(group)[:excess]:
        begin_termination(group, member, "in response to a difference between desired and actual capacity")


def _victims(group: Group) -> list[Member]:
    """Members that scale-in may terminate, in its order.

    A suspended Terminate holds back InService members only:
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/suspend-resume-considerations.html
    """
    candidates = [one for one in group.launched() if not one.protected]
    if "Terminate" in group.suspended:
        candidates = [one for one in candidates if one.lifecycle != "InService"]
    if "NewestInstance" in group.termination_policies:
        candidates.reverse()
    # The default policy keeps the zones balanced first, then takes the oldest:
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-termination-policies.html
    zones: dict[str, deque[Member]] = {}
    for one in candidates:
        zones.setdefault(one.zone, deque()).append(one)
    return replacement.last_in_line(group, [max(zones.values(), key=len).popleft() for _ in candidates])


def _replace(group: Group) -> None:
    """Take the next step of a replacement."""
    member = replacement.next_to_end(group)
    if member is not None:
        begin_termination(group, member, replacement.CAUSE)
    reconcile(group)


def begin_termination(group: Group, member: Member, cause: str) -> Activity:
    """Remove a member from service: run its lifecycle hooks, then terminate the instance."""
    retained = member.lifecycle == RETAINED
    if member.lifecycle.startswith("Terminating") and member.activity is not None and not retained:
        return member.activity
    if member.activity is not None:
        member.activity.close("Cancelled", "the instance was terminated before it was in service")
    activity = group.begin(f"Terminating EC2 instance: {member.instance_id}", cause)
    member.activity = activity
    # "Retained instances [...] remain until you call TerminateInstanceInAutoScalingGroup": their hooks are over.
    # https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RetentionTriggers.html
    if retained or not lifecycle.wait(group, member, "TERMINATING"):
        finish_termination(member)
    return activity


def finish_termination(member: Member) -> None:
    """Terminate a member's instance; the member leaves the group when the instance is gone."""
    member.lifecycle = "Terminating" if member.lifecycle != "Terminating:Wait" else "Terminating:Proceed"
    record = instances.find(member.instance_id)
    if record is not None:
        instances.terminate(record)


def _follow(group: Group, member: Member) -> None:
    record = instances.find(member.instance_id)
    state = "terminated" if record is None else instances.state(record)
    # "The lifecycle ends when you terminate the instance": also on standby, which has no health checks.
    if state == "terminated" and (
        member.lifecycle.startswith(("Terminating", "Standby")) or _was_never_running(member)
    ):
        _leave(group, member, record)
        return
    if member.lifecycle == "Pending" and state == "running" and not lifecycle.wait(group, member, "LAUNCHING"):
        enter_service(group, member)
    for expired in lifecycle.expired(member):
        complete(group, member, expired.hook, expired.default)
    _check_health(group, member, state)


def _was_never_running(member: Member) -> bool:
    return member.lifecycle == "Pending"


def _check_health(group: Group, member: Member, state: str) -> None:
    """Replace instances that are not running; the grace period does not apply to them.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/health-checks-overview.html
    """
    watched = member.lifecycle in ("InService", "Pending:Wait", "Pending:Proceed")
    if watched and state in ("stopping", "stopped", "shutting-down", "terminated"):
        if "HealthCheck" in group.suspended:
            return
        member.health = "Unhealthy"
    if not watched or member.health != "Unhealthy" or "ReplaceUnhealthy" in group.suspended:
        return
    # "ReplaceUnhealthy is inactive" while Terminate is suspended:
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html
    if "Terminate" in group.suspended and member.lifecycle == "InService":
        return
    begin_termination(group, member, "an instance was taken out of service in response to an EC2 health check.")


def _leave(group: Group, member: Member, record: instances.Record | None) -> None:
    group.members.remove(member)
    if member.activity is None:
        return
    if member.lifecycle == "Pending":
        reason = instances.details(record).state_reason if record else None
        # It is "Cancelled" on AWS, with these words; see lab.cloud.launch_failures.
        ended = reason[1] if reason else "the instance terminated before it was running"
        member.activity.close("Cancelled", f"{launch_failures.DIED}{ended}")
        group.launch_backoff_until = world.now() + launching.RETRY
    else:
        member.activity.close("Successful")
        lifecycle.announce(group, "EC2 Instance Terminate Successful", {"EC2InstanceId": member.instance_id})


def enter_service(group: Group, member: Member) -> None:
    """Put a launched member in service."""
    member.lifecycle = "InService"
    if member.activity is not None:
        member.activity.close("Successful")
    lifecycle.announce(group, "EC2 Instance Launch Successful", {"EC2InstanceId": member.instance_id})


def complete(group: Group, member: Member, hook: str, result: str) -> None:
    """End one lifecycle action of a member.

    ABANDON ends the others too: a launch is then terminated, a termination continues.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
    """
    member.waiting.pop(hook, None)
    if result == "ABANDON":
        member.waiting.clear()
    if member.waiting:
        return
    if member.lifecycle.startswith("Warmed:"):
        warm_pool.proceed(group, member, result)
    elif member.lifecycle == "Pending:Wait" and result == "ABANDON":
        begin_termination(group, member, "the lifecycle action was abandoned")
    elif member.lifecycle == "Pending:Wait":
        member.lifecycle = "Pending:Proceed"
        enter_service(group, member)
    elif result == "ABANDON" and group.retain_abandoned:
        member.lifecycle = RETAINED
    elif member.lifecycle == "Terminating:Wait":
        finish_termination(member)
