"""A deployed annex before and after a deployment of the present spec. Nothing is deployed or written.

The deployed tags with the values of the spec in place of the declared ones are the group as the deployment leaves it.
The lease checker's own decision about it says what follows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from annex_lease.actions import Decision, Grant
from annex_lease.decision import decide
from annex_lease.lease import Lease
from annex_lease.live_changes import Reach
from annex_lease.observed import Deployment, Fact, Group
from annex_lease.policy import NUMBERS, LeasePolicy, policy_tags
from annex_lease.rules import warning
from annex_lease.tags import TAG_ENDS_AT, TAG_NAME, TAG_OVERRIDES, format_time, group_tag
from annex_lease.terms import seconds
from annex_pool.deployed import OVER, Deployed, find_annex, observe
from annex_pool.deployed_fleet import read_fleet
from annex_pool.environment import Environment
from annex_pool.live_effects import LiveEffect, live_effects, scaled_in
from annex_pool.place import Place
from annex_pool.region import check_account
from annex_pool.stored_credential import stored_credential
from annex_spec import AnnexSpec, PoolSpec

_DECLARED = frozenset({TAG_NAME, TAG_ENDS_AT, *(key for key, *_ in NUMBERS.values())})


@dataclass(frozen=True)
class Side:
    """A group before or after a deployment, with the lease checker's decision about it."""

    group: Group
    decision: Decision

    @property
    def lease(self) -> Lease:
        """The lease that the group records."""
        return self.group.lease

    @property
    def over(self) -> bool:
        """True if the lease is over, or the annex was stopped."""
        return self.decision.phase in OVER

    @property
    def starts(self) -> int:
        """Number of instances that start at the next check."""
        return sum(each.capacity - self.group.desired for each in self.decision.actions if isinstance(each, Grant))

    def as_data(self) -> dict[str, object]:
        """Phase, ends, size and explanation; the ends are null where no lease can be read."""
        readable = self.lease.policy is not None
        return {
            "phase": self.decision.phase.value,
            "end": format_time(self.lease.effective_end) if readable else None,
            "latest_end": format_time(self.lease.latest_end) if readable else None,
            "size": self.lease.size,
            "explained": self.lease.explained(),
        }


