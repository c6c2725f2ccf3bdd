"""The search for leftovers: every listing, in every Region that the account has enabled, all Regions at once.

"Nothing is left" needs two complete searches, some seconds apart, because AWS's listings are eventually consistent. A
failed listing is an error, never an empty one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from botocore.exceptions import BotoCoreError

from annex_lease.tags import TAG_NAME
from annex_pool.account_regions import ask_each, grouped
from annex_pool.command_error import AnnexError
from annex_pool.environment import Environment
from annex_pool.leftovers.ec2_kinds import EC2_LISTINGS
from annex_pool.leftovers.foreign import foreign_in
from annex_pool.leftovers.leftover import GLOBAL, Leftover, ListedResource, left_of
from annex_pool.leftovers.listing import Listing
from annex_pool.leftovers.service_kinds import GLOBAL_LISTINGS, REGIONAL_LISTINGS
from annex_pool.leftovers.tagged import confirmed, listed_by_tag
from annex_pool.place import Scope
from annex_pool.region import PAUSE_SECONDS, RegionClients, asking
from annex_spec import PartialSpec

T = TypeVar("T")

# Longest wait for all listings of all Regions. A Region that is slower counts as not searched.
SEARCH_SECONDS = 300.0
_MAX_SILENT = 3  # after so many listings without an answer the search in a Region ends
LISTINGS = (*EC2_LISTINGS, *REGIONAL_LISTINGS)
KINDS = tuple(listing.kind for listing in (*LISTINGS, *GLOBAL_LISTINGS))
"""Kinds that are listed directly; the tagging service lists every other kind that it knows."""
NOT_FOUND = (
    f"resources with neither the tag {TAG_NAME} nor the name or tag of a stack Annex-NAME, or that lost them",
    "instance profiles of an app whose stack is called neither Annex-NAME nor STAGE-Annex-NAME, and its schedules once "
    "their function is gone",
    "resources in other accounts, and in Regions that the account has not enabled",
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
        chosen: the command line names the Regions, so that others were not searched. Default: False.
    """

    annexes: tuple[str, ...] | None
    regions: tuple[str, ...]
    found: tuple[Leftover, ...]
    errors: tuple[str, ...]
    chosen: bool = False

    @property
    def nothing(self) -> bool:
        """True if it is proved that nothing is left."""
        return not self.found and not self.errors

    def as_data(self) -> dict[str, object]:
        """The JSON object of `annex leftovers --json`.

        Keys: annexes (names, or null for any), regions, all_regions (false if --region named them), kinds (listed
        directly), nothing_left, leftovers (see `Leftover.as_data`), errors, not_found_this_way.
        """
        return {
            "annexes": None if self.annexes is None else list(self.annexes),
            "regions": list(self.regions),
            "all_regions": not self.chosen,
            "kinds": list(KINDS),
            "nothing_left": self.nothing,
            "leftovers": [each.as_data() for each in self.found],
            "errors": list(self.errors),
            "not_found_this_way": list(NOT_FOUND),
        }


def find_leftovers(
    environment: Environment, names: Sequence[str] | None, asked: Scope, unasked: Sequence[str] = ()
) -> Leftovers:
    """Search for leftovers; an empty result is confirmed by a second search.

    Args:
        environment: external dependencies.
        names: names of the annexes to search for, declared or not. None: any annex.
        asked: the Regions to search for every annex.
        unasked: what cannot be searched at all, with the reason: it is among the errors of the result.

    Raises:
        AnnexError: the settings or credentials of the environment cannot be used.
    """
    start = Leftovers(None if names is None else tuple(names), asked.regions, (), (), asked.chosen)
    before = (*unasked, *asked.errors)
    first = _search(environment, start)
    if first.nothing:
        environment.sleep(PAUSE_SECONDS)
        first = _search(environment, start)
    return replace(first, errors=(*before, *first.errors))


