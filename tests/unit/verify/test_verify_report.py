"""Report of the verification: table, Markdown, JSON, exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.verify.outcomes import EMULATED, HEADER, findings, outcome
from verify.anonymous import Anonymiser
from verify.outcome import ALL_HELD, ASSUMPTION_WRONG, INCOMPLETE, Findings, Verdict
from verify.report import as_data, markdown, table, write

HELD, WRONG, NOT_RUN = Verdict.HELD, Verdict.WRONG, Verdict.NOT_RUN


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (findings(HELD, HELD), ALL_HELD),
        (findings(HELD, WRONG), ASSUMPTION_WRONG),
        (findings(WRONG, NOT_RUN), ASSUMPTION_WRONG),
        (findings(HELD, NOT_RUN), INCOMPLETE),
        (findings(), INCOMPLETE),
        (findings(HELD, left=("VPC vpc-1",)), INCOMPLETE),
        (findings(WRONG, left=("VPC vpc-1",)), INCOMPLETE),
        (findings(HELD, left=None), INCOMPLETE),
        (Findings([outcome()], (), interrupted=True), INCOMPLETE),
    ],
)
def test_exit_code(found: Findings, code: int) -> None:
    assert found.exit_code() == code


def test_the_table_has_a_row_for_each_experiment() -> None:
    rows = table([outcome(), outcome(NOT_RUN, number=12, seen="no instance")], emulated=False).splitlines()
    assert rows[2:] == [
        "| 1 | a title | it does | it did | held |",
        "| 12 | a title | it does | not run: no instance | not run |",
    ]


def test_a_cell_is_one_line_and_has_no_bar_of_its_own() -> None:
    row = table([outcome(seen="one\ntwo | three")], emulated=False).splitlines()[2]
    assert "one two \\| three" in row


@pytest.mark.parametrize(("header", "marked"), [(HEADER, False), (EMULATED, True)])
def test_what_an_emulator_answered_is_marked(header: object, marked: bool) -> None:
    assert isinstance(header, type(HEADER))
    text = markdown(header, findings(HELD, WRONG), Anonymiser())
    assert text.count("seen in an emulator: it did") == (4 if marked else 0)
    assert ("no evidence" in text) is marked
    data = as_data(header, findings(HELD), Anonymiser())
    assert isinstance(data, dict)
    assert data["emulated"] is marked


def test_what_was_not_looked_at_is_never_seen_in_an_emulator() -> None:
    text = markdown(EMULATED, findings(NOT_RUN), Anonymiser())
    assert "not run: it did" in text
    assert "seen in an emulator: it did" not in text


@pytest.mark.parametrize(
    ("left", "text"),
    [((), "nothing; every listing answered"), (None, "not looked at yet"), (("VPC vpc-1",), "- VPC vpc-1")],
)
def test_the_report_says_what_is_left(left: tuple[str, ...] | None, text: str) -> None:
    assert text in markdown(HEADER, findings(HELD, left=left), Anonymiser())


def test_details_cannot_end_their_block() -> None:
    text = markdown(HEADER, Findings([outcome(details=("a ``` b",))], ()), Anonymiser())
    assert text.count("```") == 2


def test_both_files_are_written_without_what_identifies_the_account(tmp_path: Path) -> None:
    hide = Anonymiser({"0a1b2c3d": "RUN"})
    found = Findings([outcome(seen="stack Annex-verify-0a1b2c3d-a in 123456789012")], ("VPC vpc-0123456789abcdef0",))
    write(tmp_path / "r.md", HEADER, found, hide)
    both = (tmp_path / "r.md").read_text() + (tmp_path / "r.json").read_text()
    for secret in ("0a1b2c3d", "123456789012", "vpc-0123456789abcdef0"):
        assert secret not in both
    assert "Annex-verify-RUN-a" in both
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == INCOMPLETE
