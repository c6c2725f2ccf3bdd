"""The types of the values of a spec file, made from `annex_lease.terms`.

The description of a field is what an error prints as "allowed", its first example what it prints as "fix".
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic.fields import FieldInfo

from annex_lease import image_rules, installation_rules, instance_rules, job_rules, rules, terms
from annex_lease.collectors import collector_list
from annex_lease.duration import parse_duration
from annex_lease.egress import read_dns_server, read_ports
from annex_lease.forms import Form
from annex_lease.kinds import REQUIRED, Moment, Number, Price, Span, Term, Texts, written
from annex_lease.rules import Conflict
from annex_spec.problem import ContradictionError, problem_of

M = TypeVar("M", bound=type[BaseModel])
T = TypeVar("T")


def documented(*keys: Term) -> Callable[[M], M]:
    """Decorator that appends the meaning and default of each key to the docstring of a model."""

    def add(model: M) -> M:
        lines = []
        for key in keys:
            default = "" if key.default_text == REQUIRED else f" Default: {key.default_text}."
            lines.append(f"        {key.name}: {key.meaning}.{default}\n")
        model.__doc__ = f"{(model.__doc__ or '').rstrip()}\n\n    Attributes:\n{''.join(lines)}"
        return model

    return add


def _refuse() -> ValueError:
    # pydantic collects it; what a person reads is the field's own description.
    return ValueError("the value has another form")


def words(term: Term, **limits: Any) -> FieldInfo:
    """The words of errors about a value."""
    info: FieldInfo = Field(description=term.allowed, examples=[written(term)], **limits)
    return info


def number(term: Number) -> FieldInfo:
    """The range of a number, and the words of errors about it."""
    return words(term, ge=term.minimum, le=term.maximum)


def _price(term: Price) -> FieldInfo:
    return words(term, gt=0, le=term.maximum)


def texts(term: Texts) -> FieldInfo:
    """The length of a list, and the words of errors about it."""
    # TOML has lists, the model tuples.
    return words(term, min_length=term.minimum, max_length=term.maximum, strict=False)


def matching(form: Form) -> AfterValidator:
    """Refuses a text of another form."""

    def check(value: str) -> str:
        if not form.matches(value):
            raise _refuse()
        return value

    return AfterValidator(check)


def _read_by(reader: Callable[[str], object]) -> AfterValidator:
    """Refuses what a reader of `annex_lease` refuses, and keeps the text."""

    def check(value: str) -> str:
        try:
            reader(value)
        except ValueError:
            raise _refuse() from None
        return value

    return AfterValidator(check)


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int) else value


def ruled(rule: Callable[[Any], Conflict | None]) -> AfterValidator:
    """Refuses a value for a reason of its own, which is shown in place of the form."""

    def check(value: T) -> T:
        conflict = rule(value)
        if conflict is not None:
            raise ContradictionError(problem_of(conflict, value))
        return value

    return AfterValidator(check)


def within(term: Span) -> BeforeValidator:
    """Reads a length of time in the declared range."""

    def read(value: object) -> timedelta:
        try:
            duration = parse_duration(value) if isinstance(value, str) else value
        except ValueError:
            raise _refuse() from None
        if not isinstance(duration, timedelta) or not term.contains(duration):
            raise _refuse()
        return duration

    return BeforeValidator(read)


def _moment(term: Moment) -> BeforeValidator:
    def read(value: object) -> datetime:
        if not isinstance(value, datetime) or not term.contains(value):
            raise _refuse()
        try:
            return value.astimezone(UTC)
        except OverflowError:  # within a day of the first or the last year
            raise _refuse() from None

    return BeforeValidator(read)


def unique(values: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses a list that holds a text twice."""
    if len(set(values)) != len(values):
        raise _refuse()
    return values


def _taggable(tags: Mapping[str, str]) -> Mapping[str, str]:
    conflict = rules.tag_conflict(tags)
    if conflict is not None:
        raise ContradictionError(problem_of(conflict, tags))
    return tags


