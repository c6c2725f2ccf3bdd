"""The tables of a spec file as validated objects with every default applied."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from annex_lease import image_rules, installation_rules, instance_rules, job_rules, rules, terms
from annex_lease.forms import arn_region
from annex_spec import field
from annex_spec.problem import ContradictionError, Problem, problem_of

BASE_TABLE = "[base]"
# Strict: "2" is not a number and 1 is not true; a value of the wrong type is a mistake, not something to convert.
_CONFIG = ConfigDict(extra="forbid", frozen=True, strict=True)


def _default_max_lifetime(validated: dict[str, Any]) -> timedelta:
    lease = validated.get("lease")
    # Zero is not an allowed lifetime. It means "there is no default", and the rules of AnnexSpec refuse it.
    return rules.default_max_lifetime(lease) if isinstance(lease, timedelta) else timedelta(0)


def _default_protection(validated: dict[str, Any]) -> bool:
    return instance_rules.default_protection(validated.get("renew_while_busy"))


def _default_warning(validated: dict[str, Any]) -> timedelta | None:
    return rules.default_warning(validated.get("lease"))


def _default_htcondor(validated: dict[str, Any]) -> str:
    return installation_rules.default_htcondor(validated.get("image", ""))


def _default_root_device(validated: dict[str, Any]) -> str:
    return image_rules.default_root_device(validated.get("image", ""))


@field.documented(*terms.POOL_KEYS)
class PoolSpec(BaseModel):
    """The HTCondor pool that the annexes join. The attributes are `annex_lease.terms.POOL_KEYS`."""

    model_config = _CONFIG

    collector: field.Collector
    trust_domain: field.TrustDomain
    access_point_ports: field.AccessPointPorts = ()


@field.documented(terms.NAME, *terms.ANNEX_KEYS)
class AnnexSpec(BaseModel):
    """One annex: a leased fleet that joins the pool. The attributes are `annex_lease.terms.ANNEX_KEYS`.

    Either `lease` or `lease_ends_at` is None. `subnets` is empty exactly when `vpc` is no id.
    """

    model_config = _CONFIG

    name: field.Name
    region: field.Region
    account: field.Account = None
    image: field.Image = terms.IMAGE.default_value
    htcondor: field.HTCondor = Field(default_factory=_default_htcondor)
    components: field.Components = ()
    script: field.Script = None
    size: field.Size
    lease: field.Lease = None
    lease_ends_at: field.LeaseEndsAt = None
    max_lifetime: field.MaxLifetime = Field(default_factory=_default_max_lifetime)
    grace: field.Grace = terms.GRACE.default_value
    drain_before_end: Annotated[
        timedelta, field.within(terms.DRAIN_BEFORE_END), field.words(terms.DRAIN_BEFORE_END)
    ] = terms.DRAIN_BEFORE_END.default_value
    idle_timeout: Annotated[timedelta, field.within(terms.IDLE_TIMEOUT), field.words(terms.IDLE_TIMEOUT)] = (
        terms.IDLE_TIMEOUT.default_value
    )
    join_timeout: Annotated[timedelta, field.within(terms.JOIN_TIMEOUT), field.words(terms.JOIN_TIMEOUT)] = (
        terms.JOIN_TIMEOUT.default_value
    )
    renew_while_busy: field.RenewWhileBusy = None
    protect_busy: field.ProtectBusy = Field(default_factory=_default_protection)
    max_instance_hours: field.MaxInstanceHours = None
    price_per_hour: field.PricePerHour = None
    warn_before_end: field.WarnBeforeEnd = Field(default_factory=_default_warning)
    alarm_email: field.AlarmEmail = None
    alarm_topic: field.AlarmTopic = None
    opt_in: field.OptIn = terms.OPT_IN.default_value
    owners: field.Owners = ()
    groups: field.Groups = ()
    project_id: field.ProjectId = None
    start: field.Start = None
    instance_types: field.InstanceTypes
    on_demand_base: field.OnDemandBase = terms.ON_DEMAND_BASE.default_value
    on_demand_percentage: field.OnDemandPercentage = terms.ON_DEMAND_PERCENTAGE.default_value
    vpc: field.Vpc = None
    subnets: field.Subnets = ()
    ipv6: field.Ipv6 = terms.IPV6.default_value
    dns_servers: field.DnsServers = ()
    proxy: field.Proxy = None
    htcondor_mirror: field.HTCondorMirror = None
    package_mirror: field.PackageMirror = None
    volume_gib: field.VolumeGib = terms.VOLUME_GIB.default_value
    root_device: field.RootDevice = Field(default_factory=_default_root_device)
    tags: field.Tags = Field(default_factory=dict)
    volume_key: field.VolumeKey = None
    credential_key: field.CredentialKey = None
    permissions_boundary: field.PermissionsBoundary = None
    role_path: field.RolePath = None

    @property
    def job_policy(self) -> job_rules.JobPolicy:
        """Which jobs the annex accepts."""
        return job_rules.JobPolicy(**{term.name: getattr(self, term.name) for term in terms.JOB_KEYS})

    @model_validator(mode="after")
    def _values_go_together(self) -> Self:
        for conflict in self._conflicts():
            if conflict is not None:
                drain = conflict.name == terms.DRAIN_BEFORE_END.name
                note = ", the default" if drain and conflict.name not in self.model_fields_set else ""
                raise ContradictionError(problem_of(conflict, getattr(self, conflict.name), note=note))
        return self

    def _conflicts(self) -> Iterable[rules.Conflict | None]:
        """The result of each rule; a rule may rely on those before it."""
        yield rules.end_conflict(self.lease, self.lease_ends_at)
        yield rules.missing_lifetime(self.lease, self.max_lifetime or None)
        if self.lease is not None:
            yield rules.lifetime_conflict(self.lease, self.max_lifetime)
            yield rules.drain_conflict(self.lease, self.drain_before_end)
        if self.renew_while_busy is not None:
            yield rules.renewal_conflict(self.drain_before_end, self.renew_while_busy)
        yield instance_rules.protection_conflict(self.renew_while_busy, self.protect_busy)
        if self.lease is not None and self.warn_before_end is not None:
            yield rules.warning_conflict(self.lease, self.warn_before_end)
        yield rules.alarm_conflict(self.alarm_email, self.alarm_topic)
        if self.alarm_topic is not None:
            yield rules.topic_conflict(self.alarm_topic, self.region)
        yield job_rules.jobs_conflict(self.job_policy)
        yield rules.base_conflict(self.size, self.on_demand_base)
        yield rules.network_conflict(self.vpc, self.subnets)
        yield image_rules.image_region_conflict(self.image, self.region)
        yield image_rules.architecture_conflict(self.image, self.instance_types)
        yield from installation_rules.installation_conflicts(
            self.image, self.htcondor, self.components, self.htcondor_mirror, self.package_mirror
        )
        yield instance_rules.boundary_conflict(self.permissions_boundary, self.account)
        for term in (terms.ALARM_TOPIC, terms.PERMISSIONS_BOUNDARY, terms.VOLUME_KEY, terms.CREDENTIAL_KEY):
            yield instance_rules.partition_conflict(term.name, getattr(self, term.name), self.region)
        for term in (terms.VOLUME_KEY, terms.CREDENTIAL_KEY):
            yield instance_rules.key_conflict(term.name, getattr(self, term.name), self.region)


@field.documented(*terms.BASE_KEYS)
class BaseSpec(BaseModel):
    """The account-wide sweeper of each Region of the file. The attributes are `annex_lease.terms.BASE_KEYS`."""

    model_config = _CONFIG

    alarm_email: field.AlarmEmail = None
    alarm_topic: field.AlarmTopic = None
    max_removals: field.MaxRemovals = None
    dry_run: field.DryRun = terms.DRY_RUN.default_value
    tags: field.Tags = Field(default_factory=dict)
    permissions_boundary: field.PermissionsBoundary = None
    role_path: field.RolePath = None

    @model_validator(mode="after")
    def _one_alarm(self) -> Self:
        conflict = rules.alarm_conflict(self.alarm_email, self.alarm_topic)
        if conflict is not None:
            raise ContradictionError(problem_of(conflict, self.alarm_email))
        return self

    def problems_in(self, regions: Iterable[str]) -> list[Problem]:
        """Problems of the base in the Regions of the file's annexes."""
        places, boundary = sorted({*regions}), terms.PERMISSIONS_BOUNDARY.name
        # In other Regions the topic is wrong by its Region already.
        own = [each for each in places if self.alarm_topic and arn_region(self.alarm_topic) == each]
        conflicts = [
            None if self.alarm_topic is None else rules.base_topic_conflict(self.alarm_topic, places),
            *(instance_rules.partition_conflict(boundary, self.permissions_boundary, each) for each in places),
            *(instance_rules.partition_conflict(terms.ALARM_TOPIC.name, self.alarm_topic, each) for each in own),
        ]
        found = [each for each in conflicts if each is not None]
        return [problem_of(each, getattr(self, each.name), table=BASE_TABLE) for each in found]
