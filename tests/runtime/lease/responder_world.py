"""The lease checker's responder as Lambda runs it, and an annex in an AWS in process."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3

import annex_constructs
from tests.runtime.lease.answer_server import AnswerServer

CODE = Path(annex_constructs.__file__).parent / "lease" / "responder" / "index.py"
GROUP, NAME, ID = "group-of-pa", "pa", "0b4f.pa"
ENVIRONMENT = {"ANNEX_GROUP": GROUP, "ANNEX_ID": ID}
OWN = f"lease-of-{GROUP}"


class Annex:
    """Two instances in a group, and a clock that runs only in a wait."""

    def __init__(self, answers: AnswerServer) -> None:
        self.autoscaling: Any = boto3.client("autoscaling")
        self.ec2: Any = boto3.client("ec2")
        self.answers = answers
        self.seconds_left = 300.0
        self.waits = 0
        self.while_waiting: Callable[[], object] = lambda: None
        self.code = self._load()

    def _load(self) -> Any:
        spec = importlib.util.spec_from_file_location("stand_in", CODE)
        assert spec is not None
        assert spec.loader is not None
        code: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(code)
        code.time = SimpleNamespace(sleep=self._sleep)
        return code

    def _sleep(self, seconds: float) -> None:
        self.seconds_left -= seconds
        self.waits += 1
        self.while_waiting()

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left * 1000)

    def make(self, size: int, *, protected: bool = False) -> list[str]:
        """The group, with so many instances; their ids."""
        image = self.ec2.register_image(Name="image", Architecture="x86_64")["ImageId"]
        self.autoscaling.create_launch_configuration(
            LaunchConfigurationName="l", ImageId=image, InstanceType="c6a.large"
        )
        tags = [{"Key": "annex:name", "Value": NAME}, {"Key": "annex:id", "Value": ID}]
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            LaunchConfigurationName="l",
            MinSize=0,
            MaxSize=400,
            DesiredCapacity=size,
            AvailabilityZones=["us-east-1a"],
            NewInstancesProtectedFromScaleIn=protected,
            Tags=[{**tag, "PropagateAtLaunch": True} for tag in tags],
        )
        return [each["InstanceId"] for each in self.group()["Instances"]]

    def start(self, **tags: str) -> str:
        """An instance that is in no group; `_` in the key of a tag stands for `:`."""
        image = self.ec2.register_image(Name="another", Architecture="x86_64")["ImageId"]
        pairs = [{"Key": key.replace("_", ":"), "Value": value} for key, value in tags.items()]
        specification = {"ResourceType": "instance", "Tags": pairs}
        made = self.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=[specification])
        return str(made["Instances"][0]["InstanceId"])

    def group(self) -> Any:
        return self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"][0]

    def running(self) -> list[str]:
        """Ids of all instances of the account that are alive."""
        alive = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
        pages = self.ec2.get_paginator("describe_instances").paginate(Filters=alive)
        return [i["InstanceId"] for page in pages for r in page["Reservations"] for i in r["Instances"]]

    def hand_over(self, kind: str, physical_id: str | None = None, **changed: Any) -> None:
        """Event that Lambda sends to a destination, as its Developer Guide shows it."""
        request = {
            "RequestType": kind,
            "ResponseURL": self.answers.url,
            "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/Annex-pa/0b4f",
            "RequestId": "r",
            "LogicalResourceId": "Lease",
            "ResourceProperties": {},
            **({} if physical_id is None else {"PhysicalResourceId": physical_id}),
        }
        record = {
            "version": "1.0",
            "timestamp": "2026-11-23T01:00:00.000Z",
            "requestContext": {
                "requestId": "e4b46cbf",
                "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:checker:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 1,
            },
            "requestPayload": request,
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": "broken on purpose", "errorType": "RuntimeError"},
            **changed,
        }
        self.code.handler(record, self)
