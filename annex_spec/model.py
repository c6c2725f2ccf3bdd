"""The declaration of a pool and of an annex, validated and with every default applied."""

from datetime import timedelta
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from annex_spec import field
from annex_lease.duration import format_duration
from annex_spec.problem import NOTHING, ContradictionError

# Strict: "2" is not a number and 1 is not true; a value of the wrong type is a mistake, not something to convert.
_CONFIG = ConfigDict(extra="forbid", frozen=True, strict=True)
_WARN = timedelta(minutes=15)
# A busy annex is renewed in the second half of the renewal before its end. Jobs are sent away `drain_before_end` before the end,
# so a few of the lease checker's runs, one a minute, must fit in between.
_RENEWAL_SLACK = timedelta(minutes=6)


def _default_reach(validated: dict[str, Any]) -> timedelta:
    lease = validated.get("lease")
    # Zero is not an allowed reach: it stands for "there is no default", and the rules of AnnexSpec refuse it.
    return min(2 * lease, field.LONGEST_LEASE) if isinstance(lease, timedelta) else timedelta(0)


def _default_warn(validated: dict[str, Any]) -> timedelta | None:
    lease = validated.get("lease")
    half = timedelta(seconds=lease // timedelta(seconds=2)) if isinstance(lease, timedelta) else _WARN
    return min(_WARN, half) if half >= field.SHORTEST_WARNING else None


class PoolSpec(BaseModel):
    """The HTCondor pool the annexes join.

    Attributes:
        collector: host:port of the pool's collector. The file may leave out the port. Default: port 9618.
        trust_domain: the pool's TRUST_DOMAIN, the issuer in every token it signs; see
            https://htcondor.readthedocs.io/en/latest/admin-manual/security.html#token-authentication
    """

    model_config = _CONFIG

    collector: field.Collector
    trust_domain: field.TrustDomain


class AnnexSpec(BaseModel):
    """One annex: a leased fleet that joins the pool.

    Attributes:
        name: the annex's name; its stack is `Annex-<name>`.
        region: AWS Region.
        account: AWS account. Default: None - that of the credentials in use.
        image: `ami-...`, or `ssm:/path` of a parameter that holds an image id.
        size: number of instances the lease grants.
        lease: how long the annex may exist, from its creation; None when `lease_ends_at` is given.
        lease_ends_at: the absolute end, UTC; None when `lease` is given.
        max_lifetime: how long after its creation the annex may exist at most, extended or not.
            Default: twice `lease`, at most 366 days; required with `lease_ends_at`.
        grace: how long an instance may take to shut down after the end. Default: 15 minutes.
        drain_before_end: how long before the end running jobs are sent back to the queue; shorter than `lease`.
            Default: 2 minutes.
        idle_timeout: how long an execution point stays without a job. Default: 20 minutes.
        join_timeout: how long an execution point may take to join the pool. Default: 15 minutes.
        renew_while_busy: by how much the lease is renewed, within the reach, while jobs run when it would end; at
            least twice `drain_before_end` and 6 minutes. Default: None - it is not renewed.
        max_instance_hours: the annex ends when so many instance-hours are used. Default: None - as many as the lease
            allows.
        price_per_hour: price of one instance-hour in a currency of the operator's choice; only for showing what the
            annex can cost. Default: None - it is shown in instance-hours.
        warn_before_end: how long before the end a warning is published, to the alarm topic if there is one; shorter than `lease`.
            Default: 15 minutes, or half of a lease that is shorter than 30; None for a lease below 2 minutes.
        alarm_email: who is told when the lease is not enforced; AWS asks the address to confirm. Default: None.
        alarm_topic: ARN of the Amazon SNS topic that is told instead. Default: None.
        instance_types: types the fleet may use, in order of preference.
        on_demand_base: how many instances are on-demand before any is spot. Default: 0.
        on_demand_percentage: percentage of the instances above the base that is on-demand.
            Default: 0 - all of them are spot.
        vpc: VPC to use. Default: None - the annex makes a small VPC of its own.
        subnets: subnets of that VPC; empty exactly when `vpc` is None.
        volume_gib: size of the root volume, GiB. Default: 20.
        root_device: device name of the image's root volume. Default: `/dev/xvda`.
    """

    model_config = _CONFIG

    name: field.Name
    region: field.Region
    account: field.Account = None
    image: field.Image
    size: field.Size
    lease: field.Lease = None
    lease_ends_at: field.LeaseEndsAt = None
    max_lifetime: field.Reach = Field(default_factory=_default_reach)
    grace: field.Grace = timedelta(minutes=15)
    drain_before_end: field.Drain = timedelta(minutes=2)
    idle_timeout: field.Idle = timedelta(minutes=20)
    join_timeout: field.Join = timedelta(minutes=15)
    renew_while_busy: field.RenewWhileBusy = None
    max_instance_hours: field.MaxInstanceHours = None
    price_per_hour: field.PricePerHour = None
    warn_before_end: field.Warn = Field(default_factory=_default_warn)
    alarm_email: field.AlarmEmail = None
    alarm_topic: field.AlarmTopic = None
    instance_types: field.InstanceTypes
    on_demand_base: field.OnDemandBase = 0
    on_demand_percentage: field.OnDemandPercentage = 0
    vpc: field.Vpc = None
    subnets: field.Subnets = ()
    volume_gib: field.VolumeGib = 20
    root_device: field.RootDevice = "/dev/xvda"

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        allowed = "exactly one of lease and lease_ends_at"
        if self.lease is None and self.lease_ends_at is None:
            raise ContradictionError("lease", "neither lease nor lease_ends_at", allowed, 'lease = "8h"')
        if self.lease is not None and self.lease_ends_at is not None:
            raise ContradictionError("lease", "both lease and lease_ends_at", allowed, "remove one of the two")
        return self

    @model_validator(mode="after")
    def _reach_holds_the_lease(self) -> Self:
        if not self.max_lifetime:
            allowed = "required with lease_ends_at: the longest life, counted from the annex's creation"
            raise ContradictionError("max_lifetime", NOTHING, allowed, 'max_lifetime = "30d"')
        if self.lease is not None and self.max_lifetime < self.lease:
            lease = format_duration(self.lease)
            raise ContradictionError(
                "max_lifetime",
                f'"{format_duration(self.max_lifetime)}"',
                f"the lease, {lease}, or more",
                f'max_lifetime = "{lease}"',
            )
        return self

    @model_validator(mode="after")
    def _lease_holds_the_drain(self) -> Self:
        if self.lease is not None and self.drain_before_end >= self.lease:
            # Not one job would ever start.
            default = "" if "drain_before_end" in self.model_fields_set else ", the default"
            raise ContradictionError(
                "drain_before_end",
                f'"{format_duration(self.drain_before_end)}"{default}',
                f"less than the lease, {format_duration(self.lease)}",
                f'drain_before_end = "{format_duration(self.lease / 2)}"',
            )
        return self

    @model_validator(mode="after")
    def _renewal_comes_before_the_drain(self) -> Self:
        least = 2 * self.drain_before_end + _RENEWAL_SLACK
        if self.renew_while_busy is not None and self.renew_while_busy < least:
            received, needed = format_duration(self.renew_while_busy), format_duration(least)
            allowed = f"{needed} or more: twice the drain, {format_duration(self.drain_before_end)}, and 6m"
            fix = f'renew_while_busy = "{needed}"'
            raise ContradictionError("renew_while_busy", f'"{received}"', allowed, fix)
        return self

    @model_validator(mode="after")
    def _lease_holds_the_warning(self) -> Self:
        if self.lease is not None and self.warn_before_end is not None and self.warn_before_end >= self.lease:
            allowed = f"less than the lease, {format_duration(self.lease)}"
            half = max(self.lease / 2, field.SHORTEST_WARNING)
            fix = f'warn_before_end = "{format_duration(half)}"' if half < self.lease else "remove warn"
            raise ContradictionError("warn_before_end", f'"{format_duration(self.warn_before_end)}"', allowed, fix)
        return self

    @model_validator(mode="after")
    def _one_alarm_in_its_region(self) -> Self:
        if self.alarm_topic is None:
            return self
        if self.alarm_email is not None:
            allowed = "at most one of alarm_email and alarm_topic"
            fix = "remove one of the two; the address can subscribe to the topic"
            raise ContradictionError("alarm_email", "both alarm_email and alarm_topic", allowed, fix)
        if field.topic_region(self.alarm_topic) != self.region:
            # An alarm of Amazon CloudWatch and the lease checker publish in their own Region only.
            allowed = f"a topic in the annex's Region, {self.region}"
            fix = f'use a topic of {self.region}, or remove alarm_topic and write alarm_email = "admin@example.edu"'
            raise ContradictionError("alarm_topic", f'"{self.alarm_topic}"', allowed, fix)
        return self

    @model_validator(mode="after")
    def _base_within_size(self) -> Self:
        if self.on_demand_base > self.size:
            allowed = f"a whole number from 0 to the size, {self.size}"
            raise ContradictionError(
                "on_demand_base", str(self.on_demand_base), allowed, f"on_demand_base = {self.size}"
            )
        return self

    @model_validator(mode="after")
    def _network_whole(self) -> Self:
        allowed = "vpc and subnets together, or neither of them for a small VPC of the annex's own"
        if self.vpc is not None and not self.subnets:
            raise ContradictionError(
                "subnets", NOTHING, allowed, 'subnets = ["subnet-0123456789abcdef0"], or remove vpc'
            )
        if self.subnets and self.vpc is None:
            raise ContradictionError("vpc", NOTHING, allowed, 'vpc = "vpc-0123456789abcdef0", or remove subnets')
        return self
