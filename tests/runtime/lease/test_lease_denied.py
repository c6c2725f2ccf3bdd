"""Permissions of a new role, which reach every part of AWS some seconds after the role."""

from __future__ import annotations

from tests.runtime.lease.answer_server import AnswerServer, request
from tests.runtime.lease.lease_cloud import Cloud, fail


def test_permissions_that_arrive_late_are_waited_for(cloud: Cloud, group: str, answers: AnswerServer) -> None:
    def arrived() -> bool:
        return len(cloud.slept) >= 2

    calls = fail(cloud.clients.autoscaling, "CreateOrUpdateTags", "AccessDenied", until=arrived)
    cloud.check(group, cloud.created(group), **request(answers, "Create"))
    assert answers.answer["Status"] == "SUCCESS"
    assert calls
    assert cloud.slept == [5.0, 10.0]


def test_permissions_that_never_arrive_are_an_answer_in_time(cloud: Cloud, group: str, answers: AnswerServer) -> None:
    fail(cloud.clients.autoscaling, "CreateOrUpdateTags", "AccessDenied")
    cloud.check(group, cloud.created(group), **request(answers, "Create"))
    assert answers.answer["Status"] == "FAILED"
    assert "AccessDenied" in str(answers.answer["Reason"])
    assert cloud.slept == [5.0, 10.0, 15.0]
