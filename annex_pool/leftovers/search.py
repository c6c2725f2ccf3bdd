"""The search for leftovers: every listing, in every Region of the spec.

"Nothing is left" needs two complete searches, some seconds apart, because AWS's listings are eventually consistent. A
failed listing is an error, never an empty one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from botocore.exceptions import BotoCoreError

from annex_lease.tags import TAG_NAME
from annex_pool.command_error import AnnexError
from annex_pool.environment import Environment
from annex_pool.leftovers.ec2_kinds import EC2_LISTINGS
from annex_pool.leftovers.leftover import GLOBAL, Leftover, ListedResource, left_of
from annex_pool.leftovers.listing import Listing
from annex_pool.leftovers.service_kinds import GLOBAL_LISTINGS, REGIONAL_LISTINGS
from annex_pool.leftovers.tagged import confirmed, listed_by_tag
from annex_pool.place import regions_of
from annex_pool.region import PAUSE_SECONDS, RegionClients, asking, check_account
from annex_spec import Spec

_MAX_SILENT = 3  # after so many listings without an answer the search in a Region ends
LISTINGS = (*EC2_LISTINGS, *REGIONAL_LISTINGS)
KINDS = tuple(listing.kind for listing in (*LISTINGS, *GLOBAL_LISTINGS))
"""Kinds that are listed directly; the tagging service lists every other kind that it knows."""
NOT_FOUND = (
    f"resources with neither the tag {TAG_NAME} nor the name or tag of a stack Annex-NAME, or that lost them",
    "instance profiles of an app whose stack is not called Annex-NAME, and its schedules once their function is gone",
    "resources in Regions that the spec does not name, and in other accounts",
    "log events, and snapshots and images of an annex's instances that were made without the tag",
)
"""Resources that the search cannot find."""


@dataclass(frozen=True)
class Leftovers:
    """Result of a search.

    Attributes:
        annexes: names searched for; None: any annex.
        regions: Regions searched.
        found: leftovers by annex, Region and kind.
        errors: failed listings; if there are any, an empty `found` does not mean that nothing is left.
    """

    annexes: tuple[str, ...] | None
    regions: tuple[str, ...]
    found: tuple[Leftover, ...]
    errors: tuple[str, ...]

    @property
    def nothing(self) -> bool:
        """True if it is proved that nothing is left."""
        return not self.found and not self.errors

    def as_data(self) -> dict[str, object]:
        """The JSON object of `annex leftovers --json`.

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


def find_leftovers(
    environment: Environment, spec: Spec, names: Sequence[str] | None, *, region: str | None = None
) -> Leftovers:
    """Search for leftovers; an empty result is confirmed by a second search.

    Args:
        environment: external dependencies.
        spec: the spec file; every Region in it is searched for every annex.
        names: names of the annexes to search for, declared or not. None: any annex.
        region: a Region to search besides those of the spec file. Default: None - there is none.

    Raises:
        InputError: the credentials belong to another account than an annex declares.
        AnnexError: the account of the credentials is not known, because AWS could not be asked.
    """
    asked = [each for each in spec.annexes.values() if names is None or each.name in names]
    regions = regions_of(spec, region)
    for account in sorted({each.account for each in asked if each.account is not None}):
        check_account(environment.connect(regions[0]), account)
    names = None if names is None else tuple(names)
    first = _search(environment, names, regions)
    if not first.nothing:
        return first
    environment.sleep(PAUSE_SECONDS)
    return _search(environment, names, regions)


def _search(environment: Environment, names: tuple[str, ...] | None, regions: tuple[str, ...]) -> Leftovers:
    seen = Leftovers(names, regions, (), ())
    for region in regions:
        seen = _search_in(environment.connect(region), region, LISTINGS, seen)
    seen = _search_in(environment.connect(regions[0]), GLOBAL, GLOBAL_LISTINGS, seen)
    ordered = sorted(seen.found, key=lambda each: (each.annex, each.region, _order(each.resource), each.resource.id))
    return replace(seen, found=tuple(ordered), errors=tuple(dict.fromkeys(seen.errors)))


def _search_in(aws: RegionClients, region: str, listings: Sequence[Listing], seen: Leftovers) -> Leftovers:
    resources: list[ListedResource] = []
    errors: list[str] = []
    silent = 0
    for listing in listings:
        try:
            with asking(f"to list every {listing.kind} in {region}"):
                resources += listing.resources(aws)
        except AnnexError as error:
            errors.append(str(error))
            silent += isinstance(error.__cause__, BotoCoreError)
        if silent == _MAX_SILENT:
            # Each further kind would take a minute of attempts and fail alike.
            errors.append(f"AWS did not answer in {region}: the other listings there were skipped")
            break
    if region != GLOBAL and silent < _MAX_SILENT:
        try:
            resources += _tagged(aws, seen.annexes, {(each.kind, each.id) for each in resources})
        except AnnexError as error:
            errors.append(str(error))
    found = [left for each in resources for left in _left(each, seen.annexes, region)]
    return replace(seen, found=(*seen.found, *found), errors=(*seen.errors, *errors))


def _tagged(aws: RegionClients, names: tuple[str, ...] | None, seen: set[tuple[str, str]]) -> Iterator[ListedResource]:
    for name in names or (None,):
        with asking(f"for all resources that carry the tag {TAG_NAME} in {aws.region}"):
            for arn, tags in listed_by_tag(aws, name):
                resource = confirmed(aws, arn, tags, seen)
                if resource is not None:
                    yield resource


def _left(resource: ListedResource, names: tuple[str, ...] | None, region: str) -> Iterator[Leftover]:
    for name in names or (None,):
        found = left_of(resource, name, region)
        if found is not None:
            yield found


def _order(resource: ListedResource) -> tuple[int, str]:
    return (KINDS.index(resource.kind) if resource.kind in KINDS else len(KINDS), resource.kind)
