"""The grants for operators, as synthesised: enough for the commands on one annex, and nothing about any other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template
from ministack.core.iam_evaluator import parse_policy_document  # type: ignore[import-untyped]

from annex_lease.operator_policy import policy_document
from annex_lease.policy import NUMBERS
from annex_lease.tags import CHECKER_TAGS, OPERATOR_TAGS, TAG_ENDS_AT, TAG_ID, TAG_NAME
from tests.permissions.authorisation import Policies, Request, ask, granted
from tests.permissions.deployed import ACCOUNT, REGION, Deployed
from tests.permissions.operator_world import CHECKER, ISSUER, LATER, UUID, Operator, group_arn, operated
from tests.runtime.pool.pool_world import aws
from tests.synth.templates import ROOT, annex_stack, feature_flags
from tests.world.aws_state import GROUP_TAG

STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/Annex-demo/{UUID}"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:secret-demo-AbCdEf"
# moto has neither warm pools nor hooks that wait, nor does it suspend Terminate by itself, and each of its launches
# succeeds at once.
NOT_DRIVEN = {
    "autoscaling:DescribeScalingActivities",
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
DECLARED = {TAG_NAME, TAG_ID, TAG_ENDS_AT, *(key for key, *_ in NUMBERS.values())}
"""Keys of the tags that only the template writes."""
# Without a spec file the Regions of the account are asked, and the pool is that of the deployed annex.
NO_FILE = ["--spec", "/nowhere.toml"]
STATUS = [["status", "{}"], ["status", "{}", *NO_FILE], ["plan", "{}", "--deployed"]]
PUSH = [["credential", "push", "{}", "--token-command", ISSUER, *more] for more in ([], NO_FILE)]
EXTEND = [
    ["check", "{}", *NO_FILE],
    ["extend", "{}", "--for", "9h"],
    ["shorten", "{}", "--for", "8h"],
    ["renew", "{}", "--for", "9h"],
]
STOP = [["stop", "{}", "--no-wait"], LATER, ["stop", "{}", "--no-wait"]]
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


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    yield from operated(tmp_path, monkeypatch)


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
    # No command reads the console output: the pages say how.
    assert allowed - operator.used - LISTING <= NOT_DRIVEN | {"sts:GetCallerIdentity", "ec2:GetConsoleOutput"}


@pytest.mark.parametrize("verb", ["grant_push_credential", "grant_extend", "grant_stop", "grant_operate"])
def test_no_grant_changes_another_annex(stack: Deployed, operator: Operator, verb: str) -> None:
    operator.policies = policies_of(stack, verb)
    before = json.dumps(operator.group("demo2"), default=str)
    operator.operate("demo2", VERBS[verb])
    changes = {request.action for request in operator.denied}
    assert changes
    # The settings of the other annex's checker are its own; everything else is listed for all annexes alike.
    listed = changes - {"lambda:GetFunctionConfiguration"}
    assert not {action for action in listed if action.split(":")[1].startswith(("List", "Get"))}
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
@pytest.mark.parametrize("key", sorted({*DECLARED, *CHECKER_TAGS, "Name"} - {*OPERATOR_TAGS}))
def test_no_tag_but_those_of_the_operator(stack: Deployed, verb: str, key: str) -> None:
    policies, action = policies_of(stack, verb), "autoscaling:CreateOrUpdateTags"
    for keys in (("annex:lease-until",), ("annex:lease-overrides",), ("annex:lease-until", "annex:lease-overrides")):
        assert ask(policies, Request(action, group_arn("Group-demo"), {}, keys)).allowed
    for keys in ((key,), (key, "annex:lease-until")):
        assert not ask(policies, Request(action, group_arn("Group-demo"), {}, keys)).allowed
    renewal = ask(policies, Request(action, group_arn("Group-demo"), {}, ("annex:lease-renewed",))).allowed
    assert renewal is (verb != "grant_stop")


UPDATES: list[tuple[dict[str, str], bool]] = [
    ({}, True),  # the capacity alone, which has no key
    ({"MinSize": "0"}, True),
    ({"MinSize": "1"}, False),
    ({"MaxSize": "500"}, False),
    ({"MaxSize": "0"}, False),
    ({"MinSize": "0", "MaxSize": "500"}, False),
    ({"MinSize": "0", "LaunchConfigurationName": "larger"}, False),
]


@pytest.mark.parametrize("verb", ["grant_stop", "grant_operate"])
@pytest.mark.parametrize(("given", "allowed"), UPDATES, ids=str)
def test_a_group_is_emptied_and_never_enlarged(
    stack: Deployed, verb: str, given: dict[str, str], allowed: bool
) -> None:
    context = {f"autoscaling:{key}": value for key, value in given.items()}
    request = Request("autoscaling:UpdateAutoScalingGroup", group_arn("Group-demo"), context)
    assert ask(policies_of(stack, verb), request).allowed is allowed


@pytest.mark.parametrize(("given", "allowed"), UPDATES, ids=str)
def test_the_policy_file_empties_and_never_enlarges(given: dict[str, str], allowed: bool) -> None:
    policies = [parse_policy_document(policy_document())]
    context = {f"autoscaling:{key}": value for key, value in given.items()}
    for tags, ours in (({"aws:ResourceTag/annex:name": "demo"}, True), ({}, False)):
        request = Request("autoscaling:UpdateAutoScalingGroup", group_arn("Group-demo"), {**context, **tags})
        assert ask(policies, request).allowed is (allowed and ours)


@pytest.mark.parametrize("key", sorted({*DECLARED, *CHECKER_TAGS, *OPERATOR_TAGS, "Name"}))
def test_the_policy_file_writes_the_operators_tags_only(key: str) -> None:
    policies = [parse_policy_document(policy_document())]
    context = {"aws:ResourceTag/annex:name": "demo"}
    request = Request("autoscaling:CreateOrUpdateTags", group_arn("Group-demo"), context, (key,))
    assert ask(policies, request).allowed is (key in OPERATOR_TAGS)


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
