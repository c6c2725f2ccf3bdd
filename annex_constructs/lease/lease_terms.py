"""Terms of a lease: how long an annex may exist."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aws_cdk import Duration

from annex_constructs.errors import Kind, check_kind, check_whole_number, duration_code, invalid_value, seconds
from annex_lease import rules, terms
from annex_lease.policy import LeasePolicy

_END = Kind("an aware datetime in whole seconds", "datetime(2030, 6, 1, 8, tzinfo=UTC)", datetime)


@dataclass(frozen=True, kw_only=True)
class LeaseTerms:
    """Terms of a lease: how long an annex may exist, counted from the creation of its group by AWS's clock.

    Example, a lease of eight hours that is renewed while jobs run, for a day at most::

        LeaseTerms(
            duration=Duration.hours(8), max_lifetime=Duration.days(1), renew_while_busy=Duration.hours(1)
        )

    :param duration: how long the lease lasts; 1m to 366d. Exactly one of `duration` and `ends_at`.
        Default: - `ends_at` says when the lease ends.
    :param ends_at: the end as an aware datetime in whole seconds. A new annex with an end that has passed starts no
        instance. Default: - `duration` says how long the lease lasts.
    :param max_lifetime: the longest the annex may exist, extended or not; 1m to 366d, at least `duration`.
        Default: - twice `duration`, at most 366d; required with `ends_at`.
    :param grace: how long an instance may take to shut down after the end before it is terminated by its id;
        0s to 2h. Default: 15m.
    :param renew_while_busy: by how much the lease is extended, within the maximum lifetime, if jobs run shortly before
        its end; 10m to 366d, and at least twice the execution points' `drain_before_end` and 6m. The execution points
        must protect themselves while busy. Default: - the lease ends, with jobs or without.
    :param max_instance_hours: the lease ends when so many instance-hours are used; 1 to 100000000.
        Default: - only time ends the lease.
    :param warn_before_end: how long before the end a warning is published; less than
        `duration`; 1m to 366d, or 0s: no warning. Default: 15m, or half of a lease that is shorter than 30m; no warning
        for a lease below 2m.
    :raises ValueError: a value is not allowed, or it is not known when the app is synthesised.
    """

    duration: Duration | None = None
    ends_at: datetime | None = None
    max_lifetime: Duration | None = None
    grace: Duration | None = None
    renew_while_busy: Duration | None = None
    max_instance_hours: int | None = None
    warn_before_end: Duration | None = None

    def __post_init__(self) -> None:
        """Refuse a lease without an end, with two ends, or with a value out of its range."""
        if rules.end_conflict(self.duration, self.ends_at) is not None:
            raise invalid_value(
                "LeaseTerms duration, ends_at",
                received="neither of them" if self.duration is None else "both of them",
                allowed="exactly one of them",
                fix="pass duration=Duration.hours(8)",
            )
        if self.ends_at is not None:
            check_kind("LeaseTerms ends_at", self.ends_at, _END)
            if not terms.LEASE_ENDS_AT.contains(self.ends_at):
                raise invalid_value(
                    "LeaseTerms ends_at",
                    received=self.ends_at.isoformat(),
                    allowed=_END.allowed,
                    fix=f"pass ends_at={_END.fix}",
                )
        lease_policy(self, "a", 0)


def lease_policy(lease: LeaseTerms, annex: str, size: int) -> LeasePolicy:
    """The terms as a template declares them.

    :param lease: the terms.
    :param annex: the annex's name.
    :param size: number of instances to declare.
    :raises ValueError: a value is not allowed.
    """
    duration = _span("duration", terms.LEASE, lease.duration)
    warning = _span("warn_before_end", terms.WARN_BEFORE_END, lease.warn_before_end)
    if duration is not None and warning is not None:
        _check("warn_before_end", lease.warn_before_end, rules.warning_conflict(duration, warning))
    grace = _span("grace", terms.GRACE, lease.grace)
    return LeasePolicy(
        annex=annex,
        size=size,
        max_lifetime_seconds=terms.seconds(_max_lifetime(lease, duration)),
        grace_seconds=terms.seconds(terms.GRACE.default_value if grace is None else grace),
        duration_seconds=None if duration is None else terms.seconds(duration),
        ends_at=lease.ends_at,
        renew_seconds=_seconds(_span("renew_while_busy", terms.RENEW_WHILE_BUSY, lease.renew_while_busy)),
        max_instance_hours=_limit(lease.max_instance_hours),
        warn_before_end_seconds=_seconds(rules.warning(warning, duration)),
    )


def check_drain(lease: LeaseTerms, drain_before_end_seconds: int) -> None:
    """Refuse a lease whose jobs would leave before it begins, or before it could be renewed for them.

    :param lease: the terms.
    :param drain_before_end_seconds: how long before the end the execution points send their jobs back to the queue.
    :raises ValueError: the lease is too short for that.
    """
    drain = timedelta(seconds=drain_before_end_seconds)
    policy = lease_policy(lease, "a", 0)
    if policy.duration_seconds is not None:
        conflict = rules.drain_conflict(timedelta(seconds=policy.duration_seconds), drain)
        _check("drain_before_end", Duration.seconds(drain_before_end_seconds), conflict, owner="ExecutionPoint")
    if policy.renew_seconds is not None:
        conflict = rules.renewal_conflict(drain, timedelta(seconds=policy.renew_seconds))
        _check("renew_while_busy", lease.renew_while_busy, conflict)


def _max_lifetime(lease: LeaseTerms, duration: timedelta | None) -> timedelta:
    _check("max_lifetime", None, rules.missing_lifetime(duration, lease.max_lifetime))
    declared = _span("max_lifetime", terms.MAX_LIFETIME, lease.max_lifetime)
    if duration is None:
        assert declared is not None  # noqa: S101 - checked above
        return declared
    if declared is None:
        return rules.default_max_lifetime(duration)
    _check("max_lifetime", lease.max_lifetime, rules.lifetime_conflict(duration, declared))
    return declared


def _limit(limit: int | None) -> int | None:
    if limit is not None:
        check_whole_number("LeaseTerms max_instance_hours", limit, terms.MAX_INSTANCE_HOURS, known=True)
    return limit


def _check(name: str, received: Duration | None, conflict: rules.Conflict | None, *, owner: str = "LeaseTerms") -> None:
    if conflict is None:
        return
    fix = "leave it out" if conflict.fix is None else f"pass {name}={duration_code(conflict.fix)}"
    said = None if received is None else received.to_human_string()
    raise invalid_value(f"{owner} {name}", received=said, allowed=conflict.allowed, fix=conflict.advice or fix)


def _span(name: str, term: terms.Span, value: Duration | None) -> timedelta | None:
    if value is None:
        return None
    return timedelta(seconds=seconds(f"LeaseTerms {name}", value, term))


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else terms.seconds(span)
