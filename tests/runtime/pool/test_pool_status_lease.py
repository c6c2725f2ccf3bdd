"""`annex status` of a lease: two looks before "ended", instance-hours and money, the next warning, busy instances."""

import json
from datetime import timedelta

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from annex_lease.tags import parse_time
from tests.runtime.pool import pool_world
from tests.runtime.pool.pool_world import World, aws, deploy, make_secret


@pytest.fixture
def running(world: World) -> World:
    deploy("demo")
    assert world.annex("credential", "push", "demo", "--token-command", world.issuer()).exit_code == 0
    return world


def ended(world: World) -> None:
    world.shift = timedelta(hours=8, seconds=1)
    assert world.annex("check", "demo").exit_code == 0
    world.slept.clear()


def phases(world: World) -> list[str]:
    return [each["phase"] for each in json.loads(world.annex("status", "--json").out)]


def test_ended_is_reported_after_two_looks_with_one_pause_for_all(running: World) -> None:
    deploy("demo2")
    ended(running)
    assert running.annex("check", "demo2").exit_code == 0
    running.slept.clear()
    assert phases(running) == ["ended", "ended"]
    assert running.slept == [10.0]


def test_no_second_look_where_something_is_left(running: World) -> None:
    running.shift = timedelta(hours=8, seconds=1)
    status = running.annex("status", "demo")
    assert (status.exit_code, running.slept) == (0, [])
    assert "demo: draining: the lease ended at " in status.out
    running.shift = timedelta(0)
    assert phases(running) == ["active", "not deployed"]
    assert running.slept == []


def test_what_appears_at_the_second_look_is_not_ended(running: World) -> None:
    ended(running)

    def late() -> None:
        client = aws().autoscaling
        client.resume_processes(AutoScalingGroupName="Group-demo", ScalingProcesses=["Launch"])
        client.update_auto_scaling_group(AutoScalingGroupName="Group-demo", DesiredCapacity=1)

    running.on_sleep = late
    assert phases(running)[0] == "draining"


def test_a_second_look_that_fails_is_not_ended(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ended(running)
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: object, name: str, params: object) -> object:
        if running.slept:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, name)
        return real(client, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = running.annex("status", "demo", "--json")
    assert done.exit_code == 1
    assert json.loads(done.out)["phase"] is None
    assert "Throttling: Rate exceeded" in done.err


def test_a_record_that_cannot_be_read_is_read_twice(running: World) -> None:
    tag = {"ResourceId": "Group-demo", "ResourceType": "auto-scaling-group", "Key": "annex:max-lifetime"}
    aws().autoscaling.delete_tags(Tags=[tag])  # type: ignore[list-item]
    done = running.annex("status", "demo", "--json")
    data = json.loads(done.out)
    assert running.slept == [10.0]
    assert (data["phase"], len(data["instances"]), data["overdue"]) == ("active", 3, 0)
    assert "nothing is granted, and it ends after 10 minutes of that" in data["reason"]
    assert any("annex:max-lifetime is missing" in problem for problem in data["record_problems"])


def test_a_record_that_is_repaired_at_the_second_look(running: World) -> None:
    """CloudFormation replaces tags in two calls; a status between them reports no problem."""
    client = aws().autoscaling
    tag = {"ResourceId": "Group-demo", "ResourceType": "auto-scaling-group", "Key": "annex:max-lifetime"}
    client.delete_tags(Tags=[tag])  # type: ignore[list-item]
    whole = {**tag, "Value": "57600", "PropagateAtLaunch": False}
    running.on_sleep = lambda: client.create_or_update_tags(Tags=[whole]) and None  # type: ignore[list-item]
    data = json.loads(running.annex("status", "demo", "--json").out)
    assert (data["phase"], data["record_problems"]) == ("active", [])


def test_busy_hours_and_money(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        pool_world,
        "SPEC",
        pool_world.SPEC.replace("size = 3", "size = 3\nprice_per_hour = 0.5\nmax_instance_hours = 6"),
    )
    deploy("demo", max_instance_hours=6, warn_before_end_seconds=900)
    assert world.annex("credential", "push", "demo", "--token-command", world.issuer()).exit_code == 0
    client = aws().autoscaling
    (first, *_) = [each["InstanceId"] for each in world.group("demo")["Instances"]]  # type: ignore[attr-defined]
    client.set_instance_protection(AutoScalingGroupName="Group-demo", InstanceIds=[first], ProtectedFromScaleIn=True)
    # What this check sees is counted.
    assert world.annex("check", "demo").exit_code == 0
    world.shift = timedelta(hours=1)
    data = json.loads(world.annex("status", "demo", "--json").out)
    assert data["protected"] == 1
    assert [each["id"] for each in data["instances"] if each["protected"]] == [first]
    hours = data["instance_hours"]
    assert 3 <= hours["used"] < 3.1
    assert 1.5 <= hours["cost"] < 1.6
    assert (hours["limit"], hours["cost_limit"]) == (6, 3.0)
    end, warning = (parse_time(data["lease"][key]) for key in ("effective_end", "next_warning"))
    assert end - warning == timedelta(minutes=15)
    assert abs(end - world.now() - timedelta(hours=1)) < timedelta(minutes=2)


def test_a_foreign_secret_does_not_make_an_annex_look_granted(world: World) -> None:
    deploy("demo", annex_id="1.demo")
    make_secret("foreign", {"annex:name": "demo", "annex:id": "2.demo"})
    aws().secretsmanager.put_secret_value(SecretId="foreign", SecretString="x")
    done = world.annex("status", "demo")
    assert (done.exit_code, done.err) == (0, "")
    assert "demo: waiting: the credential has no value yet" in done.out


def test_one_empty_look_after_a_record_that_cannot_be_read_is_not_two(world: World) -> None:
    deploy("demo")
    client = aws().autoscaling
    client.suspend_processes(AutoScalingGroupName="Group-demo", ScalingProcesses=["Launch"])
    tag = {"ResourceId": "Group-demo", "ResourceType": "auto-scaling-group", "Key": "annex:max-lifetime"}
    client.delete_tags(Tags=[tag])  # type: ignore[list-item]
    data = json.loads(world.annex("status", "demo", "--json").out)
    assert (data["phase"], data["instances"], world.slept) == ("waiting", [], [10.0])
