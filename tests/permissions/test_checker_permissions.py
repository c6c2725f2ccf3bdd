"""Synthesised role of the lease checker: enough for every scenario, nothing more, and only its own annex."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from annex_lease import tags as lease_tags
from annex_lease.policy import NUMBERS
from tests.permissions.authorisation import Authorised, Policies, Request, ask, granted, instance_request
from tests.permissions.deployed import SITE, Deployed
from tests.world.aws_state import GROUP_TAG
from tests.world.scenarios import SCENARIOS, Scenario
from tests.world.stage import Stage
from tests.world.worlds import ModelWorld

BY_LAMBDA = {
    ("OwnLog", "logs:CreateLogStream"),  # Lambda writes what the function prints ("Sending function logs")
    ("OwnLog", "logs:PutLogEvents"),
    ("FailedRuns", "sqs:SendMessage"),  # Lambda puts a failed event there ("Dead-letter queues")
    ("OnFailure", "lambda:InvokeFunction"),  # Lambda hands a failed event to it ("Capturing records ...")
}
"""Permissions that Lambda itself uses, with the function's role."""


@pytest.fixture(scope="module")
def policies(annex: Deployed) -> Policies:
    return annex.role("CheckerFunctionRole")


def play(scenario: Scenario, policies: Policies) -> Authorised:
    world = ModelWorld()
    stage = Stage(world, SITE)
    guard = Authorised(policies, lambda: world.aws.account)
    world.aws.faults = guard
    scenario.act(stage)
    scenario.check(stage)
    return guard


@pytest.fixture(scope="module")
def played(policies: Policies) -> Iterator[dict[str, Authorised]]:
    yield {scenario.name: play(scenario, policies) for scenario in SCENARIOS}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_every_call_is_allowed(scenario: Scenario, played: dict[str, Authorised]) -> None:
    guard = played[scenario.name]
    # An instance that EC2 does not know has no tags, by which the calls are allowed: IAM denies them, and the lease is
    # enforced all the same.
    assert {r.resource.rpartition("/")[2] for r in guard.denied} <= {
        "i-0dead0000000000ff"
    }  # tests.world.aws_conditions
    assert not guard.denied or "does not know" in scenario.name


def test_everything_that_is_allowed_is_used(policies: Policies, played: dict[str, Authorised]) -> None:
    used = {pair for guard in played.values() for pair in guard.used}
    assert granted(policies) - used == BY_LAMBDA
    assert len(used) > 12
    assert not any("*" in action for _, action in granted(policies))


@pytest.mark.parametrize(("sid", "action"), [("OwnGroup", "autoscaling:DeleteWarmPool"), ("Publish", "sns:Publish")])
def test_a_permission_that_is_missing_is_noticed(policies: Policies, sid: str, action: str) -> None:
    less = [[one for one in policy if one.sid != sid] for policy in policies]
    name = {"autoscaling:DeleteWarmPool": "end with a warm pool", "sns:Publish": "warned before the end"}[action]
    (scenario,) = (one for one in SCENARIOS if one.name == name)
    with pytest.raises(AssertionError):
        play(scenario, less)


DECLARED = {key for key, *_ in NUMBERS.values()} | {lease_tags.TAG_NAME, lease_tags.TAG_ID, lease_tags.TAG_ENDS_AT}
PREFIX = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:0:autoScalingGroupName/"
GROUP = PREFIX + SITE.group
GROUP_ACTIONS = ("UpdateAutoScalingGroup", "SuspendProcesses", "CreateOrUpdateTags", "DeleteWarmPool")


@pytest.mark.parametrize("action", GROUP_ACTIONS)
@pytest.mark.parametrize("name", ["Annex-pa-Group", f"{SITE.group}x", f"x{SITE.group}", "paper", "*"])
def test_no_other_group(policies: Policies, action: str, name: str) -> None:
    keys = (lease_tags.TAG_END,) if action == "CreateOrUpdateTags" else ()
    assert not ask(policies, Request(f"autoscaling:{action}", PREFIX + name, {}, keys)).allowed
    assert ask(policies, Request(f"autoscaling:{action}", GROUP, {}, keys)).allowed


@pytest.mark.parametrize("account", ["us-east-1:999999999999", "eu-west-1:123456789012"])
def test_no_other_account_or_region(policies: Policies, account: str) -> None:
    arn = f"arn:aws:autoscaling:{account}:autoScalingGroup:0:autoScalingGroupName/{SITE.group}"
    assert not ask(policies, Request("autoscaling:UpdateAutoScalingGroup", arn)).allowed


