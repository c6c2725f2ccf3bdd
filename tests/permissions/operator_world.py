"""The commands' world (moto) in which AWS asks IAM about each call of an operator, for two annexes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from moto import mock_aws

from annex_pool.command_error import AnnexError
from tests.permissions.authorisation import Policies, Request, ask, parameter_keys
from tests.permissions.deployed import ACCOUNT, REGION
from tests.runtime.pool.pool_parts import make_checker, one_at_a_time
from tests.runtime.pool.pool_world import World, aws, deploy
from tests.world.aws_errors import refusal

UUID = "8e1f4ad0-c7d2-11f0-8d6a-0affc1b2d3e4"
"""Of the stacks of both annexes."""
CHECKER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checker-demo"
LATER = ["LATER"]
"""In the place of a command line: 16 minutes pass."""
ISSUER = "ISSUER"
"""In a command line: a program that issues a token."""
_PREFIXES = {"tagging": "tag", "monitoring": "cloudwatch"}  # botocore's names where IAM has others


class Operator(World):
    """The commands' world in which AWS asks IAM about each call of the operator; the checker's calls are its own."""

    policies: Policies
    asking = False
    used: set[str]
    denied: list[Request]

    def _check(self, found: Any, **more: Any) -> Any:
        # The real command finds the function by its tags, then invokes it.
        self.used |= {"tag:GetResources", "lambda:InvokeFunction"}
        request = Request("lambda:InvokeFunction", CHECKER.replace("demo", found.name))
        if not ask(self.policies, request).allowed:
            self.denied.append(request)
            raise AnnexError("AWS was asked to run the lease checker and refused")
        self.asking = False
        try:
            return super()._check(found, **more)
        finally:
            self.asking = True

    def operate(self, annex: str, words: list[list[str]]) -> list[int]:
        """Run command lines as this operator; their exit codes."""
        codes = []
        for line in words:
            if line == LATER:
                self.shift += timedelta(minutes=16)
                continue
            given = [self.issuer() if word == ISSUER else word.format(annex) for word in line]
            self.asking = True
            codes.append(self.annex(*given).exit_code)
            self.asking = False
        return codes


def operated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """An operator, and the annexes demo and demo2 with one protected instance each."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    one_at_a_time(monkeypatch)
    operator = Operator(folder)
    operator.used, operator.denied = set(), []
    real: Callable[..., Any] = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        if operator.asking:
            operator.asking = False
            prefix = client.meta.service_model.endpoint_prefix
            action = f"{_PREFIXES.get(prefix, prefix)}:{operation}"
            asked = list(requests(action, params or {}))
            refused = [request for request in asked if not ask(operator.policies, request).allowed]
            operator.denied += refused
            operator.used.add(action)
            operator.asking = True
            if refused:
                raise refusal("AccessDenied", f"not authorized to perform {action}", operation)
        return real(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    with mock_aws():
        for annex in ("demo", "demo2"):
            deploy(annex, annex_id=f"{UUID}.{annex}")
            make_checker(annex, f"{UUID}.{annex}")
            scaling = aws().autoscaling
            scaling.update_auto_scaling_group(AutoScalingGroupName=f"Group-{annex}", DesiredCapacity=1)
            (described,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[f"Group-{annex}"])[
                "AutoScalingGroups"
            ]
            ids = [each["InstanceId"] for each in described["Instances"]]
            scaling.set_instance_protection(
                AutoScalingGroupName=f"Group-{annex}", InstanceIds=ids, ProtectedFromScaleIn=True
            )
        yield operator


def requests(action: str, params: dict[str, Any]) -> Iterator[Request]:
    """Authorisation request of a call, with the names that the stack is deployed under."""
    if action == "autoscaling:CreateOrUpdateTags":
        for name in {tag["ResourceId"] for tag in params["Tags"]}:
            yield Request(action, group_arn(name), {}, tuple(tag["Key"] for tag in params["Tags"]))
    elif "AutoScalingGroupName" in params and not action.startswith("autoscaling:Describe"):
        yield Request(action, group_arn(params["AutoScalingGroupName"]), parameter_keys(action, params))
    elif action == "ec2:TerminateInstances":
        for instance in params["InstanceIds"]:
            tags = aws().ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [instance]}])["Tags"]
            context = {f"ec2:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags}
            yield Request(action, f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}", context)
    elif action == "lambda:GetFunctionConfiguration":
        yield Request(action, params["FunctionName"])
    elif "SecretId" in params:
        # moto ends the ARN of a secret in six characters of its own.
        yield Request(action, f"{str(params['SecretId'])[:-6]}AbCdEf")
    else:
        assert action.split(":")[1].startswith(("Describe", "Get", "List")), action
        yield Request(action)


def group_arn(name: str) -> str:
    return f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:0:autoScalingGroupName/{name}"
