"""Outcomes, findings and a header for the tests of the report."""

from __future__ import annotations

from datetime import UTC, datetime

from verify.outcome import Findings, Outcome, Verdict
from verify.report import Header

HEADER = Header("eu-west-1", False, datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), "t3.micro", "ssm:/aws/image")
EMULATED = Header("us-east-1", True, HEADER.began, "t3.micro", None)


def outcome(
    verdict: Verdict = Verdict.HELD, *, number: int = 1, seen: str = "it did", details: tuple[str, ...] = ()
) -> Outcome:
    return Outcome(number, "a title", "it does", "a page", verdict, seen, details, 3.0)


def findings(*verdicts: Verdict, left: tuple[str, ...] | None = ()) -> Findings:
    return Findings([outcome(each, number=n) for n, each in enumerate(verdicts, 1)], left)
