"""Delivering an answer to CloudFormation over a server and a network that fail."""

from __future__ import annotations

import json
import socket

import pytest

from annex_lease.cloudformation import ANSWER_BYTES, AnswerError, answer_body, put_answer
from annex_lease.handler import serve
from tests.runtime.lease.answer_server import AnswerServer
from tests.runtime.lease.lease_cloud import Context

EVENT = {"StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}


def body_of(reason: str) -> bytes:
    return answer_body(EVENT, success=False, physical_id="lease-of-pa", reason=reason, data={})


@pytest.mark.parametrize("letter", ["x", '"', "\n", "ä", "\U0001f4b8"])
def test_a_long_reason_is_cut_to_the_limit(letter: str) -> None:
    body = body_of(letter * 10_000)
    reason = json.loads(body)["Reason"]
    assert ANSWER_BYTES - 24 < len(body) <= ANSWER_BYTES
    assert set(reason) == {letter}
    assert json.loads(body_of(letter * 100))["Reason"] == letter * 100


def test_an_answer_that_cannot_fit_is_an_error() -> None:
    with pytest.raises(AnswerError, match="4096"):
        answer_body(EVENT, success=True, physical_id="i" * 5000, reason="", data={})


@pytest.mark.parametrize("first", [[500], [503, 502], [None], [None, 500]])
def test_a_failing_server_is_tried_again(answers: AnswerServer, first: list[int | None]) -> None:
    answers.statuses = list(first)
    put_answer(answers.url, b"{}", seconds=30, sleep=lambda _: None)
    assert answers.bodies == [b"{}"] * (len(first) + 1)


def test_a_refused_answer_is_not_repeated(answers: AnswerServer) -> None:
    answers.statuses = [403]
    with pytest.raises(AnswerError, match="403"):
        put_answer(answers.url, b"{}", seconds=30, sleep=lambda _: None)
    assert len(answers.bodies) == 1


def test_attempts_are_counted_and_pauses_grow(answers: AnswerServer) -> None:
    answers.statuses = [500] * 9
    pauses: list[float] = []
    with pytest.raises(AnswerError, match="500"):
        put_answer(answers.url, b"{}", seconds=60, sleep=pauses.append)
    assert len(answers.bodies) == 5
    assert pauses == sorted(pauses)
    assert pauses[0] < pauses[-1]


def test_no_attempt_begins_after_the_time_is_out(answers: AnswerServer) -> None:
    answers.statuses = [500] * 9
    with pytest.raises(AnswerError):
        put_answer(answers.url, b"{}", seconds=0.2)
    assert len(answers.bodies) == 1


def test_a_server_that_says_nothing_does_not_hold_the_run() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(AnswerError, match="not delivered"):
            put_answer(url, b"{}", seconds=0.3)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://host/x", "HOST"])
def test_only_web_addresses_are_answered(url: str) -> None:
    with pytest.raises(AnswerError, match="https://"):
        put_answer(url, b"{}", seconds=1)


def test_an_answer_that_cannot_be_delivered_is_an_error_of_the_run() -> None:
    with pytest.raises(AnswerError):
        serve({"RequestType": "Delete", "ResponseURL": "", **EVENT}, Context(), environ={"ANNEX_GROUP": "pa"})
