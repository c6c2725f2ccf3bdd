"""Calls of a run: their number does not grow with the annexes that live, and every listing asks for full pages."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from annex_lease.sweep.inventory import RegionReader
from tests.runtime.sweep.sweep_cloud import HOUR, Region, annex_tags

GONE = "99999999-0000-4000-8000-000000000000"
LARGEST = {
    "DescribeAutoScalingGroups": 100,
    "DescribeInstances": 1000,
    "DescribeVolumes": 1000,
    "DescribeNetworkInterfaces": 1000,
    "ListSecrets": 100,
    "GetResources": 100,
    "DescribeLogGroups": 50,
}
"""Largest page of each listing that has a page size, by its API reference."""
TOKENS = {"NextToken", "Marker", "PaginationToken", "nextToken"}


class Recorder:
    """Calls of a run that list something, without those for further pages."""

    def __init__(self, region: Region) -> None:
        self.first: list[tuple[str, str, dict[str, Any]]] = []
        clients = region.clients
        for name in ("autoscaling", "ec2", "secretsmanager", "logs", "cloudformation", "tagging"):
            getattr(clients, name).meta.events.register("provide-client-params.*.*", self._record)

    def _record(self, params: dict[str, Any], model: Any, **_: object) -> None:
        if model.name.startswith(("Describe", "List", "Get")) and not TOKENS & params.keys():
            self.first.append((model.service_model.service_name, model.name, dict(params)))

    def of(self, region: Region, **also: Any) -> list[str]:
        """Listings of one run, in their order."""
        self.first.clear()
        region.sweep(2 * HOUR, **also)
        return [name for _, name, _ in self.first]


def add_living(region: Region, numbers: range) -> None:
    for number in numbers:
        uuid = region.add_stack(f"Annex-n{number}")
        region.add_annex(f"n{number}", uuid, hours=9, size=number % 2)
        region.add_leftovers(annex_tags(f"n{number}", uuid))


def test_the_number_of_calls_does_not_grow_with_the_annexes_that_live(region: Region) -> None:
    region.add_annex("over", region.add_stack("Annex-over"))
    recorder, counts, made = Recorder(region), [], 0
    for living in (1, 10, 25, 100):
        add_living(region, range(made, living))
        made = living
        counts.append(recorder.of(region, event={"sweep": "dry-run"}))
    assert counts[0] == [
        "DescribeAutoScalingGroups",
        "DescribeInstances",  # of what is over: by their groups, and by their ids
        "DescribeInstances",
        "DescribeInstances",
        "DescribeStacks",
        "DescribeVolumes",
        "DescribeNetworkInterfaces",
        "ListSecrets",  # by each of the two tags
        "ListSecrets",
        "GetResources",
        "GetResources",
    ]
    assert counts == [counts[0]] * 4


def test_annexes_that_are_over_share_their_listings(region: Region) -> None:
    for number in range(101):
        region.add_annex(f"n{number}", region.add_stack(f"Annex-n{number}"), size=0)
    listed = Recorder(region).of(region, event={"sweep": "dry-run"})
    assert listed.count("DescribeInstances") == 2 * 2 + 1, "100 values in a filter"
    assert listed.count("DescribeAutoScalingGroups") == 1


@pytest.mark.parametrize("orphans", [1, 3])
def test_only_log_groups_that_no_annex_owns_are_asked_for(region: Region, orphans: int) -> None:
    add_living(region, range(3))
    for _ in range(orphans):
        region.add_leftovers(annex_tags("gone", GONE))
    assert Recorder(region).of(region).count("DescribeLogGroups") == orphans


def test_every_listing_asks_for_the_largest_page(region: Region) -> None:
    region.add_annex("over", region.add_stack("Annex-over"))
    region.add_leftovers(annex_tags("gone", GONE))
    recorder, models = Recorder(region), botocore.session.get_session().get_component("data_loader")
    recorder.of(region)
    seen = set()
    for service, name, params in recorder.first:
        paginators = models.load_service_model(service, "paginators-1")["pagination"]
        key = paginators.get(name, {}).get("limit_key")
        if key is None or "AutoScalingGroupNames" in params:
            continue  # it has no page size, or it asks for one group
        assert params.get(key) == LARGEST[name], name
        seen.add(name)
    assert seen == set(LARGEST)


def test_a_listing_keeps_the_tags_it_needs_and_each_text_once(region: Region) -> None:
    tags = {**annex_tags("a", GONE), "Name": "annex-a", "Foreign": "x" * 200}
    for _ in range(2):
        region.add_instance(tags)
    first, second = RegionReader(region.clients).inventory(()).instances or ()
    assert first.tags == second.tags == {**annex_tags("a", GONE), "Name": "annex-a"}
    assert [id(text) for text in first.tags.values()] == [id(text) for text in second.tags.values()]