Name = Annotated[
    str,
    matching(terms.NAME.form),
    # A name is written as the name of a table.
    Field(description=terms.NAME.allowed, examples=[f"[annex.{terms.NAME.form.example}]"]),
]
Collector = Annotated[str, AfterValidator(collector_list), ruled(rules.collector_conflict), words(terms.COLLECTOR)]
TrustDomain = Annotated[str, matching(terms.TRUST_DOMAIN.form), words(terms.TRUST_DOMAIN)]
Region = Annotated[str, ruled(instance_rules.region_conflict), matching(terms.REGION.form), words(terms.REGION)]
Account = Annotated[Annotated[str, matching(terms.ACCOUNT.form)] | None, words(terms.ACCOUNT)]
Image = Annotated[str, ruled(image_rules.image_conflict), matching(terms.IMAGE.form), words(terms.IMAGE)]
HTCondor = Annotated[str, matching(terms.HTCONDOR.form), words(terms.HTCONDOR)]
Components = Annotated[
    tuple[Annotated[str, ruled(installation_rules.component_conflict), matching(terms.COMPONENTS.form)], ...],
    AfterValidator(unique),
    texts(terms.COMPONENTS),
]
Script = Annotated[Annotated[str, matching(terms.SCRIPT.form)] | None, words(terms.SCRIPT)]
HTCondorMirror = Annotated[Annotated[str, matching(terms.HTCONDOR_MIRROR.form)] | None, words(terms.HTCONDOR_MIRROR)]
PackageMirror = Annotated[Annotated[str, matching(terms.PACKAGE_MIRROR.form)] | None, words(terms.PACKAGE_MIRROR)]
Size = Annotated[int, number(terms.SIZE)]
Lease = Annotated[Annotated[timedelta, within(terms.LEASE)] | None, words(terms.LEASE)]
LeaseEndsAt = Annotated[Annotated[datetime, _moment(terms.LEASE_ENDS_AT)] | None, words(terms.LEASE_ENDS_AT)]
MaxLifetime = Annotated[timedelta, within(terms.MAX_LIFETIME), words(terms.MAX_LIFETIME)]
Grace = Annotated[timedelta, within(terms.GRACE), words(terms.GRACE)]
RenewWhileBusy = Annotated[Annotated[timedelta, within(terms.RENEW_WHILE_BUSY)] | None, words(terms.RENEW_WHILE_BUSY)]
ProtectBusy = Annotated[bool, words(terms.PROTECT_BUSY)]
MaxInstanceHours = Annotated[int | None, number(terms.MAX_INSTANCE_HOURS)]
PricePerHour = Annotated[float | None, _price(terms.PRICE_PER_HOUR)]
WarnBeforeEnd = Annotated[Annotated[timedelta, within(terms.WARN_BEFORE_END)] | None, words(terms.WARN_BEFORE_END)]
AlarmEmail = Annotated[Annotated[str, matching(terms.ALARM_EMAIL.form)] | None, words(terms.ALARM_EMAIL)]
AlarmTopic = Annotated[Annotated[str, matching(terms.ALARM_TOPIC.form)] | None, words(terms.ALARM_TOPIC)]
OptIn = Annotated[bool, words(terms.OPT_IN)]
Owners = Annotated[tuple[Annotated[str, matching(terms.OWNERS.form)], ...], AfterValidator(unique), texts(terms.OWNERS)]
Groups = Annotated[tuple[Annotated[str, matching(terms.GROUPS.form)], ...], AfterValidator(unique), texts(terms.GROUPS)]
ProjectId = Annotated[Annotated[str, matching(terms.PROJECT_ID.form)] | None, words(terms.PROJECT_ID)]
Start = Annotated[
    Annotated[str, ruled(job_rules.start_conflict), matching(terms.START.form)] | None, words(terms.START)
]
InstanceTypes = Annotated[
    tuple[Annotated[str, matching(terms.INSTANCE_TYPES.form)], ...],
    AfterValidator(unique),
    ruled(instance_rules.types_conflict),
    texts(terms.INSTANCE_TYPES),
]
OnDemandBase = Annotated[int, number(terms.ON_DEMAND_BASE)]
OnDemandPercentage = Annotated[int, number(terms.ON_DEMAND_PERCENTAGE)]
Vpc = Annotated[Annotated[str, matching(terms.VPC.form)] | None, words(terms.VPC)]
Subnets = Annotated[
    tuple[Annotated[str, matching(terms.SUBNETS.form)], ...], AfterValidator(unique), texts(terms.SUBNETS)
]
AccessPointPorts = Annotated[
    tuple[Annotated[str, BeforeValidator(_number_as_text), _read_by(read_ports)], ...],
    AfterValidator(unique),
    texts(terms.ACCESS_POINT_PORTS),
]
DnsServers = Annotated[
    tuple[Annotated[str, _read_by(read_dns_server)], ...], AfterValidator(unique), texts(terms.DNS_SERVERS)
]
Proxy = Annotated[Annotated[str, matching(terms.PROXY.form)] | None, words(terms.PROXY)]
Ipv6 = Annotated[bool, words(terms.IPV6)]
VolumeGib = Annotated[int, number(terms.VOLUME_GIB)]
RootDevice = Annotated[str, matching(terms.ROOT_DEVICE.form), words(terms.ROOT_DEVICE)]
VolumeKey = Annotated[Annotated[str, matching(terms.VOLUME_KEY.form)] | None, words(terms.VOLUME_KEY)]
CredentialKey = Annotated[Annotated[str, matching(terms.CREDENTIAL_KEY.form)] | None, words(terms.CREDENTIAL_KEY)]
PermissionsBoundary = Annotated[
    Annotated[str, matching(terms.PERMISSIONS_BOUNDARY.form)] | None, words(terms.PERMISSIONS_BOUNDARY)
]
RolePath = Annotated[Annotated[str, matching(terms.ROLE_PATH.form)] | None, words(terms.ROLE_PATH)]
MaxRemovals = Annotated[int | None, number(terms.MAX_REMOVALS)]
DryRun = Annotated[bool, words(terms.DRY_RUN)]
Tags = Annotated[Mapping[str, str], AfterValidator(_taggable), words(terms.TAGS)]
