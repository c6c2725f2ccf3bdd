"""Both verdicts of the experiments about IAM, and of the one about a pool; see `test_verify_verdicts`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from annex_pool.collector import Slot
from annex_pool.command_error import AnnexError
from tests.unit.verify.fake_scene import START, FakeScene, scene
from verify.experiments import instances
from verify.experiments.iam_answers import absent_instance, simulated_role
from verify.options import Options
from verify.outcome import NotRunError

ROLE, GROUP_ARN = "arn:aws:iam::123456789012:role/checker", "arn:aws:autoscaling:eu-west-1:123456789012:group/1"
Request = dict[str, Any]


def of_the_checker(request: Request) -> bool:
    """True for the rights of a right role: to end and tag own instances, and to change the own group."""
    (action,), (resource,) = request["ActionNames"], request["ResourceArns"]
    context = {each["ContextKeyName"]: each["ContextKeyValues"] for each in request["ContextEntries"]}
    own = context.get("ec2:ResourceTag/aws:autoscaling:groupName") == ["AutoScalingGroup"]
    return (
        (action == "ec2:TerminateInstances" and own)
        or (action == "ec2:CreateTags" and own and context["aws:TagKeys"] == ["annex:lease-end"])
        or (action == "autoscaling:UpdateAutoScalingGroup" and resource == GROUP_ARN)
    )


def simulating(allows: Callable[[Request], bool], refusal: str = "implicitDeny", **more: Any) -> FakeScene:
    """A scene in which IAM's simulator allows what `allows` says."""
    at = scene(**more)
    at.groups["a"].update(AutoScalingGroupName="AutoScalingGroup", AutoScalingGroupARN=GROUP_ARN)
    at.aws.answers["get_role"] = {"Role": {"Arn": ROLE}}

    def simulate(**request: Any) -> dict[str, Any]:
        assert request["PolicySourceArn"] == ROLE
        return {"EvaluationResults": [{"EvalDecision": "allowed" if allows(request) else refusal}]}

    at.aws.answers["simulate_principal_policy"] = simulate
    return at


WIDER = ["autoscaling:DeleteAutoScalingGroup", "ec2:RunInstances", "ec2:TerminateInstances", "ec2:CreateTags"]
WIDER += ["autoscaling:UpdateAutoScalingGroup"]


def test_the_role_of_the_checker() -> None:
    seen = simulated_role(simulating(of_the_checker))
    assert (seen.held, seen.text) == (True, "8 of 8 answers as expected")
    assert "terminate an own instance: allowed, expected allowed" in seen.details
    assert "tag it with a name: implicitDeny, expected implicitDeny" in seen.details


@pytest.mark.parametrize("action", WIDER)
def test_a_role_that_may_do_more_is_wrong(action: str) -> None:
    seen = simulated_role(simulating(lambda request: of_the_checker(request) or request["ActionNames"] == [action]))
    assert (seen.held, seen.text.partition(";")[0]) == (False, "7 of 8 answers as expected")


@pytest.mark.parametrize("action", WIDER[2:])
def test_a_role_that_may_do_less_is_wrong(action: str) -> None:
    seen = simulated_role(simulating(lambda request: of_the_checker(request) and request["ActionNames"] != [action]))
    assert (seen.held, seen.text.partition(";")[0]) == (False, "7 of 8 answers as expected")
    assert seen.text.endswith(": implicitDeny")


def test_an_explicit_refusal_is_another_answer_than_the_assumed_one() -> None:
    """A policy of the organisation, say: the role is not what refuses then."""
    assert not simulated_role(simulating(of_the_checker, refusal="explicitDeny")).held


def test_an_emulator_cannot_say_what_a_role_may_do() -> None:
    at = simulating(of_the_checker, emulated=True)
    with pytest.raises(NotRunError, match="emulators evaluate no context entries"):
        simulated_role(at)
    assert at.aws.called == []


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": f"{code}. Encoded authorization failure message: x"}}, "Any")


