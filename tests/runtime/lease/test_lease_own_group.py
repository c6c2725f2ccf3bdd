"""The group that a run looks at and acts on is its own, for any answer of an API."""

from __future__ import annotations

from typing import Any, cast

from annex_lease.aws import AnnexAccess, Clients, read_group
from annex_lease.policy import LeasePolicy
from tests.runtime.lease.lease_cloud import HOUR, MINUTE, Cloud, record


def asks_for_every_group() -> Clients:
    """Clients whose listing of groups leaves the names out."""

    def without_names(params: dict[str, Any], **_: object) -> dict[str, Any]:
        return {key: value for key, value in params.items() if key != "AutoScalingGroupNames"}

    loose = Clients()
    # The type of a handler is wrong in the stubs: what it returns takes the place of the parameters.
    register = cast("Any", loose.autoscaling.meta.events.register)
    register("provide-client-params.autoscaling.DescribeAutoScalingGroups", without_names)
    return loose


def test_the_neighbour_with_a_longer_name_is_never_touched(cloud: Cloud, group: str) -> None:
    cloud.add_group("paper", LeasePolicy("paper", 3, 72_000, 900, duration_seconds=36_000))
    created = cloud.created(group)
    cloud.check(group, created)
    assert cloud.running("paper") == []
    cloud.check("paper", created)
    before = cloud.describe("paper")
    alive = {instance["InstanceId"] for instance in cloud.running("paper")}
    assert len(alive) == 3
    for moment in (HOUR, HOUR + 20 * MINUTE, 3 * HOUR):
        cloud.check(group, created + moment)
    assert cloud.running(group) == []
    assert cloud.describe("paper") == before
    assert {instance["InstanceId"] for instance in cloud.running("paper")} == alive


def test_the_request_names_the_group_and_so_does_what_is_taken_from_the_answer(cloud: Cloud, group: str) -> None:
    calls = record(cloud.clients.autoscaling, ["DescribeAutoScalingGroups"])
    assert read_group(AnnexAccess(group, "", cloud.clients)) is not None
    assert calls[0][1]["AutoScalingGroupNames"] == ["pa"]
    # An API that ignores the names, or matches them loosely, must not put another group into our hands.
    cloud.add_group("paper", None)
    loose = asks_for_every_group()
    assert read_group(AnnexAccess("pap", "", loose)) is None
    found = read_group(AnnexAccess("paper", "", loose))
    assert found is not None
    assert found.name == "paper"


def test_every_page_of_groups_is_read(cloud: Cloud) -> None:
    for number in range(60):
        cloud.add_group(f"g{number:02}", None)
    loose = asks_for_every_group()
    assert read_group(AnnexAccess("g59", "", loose)) is not None
