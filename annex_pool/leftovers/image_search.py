"""The search for what is left of a built image: every listing, in every Region, twice before nothing is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from annex_pool.environment import Environment
from annex_pool.leftovers.image_remains import GLOBAL_IMAGE_KINDS, REGIONAL_IMAGE_KINDS, ImageRemain, ListImage
from annex_pool.leftovers.leftover import GLOBAL
from annex_pool.leftovers.listing import Listing
from annex_pool.leftovers.search import ask_places, list_kinds
from annex_pool.place import Scope
from annex_pool.region import PAUSE_SECONDS, RegionClients

IMAGE_KINDS = (*REGIONAL_IMAGE_KINDS, *GLOBAL_IMAGE_KINDS)
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
    def ask(aws: RegionClients, place: str) -> tuple[list[tuple[str, ImageRemain]], list[str]]:
        kinds = GLOBAL_IMAGE_KINDS if place == GLOBAL else REGIONAL_IMAGE_KINDS
        listings = [Listing(kind, _of_image(resources, seen.image)) for kind, resources in kinds.items()]
        found, errors, _ = list_kinds(aws, listings, place, f" of image {seen.image}")
        return [(place, each) for each in found], errors

    found, errors = ask_places(environment, seen.regions, ask)
    return replace(seen, found=found, errors=errors)


def _of_image(resources: ListImage, image: str) -> Callable[[RegionClients], Iterator[ImageRemain]]:
    return lambda aws: resources(aws, image)
