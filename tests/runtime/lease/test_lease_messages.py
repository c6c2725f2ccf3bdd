"""Messages of the lease checker about a lease that is not in order: once as it begins, to the topic of the annex."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.runtime.lease.lease_cloud import HOUR, MINUTE, Cloud, fail, record

GRACE = timedelta(seconds=900)


@pytest.fixture
def topic(cloud: Cloud, group: str) -> list[dict[str, Any]]:
    """The messages that the checker of the annex publishes."""
    arn = cloud.clients.sns.create_topic(Name="alarms")["TopicArn"]
    cloud.environ.update(ANNEX_TOPIC=arn, ANNEX_NAME=group)
    published: list[dict[str, Any]] = []
    calls = record(cloud.clients.sns, ["Publish"])

    def check(*args: Any, **more: Any) -> dict[str, object]:
        del calls[:]
        try:
            return Cloud.check(cloud, *args, **more)
        finally:
            published.extend(json.loads(given["Message"]) for _, given in calls)
            assert all(given["TopicArn"] == arn for _, given in calls)

    cloud.check = check  # type: ignore[method-assign]
    return published


def ignored(cloud: Cloud, group: str) -> Callable[[], None]:
    cloud.write(group, "annex:lease-until", "tomorrow")
    return lambda: cloud.write(group, "annex:lease-until", cloud.tags(group)["annex:lease-end"])


def enlarged(cloud: Cloud, group: str) -> Callable[[], None]:
    def resize(size: int) -> None:
        cloud.clients.autoscaling.update_auto_scaling_group(AutoScalingGroupName=group, DesiredCapacity=size)

    resize(9)
    return lambda: resize(2)


TROUBLE = [(ignored, "annex:lease-until"), (enlarged, "7 instances more than declared")]


@pytest.mark.parametrize(("begin", "said"), TROUBLE)
def test_what_is_not_in_order_is_published_once_as_it_begins(
    cloud: Cloud, group: str, topic: list[dict[str, Any]],
    begin: Callable[[Cloud, str], Callable[[], None]], said: str,
) -> None:  # fmt: skip
    now = cloud.created(group)

    def minute() -> None:
        nonlocal now
        now += MINUTE
        cloud.check(group, now)

    minute()
    minute()
    assert topic == [], "an annex in order publishes nothing"
    for times in (1, 2):
        repair = begin(cloud, group)
        for _ in range(3):
            minute()
        assert [message["event"] for message in topic] == ["lease-not-in-order"] * times
        assert said in topic[-1]["text"]
        repair()
        minute()
        assert len(topic) == times, "that it is over is no message"


def test_what_cannot_be_recorded_is_not_published_with_every_check(
    cloud: Cloud, group: str, topic: list[dict[str, Any]]
) -> None:
    """All tags of the group are used, say: the answer of the check says it, and no mail comes every minute."""
    created = cloud.created(group)
    for minute in range(3):
        cloud.check(group, created + minute * MINUTE)
    enlarged(cloud, group)
    fail(cloud.clients.autoscaling, "CreateOrUpdateTags", "LimitExceeded")
    for minute in range(3, 6):
        done = cloud.check(group, created + minute * MINUTE)
        assert "could not be reported" in str(done["problems"])
    assert topic == []


def test_instances_past_the_lease_are_published_by_the_check_that_finds_them_again(
    cloud: Cloud, group: str, topic: list[dict[str, Any]]
) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    cloud.check(group, created + MINUTE)
    # AWS keeps the instances: no call that ends them is carried out.
    fail(cloud.clients.autoscaling, "UpdateAutoScalingGroup", "ServiceUnavailable")
    fail(cloud.clients.ec2, "TerminateInstances", "UnauthorizedOperation")
    over = created + HOUR + GRACE + MINUTE

    def late(now: datetime) -> list[str]:
        with pytest.raises(Exception, match=r"ServiceUnavailable|UnauthorizedOperation"):
            cloud.check(group, now)
        return [message["text"] for message in topic]

    assert late(over) == [], "the first check terminates them"
    (text,) = late(over + MINUTE)
    assert "2 instances are alive although their lease and its grace are over" in text
    assert late(over + 2 * MINUTE) == [text]


def test_without_a_topic_nothing_is_published_and_nothing_fails(cloud: Cloud, group: str) -> None:
    calls = record(cloud.clients.sns, ["Publish"])
    cloud.write(group, "annex:lease-until", "tomorrow")
    done = cloud.check(group, cloud.created(group))
    assert done["errors"] == []
    assert calls == []
