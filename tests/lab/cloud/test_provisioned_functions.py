"""Functions, custom resources and schedules of a stack behave as AWS documents."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from .driving import Cloud, eventually
from .stacks import Stack, att, ref

ANSWER = """
import json, os, urllib.request, boto3
def handler(event, context):
    if "RequestType" not in event:
        return sorted(os.environ)
    data = {"Who": boto3.client("sts").get_caller_identity()["Arn"], "Token": event["ServiceToken"]}
    body = {k: event[k] for k in ("StackId", "RequestId", "LogicalResourceId")}
    body.update(Status="SUCCESS", PhysicalResourceId="it", Data=data)
    request = urllib.request.Request(event["ResponseURL"], data=json.dumps(body).encode(), method="PUT")
    urllib.request.urlopen(request).read()
"""


def function(code: str, **variables: str) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    properties = {
        "Handler": "index.handler",
        "Runtime": "python3.13",
        "Code": {"ZipFile": code},
        "Role": att("Role", "Arn"),
        "Timeout": 20,
        "Environment": {"Variables": variables},
    }
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Function": {"Type": "AWS::Lambda::Function", "Properties": properties},
    }


def custom(**properties: Any) -> dict[str, Any]:
    return {"Type": "Custom::Thing", "Properties": {"ServiceToken": att("Function", "Arn"), **properties}}


def test_custom_resource_is_answered_by_a_function_with_its_role(cloud: Cloud, stack: Stack) -> None:
    resources = {**function(ANSWER, ANNEX_GROUP="g"), "Thing": custom()}
    outputs = {"Who": att("Thing", "Who"), "Token": att("Thing", "Token"), "Ref": ref("Thing"), "Name": ref("Function")}
    made = stack.create(resources, outputs)
    assert made["Ref"] == "it"
    assert ":assumed-role/" in made["Who"]
    assert made["Token"].endswith(f":function:{made['Name']}")
    answer = cloud.client("lambda").invoke(FunctionName=made["Name"])["Payload"].read()
    names = set(json.loads(answer))
    assert {"ANNEX_GROUP", "AWS_REGION", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME", "AWS_ENDPOINT_URL"} <= names
    assert not {"AUTH", "GATEWAY_PORT", "S3_DATA_DIR", "MINISTACK_REGION", "HOME", "PYTHONPATH"} & names
    stack.delete()


@pytest.mark.parametrize(
    "code",
    ["raise RuntimeError('at import')", "def handler(event, context):\n    raise RuntimeError('in the handler')\n"],
)
def test_silent_custom_resource_fails_after_its_service_timeout(stack: Stack, code: str) -> None:
    began = time.monotonic()
    with pytest.raises(WaiterError):
        stack.create({**function(code), "Thing": custom(ServiceTimeout=2)})
    assert time.monotonic() - began < 30
    assert "did not receive a response from your Custom Resource" in stack.reasons()


@pytest.mark.parametrize("allowed", [True, False])
def test_function_writes_its_log_with_its_own_role(cloud: Cloud, stack: Stack, allowed: bool) -> None:
    resources = function(ANSWER)
    write = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": att("Log", "Arn")}
    document = {"Version": "2012-10-17", "Statement": [write]}
    resources["Role"]["Properties"]["Policies"] = [{"PolicyName": "p", "PolicyDocument": document}] if allowed else []
    resources["Log"] = {"Type": "AWS::Logs::LogGroup", "Properties": {}}
    resources["Function"]["Properties"]["LoggingConfig"] = {"LogGroup": ref("Log")}
    made = stack.create(resources, {"Log": ref("Log"), "Function": ref("Function")})
    logs = cloud.client("logs")

    def streams() -> list[Any]:
        found: list[Any] = logs.describe_log_streams(logGroupName=made["Log"])["logStreams"]
        return found

    cloud.client("lambda").invoke(FunctionName=made["Function"])
    assert bool(streams()) == allowed
    logs.delete_log_group(logGroupName=made["Log"])
    cloud.client("lambda").invoke(FunctionName=made["Function"])
    assert not logs.describe_log_groups(logGroupNamePrefix=made["Log"])["logGroups"]


SCHEDULED = """
import boto3, json
def handler(event, context):
    boto3.client("secretsmanager").put_secret_value(SecretId="received", SecretString=json.dumps(event))
