"""The stack's custom resource: its work on Create, Update and Delete, and its answer on every path."""

from __future__ import annotations

import importlib
import sys
import time
import types
from datetime import UTC, datetime
from typing import Any

import pytest

from annex_lease import checker, cloudformation, handler
from annex_lease.policy import LeasePolicy
from annex_lease.tags import format_time
from tests.runtime.lease.answer_server import STACK, AnswerServer, request
from tests.runtime.lease.lease_cloud import HOUR, Cloud, Context, fail, list_no_group

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_create_grants_and_answers_with_the_lease(cloud: Cloud, group: str, answers: AnswerServer) -> None:
    created = cloud.created(group)
    assert cloud.check(group, created, **request(answers, "Create")) == {"answer": "SUCCESS"}
    assert answers.answer == {
        **STACK,
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "lease-of-pa",
        "NoEcho": False,
        "Data": {
            "Phase": "granted",
            "LeaseEnd": format_time(created + HOUR),
            "Lease": f"ends at {format_time(created + HOUR)}, as declared",
        },
    }
    assert answers.content_types == [""]
    assert len(cloud.running(group)) == 2


def test_create_without_the_credential_succeeds_and_waits(cloud: Cloud, group: str, answers: AnswerServer) -> None:
    cloud.add_secret()
    cloud.check(group, cloud.created(group), **request(answers, "Create"))
    assert (answers.answer["Status"], answers.answer["Data"]["Phase"]) == ("SUCCESS", "waiting")  # type: ignore[index]


def test_create_of_a_lease_that_cannot_be_read_fails(cloud: Cloud, answers: AnswerServer) -> None:
    cloud.add_group("pa", None)
    cloud.check("pa", cloud.created("pa"), **request(answers, "Create"))
    assert answers.answer["Status"] == "FAILED"
    assert "annex:size is missing" in str(answers.answer["Reason"])


@pytest.mark.parametrize(("times", "status"), [(1, "SUCCESS"), (3, "SUCCESS"), (1000, "FAILED")])
def test_create_waits_for_a_group_that_is_not_listed_yet(
    cloud: Cloud, group: str, answers: AnswerServer, times: int, status: str
) -> None:
    """A group was just made, and the listings of AWS are eventually consistent."""
    created = cloud.created(group)
    list_no_group(cloud.clients.autoscaling, times)
    cloud.check(group, created, **request(answers, "Create"))
    assert answers.answer["Status"] == status
    assert bool(cloud.running(group)) == (status == "SUCCESS")
    assert cloud.slept == [5.0, 10.0, 15.0][:times]


def test_update_grants_the_new_size_under_the_same_id(cloud: Cloud, group: str, answers: AnswerServer) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    cloud.write(group, "annex:size", "3")
    cloud.check(group, created, **request(answers, "Update"))
    assert (answers.answer["Status"], answers.answer["PhysicalResourceId"]) == ("SUCCESS", "lease-of-pa")
    assert len(cloud.running(group)) == 3


def test_update_to_another_group_changes_the_id(cloud: Cloud, group: str, answers: AnswerServer) -> None:
    cloud.check(group, cloud.created(group), **request(answers, "Update", "lease-of-old"))
    assert answers.answer["PhysicalResourceId"] == "lease-of-pa"


def test_update_that_fails_keeps_the_id(cloud: Cloud, group: str, answers: AnswerServer) -> None:
    fail(cloud.clients.autoscaling, "DescribeAutoScalingGroups", "AccessDenied")
    cloud.check(group, NOW, **request(answers, "Update", "lease-of-old"))
    assert (answers.answer["Status"], answers.answer["PhysicalResourceId"]) == ("FAILED", "lease-of-old")


def test_delete_empties_the_fleet_before_it_answers(cloud: Cloud, answers: AnswerServer) -> None:
    cloud.add_group("pa", LeasePolicy("pa", 3, 7200, 900, duration_seconds=3600), protected=True)
    cloud.add_group("paper", LeasePolicy("paper", 2, 7200, 900, duration_seconds=3600))
    created = cloud.created("pa")
    cloud.check("pa", created)
    cloud.check("paper", created)
    cloud.check("pa", created, **request(answers, "Delete"))
    assert (answers.answer["Status"], answers.answer["PhysicalResourceId"]) == ("SUCCESS", "lease-of-pa")
    assert cloud.running("pa") == []
    assert len(cloud.running("paper")) == 2
    # A check that runs before the schedule is gone starts nothing again.
    cloud.check("pa", created)
    assert cloud.describe("pa")["DesiredCapacity"] == 0


@pytest.mark.parametrize("physical_id", ["lease-of-paper", "lease-of-p", "no-lease-of-pa", "2026/11/01/[1]abc", None])
def test_delete_of_what_is_not_ours_touches_nothing(
    cloud: Cloud, group: str, answers: AnswerServer, physical_id: str | None
) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    calls = fail(cloud.clients.autoscaling, "DescribeAutoScalingGroups", "AccessDenied", times=0)
    cloud.check(group, created, **request(answers, "Delete", physical_id))
    assert (answers.answer["Status"], answers.answer["PhysicalResourceId"]) == ("SUCCESS", physical_id or "")
    assert calls == []
    assert len(cloud.running(group)) == 2


def test_delete_of_a_group_that_is_gone_succeeds(cloud: Cloud, answers: AnswerServer) -> None:
    cloud.check("pa", NOW, **request(answers, "Delete"))
    assert answers.answer["Status"] == "SUCCESS"


