"""`annex leftovers`: every kind is found, of this annex only, and a failed listing is never an empty one."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.client import BaseClient

from annex_pool.leftovers.search import KINDS, LISTINGS
from annex_pool.leftovers.service_kinds import GLOBAL_LISTINGS
from tests.runtime.pool import pool_world, remains
from tests.runtime.pool.pool_world import World, aws, deploy

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
WEST = "us-west-2"
DEMO, OTHER = {"annex:name": "demo"}, {"annex:name": "demo-2"}


@pytest.fixture
def regions(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A spec with annexes in two Regions, of an account that has three enabled."""
    monkeypatch.setattr(pool_world, "SPEC", pool_world.SPEC + f'region = "{WEST}"\n')
    return world


def left(world: World, *words: str) -> list[tuple[str, str, str, str]]:
    done = world.annex("leftovers", *words, "--json")
    data = json.loads(done.out)
    assert data["errors"] == []
    assert data["nothing_left"] == (data["leftovers"] == [])
    assert done.exit_code == (1 if data["leftovers"] else 0)
    return [(each["annex"], each["region"], each["kind"], each["by"]) for each in data["leftovers"]]


def test_nothing_is_left_after_two_searches(regions: World) -> None:
    done = regions.annex("leftovers", "demo")
    assert (done.exit_code, done.err) == (0, "")
    assert f"nothing is left of annex demo: searched twice for {len(KINDS)} kinds of resource" in done.out
    assert "in eu-west-1, us-east-1, us-west-2" in done.out
    assert "no other Region" not in done.out
    assert regions.slept == [10.0]


@pytest.mark.parametrize("kind", remains.TAGGED)
def test_every_kind_is_found_by_its_tag_and_no_other_annexs(regions: World, kind: str) -> None:
    make = remains.TAGGED[kind]
    make(WEST, OTHER)
    assert left(regions, "demo") == []
    assert [(annex, found) for annex, _, found, _ in left(regions, "--all")] == [("demo-2", kind)]


@pytest.mark.parametrize("kind", remains.TAGGED)
def test_every_kind_is_found_in_every_region_of_the_spec(regions: World, kind: str) -> None:
    remains.TAGGED[kind](WEST, DEMO)
    region = "global" if kind == "role" else WEST
    assert left(regions, "demo") == [("demo", region, kind, "tag")]
    assert left(regions) == [("demo", region, kind, "tag")]
    assert regions.slept == []


def test_every_kind_that_is_searched_for_is_tested_here() -> None:
    assert set(KINDS) == {*remains.TAGGED, "schedule", "alarm", "stack", "instance profile"}


def test_an_alarm(world: World) -> None:
    remains.alarm("us-east-1", DEMO, "Annex-demo-AnnexAlarm")
    assert left(world, "demo") == [("demo", "us-east-1", "alarm", "tag")]


@pytest.mark.parametrize(
    ("make", "kind", "region"),
    [
        (lambda name: remains.schedule("us-east-1", name), "schedule", "us-east-1"),
        (lambda name: remains.log_group("us-east-1", f"/aws/lambda/{name}"), "log group", "us-east-1"),
        (remains.profile, "instance profile", "global"),
    ],
)
def test_a_resource_without_tags_is_found_by_its_name(
    world: World, make: Callable[[str], None], kind: str, region: str
) -> None:
    make("Annex-demo-2-AnnexPart-X")
    make("Annex-demoAnnex-X")
    assert left(world, "demo") == []
    make("Annex-demo-AnnexPart-X")
    assert left(world, "demo") == [("demo", region, kind, "name")]


