"""An annex in a Region that the spec file does not name, and Regions and accounts that cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError

from annex_pool.account_regions import enabled_regions
from tests.runtime.pool import remains
from tests.runtime.pool.pool_parts import make_checker
from tests.runtime.pool.pool_world import SPEC, World, aws, deploy

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
WEST, EU = "us-west-2", "eu-west-1"
MOVED = SPEC.replace('"us-east-1"', f'"{WEST}"')
ACCOUNTS = SPEC.replace("[annex.demo2]", '[annex.demo2]\naccount = "999999999999"')
Refuse = Callable[..., None]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    def refuse(region: str | None = None, operation: str | None = None, code: str = "AccessDenied") -> None:
        def call(client: BaseClient, name: str, params: object) -> object:
            if region in (None, client.meta.region_name) and operation in (None, name):
                if code == "silence":
                    raise EndpointConnectionError(endpoint_url="https://nowhere")
                raise ClientError({"Error": {"Code": code, "Message": "not you"}}, name)
            return REAL_CALL(client, name, params)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    return refuse


def test_a_region_that_was_changed_in_the_file(world: World) -> None:
    """The old group still runs; the file names another Region only."""
    deploy("demo", annex_id="u-u-i-d.demo")
    world.spec = MOVED
    for words in (("demo",), (), ("--all",)):
        done = world.annex("leftovers", *words, "--json")
        data = json.loads(done.out)
        assert (done.exit_code, data["nothing_left"], data["regions"]) == (1, False, list(world.enabled))
        assert ("us-east-1", "Auto Scaling group") in [(each["region"], each["kind"]) for each in data["leftovers"]]
    for verb in ("status", "stop", "check"):
        done = world.annex(verb, "demo")
        assert done.exit_code == 0, done
        assert f"note: annex demo is declared in {WEST} by " in done.err
        assert "; the one in us-east-1 is meant" in done.err
    planned = world.annex("plan", "demo", "--deployed")
    assert planned.exit_code == 0
    assert f"deployed: annex demo is not deployed in {WEST}: a deployment begins a new lease" in planned.out
    assert "deployed: the annex stack Annex-demo in us-east-1, id u-u-i-d.demo" in planned.out


@pytest.mark.parametrize("words", [("demo",), ("--all",), ()], ids=str)
@pytest.mark.parametrize("code", ["AccessDenied", "silence"])
def test_a_region_that_cannot_be_asked_is_named(
    world: World, refuse: Refuse, words: tuple[str, ...], code: str
) -> None:
    refuse(EU, code=code)
    done = world.annex("leftovers", *words, "--json")
    data = json.loads(done.out)
    assert (done.exit_code, data["nothing_left"], data["leftovers"]) == (1, False, [])
    assert all(EU in error or "global" in error for error in data["errors"])
    assert "nothing is left" not in world.annex("leftovers", *words).out
    # A search that leaves the Region out says so.
    proved = world.annex("leftovers", *words, "--region", "us-east-1", "--region", WEST)
    assert (proved.exit_code, proved.err) == (0, "")
    assert f"in us-east-1, {WEST}; no other Region was searched" in proved.out


def test_regions_that_are_not_known_are_not_nothing(world: World, refuse: Refuse) -> None:
    refuse(operation="DescribeRegions")
    done = world.annex("leftovers", "demo")
    assert done.exit_code == 1
    assert "error: the enabled Regions are not known: us-east-1 could not be asked: AWS was asked for the " in done.err
    assert "it is not known whether anything is left" in done.out


def test_a_region_that_hangs_ends_the_search_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annex_pool.leftovers.search.SEARCH_SECONDS", 3.0)
    stuck = Event()

    def call(client: BaseClient, name: str, params: object) -> object:
        if client.meta.region_name == EU:
            stuck.wait()
        return REAL_CALL(client, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    world.spec = SPEC.replace("[annex.demo2]", '[annex.demo2]\nregion = "us-west-2"')
    try:
        done = world.annex("leftovers", "demo")
    finally:
        stuck.set()
    assert done.exit_code == 1
    assert f"{EU} could not be asked: AWS did not answer in {EU} within 3 seconds" in done.err


def test_a_file_with_two_accounts(world: World) -> None:
    deploy("demo", annex_id="u-u-i-d.demo")
    make_checker("demo", "u-u-i-d.demo")
    world.spec = ACCOUNTS
    for words in ((), ("--all",)):
        done = world.annex("leftovers", *words)
        assert done.exit_code == 1
        assert "Group-demo" in done.out
        assert "declares annex demo2 there, and the credentials in use belong to account 123456789012" in done.err
    shown = world.annex("status", "--json")
    assert shown.exit_code == 1
    assert [each["phase"] for each in json.loads(shown.out)] == ["waiting", None]
    assert world.annex("stop", "demo").exit_code == 0
    refused = world.annex("stop", "demo2")
    assert refused.exit_code == 2
    assert "to mean the annex in account 123456789012 give --region, --stack or --id" in refused.err


def test_the_account_in_the_file_does_not_count_if_the_place_is_given(world: World) -> None:
    """The annex was moved to another account in the file; the one in the old account still runs."""
    deploy("demo2", annex_id="u-u-i-d.demo2")
    make_checker("demo2", "u-u-i-d.demo2")
    world.spec = ACCOUNTS
    shown = json.loads(world.annex("status", "--all", "--json").out)
    assert [(each["name"], each["phase"]) for each in shown][1:] == [("demo2", None), ("demo2", "waiting")]
    assert world.annex("stop", "demo2").exit_code == 2
    assert world.annex("stop", "demo2", "--region", "us-east-1").exit_code == 0
    assert world.annex("status", "demo2", "--id", "u-u-i-d.demo2").exit_code == 0


def test_a_region_of_the_file_that_is_not_enabled(world: World) -> None:
    world.enabled = ("us-east-1",)
    world.spec = SPEC + 'region = "eu-south-1"\n'
    done = world.annex("leftovers")
    assert done.exit_code == 1
    assert "eu-south-1 was not searched: " in done.err
    assert "the account has not enabled this Region" in done.err
    assert world.annex("leftovers", "demo").exit_code == 0


def test_the_declared_region_does_not_answer(world: World, refuse: Refuse) -> None:
    deploy("demo", annex_id="u-u-i-d.demo")
    make_checker("demo", "u-u-i-d.demo")
    world.spec = MOVED
    refuse(WEST, code="silence")
    done = world.annex("status", "demo")
    assert done.exit_code == 0
    assert f"note: {WEST} could not be asked: " in done.err


def test_close_names_come_from_the_file_and_from_what_is_deployed(world: World) -> None:
    aws(EU)
    deploy("demos", annex_id="u-u-i-d.demos", region=EU, stack="Prod-Annex-demos")
    for verb in (("stop",), ("check",), ("leftovers",), ("extend",), ("plan", "--deployed")):
        more = ("--for", "9h") if verb == ("extend",) else ()
        done = world.annex(*verb, "demoes", *more)
        assert (done.exit_code, done.out) == (2, "")
        assert f"did you mean demo or demos (deployed in {EU}, stack Prod-Annex-demos)?" in done.err
    done = world.annex("stop", "quite-other")
    assert "deployed there: demos: add a table [annex.quite-other], or name one of these" in done.err


def test_the_enabled_regions_are_those_of_the_account() -> None:
    class Enabled:
        region = "us-east-1"

        class ec2:  # noqa: N801
            @staticmethod
            def describe_regions(**request: object) -> dict[str, list[dict[str, str]]]:
                assert request == {}
                return {"Regions": [{"RegionName": "us-west-2"}, {"RegionName": "eu-west-1"}]}

    assert enabled_regions(Enabled) == ("eu-west-1", "us-west-2")  # type: ignore[arg-type]


def test_without_any_region_the_first_is_asked(world: World) -> None:
    deploy("demo", annex_id="u-u-i-d.demo")
    remains.TAGGED["volume"](EU, {"annex:name": "demo"})
    world.spec = None
    world.region = None
    assert world.annex("stop", "demo").exit_code == 0
    assert world.annex("leftovers", "demo").exit_code == 1
