"""Changes that a deployment makes to a deployed annex and its running instances, in sentences for an operator. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from annex_lease.lease import Lease, Phase
from annex_lease.tags import format_time
from annex_pool.redeploy import Redeployment
from annex_spec import format_duration

_SPANS = {
    "grace_seconds": "grace",
    "renew_seconds": "renew_while_busy",
    "warn_before_end_seconds": "warn_before_end",
}


def lease_changes(name: str, found: Redeployment) -> tuple[str, ...]:
    """The changes that the deployment makes; the first sentence says so if it makes none.

    Args:
        name: the annex's name.
        found: the annex before and after the deployment.
    """
    effects = [each.text() for each in found.effects]
    unread = [f"not compared with what is deployed: {each}" for each in found.unread]
    if found.replaced:
        new = "the new annex begins a new lease at the deployment; the lease of the old one ends with it"
        return (*_phase(name, found, only_destroy=True), *effects, new, *unread)
    ends = [*_end(found), *_phase(name, found)]
    other = [*_caps(found.before.lease, found.after.lease), *_size(found), *_spans(found)]
    same = found.before.lease.policy == found.after.lease.policy and not other
    lines = [*ends, *other, *effects, *unread]
    return ("the lease stays as it is", *lines) if same else tuple(lines)


def _end(found: Redeployment) -> list[str]:
    before, after = found.before.lease, found.after.lease
    if before.policy is None:
        return [f"the lease cannot be read now; after the deployment it {after.explained()}"]
    lines = []
    if before.effective_end == after.effective_end:
        lines.append(f"the end stays: the lease {after.explained()}")
    else:
        lines.append(f"the end moves from {format_time(before.effective_end)}: the lease {after.explained()}")
    if found.voided is not None:
        declared = f"the declared end changes from {_times(before.declared_end, after.declared_end)}"
        lines.append(f"the end {format_time(found.voided)} that an operator wrote becomes void, because {declared}")
    if before.effective_end > before.unrenewed_end and after.unrenewed_end != before.unrenewed_end:
        lines.append(f"the renewal of the busy annex to {format_time(before.effective_end)} becomes void")
    return lines


def _phase(name: str, found: Redeployment, *, only_destroy: bool = False) -> list[str]:
    before, after = found.before, found.after
    if before.lease.record.closed:
        return ["a destroy of the annex began: let it finish instead of a deployment"]
    if only_destroy:
        return []
    if after.over and not before.over:
        grace = format_duration(after.lease.grace) if after.lease.grace else "none"
        return [f"THE ANNEX ENDS AT ONCE: {after.decision.reason}; the grace of its instances: {grace}"]
    if after.over:
        return [f"the annex is {before.decision.phase.value} and stays stopped until `annex renew {name}`"]
    if after.lease.effective_end < before.lease.effective_end:
        return [f"the annex ends in {format_duration(_whole(found.ends_in))}"]
    return []


def _caps(before: Lease, after: Lease) -> list[str]:
    lines = []
    if before.policy is not None and before.latest_end != after.latest_end:
        lowered = "is lowered" if after.latest_end < before.latest_end else "moves"
        times = _times(before.latest_end, after.latest_end)
        lines.append(f"the latest possible end {lowered} from {times} (max_lifetime)")
    if before.limit != after.limit:
        limits = " to ".join("none" if each is None else str(each) for each in (before.limit, after.limit))
        lines.append(f"the limit of instance-hours changes from {limits}")
    return lines


def _size(found: Redeployment) -> list[str]:
    before, after = found.before.lease.size, found.after.lease.size
    lines = [] if before == after else [f"the declared size changes from {before} to {after}"]
    if found.after.over:
        return lines
    if found.after.starts > 0:
        lines.append(f"{_instances(found.after.starts)} to start at the check of the deployment")
    elif found.after.decision.phase is Phase.WAITING:
        lines.append(f"nothing starts yet: {found.after.decision.reason}")
    elif lines:
        lines.append("nothing starts")
    return lines


def _spans(found: Redeployment) -> list[str]:
    before, after = found.before.lease.policy, found.after.lease.policy
    if before is None or after is None:
        return []
    values = {word: (getattr(before, field), getattr(after, field)) for field, word in _SPANS.items()}
    return [f"{word} changes from {_span(old)} to {_span(new)}" for word, (old, new) in values.items() if old != new]


def _span(value: int | None) -> str:
    return format_duration(timedelta(seconds=value)) if value else "none"


def _whole(span: timedelta) -> timedelta:
    return timedelta(seconds=int(span.total_seconds()))


def _instances(number: int) -> str:
    return "1 instance is" if number == 1 else f"{number} instances are"


def _times(before: datetime, after: datetime) -> str:
    return f"{format_time(before)} to {format_time(after)}"
