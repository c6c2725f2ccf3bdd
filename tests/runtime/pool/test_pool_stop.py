"""`annex stop` against an account: with and without a working lease checker, interrupted, refused, repeated."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from annex_lease.observed import Instance
from annex_lease.tags import parse_time
from tests.runtime.pool.pool_world import World, aws, deploy

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]


@pytest.fixture
def running(world: World) -> World:
    deploy("demo")
    deploy("demo2", size=1)
    for name in ("demo", "demo2"):
        assert world.annex("credential", "push", name, "--token-command", world.issuer()).exit_code == 0
    world.checks.clear()
    return world


def deny(monkeypatch: pytest.MonkeyPatch, *operations: str) -> None:
    """AWS refuses these operations."""

    def call(client: object, operation: str, params: object) -> object:
        if operation in operations:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, operation)
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


@pytest.mark.parametrize("checker_fails", [False, True])
def test_stop(running: World, checker_fails: bool) -> None:
    running.checker_fails = checker_fails
    done = running.annex("stop", "demo")
    assert done.exit_code == (1 if checker_fails else 0)
    assert ("failed: boom" in done.err) == checker_fails
    assert "demo: no instance is left" in done.out
    group = running.group("demo")
    assert (group["MinSize"], group["DesiredCapacity"], group["Instances"]) == (0, 0, [])
    until = running.tag("demo", "annex:lease-until")
    assert until
    assert parse_time(until) <= datetime.now(UTC)
    assert len(running.group("demo2")["Instances"]) == 1  # type: ignore[arg-type]


def test_stop_takes_protected_instances_too(running: World) -> None:
    client = aws().autoscaling
    ids = [each["InstanceId"] for each in running.group("demo")["Instances"]]  # type: ignore[attr-defined]
    client.set_instance_protection(AutoScalingGroupName="Group-demo", InstanceIds=ids, ProtectedFromScaleIn=True)
    running.checker_fails = True

    # moto does not go on with a scale-in once protection is gone, as Auto Scaling does.
    def scale_in() -> None:
        client.update_auto_scaling_group(AutoScalingGroupName="Group-demo", DesiredCapacity=0)

    running.on_sleep = scale_in
    running.annex("stop", "demo")
    assert running.group("demo")["Instances"] == []


def test_stop_continues_when_single_steps_are_denied(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, "CreateOrUpdateTags", "SuspendProcesses")
    running.checker_fails = True
    done = running.annex("stop", "demo")
    assert done.exit_code == 1
    assert done.err.count("error:") == 3
    assert running.group("demo")["Instances"] == []


def test_stop_waits_and_says_what_is_left(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, "UpdateAutoScalingGroup")
    running.checker_fails = True
    done = running.annex("stop", "demo", "--wait-for", "12s")
    assert done.exit_code == 1
    assert running.slept == [5.0, 5.0, 5.0]
    assert done.out.count("3 instances left: 3 InService") == 1
    assert "still there: i-" in done.err


def test_stop_notices_when_the_last_instance_leaves(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, "UpdateAutoScalingGroup")
    running.checker_fails = True

    def allow() -> None:
        monkeypatch.setattr(BaseClient, "_make_api_call", REAL_CALL)
        aws().autoscaling.update_auto_scaling_group(AutoScalingGroupName="Group-demo", DesiredCapacity=0)

    running.on_sleep = allow
    done = running.annex("stop", "demo")
    assert "3 instances left" in done.out
    assert "no instance is left" in done.out
    assert len(running.slept) == 1


def test_stop_without_waiting(running: World) -> None:
    done = running.annex("stop", "demo", "--no-wait")
    assert (done.exit_code, done.err, running.slept) == (0, "", [])


def test_stop_of_an_ended_annex_moves_nothing(running: World) -> None:
    running.shift = timedelta(hours=9)
    assert running.annex("stop", "demo").exit_code == 0
    assert running.tag("demo", "annex:lease-until") is None
    assert running.annex("stop", "demo").exit_code == 0


def states_of(ids: list[str]) -> set[str]:
    described = aws().ec2.describe_instances(InstanceIds=ids)["Reservations"]
    return {each["State"]["Name"] for reservation in described for each in reservation["Instances"]}


def stop_calls(running: World, monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    changed: list[str] = []

    def call(client: object, operation: str, params: object) -> object:
        if not operation.startswith(("Describe", "Get", "List")):
            changed.append(operation)
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    running.annex(*words)
    monkeypatch.undo()
    return changed


def test_stop_does_what_the_checker_does_and_in_its_order(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease first, then at once what ends all launching; terminations wait for the grace."""
    client = aws().autoscaling
    ids = [each["InstanceId"] for each in running.group("demo")["Instances"]]  # type: ignore[attr-defined]
    client.set_instance_protection(AutoScalingGroupName="Group-demo", InstanceIds=ids, ProtectedFromScaleIn=True)
    running.checker_fails = True
    changed = stop_calls(running, monkeypatch, "stop", "demo", "--no-wait")
    assert changed == ["CreateOrUpdateTags", "UpdateAutoScalingGroup", "SuspendProcesses", "SetInstanceProtection"]
    # Again after the grace: what is still there is terminated by its id, whether the checker works or not.
    running.shift += timedelta(seconds=901)
    # (moto replaces what is terminated behind the back of a group, with Launch suspended too.)
    assert set(stop_calls(running, monkeypatch, "stop", "demo", "--no-wait")) == {"TerminateInstances"}
    assert states_of(ids) <= {"shutting-down", "terminated"}


def test_stop_finds_the_instances_that_the_group_lost(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    running.checker_fails = True
    running.annex("stop", "demo", "--no-wait")
    running.shift += timedelta(seconds=901)
    real = running.group("demo2")["Instances"][0]["InstanceId"]  # type: ignore[index]
    lost = [Instance(real, "running")]
    monkeypatch.setattr("annex_pool.deployed.list_instances", lambda annex: lost)
    running.annex("stop", "demo", "--no-wait")
    assert states_of([real]) <= {"shutting-down", "terminated"}


def test_stop_with_a_record_that_cannot_be_read(running: World) -> None:
    tag = {"ResourceId": "Group-demo", "ResourceType": "auto-scaling-group", "Key": "annex:max-lifetime"}
    aws().autoscaling.delete_tags(Tags=[tag])  # type: ignore[list-item]
    running.checker_fails = True
    running.annex("stop", "demo")
    assert running.group("demo")["Instances"] == []
    assert len(running.group("demo2")["Instances"]) == 1  # type: ignore[arg-type]


def test_stop_with_a_refused_listing_still_stops_and_reports_it(
    running: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing that failed is no empty one; failures before it are reported too."""
    running.shift = timedelta(hours=9)
    running.checker_fails = True
    deny(monkeypatch, "DescribeInstances")
    done = running.annex("stop", "demo")
    assert done.exit_code == 1
    assert "no instance is left" not in done.out
    assert "failed: boom" in done.err
    assert "for the instances of group Group-demo in us-east-1 and refused: AccessDenied: not you" in done.err
    group = running.group("demo")
    assert (group["DesiredCapacity"], group["Instances"]) == (0, [])


def test_stop_that_is_interrupted_leaves_what_another_one_finishes(
    running: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(client: object, operation: str, params: object) -> object:
        if operation == "SuspendProcesses":
            raise KeyboardInterrupt
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    assert running.annex("stop", "demo").exit_code != 0
    monkeypatch.undo()
    assert running.tag("demo", "annex:lease-until")
    done = running.annex("stop", "demo")
    assert (done.exit_code, running.group("demo")["Instances"]) == (0, [])
