"""`annex leftovers`: everything that is left of an annex, or the proof that nothing is.

"Nothing is left" is said only when every listing answered, twice, some seconds apart: AWS's listings are eventually
consistent. A listing that fails is an error, never an empty one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from botocore.exceptions import BotoCoreError

from annex_lease.tags import TAG_NAME
from annex_pool.aws import Aws, asking, check_account
from annex_pool.environment import Environment
from annex_pool.error import AnnexError
from annex_pool.leftover import GLOBAL, Leftover, Resource, left_of
from annex_pool.listing import Listing
from annex_pool.listing_ec2 import EC2_LISTINGS
from annex_pool.listing_services import GLOBAL_LISTINGS, REGIONAL_LISTINGS
from annex_pool.tagged import confirmed, listed_by_tag
from annex_spec import AnnexSpec, Spec

PAUSE_SECONDS = 10.0
"""Between the two looks of which both must find nothing."""
_SILENT = 3  # listings without any answer, after which a Region is given up
LISTINGS = (*EC2_LISTINGS, *REGIONAL_LISTINGS)
KINDS = tuple(listing.kind for listing in (*LISTINGS, *GLOBAL_LISTINGS))
"""The kinds that are listed directly; the tagging service is asked for every other kind that it knows."""
NOT_FOUND = (
    f"what carries neither the tag {TAG_NAME} nor the name or tag of a stack Annex-NAME, or lost them",
    "instance profiles of an app whose stack is not called Annex-NAME, and its schedules once their function is gone",
    "Regions that the spec does not name, and other accounts",
    "log events, snapshots and images that somebody made of an annex's machines without the tag",
)
"""What this cannot find."""


@dataclass(frozen=True)
class Leftovers:
    """What was found.

    Attributes:
        annexes: the names looked for; None: any annex.
        regions: where.
        found: what is left, by annex, Region and kind.
        errors: listings that failed; with any, nothing found does not mean nothing left.
    """

    annexes: tuple[str, ...] | None
    regions: tuple[str, ...]
    found: tuple[Leftover, ...]
    errors: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """Whether it is proved that nothing is left."""
        return not self.found and not self.errors

    def as_data(self) -> dict[str, object]:
        """As `annex leftovers --json` prints it.

        Keys: annexes (names, or null for any), regions, kinds (listed directly), nothing_left, leftovers (see
        `Leftover.as_data`), errors, not_found_this_way.
        """
        return {
            "annexes": None if self.annexes is None else list(self.annexes),
            "regions": list(self.regions),
            "kinds": list(KINDS),
            "nothing_left": self.nothing,
            "leftovers": [each.as_data() for each in self.found],
            "errors": list(self.errors),
            "not_found_this_way": list(NOT_FOUND),
        }


def leftovers(environment: Environment, spec: Spec, specs: Sequence[AnnexSpec] | None) -> Leftovers:
    """Look for what is left, and look a second time before it is said that nothing is.

    Args:
        environment: the world.
        spec: the spec file; its Regions are looked at, each for every annex.
        specs: the annexes to look for. None: whatever carries an annex's name.

    Raises:
        InputError: the credentials belong to another account than an annex declares.
        AnnexError: it could not be found out whose they are.
    """
    declared = spec.annexes.values() if specs is None else specs
    regions = tuple(sorted({each.region for each in spec.annexes.values()}))
    for account in sorted({each.account for each in declared if each.account is not None}):
        check_account(environment.connect(regions[0]), account)
    names = None if specs is None else tuple(each.name for each in specs)
    first = _look(environment, names, regions)
    if not first.nothing:
        return first
    environment.sleep(PAUSE_SECONDS)
    return _look(environment, names, regions)


def _look(environment: Environment, names: tuple[str, ...] | None, regions: tuple[str, ...]) -> Leftovers:
    seen = Leftovers(names, regions, (), ())
    for region in regions:
        seen = _look_in(environment.connect(region), region, LISTINGS, seen)
    seen = _look_in(environment.connect(regions[0]), GLOBAL, GLOBAL_LISTINGS, seen)
    ordered = sorted(seen.found, key=lambda each: (each.annex, each.region, _order(each.resource), each.resource.id))
    return replace(seen, found=tuple(ordered), errors=tuple(dict.fromkeys(seen.errors)))


def _look_in(aws: Aws, region: str, listings: Sequence[Listing], seen: Leftovers) -> Leftovers:
    resources: list[Resource] = []
    errors: list[str] = []
    silent = 0
    for listing in listings:
        try:
            with asking(f"to list every {listing.kind} in {region}"):
                resources += listing.resources(aws)
        except AnnexError as error:
            errors.append(str(error))
            silent += isinstance(error.__cause__, BotoCoreError)
        if silent == _SILENT:
            # A minute of attempts for each kind would say no more than this.
            errors.append(f"AWS did not answer in {region}: nothing more was asked there")
            break
    if region != GLOBAL and silent < _SILENT:
        try:
            resources += _tagged(aws, seen.annexes, {(each.kind, each.id) for each in resources})
        except AnnexError as error:
            errors.append(str(error))
    found = [left for each in resources for left in _left(each, seen.annexes, region)]
    return replace(seen, found=(*seen.found, *found), errors=(*seen.errors, *errors))


def _tagged(aws: Aws, names: tuple[str, ...] | None, seen: set[tuple[str, str]]) -> Iterator[Resource]:
    for name in names or (None,):
        with asking(f"for everything that carries the tag {TAG_NAME} in {aws.region}"):
            for arn, tags in listed_by_tag(aws, name):
                resource = confirmed(aws, arn, tags, seen)
                if resource is not None:
                    yield resource


def _left(resource: Resource, names: tuple[str, ...] | None, region: str) -> Iterator[Leftover]:
    for name in names or (None,):
        found = left_of(resource, name, region)
        if found is not None:
            yield found


def _order(resource: Resource) -> tuple[int, str]:
    return (KINDS.index(resource.kind) if resource.kind in KINDS else len(KINDS), resource.kind)