def test_delete_that_cannot_finish_says_so_in_time(cloud: Cloud, group: str, answers: AnswerServer) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    fail(cloud.clients.ec2, "TerminateInstances", "UnauthorizedOperation")
    fail(cloud.clients.autoscaling, "UpdateAutoScalingGroup", "ScalingActivityInProgress")
    environ = {"ANNEX_GROUP": group}
    event = request(answers, "Delete")
    handler.serve(event, Context(12_000), environ=environ, now=created, clients=cloud.clients, sleep=lambda _: None)
    assert answers.answer["Status"] == "FAILED"
    assert "the fleet is not empty yet" in str(answers.answer["Reason"])
    assert "UnauthorizedOperation" in str(answers.answer["Reason"])


def test_delete_looks_twice_and_rides_out_a_failing_look(cloud: Cloud, group: str, answers: AnswerServer) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    calls = fail(cloud.clients.autoscaling, "DescribeAutoScalingGroups", "AccessDenied", times=1)
    listings = fail(cloud.clients.ec2, "DescribeInstances", "InternalError", times=0)
    cloud.check(group, created, **request(answers, "Delete"))
    assert answers.answer["Status"] == "SUCCESS"
    assert len(calls) > 2
    assert len(listings) >= 2


def test_an_empty_look_before_a_failing_one_does_not_count(cloud: Cloud, group: str, answers: AnswerServer) -> None:
    """The group could have got instances meanwhile: two looks in a row must be empty."""
    over = cloud.created(group) + 9 * HOUR
    cloud.check(group, over)
    looks: list[str] = []
    looks = fail(
        cloud.clients.autoscaling, "DescribeAutoScalingGroups", "AccessDenied", times=3, until=lambda: len(looks) < 3
    )
    cloud.check(group, over, **request(answers, "Delete"))
    assert answers.answer["Status"] == "SUCCESS"
    assert len(looks) == 5, "one that is repeated after it recorded the destroy, one that fails, and two"


# --- an answer on every path


@pytest.mark.parametrize("module", ["aws", "checker", "decision", "tags", "cloudformation", "invocation"])
def test_a_module_that_cannot_be_imported_fails_the_invocation(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Lambda then hands the request to the function's on-failure destination, which answers it."""
    for name in [name for name in sys.modules if name.startswith("annex_lease.")]:
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr(sys.modules["annex_lease"], name.rsplit(".", 1)[1], raising=False)

    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name == f"annex_lease.{module}":
                raise SyntaxError("broken on purpose")

    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(SyntaxError, match="broken on purpose"):
        importlib.import_module("annex_lease.handler")


def test_a_deletion_that_this_code_fails_is_left_to_the_on_failure_destination(
    cloud: Cloud, group: str, answers: AnswerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(checker, "decide", broken)
    with pytest.raises(KeyError, match="a fault of ours"):
        cloud.check(group, cloud.created(group), **request(answers, "Delete"))
    assert answers.bodies == []


@pytest.mark.parametrize("error", [RuntimeError("raised on purpose"), KeyError("x"), RecursionError()])
def test_a_decision_that_raises_is_answered_and_nothing_starts(
    cloud: Cloud, group: str, answers: AnswerServer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(checker, "decide", broken)
    cloud.check(group, cloud.created(group), **request(answers, "Create"))
    assert answers.answer["Status"] == "FAILED"
    assert type(error).__name__ in str(answers.answer["Reason"])
    assert cloud.running(group) == []


def test_a_creation_that_granted_before_it_failed_will_be_emptied(
    cloud: Cloud, group: str, answers: AnswerServer
) -> None:
    created = cloud.created(group)
    cloud.write(group, "annex:lease-end", "")
    calls = fail(cloud.clients.autoscaling, "UpdateAutoScalingGroup", "AccessDenied")
    cloud.check(group, created, **request(answers, "Create"))
    assert calls
    assert (answers.answer["Status"], answers.answer["PhysicalResourceId"]) == ("FAILED", "lease-of-pa")


@pytest.mark.parametrize("kind", ["Reboot", "", None])
def test_a_request_of_no_known_kind_is_refused(answers: AnswerServer, kind: Any) -> None:
    event = {**request(answers, "Update"), "RequestType": kind}
    handler.serve(event, Context(), environ={"ANNEX_GROUP": "pa"})
    assert answers.answer["Status"] == "FAILED"
    assert "must be Create, Update or Delete" in str(answers.answer["Reason"])


def test_a_missing_environment_is_answered(answers: AnswerServer) -> None:
    handler.serve(request(answers, "Create"), Context(), environ={})
    assert "ANNEX_GROUP is not set" in str(answers.answer["Reason"])


def test_a_run_that_hangs_answers_before_lambda_kills_it(
    answers: AnswerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*_: object, **__: object) -> None:
        deadline = time.monotonic() + 10
        while not answers.bodies and time.monotonic() < deadline:
            time.sleep(0.01)

    monkeypatch.setattr(cloudformation, "check_or_raise", hang)
    clients = types.SimpleNamespace()
    result = handler.serve(
        request(answers, "Update"),
        Context(8_200),
        environ={"ANNEX_GROUP": "pa"},
        clients=clients,  # type: ignore[arg-type]
    )
    assert result == {"answer": "FAILED"}
    assert "ran out of time" in str(answers.answer["Reason"])
