"""One invocation of the lease checker's function: its settings, its log line, and the metrics in that line. Pure.

The constructs write the settings into the environment of the function and make alarms on the metrics; the function
reads the settings and logs the metrics. Both use this module, which needs the standard library only.

The log line becomes metrics: no call, no permission, nothing that can fail. The most important alarm watches for
missing data: a checker that cannot run cannot report that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from annex_lease.lease import LeaseCaps
from annex_lease.log_line import embed_metrics

if TYPE_CHECKING:
    from annex_lease.aws import AnnexAccess
    from annex_lease.checker import CheckReport
    from annex_lease.memory import Memory

DIMENSION = "Annex"
"""The only dimension of the lease checker's metrics: the id of the annex, which no other annex has."""
PAST_LEASE = "InstancesPastLease"
"""Number of instances that are alive after the lease and its grace; sent only if there are any."""
RECORD_IGNORED = "LeaseRecordIgnored"
"""Number of entries of the lease's record that were ignored; sent only if there are any."""

SCHEDULED_CHECK = {"check": "scheduled"}
"""Event of the schedule: a check that waits for an end within the next minute."""
DRY_CHECK = {"check": "dry-run"}
"""Event that reports what a check would do, and changes nothing."""
RUN_SECONDS = 420
"""Longest run of the function.

A destroy of 10,000 instances needs three listings of them and their termination: 250 to 290 s (computed).
"""

_PREFIX = "ANNEX_"


@dataclass(frozen=True, kw_only=True)
class CheckerSettings:
    """Settings of the lease checker's function, each in the environment variable `ANNEX_` and its name in capitals.

    At synthesis the values can be references that CloudFormation resolves.

    Attributes:
        group: exact name of the Auto Scaling group.
        credential: ARN of the secret that a grant waits for. Default: empty - a grant waits for none.
        name: name of the annex. Default: empty - instances are looked up by their group alone.
        id: id of the annex, which identifies instances that the group lost. Default: empty - they are not found.
        topic: ARN of the topic for the warning before the end. Default: empty - none is published.
        max_lifetime_seconds: declared maximum lifetime. It caps the tag, which a user of the account can write.
            Default: empty - the tag alone counts.
        size: declared number of instances, which caps the tag. Default: empty - the tag alone counts.
        max_instance_hours: declared limit of instance-hours, which caps the tag. Default: empty - the tag alone counts.
        collector: the pool's collector. The function does not use it: the commands read it where no spec file names it.
            Default: empty - not known.
        trust_domain: the pool's trust domain, for the commands as well. Default: empty - not known.
    """

    group: str = ""
    credential: str = ""
    name: str = ""
    id: str = ""
    topic: str = ""
    max_lifetime_seconds: str = ""
    size: str = ""
    max_instance_hours: str = ""
    collector: str = ""
    trust_domain: str = ""

    def to_environ(self) -> dict[str, str]:
        """The environment variables of the function."""
        return {_PREFIX + each.name.upper(): getattr(self, each.name) for each in fields(self)}

    def caps(self) -> LeaseCaps:
        """The declared values that no tag can exceed."""
        return LeaseCaps.read(asdict(self))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> CheckerSettings:
        """Read the settings from the environment; a variable that is not set is empty."""
        return cls(**{each.name: environ.get(_PREFIX + each.name.upper(), "") for each in fields(cls)})


@dataclass
class Invocation:
    """One invocation of the function.

    Attributes:
        event: event of the invocation.
        settings: settings of the function.
        now: time of the run, aware.
        seconds_left: returns the seconds that the function may still run.
        sleep: waits for so many seconds.
        memory: findings of earlier runs.
        connect: returns the annex with its AWS clients.
        line: members of the line that the run will log.
    """

    event: Mapping[str, Any]
    settings: CheckerSettings
    now: datetime
    seconds_left: Callable[[], float]
    sleep: Callable[[float], None]
    memory: Memory
    connect: Callable[[], AnnexAccess]
    line: dict[str, object] = field(default_factory=dict)

    def annex(self) -> AnnexAccess:
        """The annex of this function.

        Raises:
            ValueError: the settings do not name its group.
        """
        if not self.settings.group:
            raise ValueError("ANNEX_GROUP is not set: it must hold the exact name of the Auto Scaling group")
        return self.connect()

    def note_report(self, error: Exception) -> None:
        """Add the report of a failed check to the line, if the error holds one."""
        report: CheckReport | None = getattr(error, "report", None)
        if report is not None:
            self.line.update(report.as_data())


def embedded(line: Mapping[str, object], annex: str, now: datetime) -> dict[str, object]:
    """Members to add to the log line of a run, so that CloudWatch reads its metrics from it.

    A custom metric is billed for the hours in which it is sent, so a count of zero is not sent. A run that failed sends
    what it found before. A dry run sends nothing, nor does a run that checked nothing.

    Args:
        line: the line as it will be logged: the members of a check's report, if there is one, and its `outcome`.
        annex: id of the annex; without one there is nothing to send.
        now: time of the run, aware.

    Returns:
        members for the root of the line; empty if there is nothing to send.
    """
    if not annex or "phase" not in line or line.get("dry_run"):
        return {}
    counts = {
        PAST_LEASE: _count(line.get("overdue")),
        RECORD_IGNORED: _count(line.get("record_problems")),
    }
    sent = {name: count for name, count in counts.items() if count}
    return embed_metrics(sent, dimension=DIMENSION, value=annex, time=now) if sent else {}


def _count(found: object) -> int:
    """A number, or the length of a list; 0 for anything else, because a log line must never end a run."""
    if isinstance(found, int):
        return max(0, found)
    return len(found) if isinstance(found, list | tuple) else 0
