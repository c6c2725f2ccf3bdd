"""Groups in an AWS in process: made as the template makes them, and looked at from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from annex_lease.aws import Clients
from annex_lease.handler import serve
from annex_lease.memory import Memory
from annex_lease.policy import LeasePolicy, policy_tags

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Context:
    """A Lambda context that has this many milliseconds left."""

    def __init__(self, milliseconds: int = 120_000) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds

    def spend(self, seconds: float) -> None:
        """Time that passes in a sleep."""
        self._milliseconds -= int(seconds * 1000)


class Cloud:
    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self.credential = ""
        self.slept: list[float] = []
        self.environ: dict[str, str] = {}
        self.memories: dict[str, Memory] = {}

    def add_group(self, name: str, policy: LeasePolicy | None, *, protected: bool = False) -> None:
        image = self.clients.ec2.register_image(Name=f"image-{name}", Architecture="x86_64")["ImageId"]
        self.clients.autoscaling.create_launch_configuration(
            LaunchConfigurationName=name, ImageId=image, InstanceType="c6a.large"
        )
        self.clients.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchConfigurationName=name,
            MinSize=0,
            MaxSize=400,
            AvailabilityZones=["us-east-1a"],
            NewInstancesProtectedFromScaleIn=protected,
            Tags=[tag.to_api(name) for tag in (policy_tags(policy) if policy else ())],  # type: ignore[misc]
        )

    def add_secret(self, value: str | None = None) -> str:
        extra: dict[str, Any] = {} if value is None else {"SecretString": value}
        self.credential = self.clients.secretsmanager.create_secret(Name="token", **extra)["ARN"]
        return self.credential

    def describe(self, group: str) -> Any:
        found = self.clients.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
        return found["AutoScalingGroups"][0]

    def created(self, group: str) -> datetime:
        created: datetime = self.describe(group)["CreatedTime"]
        return created.astimezone(UTC).replace(microsecond=0)

    def tags(self, group: str) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.describe(group)["Tags"]}

    def write(self, group: str, key: str, value: str) -> None:
        self.clients.autoscaling.create_or_update_tags(
            Tags=[
                {
                    "ResourceId": group,
                    "ResourceType": "auto-scaling-group",
                    "Key": key,
                    "Value": value,
                    "PropagateAtLaunch": False,
                }
            ]
        )

    def running(self, group: str) -> list[Any]:
        """The instances of the group that EC2 lists as alive."""
        pages = self.clients.ec2.get_paginator("describe_instances").paginate(
            Filters=[
                {"Name": "tag:aws:autoscaling:groupName", "Values": [group]},
                {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
            ]
        )
        return [i for page in pages for reservation in page["Reservations"] for i in reservation["Instances"]]

    def check(self, group: str, now: datetime, **event: object) -> dict[str, object]:
        """One run of the function."""
        environ = {"ANNEX_GROUP": group, "ANNEX_CREDENTIAL": self.credential, **self.environ}
        context = Context()

        def sleep(seconds: float) -> None:
            self.slept.append(seconds)
            context.spend(seconds)

        memory = self.memories.setdefault(group, Memory())
        return serve(event, context, environ=environ, now=now, clients=self.clients, sleep=sleep, memory=memory)


class _Body:
    def __init__(self, text: str) -> None:
        self._text = text

    def stream(self, **_: object) -> list[bytes]:
        return [self._text.encode()]


def fail(
    client: Any, operation: str, code: str, *, times: int = 1000, until: Callable[[], bool] = lambda: False
) -> list[str]:
    """Let AWS refuse `operation`, so that nothing of it happens; the calls that were made are in the result."""
    calls: list[str] = []

    def refuse(**_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        calls.append(operation)
        if len(calls) > times or until():
            return None
        parsed = {"Error": {"Code": code, "Message": "injected"}, "ResponseMetadata": {}}
        return AWSResponse("https://aws", 400, HTTPHeaders(), _Body("")), parsed

    client.meta.events.register_first(f"before-call.{client.meta.service_model.service_name}.{operation}", refuse)
    return calls


def list_no_group(client: Any, times: int) -> None:
    """Let AWS list no group, so often."""
    left = [None] * times

    def answer(**_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        if not left:
            return None
        left.pop()
        parsed: dict[str, Any] = {"AutoScalingGroups": [], "ResponseMetadata": {}}
        return AWSResponse("https://aws", 200, HTTPHeaders(), _Body("")), parsed

    client.meta.events.register_first("before-call.autoscaling.DescribeAutoScalingGroups", answer)


def fail_writing(cloud: Cloud, key: str, *, passed: int = 0, times: int = 1000) -> list[str]:
    """Let AWS refuse to write this tag of a group, so often, after `passed` writes; the refusals are in the result."""
    seen: list[str] = []
    refused: list[str] = []
    client = cloud.clients.autoscaling

    def refuse(params: dict[str, Any], **_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        if key not in str(params["body"]).replace("%3A", ":"):
            return None
        seen.append(key)
        if not passed < len(seen) <= passed + times:
            return None
        refused.append(key)
        parsed = {"Error": {"Code": "LimitExceeded", "Message": "injected"}, "ResponseMetadata": {}}
        return AWSResponse("https://aws", 400, HTTPHeaders(), _Body("")), parsed

    events: Any = client.meta.events
    events.register_first(f"before-call.{client.meta.service_model.service_name}.CreateOrUpdateTags", refuse)
    return refused


def throttle(client: Any, operation: str, *, times: int) -> list[str]:
    """Let AWS answer the first `times` of `operation` with a throttling error, on the wire, below the retries."""
    calls: list[str] = []

    def answer(request: Any, **_: object) -> AWSResponse | None:
        calls.append(operation)
        error = "<ErrorResponse><Error><Code>Throttling</Code><Message>injected</Message></Error></ErrorResponse>"
        return AWSResponse(request.url, 400, HTTPHeaders(), _Body(error)) if len(calls) <= times else None

    client.meta.events.register_first(f"before-send.{client.meta.service_model.service_name}.{operation}", answer)
    return calls


def record(client: Any, operations: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """The calls of `operations` with their parameters, in order, as they are made."""
    calls: list[tuple[str, dict[str, Any]]] = []

    def listener(operation: str) -> Callable[..., None]:
        return lambda params, **_: calls.append((operation, params))

    for operation in operations:
        service = client.meta.service_model.service_name
        client.meta.events.register(f"provide-client-params.{service}.{operation}", listener(operation))
    return calls
