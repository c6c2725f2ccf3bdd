"""The declared values of an annex: name, default, minimum, maximum, unit, meaning.

Each stands here once. The spec, the constructs, the tags of a group, the settings of an execution point, the error
texts and the reference in the documentation are made from it. `annex_lease.forms` has the forms of texts,
`annex_lease.rules` the rules between two values.
"""

from __future__ import annotations

from datetime import timedelta

from annex_lease import forms
from annex_lease.duration import format_duration
from annex_lease.image_terms import COMPONENTS, HTCONDOR, HTCONDOR_MIRROR, IMAGE, PACKAGE_MIRROR, ROOT_DEVICE, SCRIPT
from annex_lease.instance_terms import (
    ACCESS_POINT_PORTS,
    CREDENTIAL_KEY,
    DNS_SERVERS,
    INSTANCE_TYPES,
    IPV6,
    PERMISSIONS_BOUNDARY,
    PROTECT_BUSY,
    PROXY,
    ROLE_PATH,
    SUBNETS,
    TAGS,
    VOLUME_GIB,
    VOLUME_KEY,
    VPC,
)
from annex_lease.job_terms import GROUPS, JOB_KEYS, OPT_IN, OWNERS, PROJECT_ID, START
from annex_lease.kinds import Flag, Moment, Number, Price, Span, Term, Text, seconds
from annex_lease.tags import MAX_COUNT

# Those of annex_lease.kinds that users need, and the terms of annex_lease.image_terms, instance_terms and job_terms.
# fmt: off
__all__ = [
    "ACCESS_POINT_PORTS", "COMPONENTS", "CREDENTIAL_KEY", "DNS_SERVERS", "GROUPS", "HTCONDOR", "HTCONDOR_MIRROR",
    "IMAGE", "INSTANCE_TYPES", "IPV6", "JOB_KEYS", "OPT_IN", "OWNERS", "PACKAGE_MIRROR", "PERMISSIONS_BOUNDARY",
    "PROJECT_ID", "PROTECT_BUSY", "PROXY", "ROLE_PATH", "ROOT_DEVICE", "SCRIPT", "START", "SUBNETS", "TAGS",
    "VOLUME_GIB", "VOLUME_KEY", "VPC", "Number", "Span", "seconds",
]
# fmt: on

_YEAR = timedelta(days=366)
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_WARNING, _LATEST_WARNING = 15 * _MINUTE, _MINUTE
_MAX_REMOVALS = 50

CHECK_PERIOD = _MINUTE
"""Period of the lease checker's schedule; EventBridge Scheduler has none that is shorter."""

