"""The kinds of value an annex is declared with: each type carries its rule, the text of the rule and an example.

The description of a field is what an error prints as "allowed", its first example what it prints as "fix".
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.fields import FieldInfo

from annex_lease.duration import FORM, format_duration, parse_duration

LONGEST_LEASE = timedelta(days=366)
# A minute is one run of the lease checker: useful only to see a lease end.
_SHORTEST_LEASE = timedelta(minutes=1)
_NO_TIME, _LONGEST_GRACE = timedelta(0), timedelta(hours=2)
_SHORTEST_IDLE, _LONGEST_IDLE = timedelta(seconds=30), timedelta(days=7)
_SHORTEST_DRAIN, _LONGEST_DRAIN = timedelta(seconds=10), timedelta(hours=1)
_SHORTEST_JOIN, _LONGEST_JOIN = timedelta(minutes=1), timedelta(hours=2)
# The same as in annex_lease.tags (a test compares them): renewed by less, a lease would be renewed at every other
# check; a warning later than a minute before the end is none.
SHORTEST_RENEWAL = timedelta(minutes=10)
SHORTEST_WARNING = timedelta(minutes=1)
LARGEST_LIMIT_HOURS = 100_000_000
_DEAREST_HOUR = 10_000

# The same rule as annex_lease.tags (a test compares the two): this package imports nothing of ours.
_NAME = re.compile(r"[a-z](?:-?[a-z0-9]){0,31}")
_LONGEST_NAME = 32

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}")
_INSTANCE_TYPE = re.compile(
    r"[a-z][a-z0-9-]*\.(?:nano|micro|small|medium|large|[0-9]{0,3}xlarge|metal(?:-[0-9]{1,3}xl)?)"
)
_IMAGE = re.compile(r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})|ssm:/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*")
_ACCOUNT = re.compile(r"[0-9]{12}")
_VPC = re.compile(r"vpc-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_SUBNET = re.compile(r"subnet-(?:[0-9a-f]{8}|[0-9a-f]{17})")
# Not a FIFO topic, whose name ends in `.fifo`: it sends no e-mail (Amazon SNS Developer Guide, "Message delivery for
# FIFO topics").
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_LOCAL_PART = r"[A-Za-z0-9._%+-]{1,64}"
_DEVICE = re.compile(r"/dev/(?:sd[a-z][0-9]{0,2}|xvd[a-z]{1,2}[0-9]{0,2})")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_EMAIL = re.compile(rf"{_LOCAL_PART}@{_LABEL}(?:\.{_LABEL})+")
_DEFAULT_PORT = 9618  # the shared port of every HTCondor daemon, COLLECTOR_PORT in its manual
_LONGEST_HOST = 253
# An execution point is called i-<17 hex digits>.annex-<name>.<trust domain>: a host name, so 253 characters at most.
_LONGEST_TRUST_DOMAIN = _LONGEST_HOST - len("i-0123456789abcdef0.annex-.") - _LONGEST_NAME


def is_annex_name(text: str) -> bool:
    """Whether `text` may name an annex: lower-case letters, digits and single inner hyphens, at most 32 characters."""
    return len(text) <= _LONGEST_NAME and _NAME.fullmatch(text) is not None


def topic_region(arn: str) -> str:
    """The Region in the ARN of an Amazon SNS topic.

    Raises:
        ValueError: it is no such ARN.
    """
    match = _TOPIC.fullmatch(arn)
    if match is None:
        raise _refuse()
    return match.group(1)


def _refuse() -> ValueError:
    # pydantic collects it; what a person reads is the field's own description.
    return ValueError("the value has another form")


def _matching(pattern: re.Pattern[str]) -> AfterValidator:
    def check(value: str) -> str:
        if pattern.fullmatch(value) is None:
            raise _refuse()
        return value

    return AfterValidator(check)


def _name(value: str) -> str:
    if not is_annex_name(value):
        raise _refuse()
    return value


def _host(value: str, longest: int) -> str:
    if len(value) > longest or _HOST.fullmatch(value) is None:
        raise _refuse()
    return value


def _collector(value: str) -> str:
    host, colon, port = value.partition(":")
    _host(host, _LONGEST_HOST)
    if not colon:
        return f"{host}:{_DEFAULT_PORT}"
    if re.fullmatch(r"[1-9][0-9]{0,4}", port) is None or int(port) > 65535:
        raise _refuse()
    return value


def _within(low: timedelta, high: timedelta) -> BeforeValidator:
    def read(value: object) -> timedelta:
        try:
            duration = parse_duration(value) if isinstance(value, str) else value
        except ValueError:
            raise _refuse() from None
        if not isinstance(duration, timedelta) or not low <= duration <= high:
            raise _refuse()
        return duration

    return BeforeValidator(read)


def _span(low: timedelta, high: timedelta, example: str) -> FieldInfo:
    return _field(f"{FORM}; from {format_duration(low)} to {format_duration(high)}", example)


def _field(allowed: str, example: str, **limits: Any) -> FieldInfo:
    info: FieldInfo = Field(description=allowed, examples=[example], **limits)
    return info


def _lease_ends_at(value: object) -> datetime:
    # A local time would be read in the time zone of whoever runs the command: two people, two ends.
    if not isinstance(value, datetime) or value.utcoffset() is None or value.microsecond:
        raise _refuse()
    return value.astimezone(UTC)


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise _refuse()
    return values


Name = Annotated[
    str,
    AfterValidator(_name),
    _field(
        "lower-case letters, digits and single inner hyphens, a letter first, at most 32 characters", "[annex.demo]"
    ),
]
Collector = Annotated[
    str,
    AfterValidator(_collector),
    _field("host or host:port (DNS name or IPv4 address; port 1 to 65535, default 9618)", '"cm.example.edu"'),
]
TrustDomain = Annotated[
    str,
    AfterValidator(lambda value: _host(value, _LONGEST_TRUST_DOMAIN)),
    _field(f"a domain name of at most {_LONGEST_TRUST_DOMAIN} characters: the pool's TRUST_DOMAIN", '"example.edu"'),
]
Region = Annotated[str, _matching(_REGION), _field("an AWS Region's code", '"us-east-1"')]
Account = Annotated[
    Annotated[str, _matching(_ACCOUNT)] | None,
    _field("12 digits in quotes (a bare number would lose leading zeros)", '"123456789012"'),
]
Image = Annotated[
    str,
    _matching(_IMAGE),
    _field('"ami-" and 8 or 17 hexadecimal digits, or "ssm:/" and a parameter\'s path', '"ami-0123456789abcdef0"'),
]
Size = Annotated[int, _field("a whole number from 1 to 10000", "2", ge=1, le=10_000)]
Lease = Annotated[
    Annotated[timedelta, _within(_SHORTEST_LEASE, LONGEST_LEASE)] | None,
    _span(_SHORTEST_LEASE, LONGEST_LEASE, '"8h"'),
]
LeaseEndsAt = Annotated[
    Annotated[datetime, BeforeValidator(_lease_ends_at)] | None,
    _field("a date and time in whole seconds with its offset from UTC, without quotes", "2030-06-01T08:00:00Z"),
]
Reach = Annotated[timedelta, _within(_SHORTEST_LEASE, LONGEST_LEASE), _span(_SHORTEST_LEASE, LONGEST_LEASE, '"24h"')]
Grace = Annotated[timedelta, _within(_NO_TIME, _LONGEST_GRACE), _span(_NO_TIME, _LONGEST_GRACE, '"15m"')]
Drain = Annotated[timedelta, _within(_SHORTEST_DRAIN, _LONGEST_DRAIN), _span(_SHORTEST_DRAIN, _LONGEST_DRAIN, '"2m"')]
Idle = Annotated[timedelta, _within(_SHORTEST_IDLE, _LONGEST_IDLE), _span(_SHORTEST_IDLE, _LONGEST_IDLE, '"20m"')]
Join = Annotated[timedelta, _within(_SHORTEST_JOIN, _LONGEST_JOIN), _span(_SHORTEST_JOIN, _LONGEST_JOIN, '"15m"')]
RenewWhileBusy = Annotated[
    Annotated[timedelta, _within(SHORTEST_RENEWAL, LONGEST_LEASE)] | None,
    _span(SHORTEST_RENEWAL, LONGEST_LEASE, '"1h"'),
]
MaxInstanceHours = Annotated[
    Annotated[int, Field(ge=1, le=LARGEST_LIMIT_HOURS)] | None,
    _field(f"a whole number of hours from 1 to {LARGEST_LIMIT_HOURS}", "100"),
]
PricePerHour = Annotated[
    Annotated[float, Field(gt=0, le=_DEAREST_HOUR, allow_inf_nan=False)] | None,
    _field(f"a number above 0, at most {_DEAREST_HOUR}: the price of one instance-hour", "0.085"),
]
Warn = Annotated[
    Annotated[timedelta, _within(SHORTEST_WARNING, LONGEST_LEASE)] | None,
    _span(SHORTEST_WARNING, LONGEST_LEASE, '"15m"'),
]
AlarmEmail = Annotated[
    Annotated[str, _matching(_EMAIL)] | None,
    _field("one e-mail address", '"admin@example.edu"'),
]
AlarmTopic = Annotated[
    Annotated[str, _matching(_TOPIC)] | None,
    _field(
        "the ARN of a standard Amazon SNS topic in the annex's Region", '"arn:aws:sns:us-east-1:123456789012:alarms"'
    ),
]
# 40 overrides are the most a mixed instances policy of an Auto Scaling group takes.
InstanceTypes = Annotated[
    tuple[Annotated[str, _matching(_INSTANCE_TYPE)], ...],
    AfterValidator(_unique),
    _field(
        "1 to 40 different EC2 instance types", '["c6a.large", "c6i.large"]', min_length=1, max_length=40, strict=False
    ),
]
OnDemandBase = Annotated[int, _field("a whole number from 0 to the size", "0", ge=0, le=10_000)]
OnDemandPercentage = Annotated[int, _field("a whole number from 0 to 100", "0", ge=0, le=100)]
Vpc = Annotated[
    Annotated[str, _matching(_VPC)] | None,
    _field('"vpc-" and 8 or 17 hexadecimal digits', '"vpc-0123456789abcdef0"'),
]
Subnets = Annotated[
    tuple[Annotated[str, _matching(_SUBNET)], ...],
    AfterValidator(_unique),
    _field(
        'one or more different subnets of the VPC: "subnet-" and 8 or 17 hexadecimal digits',
        '["subnet-0123456789abcdef0"]',
        min_length=1,
        strict=False,
    ),
]
VolumeGib = Annotated[int, _field("a whole number of GiB from 1 to 16384", "20", ge=1, le=16_384)]
RootDevice = Annotated[
    str,
    _matching(_DEVICE),
    _field('the name the image gives its root volume, such as "/dev/xvda" or "/dev/sda1"', '"/dev/xvda"'),
]
