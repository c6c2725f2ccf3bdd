"""Reports of `annex status` that must not mislead: what was seen, why it is so, and what is not known."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from annex_lease.launch_advice import explained
from annex_lease.tags import TAG_OVERRIDES, TAG_UNTIL, format_time, group_tag
from tests.runtime.pool.pool_world import World, aws, deploy

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
NO_CAPACITY = "We currently do not have sufficient c6a.large capacity"
DIED = "Instance became unhealthy. Termination Reason: Client.InternalError: Client error on launch"


@pytest.fixture
def running(world: World) -> World:
    deploy("demo")
    aws().secretsmanager.put_secret_value(SecretId="secret-demo", SecretString="token")
    assert world.annex("check", "demo").exit_code == 0
    return world


def write(key: str, value: str) -> None:
    aws().autoscaling.create_or_update_tags(Tags=[group_tag(key, value).to_api("Group-demo")])  # type: ignore[list-item]


def status(world: World) -> tuple[dict[str, Any], str]:
    """The status as JSON, and as text."""
    return json.loads(world.annex("status", "demo", "--json").out), world.annex("status", "demo").out


def launches(monkeypatch: pytest.MonkeyPatch, answer: object, desired: int = 4, state: str = "InService") -> None:
    """EC2 Auto Scaling has three instances in this state, is to have so many, and answers this to the question why."""

    def call(client: object, operation: str, params: object) -> Any:
        if operation == "DescribeScalingActivities":
            if isinstance(answer, Exception):
                raise answer
            return {"Activities": answer}
        found = REAL_CALL(client, operation, params)
        if operation == "DescribeAutoScalingGroups":
            for group in found["AutoScalingGroups"]:
                group["DesiredCapacity"] = desired
                group["Instances"] = [each | {"LifecycleState": state} for each in group["Instances"]]
        return found

    monkeypatch.setattr(BaseClient, "_make_api_call", call)


def test_a_launch_that_failed_is_named(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = {"Description": "Launching a new EC2 instance.  Status Reason: it failed", "StatusCode": "Failed"}
    other = {"Description": "Terminating EC2 instance: i-1", "StatusCode": "Failed", "StatusMessage": "a termination"}
    done = {**launch, "StatusCode": "Successful"}
    older = {**launch, "StatusMessage": "older"}
    started = {**launch, "StatusCode": "InProgress"}
    launches(monkeypatch, [started, other, {**launch, "StatusMessage": NO_CAPACITY}, older, done])
    data, text = status(running)
    assert data["shortfall"] == 1
    *_, said = data["problems"]
    expected = f"1 of 4 instances have not started; the newest launch that failed: {explained(NO_CAPACITY)}"
    assert said == expected
    assert "(to do: AWS has too little capacity" in said
    assert f"demo: {expected}\n" in text
    assert "older" not in text
    assert "termination" not in text


def test_a_launch_that_failed_before_another_succeeded_is_no_reason(
    running: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = {"Description": "Launching a new EC2 instance", "StatusMessage": NO_CAPACITY}
    launches(monkeypatch, [{**launch, "StatusCode": "Successful"}, {**launch, "StatusCode": "Failed"}])
    data, _ = status(running)
    assert data["problems"][-1] == "1 of 4 instances have not started; EC2 Auto Scaling names no failed launch"


@pytest.mark.parametrize(("code", "named"), [("Cancelled", True), ("InProgress", False)])
def test_instances_that_die_while_they_start_are_named(
    running: World, monkeypatch: pytest.MonkeyPatch, code: str, named: bool
) -> None:
    launch = {"Description": "Launching a new EC2 instance: i-1", "StatusCode": code, "StatusMessage": DIED}
    launches(monkeypatch, [launch], desired=3, state="Pending")
    data, _ = status(running)
    assert (data["phase"], data["shortfall"]) == ("granted", 0)
    expected = f"no instance is in service; the newest launch that failed: {explained(DIED)}"
    assert data["problems"] == [expected] * named
    assert "AWSServiceRoleForAutoScaling" in expected


def test_a_launch_that_may_still_succeed(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    launches(monkeypatch, [{"StatusCode": "InProgress"}])
    data, _ = status(running)
    assert "1 of 4 instances have not started; EC2 Auto Scaling names no failed launch" in data["problems"]


def test_a_reason_that_could_not_be_asked(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeScalingActivities")
    launches(monkeypatch, refusal)
    done = running.annex("status", "demo", "--json")
    data = json.loads(done.out)
    assert (done.exit_code, len(data["instances"]), data["shortfall"]) == (1, 3, 1)
    assert "1 of 4 instances have not started, and the reason is not known" in data["problems"]
    (error,) = data["errors"]
    assert error.endswith("and refused: AccessDenied: no")


def test_what_is_complete_asks_for_no_launches(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def call(client: object, operation: str, params: object) -> Any:
        asked.append(operation)
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    data, _ = status(running)
    assert (data["shortfall"], data["surplus"], data["closed"], data["problems"]) == (0, 0, False, [])
    assert "DescribeAutoScalingGroups" in asked
    assert "DescribeScalingActivities" not in asked


def test_a_surplus_above_the_declared_size(running: World) -> None:
    client = aws().autoscaling
    client.update_auto_scaling_group(AutoScalingGroupName="Group-demo", MaxSize=5, DesiredCapacity=5)
    data, text = status(running)
    assert data["surplus"] == 2
    assert "demo: 5 instances are 2 above the declared size 3" in text


def test_why_the_end_is_what_it_is(running: World) -> None:
    made = running.group("demo")["CreatedTime"]
    assert isinstance(made, datetime)
    declared = made.astimezone(UTC).replace(microsecond=0) + timedelta(hours=8)
    override, other = format_time(declared + timedelta(hours=1)), format_time(declared - timedelta(hours=1))
    write(TAG_UNTIL, override)
    data, text = status(running)
    assert data["lease"]["explained"] == f"ends at {override}, as an operator wrote"
    assert f"demo: the lease ends at {override}, as an operator wrote\n" in text
    assert data["lease"]["override_void"] is False
    # It was written against another declared end, so a deployment is newer.
    write(TAG_OVERRIDES, f"{override}@{other}")
    data, text = status(running)
    assert data["lease"]["override_void"] is True
    assert f"demo: the lease ends at {format_time(declared)}, as declared; the end {override} that an operator" in text
    assert "is void: a deployment changed the declared end\n" in text


def test_an_annex_of_which_a_destroy_began(running: World) -> None:
    write("annex:closed", format_time(running.now()))
    data, text = status(running)
    assert (data["phase"], data["closed"]) == ("draining", True)
    assert "demo: draining: the annex is being destroyed\n" in text
    assert "the lease ends" not in text


def test_ended_says_when_ec2_was_last_asked(running: World) -> None:
    running.shift = timedelta(hours=8, seconds=1)
    assert running.annex("check", "demo").exit_code == 0
    done = running.annex("status", "demo")
    (line,) = [each for each in done.out.splitlines() if each.startswith("demo: ended: ")]
    assert "the lease ended at " in line
    assert "EC2 was asked twice, last at " in line
    assert line.endswith("Z, and listed nothing")
    asked = datetime.fromisoformat(line.split("last at ")[1].split(",")[0])
    assert abs(asked - running.now()) < timedelta(seconds=60)


@pytest.mark.parametrize("deleted", [True, False])
def test_a_secret_that_waits_for_its_deletion_is_to_be_restored(world: World, deleted: bool) -> None:
    deploy("demo")
    (secret,) = aws().secretsmanager.list_secrets()["SecretList"]
    if deleted:
        aws().secretsmanager.delete_secret(SecretId=secret["ARN"], RecoveryWindowInDays=7)
    restore = f"`aws secretsmanager restore-secret --region us-east-1 --secret-id {secret['ARN']}`"
    data, text = status(world)
    assert data["phase"] == "waiting"
    assert (restore in text) is deleted
    assert ("annex credential push" in text) is not deleted
    pushed = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert pushed.exit_code == (1 if deleted else 0)
    assert (
        f"nothing was stored: the credential's secret waits for its deletion: restore it with {restore}, then"
        in pushed.err
    ) is deleted