OTHERS: list[dict[str, str]] = [
    {},
    {lease_tags.TAG_NAME: "pa"},
    {lease_tags.TAG_NAME: "pa", lease_tags.TAG_ID: "another-stack.pa", GROUP_TAG: "Annex-pa-Group-2"},
    {lease_tags.TAG_ID: SITE.annex_id + "x"},
    {lease_tags.TAG_ID: SITE.annex_id.upper()},
    {GROUP_TAG: SITE.group.lower()},
]


@pytest.mark.parametrize("tags", OTHERS, ids=str)
def test_no_other_instance(policies: Policies, tags: dict[str, str]) -> None:
    for action in ("ec2:TerminateInstances", "ec2:CreateTags"):
        request = instance_request(action, "i-0", tags, (lease_tags.TAG_END,))
        assert not ask(policies, request).allowed


@pytest.mark.parametrize("keys", [("Name",), (lease_tags.TAG_END, lease_tags.TAG_ID), (lease_tags.TAG_NAME,)])
def test_no_other_tag_on_its_own_instances(policies: Policies, keys: tuple[str, ...]) -> None:
    own = {GROUP_TAG: SITE.group, lease_tags.TAG_ID: SITE.annex_id}
    assert ask(policies, instance_request("ec2:CreateTags", "i-0", own, (lease_tags.TAG_END,))).allowed
    assert not ask(policies, instance_request("ec2:CreateTags", "i-0", own, keys)).allowed


@pytest.mark.parametrize("key", sorted({*DECLARED, *lease_tags.RUNTIME_TAGS, "Name"}))
def test_on_its_group_it_writes_the_tags_of_the_checker_only(policies: Policies, key: str) -> None:
    own = key in lease_tags.CHECKER_TAGS
    assert ask(policies, Request("autoscaling:CreateOrUpdateTags", GROUP, {}, (key,))).allowed is own
    both = (key, lease_tags.TAG_END)
    assert ask(policies, Request("autoscaling:CreateOrUpdateTags", GROUP, {}, both)).allowed is own


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"MinSize": "0"}, True),
        ({"MinSize": "0", "MaxSize": "0"}, True),
        ({"MinSize": "1"}, False),
        ({"MinSize": "0", "MaxSize": "2"}, False),
    ],
    ids=str,
)
def test_a_scheduled_action_of_its_only_ends(policies: Policies, given: dict[str, str], allowed: bool) -> None:
    context = {f"autoscaling:{key}": value for key, value in given.items()}
    assert ask(policies, Request("autoscaling:PutScheduledUpdateGroupAction", GROUP, context)).allowed is allowed
    other = Request("autoscaling:PutScheduledUpdateGroupAction", f"{GROUP}x", context)
    assert not ask(policies, other).allowed


NOTHING_ELSE = [
    "ec2:RunInstances",
    "ec2:StartInstances",
    "autoscaling:SetDesiredCapacity",
    "autoscaling:CreateAutoScalingGroup",
    "autoscaling:AttachInstances",
    "autoscaling:DeleteAutoScalingGroup",
    "secretsmanager:GetSecretValue",
    "iam:PassRole",
    "sts:AssumeRole",
]


@pytest.mark.parametrize("action", NOTHING_ELSE)
def test_it_can_start_nothing_read_no_secret_and_assume_no_role(policies: Policies, action: str) -> None:
    for resource in ("*", SITE.secret_arn, "arn:aws:ec2:us-east-1:123456789012:instance/i-0"):
        assert not ask(policies, Request(action, resource, {f"ec2:ResourceTag/{GROUP_TAG}": SITE.group})).allowed


def test_no_other_secret_and_no_other_topic(policies: Policies) -> None:
    for action, own in (("secretsmanager:DescribeSecret", SITE.secret_arn), ("sns:Publish", SITE.topic_arn)):
        assert ask(policies, Request(action, own)).allowed
        assert not ask(policies, Request(action, own + "x")).allowed
        assert not ask(policies, Request(action, own.replace("pa", "paper"))).allowed


def test_one_instance_that_may_not_be_ended_saves_no_other(policies: Policies) -> None:
    """AWS denies a whole call for one instance without our tag; then each instance gets a call of its own."""
    (scenario,) = (one for one in SCENARIOS if one.name == "end with all instances detached")
    world = ModelWorld()
    stage = Stage(world, SITE, strict=False)
    guard = Authorised(policies, lambda: world.aws.account)
    world.aws.faults = guard
    scenario.play(stage)
    assert stage.alive() == []
