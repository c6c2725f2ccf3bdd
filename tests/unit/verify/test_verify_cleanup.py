"""Clean-up after a run: everything of the run, nothing of a user, and no silence about what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from annex_lease.tags import TAG_NAME
from annex_pool.region import RegionClients
from verify import cleanup
from verify.cleanup import Cleanup
from verify.run import MARK, STACK_MARK, Run

RUN, OTHER = Run("0a1b2c3d", "eu-west-1"), Run("44444444", "eu-west-1")


def tags(run: Run, letter: str) -> list[dict[str, str]]:
    """Tags of a resource, and those of a stack: this fake keeps both in one place."""
    own = {MARK: run.id, STACK_MARK: run.id, TAG_NAME: run.annex(letter)}
    return [{"Key": key, "Value": value} for key, value in own.items()]


@dataclass
class FakeAws:
    """CloudFormation, EC2 Auto Scaling and the tagging service, each with as much as the clean-up asks for.

    A stack ends after two looks. `busy` stacks refuse their first deletion, `stuck` ones fail to be deleted once.
    """

    stacks: dict[str, list[dict[str, str]]]
    groups: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    deleting: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    region: str = RUN.region

    @property
    def cloudformation(self) -> FakeAws:
        return self

    autoscaling = tagging = cloudformation

    def can_paginate(self, _operation: str) -> bool:
        return False

    def describe_stacks(self, StackName: str | None = None) -> dict[str, Any]:  # noqa: N803
        if StackName is not None and StackName not in self.stacks:
            error = {"Error": {"Code": "ValidationError", "Message": f"Stack {StackName} does not exist"}}
            raise ClientError(cast("Any", error), "DescribeStacks")
        chosen = [StackName] if StackName else list(self.stacks)
        listed = [
            {"StackName": name, "StackId": name, "StackStatus": self._status(name), "Tags": self.stacks[name]}
            for name in chosen
        ]
        if StackName in self.deleting and self.deleting[StackName] == "DELETE_IN_PROGRESS":
            if StackName in self.stuck:
                self.stuck.discard(StackName)
                self.deleting[StackName] = "DELETE_FAILED"
            else:
                del self.stacks[StackName]
        return {"Stacks": listed}

    def _status(self, name: str) -> str:
        return self.deleting.get(name, "UPDATE_COMPLETE")

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        self.asked.append(StackName)
        if StackName in self.busy:
            self.busy.discard(StackName)
            error = {"Error": {"Code": "ValidationError", "Message": "cannot be deleted while UPDATE_IN_PROGRESS"}}
            raise ClientError(cast("Any", error), "DeleteStack")
        self.deleting[StackName] = "DELETE_IN_PROGRESS"

    def describe_auto_scaling_groups(self, **_filters: object) -> dict[str, Any]:
        return {"AutoScalingGroups": [{"AutoScalingGroupName": n, "Tags": t} for n, t in self.groups.items()]}

    def delete_auto_scaling_group(self, AutoScalingGroupName: str, ForceDelete: bool) -> None:  # noqa: N803
        assert ForceDelete
        self.groups.pop(AutoScalingGroupName)

    def get_resources(self, **_filters: object) -> dict[str, Any]:
        return {"ResourceTagMappingList": [{"Tags": each} for each in (*self.stacks.values(), *self.groups.values())]}


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleanup, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(cleanup, "_PAUSE_SECONDS", 0.0)


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Names that were searched for at the end; nothing is found."""
    found: list[list[str]] = []

    def left(_self: Cleanup, names: list[str]) -> tuple[str, ...]:
        found.append(names)
        return ()

    monkeypatch.setattr(Cleanup, "_left", left)
    return found


def clean(aws: FakeAws, run: str | None) -> tuple[tuple[str, ...], list[str]]:
    said: list[str] = []
    return Cleanup(cast("RegionClients", aws), run, said.append).clean(), said


def world(**more: Any) -> FakeAws:
    """Stacks of two runs, and of a user whose annexes have the name of a run, or its tag."""
    stacks = {
        RUN.stack("a"): tags(RUN, "a"),
        RUN.stack("b"): tags(RUN, "b"),
        OTHER.stack("a"): tags(OTHER, "a"),
        "Annex-demo": [{"Key": TAG_NAME, "Value": "demo"}, {"Key": STACK_MARK, "Value": RUN.id}],
        "Annex-verify-55555555-a": [{"Key": TAG_NAME, "Value": "verify-55555555-a"}],
    }
    return FakeAws(stacks, **more)


def test_a_run_removes_its_own_stacks_only(searched: list[list[str]]) -> None:
    aws = world()
    assert clean(aws, RUN.id)[0] == ()
    assert set(aws.stacks) == {OTHER.stack("a"), "Annex-demo", "Annex-verify-55555555-a"}
    assert searched == [[RUN.annex("a"), RUN.annex("b"), RUN.annex("c")]]


def test_all_runs_are_removed_and_no_annex_of_a_user(searched: list[list[str]]) -> None:
    aws = world()
    assert clean(aws, None)[0] == ()
    assert set(aws.stacks) == {"Annex-demo", "Annex-verify-55555555-a"}
    assert searched == [[RUN.annex("a"), RUN.annex("b"), OTHER.annex("a")]]


def test_an_update_under_way_is_waited_for(searched: list[list[str]]) -> None:
    aws = world(busy={RUN.stack("a")})
    assert clean(aws, RUN.id)[0] == ()
    assert aws.asked.count(RUN.stack("a")) == 2
    assert RUN.stack("a") not in aws.stacks
    assert searched


def test_a_group_without_a_stack_is_removed_with_its_instances(searched: list[list[str]]) -> None:
    groups = {"lost": tags(RUN, "a"), "of-a-user": [{"Key": MARK, "Value": RUN.id}, {"Key": TAG_NAME, "Value": "demo"}]}
    aws = FakeAws({}, groups)
    assert clean(aws, RUN.id)[0] == ()
    assert set(aws.groups) == {"of-a-user"}
    assert searched


def test_a_deletion_that_fails_is_tried_again_without_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = world(stuck={RUN.stack("a")}, groups={"full": tags(RUN, "a")})
    monkeypatch.setattr(
        Cleanup, "_left", lambda _self, _names: tuple(each for each in aws.stacks if each.startswith(RUN.stack("")))
    )
    left, said = clean(aws, RUN.id)
    assert left == ()
    assert aws.groups == {}
    assert RUN.stack("a") not in aws.stacks
    assert any("left after attempt 1" in line for line in said)


@pytest.mark.parametrize("found", [("VPC vpc-1",), ("AWS was asked and refused",)])
def test_what_is_left_is_said(monkeypatch: pytest.MonkeyPatch, found: Sequence[str]) -> None:
    monkeypatch.setattr(Cleanup, "_left", lambda _self, _names: tuple(found))
    assert clean(world(), RUN.id)[0] == tuple(found)


def test_what_is_listed_for_a_while_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [("secret one",), ("secret one",), ()]
    monkeypatch.setattr(Cleanup, "_left", lambda _self, _names: answers.pop(0))
    assert clean(world(), RUN.id)[0] == ()


def test_an_account_that_does_not_answer_is_not_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    aws = world()

    def refuse(**_request: object) -> dict[str, Any]:
        raise ClientError(cast("Any", {"Error": {"Code": "AccessDenied", "Message": "no"}}), "GetResources")

    monkeypatch.setattr(aws, "get_resources", refuse)
    (left,) = clean(aws, RUN.id)[0]
    assert "is not known" in left
