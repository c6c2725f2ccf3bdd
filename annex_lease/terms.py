"""The declared values of an annex: name, default, minimum, maximum, unit, meaning.

Each stands here once. The spec, the constructs, the tags of a group, the settings of an execution point, the error
texts and the reference in the documentation are made from it. `annex_lease.forms` has the forms of texts,
`annex_lease.rules` the rules between two values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from annex_lease.duration import FORM, format_duration

_YEAR = timedelta(days=366)
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True)
class Span:
    """A declared length of time.

    Attributes:
        name: key of the spec and parameter of the constructs.
        meaning: what it is, as help texts and the reference show it.
        minimum: shortest that may be declared.
        maximum: longest that may be declared.
        example: a value as the spec file writes it.
        default: used where none is declared. Default: None - there is none, or it follows from other values.
        tag_minimum: shortest that a lease checker accepts from a tag. Default: None - `minimum`.
        tag_maximum: longest that a lease checker accepts from a tag. Default: None - `maximum`.
    """

    name: str
    meaning: str
    minimum: timedelta
    maximum: timedelta
    example: str
    default: timedelta | None = None
    tag_minimum: timedelta | None = None
    tag_maximum: timedelta | None = None

    @property
    def allowed(self) -> str:
        """The form and the range in words."""
        return f"{FORM}; from {format_duration(self.minimum)} to {format_duration(self.maximum)}"

    def tag_range(self) -> tuple[int, int]:
        """The range that a lease checker accepts from a tag, in seconds.

        It can be wider than what may be declared: a record that another release wrote must not end an annex.
        """
        low, high = self.tag_minimum, self.tag_maximum
        return (seconds(self.minimum if low is None else low), seconds(self.maximum if high is None else high))


@dataclass(frozen=True)
class Number:
    """A declared number; the attributes are those of `Span`, `unit` what it counts."""

    name: str
    meaning: str
    unit: str
    minimum: int
    maximum: int
    example: str
    default: int | None = None
    tag_minimum: int | None = None
    tag_maximum: int | None = None

    @property
    def allowed(self) -> str:
        """The range in words."""
        unit = f" of {self.unit}" if self.unit else ""
        return f"a whole number{unit} from {self.minimum} to {self.maximum}"

    def tag_range(self) -> tuple[int, int]:
        """The range that a lease checker accepts from a tag."""
        low, high = self.tag_minimum, self.tag_maximum
        return (self.minimum if low is None else low, self.maximum if high is None else high)


def seconds(span: timedelta) -> int:
    """A length of time in whole seconds; parts of a second are dropped."""
    return int(span.total_seconds())


LEASE = Span(
    "lease",
    "how long the annex may exist, counted from the creation of its Auto Scaling group",
    # A minute is one run of the lease checker: useful only to see a lease end.
    minimum=_MINUTE,
    maximum=_YEAR,
    example="8h",
    tag_minimum=timedelta(seconds=1),
)
MAX_LIFETIME = Span(
    "max_lifetime",
    "the longest the annex may exist, extended or not, counted from the creation of its Auto Scaling group",
    minimum=_MINUTE,
    # A slip in units (ms for s) must not pass.
    maximum=_YEAR,
    example="24h",
    tag_minimum=timedelta(seconds=1),
)
GRACE = Span(
    "grace",
    "how long an instance may take to shut down after the end of the lease before it is terminated by its id",
    minimum=timedelta(0),
    maximum=2 * _HOUR,
    example="15m",
    default=15 * _MINUTE,
    # An instance that did not shut down within a day will not.
    tag_maximum=timedelta(days=1),
)
DRAIN_BEFORE_END = Span(
    "drain_before_end",
    "how long before the end of the lease running jobs are sent back to the queue",
    minimum=timedelta(seconds=10),
    maximum=_HOUR,
    example="2m",
    default=2 * _MINUTE,
)
IDLE_TIMEOUT = Span(
    "idle_timeout",
    "how long an execution point stays without a job before it retires",
    minimum=timedelta(seconds=30),
    maximum=timedelta(days=7),
    example="20m",
    default=20 * _MINUTE,
)
JOIN_TIMEOUT = Span(
    "join_timeout",
    "how long an execution point may take to join the pool before it retires",
    minimum=_MINUTE,
    maximum=2 * _HOUR,
    example="15m",
    default=15 * _MINUTE,
)
SHUTDOWN_AFTER_END = Span(
    "shutdown_after_end",
    "how long after the end of the lease an execution point powers itself off, even if AWS never stops it",
    minimum=_MINUTE,
    maximum=timedelta(days=1),
    example="30m",
    default=30 * _MINUTE,
)
RENEW_WHILE_BUSY = Span(
    "renew_while_busy",
    "by how much the end of the lease moves on, within the maximum lifetime, while jobs run when it draws near",
    # Renewed by less, a lease would be renewed at every other check.
    minimum=10 * _MINUTE,
    maximum=_YEAR,
    example="1h",
)
WARN_BEFORE_END = Span(
    "warn_before_end",
    "how long before the end of the lease a warning is published",
    # A later warning comes with the last check before the end.
    minimum=_MINUTE,
    maximum=_YEAR,
    example="15m",
    default=15 * _MINUTE,
)
SIZE = Number(
    "size",
    "number of instances that the lease grants",
    "instances",
    # A slip in a number must not become a bill.
    minimum=1,
    maximum=10_000,
    example="2",
    tag_minimum=0,
    tag_maximum=999_999_999,
)
MAX_INSTANCE_HOURS = Number(
    "max_instance_hours",
    "instance-hours after which the lease ends, however long it was to last",
    "hours",
    minimum=1,
    # More than any fleet can use within the longest lifetime.
    maximum=100_000_000,
    example="100",
)
PRICE_PER_HOUR_MAXIMUM = 10_000
ON_DEMAND_BASE = Number(
    "on_demand_base",
    "number of instances that are on-demand before any is spot",
    "instances",
    0,
    SIZE.maximum,
    "0",
    default=0,
)
ON_DEMAND_PERCENTAGE = Number(
    "on_demand_percentage", "percentage of the other instances that is on-demand", "", 0, 100, "0", default=0
)
INSTANCE_TYPES = Number(
    "instance_types",
    "EC2 instance types of one processor architecture that the fleet may use, in order of preference",
    "types",
    1,
    40,  # overrides of a mixed instances policy (EC2 Auto Scaling quotas)
    '["c6a.large", "c6i.large"]',
)
VOLUME_GIB = Number(
    "volume_gib",
    "size of the root volume; encrypted gp3, deleted with the instance",
    "GiB",
    1,
    16_384,  # of a gp3 volume in every Region (EBS User Guide, "General Purpose SSD volumes")
    "20",
    default=20,
)
MAX_REMOVALS = Number(
    "max_removals",
    "with more orphans than this to remove in one run, the sweeper removes none",
    "",
    0,
    10_000,
    "50",
    default=50,
)
