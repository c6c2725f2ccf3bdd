"""A scene with a clock of its own, and an account of a few dictionaries: for the verdicts of experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from annex_lease.tags import TAG_UNTIL, format_time
from annex_pool.region import RegionClients
from verify.account import Account
from verify.cdk import ROOT, Cdk, Deployment
from verify.options import DEFAULT_IMAGE, Options
from verify.run import Run
from verify.scene import Scene

T = TypeVar("T")
START = datetime(2030, 1, 2, 3, 0, tzinfo=UTC)


class FakeClient:
    """Clients of every service: an operation answers as the test says, and is noted."""

    region = "eu-west-1"

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.called: list[str] = []

    def client(self, _service: str) -> FakeClient:
        return self

    def can_paginate(self, _operation: str) -> bool:
        return False

    def get_paginator(self, operation: str) -> Any:
        """A paginator with one page."""
        return SimpleNamespace(paginate=lambda **request: [getattr(self, operation)(**request)])

    def __getattr__(self, operation: str) -> Any:
        if operation in ("autoscaling", "cloudformation", "ec2", "logs", "functions", "secretsmanager"):
            return self

        def call(**request: object) -> Any:
            self.called.append(operation)
            answer = self.answers.get(operation, {})
            return answer(**request) if callable(answer) else answer

        return call


@dataclass(kw_only=True)
class FakeScene(Scene):
    """A scene in which time passes only while an experiment waits."""

    clock: datetime = START
    aws: FakeClient = field(default_factory=FakeClient)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: list[dict[str, Any]] = field(default_factory=list)
    later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    on_deploy: Callable[[], bool] = lambda: True
    on_launch: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return self.clock

    def watch(self, seconds: float, probe: Callable[[], T], *, every: float = 3.0) -> T:
        end = self.clock + timedelta(seconds=seconds)
        while not (value := probe()) and self.clock < end:
            self.clock += timedelta(seconds=every)
            for event in [each for each in self.later if START + timedelta(seconds=each[0]) <= self.clock]:
                self.later.remove(event)
                event[1]()
        return value

    def output(self, _letter: str, name: str) -> str:
        return name

    def group(self, letter: str) -> Mapping[str, Any]:
        return self.groups[letter]

    def activities(self, _letter: str) -> list[dict[str, Any]]:
        return self.done

    def physical_ids(self, _letter: str, _kind: str, _part: str = "") -> list[str]:
        return ["default/one"]

    def instance(self, _instance_id: str) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", self.aws.answers["instance"])

    def check(self, _letter: str, _event: Mapping[str, str] | None = None) -> dict[str, Any]:
        return self.checks.pop(0) if len(self.checks) > 1 else self.checks[0]

    def end_at(self, letter: str, end: datetime) -> None:
        set_tag(self.groups[letter], TAG_UNTIL, format_time(end))

    def deploy(self, letters: Iterable[str], *, release: Path = ROOT, **changes: object) -> Deployment:
        return Deployment(self.on_deploy(), "the CLI's last line")

    def start(self, letter: str) -> str:
        return self.members(letter)[0]

    def launch(self, letter: str, every: float = 3.0) -> str:
        self.on_launch()
        return self.members(letter)[0]

    def act(self, text: str) -> None:
        """Note a scaling activity at the present time."""
        known = {"ActivityId": len(self.done), "StartTime": self.clock, "StatusCode": "Successful"}
        self.done.append({**known, "Description": text, "Cause": "why"})


def set_tag(group: dict[str, Any], key: str, value: str | None) -> None:
    """Write or delete a tag of a group."""
    group["Tags"] = [each for each in group["Tags"] if each["Key"] != key]
    if value is not None:
        group["Tags"].append({"Key": key, "Value": value})


def scene(*, emulated: bool = False, image: str = DEFAULT_IMAGE, **more: Any) -> FakeScene:
    """Annexes a and b; a has an instance."""
    aws = FakeClient()
    account = Account(cast("RegionClients", aws), "123456789012", "arn:aws:iam::123456789012:root", emulated)
    run, options = Run("0a1b2c3d", "eu-west-1"), Options((), image=image)
    found = FakeScene(run=run, account=account, options=options, cdk=cast("Cdk", None), aws=aws, **more)
    aws.answers["describe_scaling_activities"] = lambda **_: {"Activities": found.done[::-1]}  # the newest first
    for letter in "abc":
        found.groups[letter] = {"Instances": [], "MinSize": 0, "DesiredCapacity": 0, "Tags": [], "CreatedTime": START}
    found.groups["a"]["Instances"] = [{"InstanceId": "i-1", "LifecycleState": "InService"}]
    found.groups["a"]["DesiredCapacity"] = 1
    found.checks = [{"end": "2030-01-02T03:50:00Z", "phase": "granted", "errors": []}]
    return found
