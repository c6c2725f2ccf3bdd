"""From the command line to the first resource: the plan, the question, and every reason to refuse."""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from annex_pool.region import RegionClients
from tests.unit.verify.outcomes import findings
from verify import __main__ as command
from verify.account import Account
from verify.outcome import ALL_HELD, ASSUMPTION_WRONG, INCOMPLETE, REFUSED, Findings, Verdict
from verify.session import Session, say


class FakeParameters:
    """SSM with or without the parameter of the CDK's bootstrap."""

    def __init__(self, error: str) -> None:
        self._error = error

    def get_parameter(self, **_request: object) -> dict[str, Any]:
        if self._error:
            raise ClientError(cast("Any", {"Error": {"Code": self._error, "Message": "no"}}), "GetParameter")
        return {"Parameter": {"Value": "28"}}


class FakeClients:
    """Clients of a Region in which only SSM is asked."""

    region = "eu-west-1"

    def __init__(self, error: str) -> None:
        self._ssm = FakeParameters(error)

    def client(self, service: str) -> FakeParameters:
        assert service == "ssm"
        return self._ssm


Enter = Callable[..., None]


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Enter:
    """Puts an account in place of the one of the environment, and a session that only gives findings."""

    def use(error: str = "", found: Findings | None = None, answer: str | None = None) -> None:
        account = Account(
            cast("RegionClients", FakeClients(error)), "123456789012", "arn:aws:iam::123456789012:root", False
        )
        monkeypatch.setattr(command, "find_account", lambda _region: account)

        def execute(session: Session) -> Findings:
            assert found is not None, "nothing may be made"
            session.findings = found
            return found

        monkeypatch.setattr(Session, "execute", execute)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: answer is not None, raising=False)
        monkeypatch.setattr(builtins, "input", lambda _question: answer)

    return use


def test_a_dry_run_prints_the_plan_and_makes_nothing(enter: Enter, capsys: pytest.CaptureFixture[str]) -> None:
    enter()
    assert command.main(["--dry-run", "--yes"]) == ALL_HELD
    out = capsys.readouterr().out
    assert "account 123456789012, Region eu-west-1" in out
    assert "at most $" in out


@pytest.mark.parametrize(
    ("error", "said"),
    [("ParameterNotFound", "run `cdk bootstrap aws://123456789012/eu-west-1`"), ("AccessDeniedException", "refused")],
)
def test_without_a_bootstrap_it_refuses_in_one_line(
    enter: Enter, error: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(error)
    assert command.main(["--yes"]) == REFUSED
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("answer", ["", "n", "no", "yes please", None])
def test_only_yes_is_consent(enter: Enter, answer: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    enter(answer=answer)
    assert command.main([]) == REFUSED
    assert "nothing was made" in capsys.readouterr().out


@pytest.mark.parametrize("answer", ["y", "yes", " YES "])
def test_after_consent_it_runs(enter: Enter, answer: str) -> None:
    enter(found=findings(Verdict.HELD), answer=answer)
    assert command.main([]) == ALL_HELD


@pytest.mark.parametrize(
    ("found", "code", "said"),
    [
        (findings(Verdict.WRONG), ASSUMPTION_WRONG, "WRONG"),
        (findings(Verdict.NOT_RUN), INCOMPLETE, "not run: it did"),
        (
            findings(Verdict.HELD, left=("VPC vpc-1",)),
            INCOMPLETE,
            "left: VPC vpc-1; remove it with scripts/verify-account",
        ),
    ],
)
def test_the_exit_code_is_that_of_the_findings(
    enter: Enter, found: Findings, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(found=found)
    assert command.main(["--yes"]) == code
    assert said in capsys.readouterr().out


def test_a_terminal_that_is_gone_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", buffering=1) as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        say("a line")
        monkeypatch.undo()
        with suppress(BrokenPipeError):
            gone.close()


def test_a_report_that_cannot_be_written_is_refused_before_anything_is_made(
    enter: Enter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    execute = Session.execute
    enter()
    monkeypatch.setattr(Session, "execute", execute)
    assert command.main(["--yes", "--report", str(tmp_path / "no/such/report.md")]) == REFUSED
    assert "cannot be written" in capsys.readouterr().err


def test_a_defect_of_the_command_is_no_wrong_assumption(
    enter: Enter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    enter(found=findings(Verdict.HELD))

    def fail(_session: Session) -> str:
        raise KeyError("on purpose")

    monkeypatch.setattr(Session, "summary", fail)
    assert command.main(["--yes"]) == INCOMPLETE
    assert "on purpose" in capsys.readouterr().err
