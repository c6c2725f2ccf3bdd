"""An annex whose group is gone while its instances run: reported, stopped, and never reported as free of cost."""

import json

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.runtime.pool.pool_world import World, aws, deploy, start

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
ID, GROUP = {"annex:id": "u-u-i-d.demo"}, {"aws:autoscaling:groupName": "Gone"}
NAME = {"annex:name": "demo"}
COMMANDS = [
    ("renew", "demo", "--for", "1h"),
    ("extend", "demo", "--for", "1h"),
    ("check", "demo"),
    ("credential", "push", "demo"),
]


def running(ids: list[str]) -> list[str]:
    described = aws().ec2.describe_instances(InstanceIds=ids)["Reservations"]
    found = [each for reservation in described for each in reservation["Instances"]]
    return sorted(each["InstanceId"] for each in found if each["State"]["Name"] == "running")


@pytest.mark.parametrize("tags", [ID, GROUP, ID | GROUP])
def test_status_shows_them_and_is_an_error(world: World, tags: dict[str, str]) -> None:
    ids = start(NAME | tags, 2)
    start({"annex:name": "demo-2"} | tags)
    done = world.annex("status", "demo", "--json")
    data = json.loads(done.out)
    assert (done.exit_code, data["phase"], data["overdue"]) == (1, "draining", 2)
    assert sorted(each["id"] for each in data["instances"]) == sorted(ids)
    (error,) = data["errors"]
    assert "has no Auto Scaling group in us-east-1, but 2 instances that carry its name are there and billed" in error
    assert "terminate them with `annex stop demo`" in error
    assert world.slept == [10.0]
    assert "2 (2 running)" in world.annex("status").out


def test_status_of_one_that_comes_to_be_listed(world: World) -> None:
    """AWS's listings are eventually consistent: one look at a missing group is no proof."""
    start(NAME | ID)
    world.on_sleep = lambda: deploy("demo", annex_id=ID["annex:id"])
    done = world.annex("status", "demo", "--json")
    assert (done.exit_code, json.loads(done.out)["errors"]) == (0, [])


@pytest.mark.parametrize("tags", [ID, GROUP, ID | GROUP])
@pytest.mark.parametrize("number", [1, 120])
def test_stop_terminates_instances_that_are_certainly_of_one_annex(
    world: World, tags: dict[str, str], number: int
) -> None:
    ids = start(NAME | tags, number)
    # The name is a tag that anyone can write: the unique id, or the tag that only EC2 Auto Scaling writes, decides.
    renamed = start({"annex:name": "demo2"} | tags)
    others = sorted(start({"annex:name": "demo2"} | {key: f"{value}2" for key, value in tags.items()}))
    done = world.annex("stop", "demo")
    assert (done.exit_code, done.err) == (0, "")
    assert "demo: no instance is left" in done.out
    assert running(ids + renamed) == []
    assert running(others) == others


def test_stop_terminates_by_one_id_with_and_without_the_groups_tag(world: World) -> None:
    ids = start(NAME | ID | GROUP) + start(NAME | ID)
    assert world.annex("stop", "demo").exit_code == 0
    assert running(ids) == []


@pytest.mark.parametrize(
    "tags", [({}, {}), (ID, {}), (ID, {"annex:id": "other.demo"}), (GROUP, {"aws:autoscaling:groupName": "Too"})]
)
def test_stop_refuses_instances_that_may_be_of_several_annexes(
    world: World, tags: tuple[dict[str, str], dict[str, str]]
) -> None:
    ids = sorted(start(NAME | tags[0]) + start(NAME | tags[1]))
    done = world.annex("stop", "demo")
    assert done.exit_code == 1
    assert all(instance in done.err for instance in ids)
    assert "look at `annex leftovers demo`" in done.err
    assert running(ids) == ids
    assert "look at `annex leftovers demo`" in world.annex("status", "demo").err


@pytest.mark.parametrize("tags", [{"aws:autoscaling:groupName": "Group-demo2"}, {"annex:id": "u-u-i-d.demo2"}])
def test_stop_refuses_while_a_group_without_the_name_would_replace_them(world: World, tags: dict[str, str]) -> None:
    deploy("demo2", annex_id="u-u-i-d.demo2")
    ids = start(NAME | tags)
    assert "look at `annex leftovers demo`" in world.annex("stop", "demo").err
    assert running(ids) == ids


def test_stop_when_the_group_is_listed_after_all(world: World) -> None:
    ids = start(NAME | ID)
    world.on_sleep = lambda: deploy("demo")
    done = world.annex("stop", "demo")
    assert done.exit_code == 1
    assert "repeat the command" in done.err
    assert running(ids) == ids


def test_stop_when_the_instances_are_gone(world: World) -> None:
    ids = start(NAME | ID)
    aws().ec2.terminate_instances(InstanceIds=ids)
    done = world.annex("stop", "demo")
    assert done.exit_code == 1
    assert "there is nothing to stop, and no instance is billed: EC2 lists none" in done.err
    assert world.annex("status", "demo").exit_code == 0


def test_one_instance_that_cannot_be_terminated_keeps_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = sorted(start(NAME | ID, 3))

    def call(client: object, operation: str, params: dict[str, list[str]]) -> object:
        if operation == "TerminateInstances" and ids[1] in params["InstanceIds"]:
            raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "not you"}}, operation)
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = world.annex("stop", "demo", "--wait-for", "6s")
    assert done.exit_code == 1
    assert "TerminateInstances: AWS refused 1 of the instances" in done.err
    assert f"still there: {ids[1]};" in done.err
    assert running(ids) == [ids[1]]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_no_command_reports_that_nothing_is_billed(world: World, words: tuple[str, ...]) -> None:
    (instance,) = start(NAME | ID)
    done = world.annex(*words)
    assert done.exit_code == 1
    assert "no instance is billed" not in done.err
    assert "1 instance that carries its name is there and billed" in done.err
    assert instance in done.err


@pytest.mark.parametrize("words", [*COMMANDS, ("stop", "demo"), ("status", "demo")], ids=lambda words: words[0])
def test_a_refused_listing_of_instances_is_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    def call(client: object, operation: str, params: object) -> object:
        if operation == "DescribeInstances":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, operation)
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = world.annex(*words)
    assert done.exit_code == 1
    assert "refused: AccessDenied: not you" in done.err
    assert "no instance is billed" not in done.err
