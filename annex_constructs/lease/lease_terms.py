"""Until when an annex may exist."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aws_cdk import Duration

from annex_constructs.errors import invalid_value, seconds
from annex_lease.policy import LeasePolicy
from annex_lease.terms import LEASE, MAX_INSTANCE_HOURS, MAX_LIFETIME, RENEW_WHILE_BUSY, WARN_BEFORE_END

_LONGEST = MAX_LIFETIME.maximum
_SHORTEST = timedelta(minutes=1)
_LONGEST_GRACE = timedelta(hours=2)
_DEFAULT_GRACE = timedelta(minutes=15)
_SHORTEST_RENEWAL = RENEW_WHILE_BUSY.minimum
_SHORTEST_WARNING = WARN_BEFORE_END.minimum
# A busy annex is renewed in the second half of the renewal before its end. Jobs are sent away `drain_before_end` before the end,
# so a few of the lease checker's runs, one a minute, must fit in between.
_RENEWAL_SLACK_SECONDS = 360


@dataclass(frozen=True, kw_only=True)
class LeaseTerms:
    """How long an annex may exist. Everything is counted from the creation of its Auto Scaling group, by AWS's clock.

    :param duration: from the creation to the end; 1 minute to 366 days. Exactly one of `duration` and `ends_at`.
        Default: - `ends_at` says when the lease ends.
    :param ends_at: the end as an aware datetime in whole seconds. Default: - `duration` says how long it lasts.
    :param max_lifetime: from the creation to the latest end that an extension can choose; at least `duration`. The annex is
        never older than this, whatever is written later. Default: - twice `duration`; required with `ends_at`.
    :param grace: how long an instance may take to shut down after the end before it is terminated by its id; up to
        2 hours. Default: 15 minutes.
    :param renew_while_busy: by how much the end moves on, within the reach, while jobs run when it draws near;
        10 minutes to 366 days, and at least twice the execution points' drain and 6 minutes. The fleet's execution
        points must protect themselves while busy. Default: - the lease ends, jobs or no jobs.
    :param max_instance_hours: the lease ends when so many instance-hours are used; 1 to 100 million. Default: - only
        time ends the lease.
    :param warn_before_end: how long before the end a warning is published, if there is a topic for it; 1 minute to 366 days, less
        than `duration`. Default: - no warning.
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
        """Refuse a lease that says nothing, says two things, or has no end that AWS's clock can tell."""
        if (self.duration is None) == (self.ends_at is None):
            received = "neither of them" if self.duration is None else "both of them"
            raise invalid_value(
                "LeaseTerms duration, ends_at",
                received=received,
                allowed="exactly one of them",
                fix="pass duration=Duration.hours(8)",
            )
        if self.ends_at is not None and (self.ends_at.utcoffset() is None or self.ends_at.microsecond):
            raise invalid_value(
                "LeaseTerms ends_at",
                received=self.ends_at.isoformat(),
                allowed="an aware datetime in whole seconds",
                fix="pass ends_at=datetime(2030, 6, 1, 8, tzinfo=UTC)",
            )
        self.to_policy("a", 0)

    def check_drain(self, drain_before_end_seconds: int) -> None:
        """Refuse a lease whose jobs would leave before it begins, or before it could be renewed for them.

        :param drain_before_end_seconds: how long before the end execution points send their jobs away.
        :raises ValueError: the lease is too short for that.
        """
        policy = self.to_policy("a", 0)
        drain = Duration.seconds(drain_before_end_seconds).to_human_string()
        duration = policy.duration_seconds
        if duration is not None and drain_before_end_seconds >= duration:
            raise invalid_value(
                "ExecutionPoint drain_before_end",
                received=drain,
                allowed=f"less than the lease's duration, {Duration.seconds(duration).to_human_string()}",
                fix=f"pass drain_before_end=Duration.seconds({duration // 2})",
            )
        least = 2 * drain_before_end_seconds + _RENEWAL_SLACK_SECONDS
        if self.renew_while_busy is not None and policy.renew_seconds is not None and policy.renew_seconds < least:
            raise invalid_value(
                "LeaseTerms renew_while_busy",
                received=self.renew_while_busy.to_human_string(),
                allowed=f"at least twice the drain of the execution points, {drain}, and 6 minutes",
                fix=f"pass renew_while_busy=Duration.seconds({least})",
            )

    def to_policy(self, annex: str, size: int) -> LeasePolicy:
        """The lease as the contract between template and lease checker has it.

        :param annex: the annex's name.
        :param size: number of instances to declare.
        """
        duration = self._seconds("duration", self.duration, least=_SHORTEST, most=_LONGEST)
        grace = self._seconds("grace", self.grace, least=timedelta(0), most=_LONGEST_GRACE)
        least = _SHORTEST if duration is None else timedelta(seconds=duration)
        reach = self._seconds("max_lifetime", self.max_lifetime, least=least, most=_LONGEST)
        if reach is None:
            if duration is None:
                raise invalid_value(
                    "LeaseTerms max_lifetime",
                    received=None,
                    allowed="required with ends_at: the longest life of the annex, counted from its creation",
                    fix="pass max_lifetime=Duration.days(30)",
                )
            reach = min(2 * duration, int(_LONGEST.total_seconds()))
        most = _LONGEST if duration is None else timedelta(seconds=duration - 1)
        return LeasePolicy(
            annex=annex,
            size=size,
            max_lifetime_seconds=reach,
            grace_seconds=int(_DEFAULT_GRACE.total_seconds()) if grace is None else grace,
            duration_seconds=duration,
            ends_at=self.ends_at,
            renew_seconds=self._seconds(
                "renew_while_busy", self.renew_while_busy, least=_SHORTEST_RENEWAL, most=_LONGEST
            ),
            max_instance_hours=self._limit(),
            warn_before_end_seconds=self._seconds(
                "warn_before_end", self.warn_before_end, least=_SHORTEST_WARNING, most=most
            ),
        )

    def _limit(self) -> int | None:
        limit = self.max_instance_hours
        if limit is None:
            return None
        # A token, which is a number out of any range, is refused too.
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_INSTANCE_HOURS.maximum:
            raise invalid_value(
                "LeaseTerms max_instance_hours",
                received=limit,
                allowed=f"a whole number from 1 to {MAX_INSTANCE_HOURS.maximum}, known when the app is synthesised",
                fix="pass max_instance_hours=100",
            )
        return limit

    @staticmethod
    def _seconds(name: str, value: Duration | None, *, least: timedelta, most: timedelta) -> int | None:
        if value is None:
            return None
        return seconds(f"LeaseTerms {name}", value, LEASE, minimum=least, maximum=most)
