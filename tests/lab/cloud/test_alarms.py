"""Alarms, topics, queues and embedded metrics of a stack behave as AWS documents."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from .driving import Cloud, eventually
from .stacks import Stack, att, ref
from .test_provisioned_functions import function

TAGS = [{"Key": "annex:id", "Value": "u.alarmed"}]
BEAT = """
import json, time
def handler(event, context):
    print("no metric")
    print(json.dumps({"Annex": "demo", "Beats": 1, "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [
        {"Namespace": "Test", "Dimensions": [["Annex"]], "Metrics": [{"Name": "Beats", "Unit": "Count"}]}]}}))
    print('{"_aws": broken')
"""


def alarm(name: str, annex: str, **properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "Namespace": "Test",
            "MetricName": name,
            "Dimensions": [{"Name": "Annex", "Value": annex}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 2,
            "Threshold": 1,
            "ComparisonOperator": "LessThanThreshold",
            "TreatMissingData": "breaching",
            "AlarmActions": [ref("Topic")],
            "Tags": TAGS,
            **properties,
        },
    }


def notified(*alarms: str) -> dict[str, Any]:
    """A topic that alarms may publish to, with a queue to read what was published."""
    trust = {"Effect": "Allow", "Principal": {"Service": "cloudwatch.amazonaws.com"}, "Action": "sns:Publish"}
    to_queue = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    return {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "d", "Tags": TAGS}},
        "Policy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [ref("Topic")],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [{**trust, "Resource": ref("Topic")}]},
            },
        },
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": True, "Tags": TAGS}},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [ref("Queue")],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{**to_queue, "Resource": att("Queue", "Arn")}],
                },
            },
        },
        "Subscription": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"TopicArn": ref("Topic"), "Protocol": "sqs", "Endpoint": att("Queue", "Arn")},
        },
        "Mail": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {"TopicArn": ref("Topic"), "Protocol": "email", "Endpoint": "a@example.org"},
        },
    }


OUTPUTS = {"Topic": ref("Topic"), "Queue": ref("Queue")}
CREATION = "Alarm updated from INSUFFICIENT_DATA to INSUFFICIENT_DATA"


def published(cloud: Cloud, queue: str) -> list[dict[str, Any]]:
    found = cloud.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for one in found:
        cloud.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    return [json.loads(json.loads(one["Body"])["Message"]) for one in found]


def state(cloud: Cloud, name: str) -> str:
    [shown] = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(shown["StateValue"])


def test_silence_alarms_and_a_heartbeat_of_the_own_annex_ends_it(cloud: Cloud, stack: Stack) -> None:
    resources = {**notified(), **function(BEAT), "Own": alarm("Beats", "demo"), "Other": alarm("Beats", "other")}
    write = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [write]}
    resources["Role"]["Properties"]["Policies"] = [{"PolicyName": "p", "PolicyDocument": document}]
    made = stack.create(resources, {**OUTPUTS, "Own": ref("Own"), "Other": ref("Other"), "Function": ref("Function")})
    eventually(lambda: {state(cloud, made["Own"]), state(cloud, made["Other"])} == {"ALARM"})
    heard: list[str] = []

    def both_heard() -> bool:
        heard.extend(one["AlarmName"] for one in published(cloud, made["Queue"]))
        return len(heard) == 2

    eventually(both_heard)
    assert set(heard) == {made["Own"], made["Other"]}
    for _ in range(2):
        # The function's own clock does not jump: the cloud reads the metric one and two minutes later.
        cloud.client("lambda").invoke(FunctionName=made["Function"])
        cloud.advance(60)
        time.sleep(0.1)
    eventually(lambda: state(cloud, made["Own"]) == "OK")
    assert state(cloud, made["Other"]) == "ALARM", "another annex's heartbeat is not this one's"
    cloud.advance(600)
    eventually(lambda: state(cloud, made["Own"]) == "ALARM")


@pytest.mark.parametrize(
    ("missing", "expected"), [("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA"), ("ignore", "INSUFFICIENT_DATA")]
)
def test_missing_data_is_treated_as_declared(cloud: Cloud, stack: Stack, missing: str, expected: str) -> None:
    made = stack.create(
        {**notified(), "Own": alarm("None", "demo", TreatMissingData=missing)}, {**OUTPUTS, "Own": ref("Own")}
    )
    cloud.advance(20)
    eventually(lambda: state(cloud, made["Own"]) == expected)


@pytest.mark.parametrize(("values", "expected"), [([2, 0, 0], "OK"), ([0, 2, 2], "ALARM"), ([2, 2, 0], "OK")])
def test_the_newest_points_decide(cloud: Cloud, stack: Stack, values: list[int], expected: str) -> None:
    name = f"V{''.join(map(str, values))}"
    settings = {"TreatMissingData": "missing", "ComparisonOperator": "GreaterThanThreshold"}
    made = stack.create({**notified(), "Own": alarm(name, "demo", **settings)}, {**OUTPUTS, "Own": ref("Own")})
    now = (time.time() + cloud.offset) // 60 * 60
    base = {"MetricName": name, "Dimensions": [{"Name": "Annex", "Value": "demo"}]}
    data = [{**base, "Value": value, "Timestamp": now + 60 * n} for n, value in enumerate(values)]
    cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=data)
    cloud.advance(60 * len(values))
    eventually(lambda: state(cloud, made["Own"]) == expected)


def history(cloud: Cloud, name: str) -> list[str]:
    """Changes of an alarm's state, its creation included, the oldest first."""
    found = cloud.client("cloudwatch").describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")
    return [str(one["HistorySummary"]) for one in reversed(found["AlarmHistoryItems"])]


