"""Numbers in the prose of the documents are those of the program."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import cache

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from annex_constructs import scheduled_function
from annex_constructs.lease import checker_responder, lease_checker
from annex_lease import observed, terms
from annex_lease.duration import format_duration
from annex_lease.sweep.removal import RECOVERY_DAYS
from annex_lease.sweep.sweep_settings import SweepSettings
from annex_pool.plan import plan, shown_amount
from annex_pool.region import PAUSE_SECONDS
from annex_spec import AnnexSpec, BaseSpec, load
from stacks import AnnexStack, base_stacks
from tests.docs.documents import DOCS, ROOT, text

UNITS = {"s": "seconds", "second": "seconds", "min": "minutes", "minute": "minutes", "hour": "hours", "day": "days"}
WORDS = {"a": 1.0, "an": 1.0, "half an": 0.5, "two": 2.0, "four": 4.0, "ten": 10.0}
AMOUNT = r"(half an|[a-z]+|\d+)"


def read(written: str) -> timedelta | float:
    """A number, or a length of time: a number and a unit."""
    match = re.fullmatch(rf"{AMOUNT}(?: ([a-z]+?)s?)?", written)
    assert match, written
    number = float(match[1]) if match[1].isdigit() else WORDS[match[1]]
    return timedelta(**{UNITS[match[2]]: number}) if match[2] else number


@cache
def alarms() -> dict[str, cloudwatch.CfnAlarm]:
    """The alarms of an annex and of the base, by their ids."""
    spec, app = load(ROOT / "annexes.toml"), App()
    roots: list[Stack] = [AnnexStack(app, pool=spec.pool, annex=spec.annex("demo"))]
    roots += base_stacks(app, BaseSpec(), spec.annexes.values())
    found = [each for root in roots for each in root.node.find_all() if isinstance(each, cloudwatch.CfnAlarm)]
    by_id = {str(each.node.path.split("/")[-2]): each for each in found}
    assert len(by_id) == len(found)
    return by_id


def periods(alarm: str) -> float:
    """Number of periods that an alarm looks at."""
    return alarms()[alarm].evaluation_periods or 0


def watched(alarm: str) -> timedelta:
    """Length of time that an alarm looks at."""
    return timedelta(seconds=(alarms()[alarm].period or 0) * periods(alarm))


def span(duration: Duration) -> timedelta:
    return timedelta(seconds=float(duration.to_seconds()))


def responder_pause() -> timedelta:
    """Pause between two looks of the responder, whose file runs on Lambda only: it needs an environment."""
    source = (ROOT / "annex_constructs/lease/responder/index.py").read_text()
    (seconds,) = re.findall(r"^PAUSE_SECONDS = (\d+)\b", source, re.M)
    return timedelta(seconds=int(seconds))


def largest_use() -> str:
    """The example of the page about the cost: the numbers of the text, and those that follow from them."""
    values = {"name": "demo", "region": "us-east-1", "image": "ami-0123456789abcdef0", "size": 2, "lease": "8h"}
    spec = AnnexSpec.model_validate({**values, "instance_types": ["c6a.large"]})
    planned = plan(spec)
    lifetime, overrun = format_duration(spec.max_lifetime), format_duration(planned.overrun)
    hours = shown_amount(planned.worst_hours)
    return (
        f"With two instances, {values['lease']} and the default grace it is {hours} instance-hours: "
        f"{spec.size} \N{MULTIPLICATION SIGN} ({lifetime} + {overrun})."
    )


SWEEP = SweepSettings()
# Page, pattern of the number with one group, and its value.
ROWS: tuple[tuple[str, str, Callable[[], timedelta | float | None]], ...] = (
    ("how-to/limit-the-cost", r"`idle_timeout` without a job \((.*?)\)", lambda: terms.IDLE_TIMEOUT.default),
    ("explanation/limits", r"`drain_before_end` \((.*?)\) before the end", lambda: terms.DRAIN_BEFORE_END.default),
    ("how-to/base-stack", r"Every (.*?) the sweeper does", lambda: terms.INTERVAL.default),
    ("how-to/base-stack", r"every annex that is (.*?) past its end", lambda: SWEEP.slack),
    ("how-to/base-stack", r"removes them (.*?) later, if they are still orphans", lambda: SWEEP.wait),
    ("how-to/base-stack", r"can be restored for (.*?)\.", lambda: timedelta(days=RECOVERY_DAYS)),
    ("how-to/base-stack", r"The default is (\d+), or the size", lambda: terms.MAX_REMOVALS.default),
    ("how-to/base-stack", r"\| no run for (.*?) \|", lambda: watched("Silence")),
    ("how-to/base-stack", r"in every run for (.*?) \|", lambda: watched("Reported")),
    ("explanation/lease", r"tag of its own\. Every (.*?), and when an instance", lambda: observed.FRESH),
    ("explanation/lease", r"known to be over, or (.*?) of the same reading", lambda: observed.BELIEVED),
    ("explanation/lease", r"\| every ([^|]*?), from [^|]*? after an end", lambda: terms.INTERVAL.default),
    ("explanation/lease", r"\| every [^|]*?, from ([^|]*?) after an end", lambda: SWEEP.slack),
    ("explanation/lease", r"notified of, plus (.*?) \(`shutdown", lambda: terms.SHUTDOWN_AFTER_END.default),
    ("explanation/lease", r"pure decision, as of (.*?) ago", lambda: SWEEP.slack),
    ("explanation/lease", r"need two sources, twice, (.*?) apart", lambda: SWEEP.wait),
    ("explanation/lease", r"two empty looks (.*?) apart", responder_pause),
    ("explanation/lease", r"The checker \((.*?)\) and the", lambda: span(scheduled_function._TIMEOUT)),
    ("explanation/lease", r"and the responder \((.*?)\) fit", lambda: span(checker_responder._TIMEOUT)),
    ("explanation/lease", r"into CloudFormation's (.*?)\.", lambda: span(lease_checker._SERVICE_TIMEOUT)),
    ("explanation/architecture", r"a dead-letter queue for (.*?),", lambda: span(scheduled_function._KEPT)),
    ("how-to/alarms", r"`Unenforced` \| no check was done for (.*?):", lambda: watched("Unenforced")),
    ("how-to/alarms", r"are in the dead-letter queue for (.*?)\.", lambda: span(scheduled_function._KEPT)),
    ("reference/metrics", r"`ALARM` after ([^|]*?) in which each check failed", lambda: watched("Unenforced")),
    ("reference/metrics", r"`INSUFFICIENT_DATA` after ([^|]*?) without a check", lambda: watched("Unenforced")),
    ("reference/metrics", r"\| after (\w+) periods of the schedule without", lambda: periods("Silence")),
    ("reference/metrics", r"\| after (\w+) periods with reports", lambda: periods("Reported")),
    ("how-to/verify-teardown", r"answered, twice, (.*?) apart", lambda: timedelta(seconds=PAUSE_SECONDS)),
)


def prose(page: str) -> str:
    """The text of a page with single spaces: a sentence may be broken anywhere."""
    return " ".join(text(DOCS / f"{page}.md").split())


@pytest.mark.parametrize(("page", "pattern", "value"), ROWS, ids=[f"{page}: {pattern}" for page, pattern, _ in ROWS])
def test_a_number_is_that_of_the_program(
    page: str, pattern: str, value: Callable[[], timedelta | float | None]
) -> None:
    (written,) = re.findall(pattern, prose(page))
    assert read(written) == value()


def test_the_example_of_the_worst_case_is_computed() -> None:
    assert largest_use() in prose("how-to/limit-the-cost")
