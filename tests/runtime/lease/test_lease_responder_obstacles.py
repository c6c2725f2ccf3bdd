"""The responder's view of an annex, and what keeps its group: listings, warm pools, deletion protection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.runtime.lease.answer_server import AnswerServer
from tests.runtime.lease.lease_cloud import fail, record
from tests.runtime.lease.responder_world import ENVIRONMENT, GROUP, ID, OWN, Annex
from tests.runtime.moto_aws import aws_in_process


@pytest.fixture
def annex(monkeypatch: pytest.MonkeyPatch, answers: AnswerServer) -> Iterator[Annex]:
    with aws_in_process(monkeypatch, **ENVIRONMENT):
        yield Annex(answers)


def test_instances_are_listed_by_either_tag_in_pages(annex: Annex) -> None:
    (member,) = annex.make(1)
    # Overwritten tags hide nothing: one of the two is enough, and the name does not matter.
    annex.ec2.delete_tags(Resources=[member], Tags=[{"Key": "annex:name"}, {"Key": "annex:id"}])
    nameless = annex.start(annex_id=ID)
    listings = record(annex.code.ec2, ["DescribeInstances"])
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "SUCCESS"
    assert not {member, nameless} & set(annex.running())
    filters = [(each["Filters"][0]["Name"], each["Filters"][0]["Values"]) for _, each in listings[:2]]
    assert filters == [("tag:aws:autoscaling:groupName", [GROUP]), ("tag:annex:id", [ID])]
    assert {each["MaxResults"] for _, each in listings} == {1000}


def test_every_page_is_read(annex: Annex) -> None:
    annex.code.PAGE = {"PageSize": 5}  # the least that EC2 takes
    annex.make(0)
    detached = [annex.start(annex_id=ID) for _ in range(12)]
    listings = record(annex.code.ec2, ["DescribeInstances"])
    _, alive = annex.code.look()
    assert alive == sorted(detached)
    assert len(listings) == 4, "one page by the group, three by the id"


@pytest.mark.parametrize("value", ["0b4f.p*", "0b4f.p?", "*"])
def test_a_filter_with_a_wildcard_finds_no_other_annex(annex: Annex, value: str) -> None:
    annex.make(0)
    other = annex.start(annex_id="0b4f.paper")
    annex.code.OWN_TAGS = {"annex:id": value}
    _, alive = annex.code.look()
    assert alive == []
    assert annex.running() == [other]


def test_a_warm_pool_is_deleted_with_its_instances(annex: Annex) -> None:
    annex.make(0)
    annex.autoscaling.put_warm_pool(AutoScalingGroupName=GROUP, MinSize=0)
    deleted = record(annex.code.scaling, ["DeleteWarmPool"])
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "SUCCESS"
    assert deleted == [("DeleteWarmPool", {"AutoScalingGroupName": GROUP, "ForceDelete": True})]
    assert "WarmPoolConfiguration" not in annex.group()


def test_a_warm_pool_that_stays_is_the_reason(annex: Annex) -> None:
    annex.make(0)
    annex.autoscaling.put_warm_pool(AutoScalingGroupName=GROUP, MinSize=0)
    fail(annex.code.scaling, "DeleteWarmPool", "AccessDenied")
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "FAILED"
    assert "DeleteWarmPool" in str(annex.answers.answer["Reason"])


OBSTACLES = [
    ({"DeletionProtection": "prevent-all-deletion"}, "the group has the deletion protection prevent-all-deletion"),
    ({"DeletionProtection": "prevent-force-deletion"}, "the group has the deletion protection prevent-force-deletion"),
    ({"WarmPoolConfiguration": {"Status": "PendingDelete"}}, "the group has a warm pool"),
]


@pytest.mark.parametrize(("more", "reason"), OBSTACLES)
@pytest.mark.parametrize("looks", [1, 100])
def test_an_empty_group_that_cannot_be_deleted_yet_is_no_success(
    annex: Annex, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], reason: str, looks: int
) -> None:
    """moto has no deletion protection, and deletes a warm pool at once: AWS shows both for a while."""
    annex.make(0)
    look, answers = annex.code.look, [more] * looks
    asked: list[dict[str, Any]] = []

    def agreed(call: object, **given: Any) -> list[str]:
        asked.append(given)
        return []

    monkeypatch.setattr(annex.code, "look", lambda: ({**look()[0], **(answers.pop() if answers else {})}, []))
    monkeypatch.setattr(annex.code, "ask", agreed)
    annex.hand_over("Delete", OWN)
    if looks == 1:
        assert annex.answers.answer["Status"] == "SUCCESS"
        assert annex.waits == 2
    else:
        assert annex.answers.answer["Status"] == "FAILED"
        assert str(annex.answers.answer["Reason"]).endswith(f"delete the stack again: {reason}")
    cleared = {"AutoScalingGroupName": GROUP, "DeletionProtection": "none"}
    assert (cleared in asked) is ("DeletionProtection" in more)
    assert not [each for each in asked if "ForceDelete" in each], "a pool that is being deleted is not deleted again"