def test_a_name_that_is_the_beginning_of_another(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The annex `muon-calibration` is no leftover of `muon-calibration-a`, although names may have been cut."""
    monkeypatch.setattr(pool_world, "SPEC", pool_world.SPEC.replace("demo2", "muon-calibration-a"))
    name = "Annex-muon-calibration-AnnexPart-X"
    remains.profile(name)
    remains.log_group("us-east-1", f"/aws/lambda/{name}")
    remains.TAGGED["function"]("us-east-1", {"annex:id": "u-u-i-d.muon-calibration"})
    assert left(world, "muon-calibration-a") == []
    remains.schedule("us-east-1", name)
    assert left(world, "muon-calibration-a") == [("muon-calibration", "us-east-1", "schedule", "name")]


def test_a_stack(world: World) -> None:
    remains.stack("us-east-1", "Annex-demo-2", "HTCondor annex demo-2: execution points under a lease")
    remains.stack("us-east-1", "Annex-theirs", "Another app's")
    assert left(world, "demo") == []
    remains.stack("us-east-1", "Annex-demo", "HTCondor annex demo: execution points under a lease")
    assert left(world, "demo") == [("demo", "us-east-1", "stack", "stack")]
    assert [each[0] for each in left(world, "--all")] == ["demo", "demo-2"]
    aws().client("cloudformation").delete_stack(StackName="Annex-demo")
    assert left(world, "demo") == []


def test_a_whole_annex_and_its_instances_that_are_gone(world: World) -> None:
    deploy("demo")
    world.annex("credential", "push", "demo", "--token-command", world.issuer())
    kinds = [kind for _, _, kind, _ in left(world, "demo")]
    assert kinds.count("instance") == 3
    assert {"Auto Scaling group", "secret"} <= set(kinds)
    client = aws().autoscaling
    client.update_auto_scaling_group(AutoScalingGroupName="Group-demo", DesiredCapacity=0)
    kinds = [kind for _, _, kind, _ in left(world, "demo")]
    assert "instance" not in kinds
    assert "Auto Scaling group" in kinds


def test_a_secret_that_is_pending_deletion_is_said_to_be(world: World) -> None:
    remains.TAGGED["secret"]("us-east-1", DEMO)
    aws().secretsmanager.delete_secret(SecretId="left", RecoveryWindowInDays=7)
    done = world.annex("leftovers", "demo")
    assert done.exit_code == 1
    assert "pending deletion" in done.out
    assert "1 resource is left of annex demo in eu-west-1, us-east-1, us-west-2" in done.out


def test_resources_that_only_the_tagging_service_lists(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resource of another kind is reported as such; for a known kind its own service decides."""
    world.enabled = ("us-east-1",)
    known = [
        "arn:aws:ec2:us-east-1:123456789012:volume/vol-0123456789abcdef0",
        "arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0",
        "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:u:autoScalingGroupName/gone",
        "arn:aws:cloudformation:us-east-1:123456789012:stack/Annex-demo/gone",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-AbCdEf",
        "arn:aws:lambda:us-east-1:123456789012:function:gone",
        "arn:aws:logs:us-east-1:123456789012:log-group:gone",
        "arn:aws:sqs:us-east-1:123456789012:gone",
        "arn:aws:sns:us-east-1:123456789012:gone",
        "arn:aws:cloudwatch:us-east-1:123456789012:alarm:gone",
        "arn:aws:iam::123456789012:role/gone",
    ]
    listed = [*known, "arn:aws:glacier:us-east-1:123456789012:vaults/x", "hostile\narn"]

    def call(client: object, operation: str, params: Mapping[str, Any]) -> object:
        if operation != "GetResources":
            return REAL_CALL(client, operation, params)
        tags = [{"Key": "annex:name", "Value": "demo"}]
        return {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": tags} for arn in listed]}

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = world.annex("leftovers", "demo", "--json")
    found = json.loads(done.out)["leftovers"]
    assert [(each["kind"], each["tagging_service_only"]) for each in found] == [
        ("glacier (other)", True),
        ("resource (other)", True),
    ]
    shown = world.annex("leftovers", "demo").out
    assert "the tagging service only" in shown
    assert "'hostile\\narn'" in shown


def test_a_resource_of_the_second_search_counts(world: World) -> None:
    world.on_sleep = lambda: remains.TAGGED["volume"]("us-east-1", DEMO)
    assert left(world, "demo") == [("demo", "us-east-1", "volume", "tag")]
    assert world.slept == [10.0]


def test_every_page_is_read(world: World) -> None:
    for number in range(120):
        aws().secretsmanager.create_secret(Name=f"other-{number}", SecretString="x")
    aws().secretsmanager.create_secret(Name="zz", SecretString="x", Tags=[{"Key": "annex:name", "Value": "demo"}])
    assert left(world, "demo") == [("demo", "us-east-1", "secret", "tag")]


@pytest.mark.parametrize("name", ["dem", "demo-", "demo2", "d*", "de?o", "Demo"])
def test_colliding_names(world: World, name: str) -> None:
    for make in (remains.TAGGED["volume"], remains.TAGGED["secret"], remains.TAGGED["log group"]):
        make("us-east-1", {"annex:name": name})
    assert left(world, "demo") == []
    assert len(left(world, "--all")) == 3


def test_the_help_names_what_is_searched_and_what_is_not(world: World) -> None:
    said = " ".join(world.annex("leftovers", "--help").out.split())
    for listing in (*LISTINGS, *GLOBAL_LISTINGS):
        assert listing.kind in said
    assert "Cannot be found:" in said
    assert "Exit code 0 only if every listing answered, twice, and nothing is left" in said


def test_nothing_is_changed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy("demo")
    asked: set[str] = set()

    def call(client: object, name: str, params: object) -> object:
        asked.add(name)
        return REAL_CALL(client, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    world.annex("leftovers", "--all")
    assert {name for name in asked if not name.startswith(("Describe", "List", "Get"))} == set()