def unasked_places(environment: Environment, spec: PartialSpec, names: Sequence[str] | None, asked: Scope) -> list[str]:
    """Accounts and Regions of the spec file that the search cannot reach, one line each.

    Args:
        environment: external dependencies.
        spec: the spec file.
        names: names of annexes; None: all of the file.
        asked: the Regions to search.

    Raises:
        AnnexError: the account of the credentials is not known, because AWS could not be asked.
    """
    places = {name: place for name, place in spec.places.items() if names is None or name in names}
    accounts = sorted({place.account for place in places.values() if place.account})
    used = environment.connect(asked.regions[0]).account() if accounts else None
    lines = [
        f"account {account} was not searched: {spec.path} declares annex "
        f"{', '.join(name for name, place in places.items() if place.account == account)} there, and the credentials "
        f"in use belong to account {used}; repeat the command with that account's credentials (AWS_PROFILE)"
        for account in accounts
        if account != used
    ]
    if asked.chosen or asked.errors:
        return lines
    named = {place.region for place in places.values() if place.region and place.account in (None, used)}
    return lines + [
        f"{region} was not searched: {spec.path} names it, and the account has not enabled this Region"
        for region in sorted(named - set(asked.regions))
    ]


def ask_places(
    environment: Environment, regions: Sequence[str], ask: Callable[[RegionClients, str], tuple[list[T], list[str]]]
) -> tuple[tuple[T, ...], tuple[str, ...]]:
    """Ask all Regions at the same time, and the first one for the resources of no Region.

    Args:
        environment: external dependencies.
        regions: the Regions.
        ask: asks with the clients of a Region; its name, or "global". The resources and the failed requests.

    Raises:
        AnnexError: the settings or credentials of the environment cannot be used.
    """
    places = {region: environment.connect(region) for region in regions}
    places[GLOBAL] = environment.connect(regions[0])
    answers = ask_each(tuple(places), lambda place: ask(places[place], place), SEARCH_SECONDS)
    found = [each for resources, _ in answers.given.values() for each in resources]
    errors = [error for _, place_errors in answers.given.values() for error in place_errors]
    return tuple(found), tuple(dict.fromkeys([*errors, *grouped(answers.errors)]))


def list_kinds(
    aws: RegionClients, listings: Sequence[Listing[T]], place: str, whose: str = ""
) -> tuple[list[T], list[str], bool]:
    """List kind after kind: the resources, the failed listings, and True if AWS answered there.

    Args:
        aws: the clients of the Region.
        listings: the listings.
        place: the Region, or "global".
        whose: what the resources belong to, for the errors. Default: "" - all resources are listed.
    """
    resources: list[T] = []
    errors: list[str] = []
    silent = 0
    for listing in listings:
        try:
            with asking(f"to list every {listing.kind}{whose} in {place}"):
                resources += listing.resources(aws)
        except AnnexError as error:
            errors.append(str(error))
            silent += isinstance(error.__cause__, BotoCoreError)
        if silent == _MAX_SILENT:
            # Each further kind would take a minute of attempts and fail alike.
            errors.append(f"AWS did not answer in {place}: the other listings there were skipped")
            return resources, errors, False
    return resources, errors, True


def _search(environment: Environment, seen: Leftovers) -> Leftovers:
    found, errors = ask_places(environment, seen.regions, lambda aws, region: _search_in(aws, region, seen))
    ordered = sorted(found, key=lambda each: (each.annex, each.region, _order(each.resource), each.resource.id))
    return replace(seen, found=tuple(ordered), errors=errors)


def _search_in(aws: RegionClients, region: str, seen: Leftovers) -> tuple[list[Leftover], list[str]]:
    listings = GLOBAL_LISTINGS if region == GLOBAL else LISTINGS
    resources, errors, answered = list_kinds(aws, listings, region)
    if region != GLOBAL and answered:
        try:
            resources += _tagged(aws, seen.annexes, {(each.kind, each.id) for each in resources})
        except AnnexError as error:
            errors.append(str(error))
    found = [left for each in resources for left in _left(each, seen.annexes, region)]
    if region != GLOBAL and answered:
        try:
            with asking(f"for what others put into the networks of annexes in {region}"):
                found += foreign_in(aws, tuple(found))
        except AnnexError as error:
            errors.append(str(error))
    return found, errors


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
