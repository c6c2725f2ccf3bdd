"""`annex leftovers` with refused listings and wrong input: a failed listing is never an empty one."""

import json

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.runtime.pool import pool_world, remains
from tests.runtime.pool.pool_world import World

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
WEST = "us-west-2"
DEMO = {"annex:name": "demo"}
OPERATIONS = [
    "DescribeInstances",
    "DescribeVolumes",
    "DescribeAddresses",
    "DescribeAutoScalingGroups",
    "DescribeStacks",
    "ListSecrets",
    "ListFunctions",
    "ListSchedules",
    "DescribeLogGroups",
    "ListQueues",
    "ListTopics",
    "DescribeAlarms",
    "ListRoles",
    "ListInstanceProfiles",
    "GetResources",
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("first_look", [True, False])
def test_a_listing_that_fails_is_never_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, operation: str, first_look: bool
) -> None:
    def call(client: object, name: str, params: object) -> object:
        if name == operation and bool(world.slept) != first_look:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, name)
        return REAL_CALL(client, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = world.annex("leftovers", "demo")
    assert done.exit_code == 1
    assert "refused: Throttling: Rate exceeded" in done.err
    assert "it is not known whether anything is left of annex demo" in done.out
    assert "nothing is left" not in done.out


def test_what_one_failed_listing_hides_does_not_hide_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_world, "SPEC", pool_world.SPEC + f'region = "{WEST}"\n')
    remains.TAGGED["volume"](WEST, DEMO)

    def call(client: object, name: str, params: object) -> object:
        if name == "DescribeInstances":
            raise EndpointConnectionError(endpoint_url="https://ec2")
        return REAL_CALL(client, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = world.annex("leftovers", "demo", "--json")
    data = json.loads(done.out)
    assert done.exit_code == 1
    assert [each["kind"] for each in data["leftovers"]] == ["volume"]
    assert len(data["errors"]) == len(world.enabled)
    assert "could not answer" in done.err


def test_a_tag_of_a_resource_that_cannot_be_asked_for_is_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    remains.TAGGED["function"]("us-east-1", DEMO)

    def call(client: object, name: str, params: object) -> object:
        if name == "ListTags":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not you"}}, name)
        return REAL_CALL(client, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = world.annex("leftovers", "demo")
    assert done.exit_code == 1
    assert "AccessDeniedException: not you" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("demo", "--all"), "give only one of the two"),
        (("dmo",), "did you mean demo?"),
        (("--spec", "/nowhere.toml"), "No such file"),
    ],
)
def test_wrong_input(world: World, words: tuple[str, ...], said: str) -> None:
    done = world.annex("leftovers", *words)
    assert (done.exit_code, done.out) == (2, "")
    assert said in done.err


def test_another_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_world, "SPEC", pool_world.SPEC + 'account = "999999999999"\n')
    remains.TAGGED["volume"]("us-east-1", DEMO)
    for words in ((), ("--all",)):
        done = world.annex("leftovers", *words)
        assert done.exit_code == 1
        assert "volume" in done.out
        assert "account 999999999999 was not searched: " in done.err
        assert "declares annex demo2 there, and the credentials in use belong to account 123456789012" in done.err
    # Of the annex alone nothing can be found here.
    assert world.annex("leftovers", "demo2").exit_code == 2
    assert "was not searched" not in world.annex("leftovers", "demo").err


def test_a_region_that_does_not_answer_is_skipped_and_not_taken_for_empty(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_world, "SPEC", pool_world.SPEC + f'region = "{WEST}"\n')
    remains.TAGGED["volume"]("us-east-1", DEMO)
    asked = 0

    def call(client: BaseClient, name: str, params: object) -> object:
        nonlocal asked
        if client.meta.region_name == WEST:
            asked += 1
            raise EndpointConnectionError(endpoint_url="https://west")
        return REAL_CALL(client, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = world.annex("leftovers", "demo", "--json")
    data = json.loads(done.out)
    # Once for the enabled Regions, which another Region answers, and then as often as a silent Region is asked.
    assert (done.exit_code, asked) == (1, 1 + 3)
    assert [each["kind"] for each in data["leftovers"]] == ["volume"]
    assert f"AWS did not answer in {WEST}: the other listings there were skipped" in done.err
