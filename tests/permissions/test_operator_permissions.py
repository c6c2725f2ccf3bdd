"""The grants for operators, as synthesised: enough for the commands on one annex, and nothing about any other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from botocore.client import BaseClient
from moto import mock_aws

from annex_lease.operator_policy import policy_document
from annex_pool.command_error import AnnexError
from tests.permissions.authorisation import Policies, Request, ask, granted
from tests.permissions.deployed import ACCOUNT, REGION, Deployed
from tests.runtime.pool.pool_world import World, aws, deploy
from tests.synth.templates import ROOT, annex_stack, feature_flags
from tests.world.aws_errors import refusal
from tests.world.aws_state import GROUP_TAG

UUID = "8e1f4ad0-c7d2-11f0-8d6a-0affc1b2d3e4"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Annex-demo/{UUID}"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:secret-demo-AbCdEf"
CHECKER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:checker-demo"
PREFIXES = {"tagging": "tag", "monitoring": "cloudwatch"}  # botocore's names where IAM has others
# moto has neither warm pools nor hooks that wait, nor does it suspend Terminate by itself.
NOT_DRIVEN = {
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:DeleteWarmPool",
    "autoscaling:DescribeLifecycleHooks",
    "autoscaling:ResumeProcesses",
}
STATEMENTS: Any = policy_document()["Statement"]
LISTING = {
    action
    for one in STATEMENTS
    if one["Sid"] == "ListLeftovers"
    for action in one["Action"]
    if action != "secretsmanager:DescribeSecret"
}
STATUS = [["status", "{}"]]
PUSH = [["credential", "push", "{}", "--token-command", "ISSUER"]]
EXTEND = [["extend", "{}", "--for", "9h"], ["renew", "{}", "--for", "9h"]]
STOP = [["stop", "{}", "--no-wait"], ["LATER"], ["stop", "{}", "--no-wait"]]
VERBS = {
    "grant_read_status": STATUS,
    "grant_push_credential": PUSH,
    "grant_extend": EXTEND,
    "grant_stop": STOP,
    "grant_operate": [*PUSH, *EXTEND, *STATUS, *STOP],
}


SPEC: dict[str, Any] = {
    "name": "demo",
    "region": REGION,
    "image": "ami-0123456789abcdef0",
    "size": 3,
    "lease": "8h",
    "instance_types": ("c6a.large",),
}


@pytest.fixture(scope="module")
def stack() -> Deployed:
    """A stack of annex demo with a role for each grant, deployed under the names that the commands' world has."""
    made = annex_stack(App(context=feature_flags()), SPEC)
    for verb in VERBS:
        grantee = iam.Role(made, f"Role{verb.title().replace('_', '')}", assumed_by=iam.AccountRootPrincipal())
        getattr(made.annex, verb)(grantee)
    template = Template.from_stack(made).to_json()
    empty = Deployed(template, STACK_ID, {})
    (checker,) = empty.of_type("AWS::Lambda::Function", "LeaseCheckerFunction")
    names = {
        **dict.fromkeys(empty.of_type("AWS::AutoScaling::AutoScalingGroup"), "Group-demo"),
        **dict.fromkeys(empty.of_type("AWS::SecretsManager::Secret"), SECRET),
        f"{checker}.Arn": CHECKER,
    }
    return Deployed(template, STACK_ID, names)


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
            if line == ["LATER"]:
                self.shift += timedelta(minutes=16)
                continue
            given = [self.issuer() if word == "ISSUER" else word.format(annex) for word in line]
            self.asking = True
            codes.append(self.annex(*given).exit_code)
            self.asking = False
        return codes


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    operator = Operator(tmp_path)
    operator.used, operator.denied = set(), []
    real: Callable[..., Any] = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        if operator.asking:
            operator.asking = False
            prefix = client.meta.service_model.endpoint_prefix
            action = f"{PREFIXES.get(prefix, prefix)}:{operation}"
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
        yield Request(action, group_arn(params["AutoScalingGroupName"]))
    elif action == "ec2:TerminateInstances":
        for instance in params["InstanceIds"]:
            tags = aws().ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [instance]}])["Tags"]
            context = {f"ec2:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags}
            yield Request(action, f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}", context)
    elif "SecretId" in params:
        # moto ends the ARN of a secret in six characters of its own.
        yield Request(action, f"{str(params['SecretId'])[:-6]}AbCdEf")
    else:
        assert action.split(":")[1].startswith(("Describe", "Get", "List")), action
        yield Request(action)


def group_arn(name: str) -> str:
    return f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:0:autoScalingGroupName/{name}"


def policies_of(stack: Deployed, verb: str) -> Policies:
    return stack.role(f"Role{verb.title().replace('_', '')}")


@pytest.mark.parametrize("verb", VERBS)
def test_a_grant_is_enough_and_all_of_it_is_used(stack: Deployed, operator: Operator, verb: str) -> None:
    operator.policies = policies_of(stack, verb)
    operator.operate("demo", VERBS[verb])
    assert operator.denied == []
    allowed = {action for _, action in granted(operator.policies)}
    assert operator.used - allowed == set()
    # A spec without an account asks for none. The calls of `annex leftovers` are held to the policy document, and that
    # to this grant, by other tests.
    assert allowed - operator.used - LISTING <= NOT_DRIVEN | {"sts:GetCallerIdentity"}


@pytest.mark.parametrize("verb", ["grant_push_credential", "grant_extend", "grant_stop", "grant_operate"])
def test_no_grant_changes_another_annex(stack: Deployed, operator: Operator, verb: str) -> None:
    operator.policies = policies_of(stack, verb)
    before = json.dumps(operator.group("demo2"), default=str)
    operator.operate("demo2", VERBS[verb])
    changes = {request.action for request in operator.denied}
    assert changes
    assert not {action for action in changes if action.split(":")[1].startswith(("List", "Get"))}
    assert json.dumps(operator.group("demo2"), default=str) == before
    secrets = aws().secretsmanager.describe_secret(SecretId="secret-demo2")
    assert not secrets.get("VersionIdsToStages")


OTHER_INSTANCES: list[dict[str, str]] = [
    {},
    {"annex:name": "demo"},
    {GROUP_TAG: "Group-demo2"},
    {"annex:id": f"{UUID}.demo2"},
    {"annex:id": f"x{UUID}.demo"},
]


@pytest.mark.parametrize("verb", ["grant_stop", "grant_operate"])
def test_instances_by_group_or_id_and_no_others(stack: Deployed, verb: str) -> None:
    policies = policies_of(stack, verb)

    def terminate(tags: dict[str, str]) -> bool:
        context = {f"ec2:ResourceTag/{key}": value for key, value in tags.items()}
        return ask(
            policies, Request("ec2:TerminateInstances", f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-0", context)
        ).allowed

    assert terminate({GROUP_TAG: "Group-demo"})
    assert terminate({"annex:id": f"{UUID}.demo"})
    assert not [tags for tags in OTHER_INSTANCES if terminate(tags)]


@pytest.mark.parametrize("verb", VERBS)
def test_one_checker_and_one_secret(stack: Deployed, verb: str) -> None:
    policies = policies_of(stack, verb)
    actions = {action for _, action in granted(policies)}
    for action, own in (("lambda:InvokeFunction", CHECKER), ("secretsmanager:PutSecretValue", SECRET)):
        assert ask(policies, Request(action, own)).allowed is (action in actions)
        for other in (f"{own}x", own.replace("demo", "demo2")):
            assert not ask(policies, Request(action, other)).allowed


@pytest.mark.parametrize("verb", ["grant_extend", "grant_stop", "grant_operate"])
@pytest.mark.parametrize("key", ["annex:name", "annex:id", "annex:size", "annex:max-lifetime", "annex:granted", "Name"])
def test_no_tag_but_those_of_the_operator(stack: Deployed, verb: str, key: str) -> None:
    policies, action = policies_of(stack, verb), "autoscaling:CreateOrUpdateTags"
    assert ask(policies, Request(action, group_arn("Group-demo"), {}, ("annex:lease-until",))).allowed
    for keys in ((key,), (key, "annex:lease-until")):
        assert not ask(policies, Request(action, group_arn("Group-demo"), {}, keys)).allowed
    renewal = ask(policies, Request(action, group_arn("Group-demo"), {}, ("annex:lease-renewed",))).allowed
    assert renewal is (verb != "grant_stop")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    "action", ["secretsmanager:GetSecretValue", "ec2:RunInstances", "autoscaling:SetDesiredCapacity", "iam:PassRole"]
)
def test_no_grant_reads_the_token_or_starts_an_instance(stack: Deployed, verb: str, action: str) -> None:
    for resource in ("*", SECRET, group_arn("Group-demo")):
        assert not ask(policies_of(stack, verb), Request(action, resource)).allowed


def test_the_policy_file_is_current() -> None:
    """`python -m annex_lease.operator_policy > annex_pool/operator-policy.json` writes it again."""
    text = (ROOT / "annex_pool/operator-policy.json").read_text(encoding="utf-8")
    assert text == json.dumps(policy_document(), indent=2) + "\n"
    assert len(json.dumps(policy_document(), separators=(",", ":"))) <= 6_144, (
        "the limit of a managed policy (IAM quotas)"
    )


def test_the_policy_file_and_the_grant_allow_the_same_actions(stack: Deployed) -> None:
    assert {action for each in STATEMENTS for action in each["Action"]} == {
        action for _, action in granted(policies_of(stack, "grant_operate"))
    }