@dataclass(frozen=True)
class Redeployment:
    """A deployed annex before and after a deployment of the spec.

    Attributes:
        found: the deployed annex.
        time: time of the look, aware.
        before: the annex as it is.
        after: the annex as the deployment would leave it.
        effects: effects on the instances that run. Default: ().
        unread: what AWS did not say of the fleet, so that it is not compared. Default: ().
    """

    found: Deployed
    time: datetime
    before: Side
    after: Side
    effects: tuple[LiveEffect, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def scaled_in(self) -> int:
        """Number of instances that EC2 Auto Scaling terminates at once because the MaxSize becomes less."""
        return scaled_in(self.before.group, self.after.group.max_size)

    @property
    def replaced(self) -> bool:
        """True if the deployment replaces the whole annex: the new one has a lease of its own."""
        return any(each.change.reach is Reach.ANOTHER_ANNEX for each in self.effects)

    @property
    def ends_in(self) -> timedelta:
        """Time from now to the effective end after the deployment; zero if it is over."""
        return max(self.after.lease.effective_end - self.time, timedelta(0))

    @property
    def voided(self) -> datetime | None:
        """The operator's end that becomes void; None if there is none, or it was void before."""
        before, after = self.before.lease, self.after.lease
        return after.record.override_end if after.override_is_void and not before.override_is_void else None

    def as_data(self) -> dict[str, object]:
        """The object `deployed` of `annex plan --deployed --json`.

        Keys: time; phase, end, latest_end, size, explained (as it is); phase_after, end_after, latest_end_after,
        size_after, explained_after (after the deployment); ends_in_seconds (after the deployment; 0 if it ends at
        once); voids (the operator's end that becomes void, or null); starts, scaled_in (numbers of instances);
        replaced (true: the deployment ends this annex and makes another one, so the values after it are null);
        running (effects on running instances, see `LiveEffect`); not_compared (what AWS did not say). Ends are null
        where no lease can be read.
        """
        before, after = self.before.as_data(), self.after.as_data()
        return {
            "time": format_time(self.time),
            **before,
            **{f"{key}_after": None if self.replaced else value for key, value in after.items()},
            "ends_in_seconds": 0 if self.replaced else int(self.ends_in.total_seconds()),
            "voids": format_time(self.voided) if self.voided and not self.replaced else None,
            "starts": 0 if self.replaced else self.after.starts,
            "scaled_in": 0 if self.replaced else self.scaled_in,
            "replaced": self.replaced,
            "running": [each.as_data() for each in self.effects],
            "not_compared": list(self.unread),
        }


def redeployment(
    environment: Environment, place: Place, spec: AnnexSpec | None, pool: PoolSpec | None = None
) -> Redeployment | None:
    """Compare the deployed annex with its spec; None if it is not deployed.

    Args:
        environment: external dependencies.
        place: the annex.
        spec: its declaration; None: there is none, and the annex is compared with itself.
        pool: the pool that the spec file declares. Default: None - it declares none that is allowed.

    Raises:
        InputError: the credentials in use belong to another account.
        AnnexError: AWS could not be asked.
    """
    aws = environment.connect(place.region)
    check_account(aws, place.account)
    found = find_annex(aws, place.name, group=place.group, annex_id=place.id)
    group = observe(found) if found else None
    if found is None or group is None:
        return None
    now = environment.now()
    if spec is not None:
        fleet = read_fleet(found)
        effects = live_effects(fleet, group, spec, pool)
        return replace(compared(found, group, spec, now), effects=effects, unread=fleet.unread)
    side = Side(group, decide(group, now))
    return Redeployment(found, now, side, side)


def compared(found: Deployed, group: Group, spec: AnnexSpec, now: datetime) -> Redeployment:
    """Compare a group with the group that a deployment of the spec would leave.

    Args:
        found: the deployed annex; its secret is asked for if that decides about a start.
        group: its group as observed.
        spec: the annex.
        now: current time, aware.

    Raises:
        AnnexError: AWS could not be asked for the secret.
    """
    after = after_deployment(group, spec)
    decision = decide(after, now, deployment=Deployment.UPDATED)
    if Fact.CREDENTIAL in decision.needs:
        after = replace(after, credential=stored_credential(found).state)
        decision = decide(after, now, deployment=Deployment.UPDATED)
    return Redeployment(found, now, Side(group, decide(group, now)), Side(after, decision))


def after_deployment(group: Group, spec: AnnexSpec) -> Group:
    """The group as a deployment of the spec leaves it, before the lease checker looks."""
    kept = tuple(tag for tag in group.tags if tag.key not in _DECLARED)
    override = group.lease.override
    if override is not None and group.lease.policy is not None:
        # One that was written by hand too: the checker records within a minute what it was written against.
        kept = (*(tag for tag in kept if tag.key != TAG_OVERRIDES), group_tag(TAG_OVERRIDES, override.text()))
    return replace(
        group,
        tags=(*kept, *policy_tags(declared_policy(spec))),
        max_size=spec.size,
        # "If a new value for MaxSize ... is smaller than the current size of the group, this sets the group's
        # DesiredCapacity to the new MaxSize value" (EC2 Auto Scaling API Reference, UpdateAutoScalingGroup).
        desired=min(group.desired, spec.size),
    )


def declared_policy(spec: AnnexSpec) -> LeasePolicy:
    """The policy that the template of this spec declares."""
    warn = warning(spec.warn_before_end, spec.lease)
    return LeasePolicy(
        annex=spec.name,
        size=spec.size,
        max_lifetime_seconds=seconds(spec.max_lifetime),
        grace_seconds=seconds(spec.grace),
        duration_seconds=None if spec.lease is None else seconds(spec.lease),
        ends_at=spec.lease_ends_at,
        renew_seconds=None if spec.renew_while_busy is None else seconds(spec.renew_while_busy),
        max_instance_hours=spec.max_instance_hours,
        warn_before_end_seconds=None if warn is None else seconds(warn),
    )