def answering(monkeypatch: pytest.MonkeyPatch, code: str | None) -> FakeScene:
    """A scene in which EC2 answers the probe's role so; None: it accepts the call."""
    at = scene()
    key = {"AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}
    at.aws.answers["assume_role"] = {"Credentials": key}

    def terminate(**_request: Any) -> dict[str, Any]:
        if code is not None:
            raise refused(code)
        return {"TerminatingInstances": []}

    at.aws.answers["terminate_instances"] = terminate

    def client(service: str, **given: str) -> Any:
        assert (service, given["aws_session_token"]) == ("ec2", "c"), "with the credentials of the probe's role"
        return at.aws

    monkeypatch.setattr(boto3, "client", client)
    return at


@pytest.mark.parametrize(
    ("code", "held"),
    [
        ("UnauthorizedOperation", True),
        ("InvalidInstanceID.NotFound", True),
        ("InvalidInstanceID.Malformed", False),
        ("RequestLimitExceeded", False),
        (None, False),
    ],
)
def test_an_absent_instance(monkeypatch: pytest.MonkeyPatch, code: str | None, held: bool) -> None:
    seen = absent_instance(answering(monkeypatch, code))
    assert (seen.held, seen.text) == (held, code or "EC2 accepted the call")
    assert not any("Encoded" in line for line in seen.details)


@pytest.mark.parametrize(("denials", "runs"), [(2, True), (99, False)])
def test_a_role_that_was_just_made_is_waited_for(monkeypatch: pytest.MonkeyPatch, denials: int, runs: bool) -> None:
    at = answering(monkeypatch, "UnauthorizedOperation")
    answer, left = at.aws.answers["assume_role"], [denials]

    def assume(**_request: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise refused("AccessDenied")
        return answer

    at.aws.answers["assume_role"] = assume
    if runs:
        assert absent_instance(at).held
    else:
        with pytest.raises(NotRunError, match="right to assume the probe's role"):
            absent_instance(at)
        assert at.clock - START < timedelta(seconds=90)


POOL = Options((), image="ami-0123456789abcdef0", collector="cm.example.edu", trust_domain="example.edu")


def pool(monkeypatch: pytest.MonkeyPatch, slots: Callable[[FakeScene], list[Slot]]) -> FakeScene:
    """A scene with a pool whose collector answers so."""
    at = scene()
    at.options = POOL

    def query(collector: str) -> tuple[Slot, ...]:
        assert collector == "cm.example.edu"
        return tuple(slots(at))

    monkeypatch.setattr(instances, "query_slots", query)
    return at


def slot(annex: str, instance: str = "i-1") -> Slot:
    return Slot(f"slot1@{instance}", annex, instance, busy=False)


def test_an_instance_of_the_annex_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(at: FakeScene) -> list[Slot]:
        booted = at.clock - START >= timedelta(minutes=3)
        return [slot("another", "i-9"), *([slot(at.run.annex("a"))] * 2 if booted else [])]

    seen = instances.join(pool(monkeypatch, late))
    assert (seen.held, seen.text.partition(" after")[0]) == (True, "1 instances in the pool")


@pytest.mark.parametrize("others", [[], [slot("another", "i-9")]])
def test_no_instance_of_the_annex_joins(monkeypatch: pytest.MonkeyPatch, others: list[Slot]) -> None:
    at = pool(monkeypatch, lambda _at: others)
    seen = instances.join(at)
    assert (seen.held, seen.text.partition(" after")[0]) == (False, "0 instances in the pool")
    assert at.clock - START > timedelta(minutes=10), "it was waited for"


@pytest.mark.parametrize(
    "options",
    [
        Options(()),
        Options((), image=POOL.image),
        Options((), collector=POOL.collector, trust_domain=POOL.trust_domain),
    ],
)
def test_nothing_joins_without_a_pool_and_an_image(options: Options) -> None:
    at = scene()
    at.options = options
    with pytest.raises(NotRunError, match="needs a pool"):
        instances.join(at)


def test_a_collector_that_does_not_answer_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def query(_collector: str) -> tuple[Slot, ...]:
        raise AnnexError("the collector did not answer")

    at = scene()
    at.options = POOL
    monkeypatch.setattr(instances, "query_slots", query)
    with pytest.raises(AnnexError):
        instances.join(at)
