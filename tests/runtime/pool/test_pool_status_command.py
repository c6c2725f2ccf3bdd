"""`annex status` against an account and a pool, and the command line itself."""

import json
from typing import TYPE_CHECKING

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from annex_pool.collector import Slot, query_slots
from annex_pool.command_error import AnnexError
from tests.runtime.pool import pool_world
from tests.runtime.pool.pool_world import World, aws, deploy

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import TagTypeDef


@pytest.fixture
def running(world: World) -> World:
    deploy("demo")
    assert world.annex("credential", "push", "demo", "--token-command", world.issuer()).exit_code == 0
    ids = [each["InstanceId"] for each in world.group("demo")["Instances"]]  # type: ignore[attr-defined]
    world.slots = [
        Slot("slot1@a", "demo", ids[0], False),
        Slot("slot1_1@a", "demo", ids[0], True),
        Slot("slot1@b", "demo", ids[1], False),
    ]
    return world


def test_one_annex_as_json(running: World) -> None:
    done = running.annex("status", "demo", "--json")
    assert (done.exit_code, done.err) == (0, "")
    data = json.loads(done.out)
    assert (data["phase"], data["size"], data["granted"]) == ("active", 3, 3)
    assert (len(data["instances"]), data["joined"], data["jobs_running"]) == (3, 2, 1)
    assert {instance["state"] for instance in data["instances"]} == {"InService"}
    assert 7 * 3600 < data["lease"]["seconds_left"] <= 8 * 3600


def test_all_annexes_in_a_table(running: World) -> None:
    done = running.annex("status")
    assert (done.exit_code, done.err) == (0, "")
    assert "\x1b" not in done.out
    header, demo, demo2, why = done.out.splitlines()
    assert why.startswith("demo: the lease ends at ")
    assert why.endswith("Z, as declared")
    assert header.split()[0] == "annex"
    assert "3 (3 InService)" in demo
    assert demo2.split()[:3] == ["demo2", "not", "deployed"]


def test_all_annexes_as_json(running: World) -> None:
    data = json.loads(running.annex("status", "--json").out)
    assert [(each["name"], each["phase"]) for each in data] == [("demo", "active"), ("demo2", "not deployed")]


def test_waiting_for_the_credential(world: World) -> None:
    deploy("demo")
    done = world.annex("status", "demo")
    assert (done.exit_code, done.err) == (0, "")
    assert "demo: waiting: the credential has no value yet: run annex credential push" in done.out
    assert json.loads(world.annex("status", "demo", "--json").out)["instances"] == []


def test_a_silent_pool_is_an_error_of_the_pool_alone(running: World) -> None:
    running.slots = AnnexError("the collector at cm.example.edu:9618 did not answer")
    done = running.annex("status", "--json")
    assert done.exit_code == 1
    assert done.err.count("the collector at cm.example.edu:9618 did not answer") == 1
    first = json.loads(done.out)[0]
    assert (first["jobs_running"], first["joined"], len(first["instances"])) == (None, None, 3)


@pytest.mark.parametrize("operation", ["DescribeAutoScalingGroups", "DescribeInstances"])
def test_a_refusal_of_aws_is_an_error_of_aws_alone(
    running: World, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: object, name: str, params: object) -> object:
        if name == operation:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, name)
        return real(client, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = running.annex("status", "demo", "--json")
    assert done.exit_code == 1
    assert "refused: AccessDenied: not you" in done.err
    data = json.loads(done.out)
    assert (data["phase"], data["instances"], data["size"], data["jobs_running"]) == (None, None, None, 1)


def test_two_groups_of_one_name_are_an_error(running: World) -> None:
    deploy("demo2")
    client = aws().autoscaling
    tag: TagTypeDef = {
        "ResourceId": "Group-demo2",
        "ResourceType": "auto-scaling-group",
        "PropagateAtLaunch": True,
        "Key": "annex:name",
        "Value": "demo",
    }
    client.create_or_update_tags(Tags=[tag])
    done = running.annex("status", "demo")
    assert (done.exit_code, done.out) == (2, "")
    assert "there are 2 annexes called demo, and nothing was done: " in done.err
    assert "group Group-demo; " in done.err
    assert "group Group-demo2. Name one of them with --stack, --id or --region" in done.err


def test_another_account_is_refused(running: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool_world, "SPEC", pool_world.SPEC.replace("size = 3", 'size = 3\naccount = "999999999999"'))
        done = running.annex("stop", "demo")
    assert done.exit_code == 2
    assert "belong to account 123456789012, the spec declares account 999999999999" in done.err
    assert len(running.group("demo")["Instances"]) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("status", "dmo"), 2, "did you mean demo?"),
        (("status", "--spec", "/nowhere.toml"), 2, "No such file"),
        (("extend",), 2, "NAME"),
        (("frobnicate",), 2, "frobnicate"),
        (("stop", "demo", "--wait-for", "5"), 2, "--wait-for"),
        (("credential", "push", "demo", "--token-command", "no-such-program"), 1, "not deployed"),
    ],
)
def test_bad_input_is_one_message_and_an_exit_code(world: World, words: tuple[str, ...], code: int, said: str) -> None:
    done = world.annex(*words)
    assert done.exit_code == code
    assert said in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("words", [("--help",), ("status", "--help"), ("credential", "push", "--help")])
def test_help(world: World, words: tuple[str, ...]) -> None:
    done = world.annex(*words)
    assert done.exit_code == 0
    assert "Usage: " in done.out


def test_a_real_collector_that_is_not_there() -> None:
    with pytest.raises(AnnexError, match=r"the collector at 127\.0\.0\.1:1 did not answer: Failed communication"):
        query_slots("127.0.0.1:1")
