"""Report of a run: the table, its Markdown and its JSON, without what identifies the account."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from annex_lease.tags import format_time
from annex_lease.version import __version__
from verify.anonymous import Anonymiser
from verify.outcome import Findings, Outcome

EMULATED = "seen in an emulator: "
_EMULATOR_NOTE = (
    "An emulator of AWS answered, and not AWS. Each answer shows what the emulator's authors assume. It is no evidence "
    "about AWS."
)


@dataclass(frozen=True)
class Header:
    """Circumstances of a run.

    Attributes:
        region: code of the Region.
        emulated: an emulator answers in place of AWS.
        began: when the run began, aware.
        instance_type: EC2 type of the instances.
        image: image, as it was declared; None: one of the user's, which the report does not name.
    """

    region: str
    emulated: bool
    began: datetime
    instance_type: str
    image: str | None


def table(outcomes: Sequence[Outcome], *, emulated: bool) -> str:
    """Markdown table *assumed / seen*; every cell is one line."""
    rows = ["| | experiment | assumed | seen | result |", "|---|---|---|---|---|"]
    for each in outcomes:
        cells = (str(each.number), each.title, each.assumed, seen(each, emulated=emulated), each.verdict.value)
        rows.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    return "\n".join(rows)


def seen(outcome: Outcome, *, emulated: bool) -> str:
    """The text of what was seen, with the mark of an emulator, or the reason why the experiment was not run."""
    if outcome.verdict.value == "not run":
        return f"not run: {outcome.seen}"
    return f"{EMULATED}{outcome.seen}" if emulated else outcome.seen


def markdown(header: Header, findings: Findings, hide: Anonymiser) -> str:
    """The report as Markdown."""
    lines = [
        "# Verification of an AWS account",
        "",
        f"htcondor-annex-cdk {__version__}, {header.region}, {format_time(header.began)}, "
        f"instances {header.instance_type}, image {header.image or 'of the user'}.",
        "",
        *([f"**{_EMULATOR_NOTE}**", ""] if header.emulated else []),
        table(findings.outcomes, emulated=header.emulated),
        "",
        _left(findings),
        *(["", "The run was interrupted."] if findings.interrupted else []),
    ]
    for each in findings.outcomes:
        lines += ["", f"## {each.number} {each.title}", "", f"Assumed: {each.assumed}.", ""]
        lines += [f"Source: {each.source}.", "", f"{each.verdict.value}, {each.seconds:.0f} s: "]
        lines[-1] += seen(each, emulated=header.emulated) + "."
        if each.details:
            lines += ["", "```text", *(line.replace("```", "'''") for line in each.details), "```"]
    return hide.text("\n".join(lines) + "\n")


def as_data(header: Header, findings: Findings, hide: Anonymiser) -> object:
    """The report as JSON-able data."""
    return hide.data(
        {
            "version": __version__,
            "region": header.region,
            "emulated": header.emulated,
            "began": format_time(header.began),
            "instance_type": header.instance_type,
            "image": header.image,
            "exit_code": findings.exit_code(),
            "interrupted": findings.interrupted,
            "left": None if findings.left is None else list(findings.left),
            "experiments": [each.as_data() for each in findings.outcomes],
        }
    )


def write(path: Path, header: Header, findings: Findings, hide: Anonymiser) -> None:
    """Write the report, `path` as Markdown, and beside it the same as JSON."""
    path.write_text(markdown(header, findings, hide), encoding="utf-8")
    data = json.dumps(as_data(header, findings, hide), indent=1)
    path.with_suffix(".json").write_text(data + "\n", encoding="utf-8")


def _left(findings: Findings) -> str:
    if findings.left is None:
        return "Left in the account: **not looked at yet**."
    if not findings.left:
        return "Left in the account: nothing; every listing answered, twice."
    return "\n".join(["Left in the account:", "", *(f"- {each}" for each in findings.left)])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
