"""Support of the functions' runtimes for another year, by AWS's table in cfn-lint.

The one test here that a day can break: it says when to move to a newer Python, a year before nothing can be deployed.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from importlib import resources as package
from typing import Any

import pytest

from tests.synth.templates import Resources, of_type

A_YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
def lifecycle() -> dict[str, Any]:
    data = package.files("cfnlint") / "data/AdditionalSpecs/LmbdRuntimeLifecycle.json"
    return dict(json.loads(data.read_text(encoding="utf-8")))


def supported_for(runtime: str, lifecycle: dict[str, Any], today: date) -> timedelta:
    """Time until AWS deprecates the runtime; KeyError if the table does not know it."""
    return date.fromisoformat(lifecycle[runtime]["deprecated"]) - today


def test_the_runtimes_are_a_year_from_being_deprecated(own_network: Resources, lifecycle: dict[str, Any]) -> None:
    runtimes = {each["Properties"]["Runtime"] for each in of_type(own_network, "AWS::Lambda::Function").values()}
    assert runtimes == {"python3.13"}
    for runtime in runtimes:
        assert supported_for(runtime, lifecycle, datetime.now(UTC).date()) >= A_YEAR


@pytest.mark.parametrize(
    ("runtime", "today", "good"),
    [
        ("python3.13", date(2028, 6, 29), True),
        ("python3.13", date(2028, 7, 1), False),
        ("python3.9", date(2026, 1, 1), False),
    ],
)
def test_the_table_separates_old_from_new(lifecycle: dict[str, Any], runtime: str, today: date, good: bool) -> None:
    assert (supported_for(runtime, lifecycle, today) >= A_YEAR) is good
