"""Outcome of one experiment: held, wrong, or not run with the reason; never held without a look."""

from __future__ import annotations

from typing import cast

import pytest

from annex_pool.command_error import AnnexError
from annex_pool.region import RegionClients
from tests.unit.project_files import ROOT
from tests.unit.verify.fake_scene import FakeClient
from verify.account import Account
from verify.experiment import Experiment
from verify.experiments import EXPERIMENTS
from verify.experiments.checker_runs import report_values
from verify.observation import Observation
from verify.outcome import NotRunError, Outcome, Seen, Verdict
from verify.run import LETTERS, Run
from verify.scene import Scene


def run(answer: Seen | Exception) -> Outcome:
    def look(_scene: Scene) -> Seen:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Experiment(1, "a title", "it does", "a page", 1, look).run(cast("Scene", None))


@pytest.mark.parametrize(("held", "verdict"), [(True, Verdict.HELD), (False, Verdict.WRONG)])
def test_what_was_seen_decides(held: bool, verdict: Verdict) -> None:
    outcome = run(Seen(held, "something", ("more",)))
    assert (outcome.verdict, outcome.seen, outcome.details) == (verdict, "something", ("more",))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotRunError("no instance"), "no instance"),
        (AnnexError("AWS refused"), "AnnexError: AWS refused"),
        (KeyError("Tags"), "KeyError: 'Tags'"),
    ],
)
def test_an_error_is_never_an_answer(error: Exception, said: str) -> None:
    outcome = run(error)
    assert (outcome.verdict, outcome.seen) == (Verdict.NOT_RUN, said)


def test_a_defect_names_its_line_and_not_the_place_of_the_checkout() -> None:
    trace = "\n".join(run(KeyError("Tags")).details)
    assert 'File "verify/experiment.py", line' in trace
    assert str(ROOT) not in trace


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_an_output_of_a_stack_that_is_there(status: str) -> None:
    at = observation(status, "the deployment of the other annex failed")
    assert (at.output("a", "LeaseChecker"), at.output("a", "StackId")) == ("checker", "id")


@pytest.mark.parametrize(
    ("status", "failure", "said"),
    [("ROLLBACK_COMPLETE", "the deployment failed: why", "why"), ("DELETE_COMPLETE", "", "annex a is DELETE_COMPLETE")],
)
def test_without_a_stack_nothing_can_be_said(status: str, failure: str, said: str) -> None:
    with pytest.raises(NotRunError, match=said):
        observation(status, failure).output("a", "LeaseChecker")


def test_an_instance_that_leaves_is_no_member() -> None:
    states = ["Terminating", "Terminating:Wait", "Terminated", "Pending", "InService"]
    listed = [{"InstanceId": f"i-{number}", "LifecycleState": state} for number, state in enumerate(states)]
    at = observation("CREATE_COMPLETE", "", {"AutoScalingGroups": [{"Instances": listed}]})
    assert at.members("a") == ["i-3", "i-4"]


def observation(status: str, failure: str, groups: object = None) -> Observation:
    """Annexes whose stacks have this status."""
    aws = FakeClient()
    aws.answers["describe_auto_scaling_groups"] = groups
    outputs = [{"OutputKey": name, "OutputValue": "checker"} for name in ("LeaseChecker", "AutoScalingGroup")]
    aws.answers["describe_stacks"] = {"Stacks": [{"StackStatus": status, "StackId": "id", "Outputs": outputs}]}
    account = Account(cast("RegionClients", aws), "123456789012", "arn:aws:iam::123456789012:root", False)
    return Observation(run=Run("0a1b2c3d", "eu-west-1"), account=account, failure=failure)


def test_every_experiment_says_what_it_assumes_and_where_that_is_from() -> None:
    for number, each in EXPERIMENTS.items():
        assert each.number == number
        assert each.look.__doc__, number
        assert len(each.title) < 30
        assert set(each.annexes) <= set(LETTERS)
        for text in (each.assumed, each.source):
            assert text
            assert not text.endswith("."), "the report ends it"


def test_annex_a_is_destroyed_last() -> None:
    assert list(EXPERIMENTS)[-1] == 2


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (
            "REPORT RequestId: x\tDuration: 12.34 ms\tBilled Duration: 1400 ms\tMemory Size: 384 MB\t"
            "Max Memory Used: 96 MB\tInit Duration: 812.5 ms\t",
            {
                "Duration": 12.34,
                "Billed Duration": 1400.0,
                "Memory Size": 384.0,
                "Max Memory Used": 96.0,
                "Init Duration": 812.5,
            },
        ),
        ("REPORT of another form", {}),
    ],
)
def test_the_values_of_a_report_line(line: str, values: dict[str, float]) -> None:
    assert report_values(line) == values
