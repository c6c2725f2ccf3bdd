"""Times of clients: a run of a function outlives a dead connection, and a command outlives a run."""

from __future__ import annotations

from typing import Any

import pytest

from annex_lease.aws import FUNCTION_CONFIG
from annex_lease.batches import CALL_SECONDS
from annex_pool.region import RegionClients
from tests.runtime.lease.answer_server import AnswerServer
from tests.runtime.lease.responder_world import ENVIRONMENT, Annex
from tests.runtime.moto_aws import aws_in_process

CHECKER_SECONDS, RESPONDER_SECONDS = 420, 300  # timeouts of the functions, asserted by the synth tests
_LONGEST_PAUSE = 20  # botocore, "standard" mode: at most 1, 2, 4, 8, 16 and then 20 s between attempts


def longest(config: Any) -> float:
    """Seconds that one call may take with these settings, if no attempt is ever answered."""
    attempts = config.retries["total_max_attempts"]
    pauses = sum(min(2**number, _LONGEST_PAUSE) for number in range(attempts - 1))
    return float(attempts * (config.connect_timeout + config.read_timeout) + pauses)


def test_one_dead_connection_takes_less_than_half_a_run_of_the_checker() -> None:
    assert longest(FUNCTION_CONFIG) < CHECKER_SECONDS / 2
    assert FUNCTION_CONFIG.retries["total_max_attempts"] >= 3, "throttling is absorbed"  # type: ignore[attr-defined]
    assert FUNCTION_CONFIG.read_timeout >= CALL_SECONDS, "a slow answer is waited for"  # type: ignore[attr-defined]


def test_one_dead_connection_takes_less_than_half_a_run_of_the_responder(
    monkeypatch: pytest.MonkeyPatch, answers: AnswerServer
) -> None:
    with aws_in_process(monkeypatch, **ENVIRONMENT):
        assert longest(Annex(answers).code.CONFIG) < RESPONDER_SECONDS / 2


def test_a_command_waits_for_the_longest_check_and_for_other_answers_a_minute_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that gives up before the function ends would invoke it again, beside the run that continues."""
    with aws_in_process(monkeypatch):
        aws = RegionClients("us-east-1")
        assert aws.functions.meta.config.read_timeout > CHECKER_SECONDS  # type: ignore[attr-defined]
        assert aws.autoscaling.meta.config.read_timeout <= 60  # type: ignore[attr-defined]