NAME = Text("name", "name of the annex; its stack is `Annex-<name>`", forms.ANNEX_NAME)
COLLECTOR = Text(
    "collector",
    f"the pool's collectors as COLLECTOR_HOST has them, one or several; port {forms.DEFAULT_PORT} where none is given",
    forms.COLLECTOR,
)
TRUST_DOMAIN = Text(
    "trust_domain",
    "the pool's TRUST_DOMAIN, the issuer in every token it signs; see "
    "https://htcondor.readthedocs.io/en/latest/admin-manual/security.html#token-authentication",
    forms.TRUST_DOMAIN,
)
REGION = Text("region", "AWS Region", forms.REGION)
ACCOUNT = Text("account", "AWS account", forms.ACCOUNT, absent="the account of the credentials in use")
LEASE = Span(
    "lease",
    "how long the annex may exist, counted from the creation of its Auto Scaling group",
    # A minute is one run of the lease checker: useful only to see a lease end.
    minimum=CHECK_PERIOD,
    maximum=_YEAR,
    example="8h",
    tag_minimum=timedelta(seconds=1),
    absent="none, `lease_ends_at` is required",
)
LEASE_ENDS_AT = Moment(
    "lease_ends_at",
    "absolute end of the lease, in place of `lease`",
    "2030-06-01T08:00:00Z",
    absent="none, `lease` is required",
)
MAX_LIFETIME = Span(
    "max_lifetime",
    "the longest the annex may exist, extended or not, counted from the creation of its Auto Scaling group",
    minimum=_MINUTE,
    # Refuses a wrong unit (ms for s).
    maximum=_YEAR,
    example="24h",
    tag_minimum=timedelta(seconds=1),
    absent=f"twice `lease`, at most {_YEAR.days}d; required with `lease_ends_at`",
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
EXECUTION_POINT_TIMES = (DRAIN_BEFORE_END, IDLE_TIMEOUT, JOIN_TIMEOUT, SHUTDOWN_AFTER_END)
"""Each is a parameter of an execution point, and the setting `ANNEX_<NAME>` of its boot files, in seconds. What else a
new one needs is described in `annex_boot/settings.py`."""
RENEW_WHILE_BUSY = Span(
    "renew_while_busy",
    "by how much the lease is extended, within the maximum lifetime, if jobs run shortly before its end",
    # Renewed by less, a lease would be renewed at every other check.
    minimum=10 * _MINUTE,
    maximum=_YEAR,
    example="1h",
    absent="none, the lease is not renewed",
)
WARN_BEFORE_END = Span(
    "warn_before_end",
    "how long before the end of the lease a warning is published",
    # A later warning comes with the last check before the end.
    minimum=_LATEST_WARNING,
    maximum=_YEAR,
    example="15m",
    default=_WARNING,
    absent=f"{format_duration(_WARNING)}, or half of a lease that is shorter than {format_duration(2 * _WARNING)}; "
    f"no warning for a lease below {format_duration(2 * _LATEST_WARNING)}",
    zero="no warning",
)
SIZE = Number(
    "size",
    "number of instances that the lease grants",
    "instances",
    # Limits the bill of a typing error.
    minimum=1,
    maximum=10_000,
    example="2",
    tag_minimum=0,
    tag_maximum=MAX_COUNT,
)
MAX_INSTANCE_HOURS = Number(
    "max_instance_hours",
    "instance-hours after which the lease ends, however long it was to last",
    "hours",
    minimum=1,
    # More than any fleet can use within the longest lifetime.
    maximum=100_000_000,
    example="100",
    absent="none, only time ends the lease",
)
PRICE_PER_HOUR = Price(
    "price_per_hour",
    "price of one instance-hour in any currency; only for showing what the annex can cost",
    "one instance-hour",
    10_000,
    "0.085",
    absent="none, the cost is shown in instance-hours",
)
ALARM_EMAIL = Text(
    "alarm_email",
    "e-mail address that receives alarms and warnings; AWS asks it to confirm",
    forms.EMAIL,
    absent="none, no address is subscribed",
)
ALARM_TOPIC = Text(
    "alarm_topic",
    "ARN of the Amazon SNS topic that receives alarms and warnings",
    forms.TOPIC_ARN,
    absent="none, the stack makes a topic",
)
ON_DEMAND_BASE = Number(
    "on_demand_base", "on-demand instances before any is spot", "instances", 0, SIZE.maximum, "0", 0, limit="the size"
)
ON_DEMAND_PERCENTAGE = Number(
    "on_demand_percentage", "percentage of the other instances that is on-demand", "", 0, 100, "0", default=0
)
MAX_REMOVALS = Number(
    "max_removals",
    "with more orphans than this to remove in one run, the sweeper removes none; a group whose lease cannot be read "
    "counts all its instances",
    "",
    0,
    10_000,
    "50",
    default=_MAX_REMOVALS,
    absent=f"{_MAX_REMOVALS}, or the size of the Region's largest annex if that is more",
)
DRY_RUN = Flag("dry_run", "the sweeper only reports what it would do, and marks nothing", "true", default=False)
INTERVAL = Span(
    "interval",
    "period of the account-wide sweeper, in whole minutes",
    minimum=5 * _MINUTE,  # longer than one run may take
    maximum=_HOUR,
    example="15m",
    default=15 * _MINUTE,
)

# fmt: off
POOL_KEYS: tuple[Term, ...] = (COLLECTOR, TRUST_DOMAIN, ACCESS_POINT_PORTS)
"""Keys of the table `[pool]` of a spec file, in the order of the reference."""
BASE_KEYS: tuple[Term, ...] = (
    ALARM_EMAIL, ALARM_TOPIC, MAX_REMOVALS, DRY_RUN, TAGS, PERMISSIONS_BOUNDARY, ROLE_PATH,
)
"""Keys of `[base]`."""
ANNEX_KEYS: tuple[Term, ...] = (
    REGION, ACCOUNT, IMAGE, HTCONDOR, COMPONENTS, SCRIPT, SIZE, LEASE, LEASE_ENDS_AT, MAX_LIFETIME, GRACE,
    DRAIN_BEFORE_END, IDLE_TIMEOUT, JOIN_TIMEOUT, RENEW_WHILE_BUSY, PROTECT_BUSY, MAX_INSTANCE_HOURS, PRICE_PER_HOUR,
    WARN_BEFORE_END, ALARM_EMAIL, ALARM_TOPIC, *JOB_KEYS, INSTANCE_TYPES, ON_DEMAND_BASE, ON_DEMAND_PERCENTAGE, VPC,
    SUBNETS, IPV6, DNS_SERVERS, PROXY, HTCONDOR_MIRROR, PACKAGE_MIRROR, VOLUME_GIB, ROOT_DEVICE, TAGS, VOLUME_KEY,
    CREDENTIAL_KEY, PERMISSIONS_BOUNDARY, ROLE_PATH,
)
# fmt: on
"""Keys of `[annex.NAME]` and `[defaults]`."""
