"""The lease of a fleet as its template declares it: tags of the Auto Scaling group."""

from collections.abc import Mapping
from datetime import UTC, datetime

from aws_cdk import Tags, Token, Tokenization, Validations
from constructs import Construct

from annex_constructs.errors import check_whole_number, invalid_value
from annex_constructs.fleet.annex_fleet import AnnexFleet
from annex_constructs.lease.lease_terms import LeaseTerms, check_drain, lease_policy
from annex_lease.past_end import past_end
from annex_lease.policy import NUMBERS, policy_tags
from annex_lease.terms import SIZE

_ID = "LeaseDeclaration"
_CAPS = ("max_lifetime_seconds", "size", "max_instance_hours")


class LeaseDeclaration(Construct):
    """The declared lease of a fleet, a child of the fleet; a fleet has at most one.

    :param fleet: the fleet.
    :param lease: the terms.
    :param size: how many instances to grant, 0 to the fleet's `max_size`; may be a token.
    :raises ValueError: the fleet has a lease already, or the lease does not fit the fleet.
    """

    def __init__(self, fleet: AnnexFleet, *, lease: LeaseTerms, size: float) -> None:
        _check(fleet, lease, size)
        super().__init__(fleet, _ID)
        unresolved = Token.is_unresolved(size)
        policy = lease_policy(lease, fleet.annex_name, 0 if unresolved else int(size))
        text = Tokenization.stringify_number(size) if unresolved else None
        tags = policy_tags(policy, size=text, annex_id=fleet.annex_id)
        for tag in tags:
            Tags.of(fleet.auto_scaling_group).add(tag.key, tag.value, apply_to_launched_instances=tag.propagate)
        self._tags = {tag.key: tag.value for tag in tags}
        # Printed by the commands of the CDK; the template does not depend on the time.
        warning = past_end(fleet.annex_name, lease.ends_at, _now())
        if warning is not None:
            Validations.of(self).add_warning("annex:pastEnd", warning)

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags that declare the lease."""
        return self._tags

    @property
    def caps(self) -> dict[str, str]:
        """The values that nothing may exceed, as settings of the checker's function: the texts of their tags.

        A tag of the group is easily rewritten; the environment of the function is the template's alone.
        """
        return {name: self._tags.get(NUMBERS[name][0], "") for name in _CAPS}


def _now() -> datetime:
    return datetime.now(UTC)


def _check(fleet: AnnexFleet, lease: LeaseTerms, size: float) -> None:
    maximum = None if Token.is_unresolved(fleet.max_size) else int(fleet.max_size)
    check_whole_number("LeaseChecker size", size, SIZE, minimum=0, maximum=maximum)
    check_drain(lease, fleet.execution_point.drain_before_end_seconds)
    if lease.renew_while_busy is not None and not fleet.protect_busy:
        raise invalid_value(
            "LeaseChecker lease",
            received="a lease that is renewed while busy",
            allowed="a lease that is renewed while busy needs a fleet with protect_busy=True: only its instances know "
            "about their jobs",
            fix="pass protect_busy=True to the AnnexFleet, or leave renew_while_busy out",
        )
    if fleet.node.try_find_child(_ID) is not None:
        raise invalid_value(
            "LeaseChecker fleet",
            received=f"{fleet.node.path}, which has a lease already",
            allowed="a fleet without a lease: two checkers would undo each other's work",
            fix="make one LeaseChecker for each fleet",
        )
