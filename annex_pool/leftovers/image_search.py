"""The search for what is left of a built image: every listing, in every Region, twice before nothing is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from annex_pool.account_regions import ask_each, grouped
from annex_pool.command_error import AnnexError
from annex_pool.environment import Environment
from annex_pool.leftovers.image_remains import (
    GLOBAL_IMAGE_LISTINGS,
    IMAGE_LISTINGS,
    ImageListing,
    ImageRemain,
)
from annex_pool.leftovers.leftover import GLOBAL
from annex_pool.leftovers.search import SEARCH_SECONDS
from annex_pool.place import Scope
from annex_pool.region import PAUSE_SECONDS, RegionClients, asking

IMAGE_KINDS = tuple(each.kind for each in (*IMAGE_LISTINGS, *GLOBAL_IMAGE_LISTINGS))
"""Kinds of resources of an image that are listed."""


@dataclass(frozen=True)
class ImageLeftovers:
    """Result of a search.

    Attributes:
        image: the image's name.
        regions: Regions searched.
        found: Region, or "global", and resource, in the order in which they can be removed.
        errors: failed listings; if there are any, an empty `found` does not mean that nothing is left.
        chosen: the command line names the Regions, so that others were not searched.
    """

    image: str
    regions: tuple[str, ...]
    found: tuple[tuple[str, ImageRemain], ...] = ()
    errors: tuple[str, ...] = ()
    chosen: bool = False

    @property
    def nothing(self) -> bool:
        """True if it is proved that nothing is left."""
        return not self.found and not self.errors

    def as_data(self) -> dict[str, object]:
        """The JSON object of `annex leftovers --image NAME --json`.

        Keys: image, regions, all_regions (false if --region named them), kinds, nothing_left, leftovers (each with
        region, kind, id, state, used_by and remove, the command that removes it), errors.
        """
        return {
            "image": self.image,
            "regions": list(self.regions),
            "all_regions": not self.chosen,
            "kinds": list(IMAGE_KINDS),
            "nothing_left": self.nothing,
            "leftovers": [
                {
                    "region": region,
                    "kind": each.kind,
                    "id": each.id,
                    "state": each.state,
                    "used_by": list(each.used_by),
                    "remove": each.remove,
                }
                for region, each in self.found
            ],
            "errors": list(self.errors),
        }


def find_image_leftovers(environment: Environment, image: str, asked: Scope) -> ImageLeftovers:
    """Search for everything of a built image; an empty result is confirmed by a second search.

    Args:
        environment: external dependencies.
        image: the image's name, declared or not.
        asked: the Regions to search.

    Raises:
        AnnexError: the settings or credentials of the environment cannot be used.
    """
    start = ImageLeftovers(image, asked.regions, chosen=asked.chosen)
    found = _search(environment, start)
    if found.nothing:
        environment.sleep(PAUSE_SECONDS)
        found = _search(environment, start)
    return replace(found, errors=(*asked.errors, *found.errors))


def _search(environment: Environment, seen: ImageLeftovers) -> ImageLeftovers:
    places: dict[str, tuple[RegionClients, Sequence[ImageListing]]] = {
        region: (environment.connect(region), IMAGE_LISTINGS) for region in seen.regions
    }
    places[GLOBAL] = (environment.connect(seen.regions[0]), GLOBAL_IMAGE_LISTINGS)
    answers = ask_each(tuple(places), lambda place: _listed(*places[place], seen.image, place), SEARCH_SECONDS)
    found = [(place, each) for place, (resources, _) in answers.given.items() for each in resources]
    errors = [error for _, place_errors in answers.given.values() for error in place_errors]
    return replace(seen, found=tuple(found), errors=tuple(dict.fromkeys([*errors, *grouped(answers.errors)])))


def _listed(
    aws: RegionClients, listings: Sequence[ImageListing], image: str, place: str
) -> tuple[list[ImageRemain], list[str]]:
    resources: list[ImageRemain] = []
    errors: list[str] = []
    for listing in listings:
        try:
            with asking(f"to list every {listing.kind} of image {image} in {place}"):
                resources += listing.resources(aws, image)
        except AnnexError as error:
            errors.append(str(error))
    return resources, errors