"""


def schedule(role: str, **properties: Any) -> dict[str, Any]:
    target = {
        "Arn": att("Function", "Arn"),
        "RoleArn": att(role, "Arn"),
        "Input": '{"at": "<aws.scheduler.scheduled-time>"}',
    }
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Properties": {
            "ScheduleExpression": "rate(1 minute)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": target,
            **properties,
        },
    }


def scheduler_role(*policies: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [one]}} for one in policies
            ],
        },
    }


@pytest.mark.parametrize("allowed", [True, False])
def test_schedule_invokes_its_function_with_its_own_role(cloud: Cloud, stack: Stack, allowed: bool) -> None:
    manager = cloud.client("secretsmanager")
    resources = function(SCHEDULED)
    write = {"Effect": "Allow", "Action": "secretsmanager:PutSecretValue", "Resource": "*"}
    resources["Role"]["Properties"]["Policies"] = [
        {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [write]}}
    ]
    invoke = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": att("Function", "Arn")}
    resources["Scheduler"] = scheduler_role(*([invoke] if allowed else []))
    resources["Every"] = schedule("Scheduler", ScheduleExpressionTimezone="America/Chicago")
    manager.create_secret(Name="received")
    try:
        stack.create(resources)
        time.sleep(1)  # the cloud sees a new schedule with its next tick
        cloud.advance(61)

        def received() -> Any:
            return manager.describe_secret(SecretId="received").get("VersionIdsToStages")

        if allowed:
            eventually(received)
            assert json.loads(manager.get_secret_value(SecretId="received")["SecretString"])["at"].endswith("Z")
        else:
            time.sleep(2)
            assert not received()
    finally:
        manager.delete_secret(SecretId="received", ForceDeleteWithoutRecovery=True)


def test_tagging_api_finds_what_an_operator_looks_for(cloud: Cloud, stack: Stack) -> None:
    tags = [{"Key": "annex:name", "Value": stack.name}]
    resources = function(ANSWER)
    resources["Function"]["Properties"]["Tags"] = tags
    resources["Secret"] = {"Type": "AWS::SecretsManager::Secret", "Properties": {"Tags": tags}}
    made = stack.create(resources, {"Secret": ref("Secret"), "Function": att("Function", "Arn")})
    find: Callable[..., Any] = cloud.client("resourcegroupstaggingapi").get_resources
    for kind, arn in (("lambda:function", made["Function"]), ("secretsmanager:secret", made["Secret"])):
        found = find(ResourceTypeFilters=[kind], TagFilters=[{"Key": "annex:name", "Values": [stack.name]}])
        assert [one["ResourceARN"] for one in found["ResourceTagMappingList"]] == [arn]


def counted(cloud: Cloud, name: str) -> dict[str, tuple[float, float]]:
    """Number and sum of the points of each of Lambda's own metrics."""
    client, now = cloud.client("cloudwatch"), time.time() + cloud.offset
    about = {"Namespace": "AWS/Lambda", "Dimensions": [{"Name": "FunctionName", "Value": name}]}
    span = {"StartTime": now - 3600, "EndTime": now + 60, "Period": 7200, "Statistics": ["SampleCount", "Sum"]}
    found: dict[str, tuple[float, float]] = {}
    for metric in client.list_metrics(**about)["Metrics"]:
        points = client.get_metric_statistics(**about, **span, MetricName=metric["MetricName"])["Datapoints"]
        numbers = sum(one["SampleCount"] for one in points), sum(one["Sum"] for one in points)
        found[metric["MetricName"]] = numbers
    return found


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
@pytest.mark.parametrize(("code", "errors"), [("def handler(*_):\n    return 1\n", 0), ("raise ValueError\n", 1)])
def test_each_run_is_counted_once_when_it_ended(cloud: Cloud, stack: Stack, kind: str, code: str, errors: int) -> None:
    name = stack.create(function(code), {"Name": ref("Function")})["Name"]
    cloud.client("lambda").invoke(FunctionName=name, InvocationType=kind)
    eventually(lambda: len(counted(cloud, name)) > 1)
    assert counted(cloud, name) == {"Invocations": (1, 1), "Errors": (1, errors)}


def test_a_throttled_request_is_no_invocation(cloud: Cloud, stack: Stack) -> None:
    name = stack.create(function(ANSWER), {"Name": ref("Function")})["Name"]
    client = cloud.client("lambda")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName=name)
    assert counted(cloud, name) == {"Throttles": (1, 1)}
