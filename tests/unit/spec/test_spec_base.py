"""The table `[base]`: what it holds, what it may not, and that it may be left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from annex_spec import BaseSpec, SpecError, load
from tests.unit.spec.spec_texts import ANNEX, POOL, Read

ANNEX_TABLE = "[annex.demo]\n" + "".join(f"{key} = {value}\n" for key, value in ANNEX.items())
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"


def test_without_the_table_there_is_no_base(read: Read) -> None:
    assert read(POOL + ANNEX_TABLE).base is None


def test_an_empty_table_is_a_base_with_defaults(read: Read) -> None:
    assert read(f"{POOL}[base]\n{ANNEX_TABLE}").base == BaseSpec()
    assert (BaseSpec().alarm_email, BaseSpec().alarm_topic) == (None, None)
    assert (BaseSpec().max_removals, BaseSpec().dry_run) == (None, False)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("max_removals = 0", BaseSpec(max_removals=0)),
        ("max_removals = 10000\ndry_run = true", BaseSpec(max_removals=10_000, dry_run=True)),
        ('alarm_email = "admin@example.edu"', BaseSpec(alarm_email="admin@example.edu")),
        (f'alarm_topic = "{TOPIC}"', BaseSpec(alarm_topic=TOPIC)),
    ],
)
def test_what_it_may_hold(read: Read, keys: str, expected: BaseSpec) -> None:
    assert read(f"{POOL}[base]\n{keys}\n{ANNEX_TABLE}").base == expected


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("max_removals = -1", ["[base] max_removals", "received: -1", "from 0 to 10000", "max_removals = 50"]),
        ('max_removals = "50"', ['received: "50"', "a whole number"]),
        ("dry_run = 1", ["[base] dry_run", "received: 1", "true or false"]),
        ('alarm_email = "admin"', ["[base] alarm_email", "one e-mail address"]),
        ("dryrun = true", ["[base] dryrun", "did you mean dry_run?"]),
        (f'alarm_email = "a@example.edu"\nalarm_topic = "{TOPIC}"', ["both alarm_email and alarm_topic", "remove one"]),
        (
            f'alarm_topic = "{TOPIC.replace("us-east-1", "eu-west-1")}"',
            ["[base] alarm_topic", "there are annexes in us-east-1", "remove alarm_topic"],
        ),
        (
            f'alarm_topic = "{TOPIC.replace("arn:aws:", "arn:aws-us-gov:")}"',
            ["[base] alarm_topic", "an ARN that begins with arn:aws: as all of us-east-1 do"],
        ),
    ],
)
def test_what_it_may_not(read: Read, keys: str, said: list[str]) -> None:
    with pytest.raises(SpecError) as refused:
        read(f"{POOL}[base]\n{keys}\n{ANNEX_TABLE}")
    assert all(part in str(refused.value) for part in said), str(refused.value)
    assert len(refused.value.problems) == 1


def test_it_must_be_a_table(read: Read) -> None:
    with pytest.raises(SpecError, match="write \\[base\\] and its keys below it"):
        read(f"base = true\n{POOL}{ANNEX_TABLE}")


def test_every_key_is_in_the_example() -> None:
    example = Path(__file__).parents[3] / "annexes.toml"
    assert load(example).base == BaseSpec()
    text = example.read_text(encoding="utf-8")
    assert [key for key in BaseSpec.model_fields if not re.search(rf"\b{key}\b", text)] == []
