"""A failed asynchronous invocation is retried and delivered as Lambda documents."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from .driving import Cloud, eventually
from .stacks import Stack, att, ref
from .test_provisioned_functions import custom, function

BROKEN = "raise RuntimeError('at import')"
# Keeps its event, or answers CloudFormation with the status of its environment.
TAKER = """
import json, os, urllib.request, boto3
def handler(record, context):
    kept = boto3.client("secretsmanager")
    kept.put_secret_value(SecretId=os.environ["KEPT"], SecretString=json.dumps(record))
    event = record["requestPayload"]
    if "ResponseURL" in event:
        answer = {k: event[k] for k in ("StackId", "RequestId", "LogicalResourceId")}
        answer |= {"Status": os.environ["STATUS"], "Reason": "says the taker", "PhysicalResourceId": "no-it"}
        if event["RequestType"] == "Delete":
            answer["Status"] = "SUCCESS"
        put = urllib.request.Request(event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT")
        urllib.request.urlopen(put).read()
"""


def may(role: dict[str, Any], action: str, resource: Any) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    role["Properties"].setdefault("Policies", []).append({"PolicyName": action[:3], "PolicyDocument": document})


def resources(
    code: str = BROKEN, *, status: str = "FAILED", allowed: bool = True, retries: int = 0, age: int = 60
) -> dict[str, Any]:
    """A function whose failed events go to another function and to a queue."""
    made = function(code)
    taker = function(TAKER, STATUS=status, KEPT=ref("Kept"))  # type: ignore[arg-type]
    made["TakerRole"], made["Taker"] = taker["Role"], taker["Function"]
    made["Taker"]["Properties"]["Role"] = att("TakerRole", "Arn")
    may(made["TakerRole"], "secretsmanager:PutSecretValue", "*")
    made["Kept"] = {"Type": "AWS::SecretsManager::Secret", "Properties": {}}
    made["Queue"] = {"Type": "AWS::SQS::Queue", "Properties": {}}
    made["Function"]["Properties"]["DeadLetterConfig"] = {"TargetArn": att("Queue", "Arn")}
    if allowed:
        may(made["Role"], "lambda:InvokeFunction", att("Taker", "Arn"))
        may(made["Role"], "sqs:SendMessage", att("Queue", "Arn"))
    made["Asynchronous"] = {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "Properties": {
            "FunctionName": ref("Function"),
            "Qualifier": "$LATEST",
            "MaximumRetryAttempts": retries,
            "MaximumEventAgeInSeconds": age,
            "DestinationConfig": {"OnFailure": {"Destination": att("Taker", "Arn")}},
        },
    }
    return made


OUTPUTS = {"Name": ref("Function"), "Arn": att("Function", "Arn"), "Queue": ref("Queue"), "Kept": ref("Kept")}


def kept(cloud: Cloud, secret: str) -> Any:
    manager = cloud.client("secretsmanager")
    if not manager.describe_secret(SecretId=secret).get("VersionIdsToStages"):
        return None
    return json.loads(manager.get_secret_value(SecretId=secret)["SecretString"])


def send(cloud: Cloud, name: str, event: dict[str, Any]) -> None:
    sent = cloud.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
    assert sent["StatusCode"] == 202


def dead_letters(cloud: Cloud, queue: str) -> list[Any]:
    found = cloud.client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"], WaitTimeSeconds=0)
    return list(found.get("Messages", []))


@pytest.mark.parametrize(
    ("retries", "age", "condition", "runs"),
    [(0, 60, "RetriesExhausted", 1), (1, 600, "RetriesExhausted", 2), (1, 60, "EventAgeExceeded", 1)],
)
def test_a_failed_event_is_sent_to_the_destination_and_to_the_queue(
    cloud: Cloud, stack: Stack, retries: int, age: int, condition: str, runs: int
) -> None:
    made = stack.create(resources(retries=retries, age=age), OUTPUTS)
    send(cloud, made["Name"], {"check": "scheduled"})
    if runs == 2:
        time.sleep(2)
        assert kept(cloud, made["Kept"]) is None, "Lambda waits a minute before it tries again"
        cloud.advance(61)
    record = eventually(lambda: kept(cloud, made["Kept"]))
    assert set(record) == {
        *("version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload")
    }
    assert record["version"] == "1.0"
    assert record["requestPayload"] == {"check": "scheduled"}
    context = record["requestContext"]
    assert context["functionArn"] == f"{made['Arn']}:$LATEST"
    assert (context["condition"], context["approximateInvokeCount"]) == (condition, runs)
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert "at import" in record["responsePayload"]["errorMessage"]
    # The queue has the event alone, and the error in the attributes.
    (message,) = eventually(lambda: dead_letters(cloud, made["Queue"]))
    assert json.loads(message["Body"]) == {"check": "scheduled"}
    attributes = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert attributes["RequestID"] == context["requestId"]
    assert "at import" in attributes["ErrorMessage"]


def test_an_event_that_succeeds_is_sent_nowhere(cloud: Cloud, stack: Stack) -> None:
    made = stack.create(resources("def handler(event, context):\n    return 1\n"), OUTPUTS)
    send(cloud, made["Name"], {"check": "scheduled"})
    time.sleep(2)
    assert kept(cloud, made["Kept"]) is None
    assert dead_letters(cloud, made["Queue"]) == []


def test_without_the_right_of_the_functions_role_nothing_is_delivered(cloud: Cloud, stack: Stack) -> None:
    made = stack.create(resources(allowed=False), OUTPUTS)
    send(cloud, made["Name"], {"check": "scheduled"})
    time.sleep(2)
    assert kept(cloud, made["Kept"]) is None
    assert dead_letters(cloud, made["Queue"]) == []


def test_a_function_without_concurrency_hands_its_events_over_at_once(cloud: Cloud, stack: Stack) -> None:
    made = stack.create(resources("def handler(event, context):\n    return 1\n"), OUTPUTS)
    cloud.client("lambda").put_function_concurrency(FunctionName=made["Name"], ReservedConcurrentExecutions=0)
    send(cloud, made["Name"], {"check": "scheduled"})
    record = eventually(lambda: kept(cloud, made["Kept"]))
    assert record["requestContext"]["approximateInvokeCount"] == 0
    assert "responsePayload" not in record


def test_the_destination_answers_cloudformation_for_a_broken_function(stack: Stack) -> None:
    began = time.monotonic()
    with pytest.raises(WaiterError):
        stack.create({**resources(), "Thing": {**custom(ServiceTimeout=60), "DependsOn": "Asynchronous"}})
    assert time.monotonic() - began < 30
    assert "says the taker" in stack.reasons()


def test_what_failed_to_be_created_is_deleted_by_the_id_it_failed_under(cloud: Cloud, stack: Stack) -> None:
    manager = cloud.client("secretsmanager")
    name = manager.create_secret(Name="name-of-taker")["Name"]
    made = resources()
    made["Taker"]["Properties"]["Environment"]["Variables"]["KEPT"] = name
    try:
        with pytest.raises(WaiterError):
            stack.create({**made, "Thing": {**custom(ServiceTimeout=60), "DependsOn": "Asynchronous"}})
        request = kept(cloud, name)["requestPayload"]
        assert (request["RequestType"], request["PhysicalResourceId"]) == ("Delete", "no-it")
    finally:
        manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def test_the_destination_answers_a_deletion(cloud: Cloud, stack: Stack) -> None:
    sound = resources(status="SUCCESS")
    stack.create({**sound, "Thing": {**custom(ServiceTimeout=60), "DependsOn": "Asynchronous"}}, OUTPUTS)
    began = time.monotonic()
    stack.delete()
    assert time.monotonic() - began < 30
