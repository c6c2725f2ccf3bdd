"""Until when an annex may exist."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aws_cdk import Duration

from annex_constructs.misuse import misuse, seconds
from annex_lease.contract import LONGEST_REACH_SECONDS, LeasePolicy

_LONGEST = timedelta(seconds=LONGEST_REACH_SECONDS)
_SHORTEST = timedelta(minutes=1)
_LONGEST_GRACE = timedelta(hours=2)
_DEFAULT_GRACE = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """How long an annex may exist. Everything is counted from the creation of its Auto Scaling group, by AWS's clock.

    :param duration: from the creation to the end; 1 minute to 366 days. Exactly one of `duration` and `ends_at`.
        Default: - `ends_at` says when the lease ends.
    :param ends_at: the end as an aware datetime in whole seconds. Default: - `duration` says how long it lasts.
    :param reach: from the creation to the latest end that an extension can choose; at least `duration`. The annex is
        never older than this, whatever is written later. Default: - twice `duration`; required with `ends_at`.
    :param grace: how long an instance may take to shut down after the end before it is terminated by its id; up to
        2 hours. Default: 15 minutes.
    :raises ValueError: a value is not allowed, or it is not known when the app is synthesised.
    """

    duration: Duration | None = None
    ends_at: datetime | None = None
    reach: Duration | None = None
    grace: Duration | None = None

    def __post_init__(self) -> None:
        """Refuse a lease that says nothing, says two things, or has no end that AWS's clock can tell."""
        if (self.duration is None) == (self.ends_at is None):
            received = "neither of them" if self.duration is None else "both of them"
            raise misuse(
                "Lease duration, ends_at",
                received=received,
                allowed="exactly one of them",
                fix="pass duration=Duration.hours(8)",
            )
        if self.ends_at is not None and (self.ends_at.utcoffset() is None or self.ends_at.microsecond):
            raise misuse(
                "Lease ends_at",
                received=self.ends_at.isoformat(),
                allowed="an aware datetime in whole seconds",
                fix="pass ends_at=datetime(2030, 6, 1, 8, tzinfo=UTC)",
            )
        self.to_policy("a", 0)

    def to_policy(self, annex: str, size: int) -> LeasePolicy:
        """The lease as the contract between template and lease checker has it.

        :param annex: the annex's name.
        :param size: number of instances to declare.
        """
        duration = self._seconds("duration", self.duration, least=_SHORTEST, most=_LONGEST)
        grace = self._seconds("grace", self.grace, least=timedelta(0), most=_LONGEST_GRACE)
        least = _SHORTEST if duration is None else timedelta(seconds=duration)
        reach = self._seconds("reach", self.reach, least=least, most=_LONGEST)
        if reach is None:
            if duration is None:
                raise misuse(
                    "Lease reach",
                    received=None,
                    allowed="required with ends_at: the longest life of the annex, counted from its creation",
                    fix="pass reach=Duration.days(30)",
                )
            reach = min(2 * duration, LONGEST_REACH_SECONDS)
        return LeasePolicy(
            annex=annex,
            size=size,
            reach_seconds=reach,
            grace_seconds=int(_DEFAULT_GRACE.total_seconds()) if grace is None else grace,
            duration_seconds=duration,
            ends_at=self.ends_at,
        )

    @staticmethod
    def _seconds(name: str, value: Duration | None, *, least: timedelta, most: timedelta) -> int | None:
        if value is None:
            return None
        fix = f"pass {name}=Duration.minutes(...) within the range"
        return seconds(f"Lease {name}", value, least=least, most=most, fix=fix)
