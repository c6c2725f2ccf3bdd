"""annex_pool/operator-policy.json allows the calls of the commands, and nothing else."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.client import BaseClient

from annex_pool.check import read_answer
from tests.runtime.pool import pool_world, remains
from tests.runtime.pool.image_builder import ImageBuilder
from tests.runtime.pool.pool_world import World, aws, deploy, start

POLICY = json.loads((Path(__file__).parents[3] / "annex_pool/operator-policy.json").read_text())
LISTED = {action for statement in POLICY["Statement"] for action in statement["Action"]}
# botocore's names where IAM has others (Service Authorization Reference).
PREFIXES = {"tagging": "tag", "monitoring": "cloudwatch"}
# moto has neither functions that run, nor warm pools, nor hooks that wait, nor does it suspend Terminate by itself, and
# each of its launches succeeds at once.
NOT_DRIVEN = {
    "autoscaling:DescribeScalingActivities",
    "lambda:InvokeFunction",
    "autoscaling:DeleteWarmPool",
    "autoscaling:DescribeLifecycleHooks",
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:ResumeProcesses",
}
NAMED = "Annex-demo-AnnexPart"
GONE = "arn:aws:sqs:us-east-1:123456789012:gone"


def recorded(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Calls from now on, as IAM actions; those of the test's own checker and issuer are not the operator's."""
    actions: set[str] = set()
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: BaseClient, operation: str, params: object) -> object:
        prefix = client.meta.service_model.endpoint_prefix
        service = PREFIXES.get(prefix, prefix)
        actions.add(f"{service}:{operation}")
        if operation == "GetResources" and "ResourceTypeFilters" not in (params or {}):  # type: ignore[operator]
            tag = {"Key": "annex:name", "Value": "demo"}
            extra = [{"ResourceARN": GONE, "Tags": [tag]}]
            answer = real(client, operation, params)
            return {**answer, "ResourceTagMappingList": [*answer["ResourceTagMappingList"], *extra]}
        return real(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return actions


def test_the_policy_is_what_the_commands_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    account = 'size = 3\naccount = "123456789012"'
    monkeypatch.setattr(pool_world, "SPEC", pool_world.SPEC.replace("size = 3", account))
    monkeypatch.setattr(World, "_check", lambda *_, **__: read_answer("demo", b'{"phase": "waiting"}', failed=False))
    deploy("demo")
    for kind in ("topic", "queue", "log group", "function", "role"):
        remains.TAGGED[kind]("us-east-1", {"annex:name": "demo"})
    aws().client("sns").create_topic(Name=NAMED)
    aws().client("sqs").create_queue(QueueName=NAMED)
    remains.log_group("us-east-1", NAMED)
    remains.alarm("us-east-1", {}, NAMED)
    vpc = [{"ResourceType": "vpc", "Tags": [{"Key": "annex:name", "Value": "demo"}]}]
    aws().ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=vpc)  # type: ignore[arg-type]
    client = aws().autoscaling
    client.update_auto_scaling_group(AutoScalingGroupName="Group-demo", DesiredCapacity=1)
    (instance,) = [each["InstanceId"] for each in world.group("demo")["Instances"]]  # type: ignore[attr-defined]
    client.set_instance_protection(AutoScalingGroupName="Group-demo", InstanceIds=[instance], ProtectedFromScaleIn=True)
    start({"annex:name": "demo2", "annex:id": "u-u-i-d.demo2"})
    aws().ec2.terminate_instances(InstanceIds=start({"aws:autoscaling:groupName": "Group-demo"}))
    fake = ImageBuilder(monkeypatch)
    fake.made("us-east-1", "base")
    actions = recorded(monkeypatch)
    world.annex("leftovers", "--image", "base")
    world.annex("credential", "push", "demo", "--token-command", world.issuer())
    world.annex("extend", "demo", "--for", "9h")
    world.annex("shorten", "demo", "--for", "8h")
    world.annex("renew", "demo", "--for", "9h")
    world.annex("status", "demo")
    world.annex("leftovers", "demo")
    world.annex("stop", "demo", "--no-wait")
    world.shift += timedelta(minutes=16)
    world.annex("stop", "demo", "--no-wait")
    # Instances without a group are terminated by the same permission: they carry the annex's name.
    assert world.annex("stop", "demo2", "--no-wait").exit_code == 0
    assert actions - LISTED == set()
    assert LISTED - actions == NOT_DRIVEN


def test_only_what_carries_an_annexs_name_can_be_changed() -> None:
    named = {"aws:ResourceTag/annex:name": "false"}
    tags = {
        "ForAllValues:StringEquals": {
            "aws:TagKeys": ["annex:lease-overrides", "annex:lease-renewed", "annex:lease-until"]
        },
        "Null": {**named, "aws:TagKeys": "false"},
    }
    emptied = {
        "Null": {**named, "autoscaling:MaxSize": "true", "autoscaling:LaunchConfigurationName": "true"},
        "NumericEqualsIfExists": {"autoscaling:MinSize": "0"},
    }
    conditions = {"MoveEnd": tags, "EmptyGroup": emptied}
    looks = ("Describe", "Get", "List")
    for statement in POLICY["Statement"]:
        changes = {each for each in statement["Action"] if not each.split(":")[1].startswith(looks)}
        assert not changes or statement["Condition"] == conditions.get(statement["Sid"], {"Null": named})
        assert ("autoscaling:CreateOrUpdateTags" in changes) is (statement["Sid"] == "MoveEnd")
        assert ("autoscaling:UpdateAutoScalingGroup" in changes) is (statement["Sid"] == "EmptyGroup")
    (stop,) = (each for each in POLICY["Statement"] if "ec2:TerminateInstances" in each["Action"])
    assert stop["Resource"] == "*"
    assert [each["Sid"] for each in POLICY["Statement"] if "Condition" not in each] == [
        *("Find", "SeeInstances", "SeeLaunches", "SeeFleet", "SeeHooks", "SeeImage", "ListLeftovers")
    ]