def begin_a_minute(cloud: Cloud) -> float:
    """Advance the clock to the beginning of a minute, so that all that follows is done in it."""
    cloud.advance(60 - (time.time() + cloud.offset) % 60)
    return time.time() + cloud.offset


def evaluate(cloud: Cloud) -> None:
    """Evaluate every alarm: 10 s after the last time, or later."""
    cloud.advance(10)
    assert cloud.get("/_lab/tick", "POST").status == 200


@pytest.mark.parametrize("maker", ["template", "API"])
@pytest.mark.parametrize("annex", ["fresh", "earlier"])
def test_a_new_alarm_waits_for_the_end_of_the_minute_of_its_first_point(
    cloud: Cloud, stack: Stack, maker: str, annex: str
) -> None:
    name = f"New-{maker}-{annex}"
    settings = {"TreatMissingData": "missing", "ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    watched = alarm(name, "fresh", InsufficientDataActions=[ref("Topic")], **settings)
    resources = notified()
    now = begin_a_minute(cloud)
    data = {"MetricName": name, "Value": 0.0, "Timestamp": now}
    point = {**data, "Dimensions": [{"Name": "Annex", "Value": annex}]}
    cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=[point])
    if maker == "template":
        own = stack.create({**resources, "Own": watched}, {**OUTPUTS, "Own": ref("Own")})["Own"]
    else:
        own, made = name, stack.create(resources, OUTPUTS)
        topic = {"AlarmActions": [made["Topic"]], "InsufficientDataActions": [made["Topic"]]}
        cloud.client("cloudwatch").put_metric_alarm(AlarmName=own, **{**watched["Properties"], **topic})
    evaluate(cloud)
    assert history(cloud, own) == [CREATION]
    assert state(cloud, own) == "INSUFFICIENT_DATA"
    cloud.advance(60)
    evaluate(cloud)
    own_point = annex == "fresh"
    assert state(cloud, own) == ("OK" if own_point else "INSUFFICIENT_DATA")
    changed = ["Alarm updated from INSUFFICIENT_DATA to OK"] if own_point else []
    assert history(cloud, own) == [CREATION, *changed]
    assert published(cloud, stack.outputs()["Queue"]) == []
    if maker == "API":
        cloud.client("cloudwatch").delete_alarms(AlarmNames=[own])


def test_a_queue_that_is_not_empty_alarms(cloud: Cloud, stack: Stack) -> None:
    depth = {"Namespace": "AWS/SQS", "TreatMissingData": "notBreaching"}
    depth |= {"ComparisonOperator": "GreaterThanOrEqualToThreshold"}
    watched = alarm("ApproximateNumberOfMessagesVisible", "", **depth)
    watched["Properties"]["Dimensions"] = [{"Name": "QueueName", "Value": att("Queue", "QueueName")}]
    resources = {**notified(), "Own": watched}
    del resources["Subscription"]
    made = stack.create(resources, {**OUTPUTS, "Own": ref("Own")})
    cloud.advance(20)
    eventually(lambda: state(cloud, made["Own"]) == "OK")
    cloud.client("sqs").send_message(QueueUrl=made["Queue"], MessageBody="{}")
    cloud.advance(20)
    eventually(lambda: state(cloud, made["Own"]) == "ALARM")
    cloud.client("sqs").purge_queue(QueueUrl=made["Queue"])
    cloud.advance(20)
    eventually(lambda: state(cloud, made["Own"]) == "OK")


def test_all_of_it_is_tagged_and_removed_with_the_stack(cloud: Cloud, stack: Stack) -> None:
    log = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 14, "Tags": TAGS}}
    resources = {**notified(), "Own": alarm("Beats", "demo"), "Log": log}
    made = stack.create(resources, {**OUTPUTS, "Own": ref("Own"), "Log": ref("Log")})
    find: Callable[..., Any] = cloud.client("resourcegroupstaggingapi").get_resources

    def tagged() -> set[str]:
        found = find(TagFilters=[{"Key": "annex:id", "Values": ["u.alarmed"]}])["ResourceTagMappingList"]
        return {one["ResourceARN"].split(":")[2] for one in found}

    eventually(lambda: tagged() == {"sns", "sqs", "cloudwatch", "logs"})
    assert len(cloud.client("sns").list_subscriptions_by_topic(TopicArn=made["Topic"])["Subscriptions"]) == 2
    stack.delete()
    assert tagged() == set()
    assert made["Topic"] not in str(cloud.client("sns").list_topics()["Topics"])
    assert made["Topic"] not in str(cloud.client("sns").list_subscriptions()["Subscriptions"])
    assert made["Queue"] not in cloud.client("sqs").list_queues().get("QueueUrls", [])
    assert cloud.client("cloudwatch").describe_alarms(AlarmNames=[made["Own"]])["MetricAlarms"] == []
