"""Keys of the end of a lease: drain, warning, renewal, alarms."""

from datetime import timedelta

import pytest

from annex_spec import SpecError
from tests.unit.spec.spec_texts import POOL, Read, ReadAnnex

TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
DEFAULTS = '[defaults]\nregion = "us-east-1"\nimage = "ami-01234567"\nlease = "8h"\n'
KEYS = 'size = 2\ninstance_types = ["c6a.large"]\n'


@pytest.mark.parametrize(("lease", "fix"), [("2m", "1m"), ("1m1s", "30s")])
def test_the_default_drain_needs_a_longer_lease(read_annex: ReadAnnex, lease: str, fix: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_annex(lease=f'"{lease}"')
    (problem,) = caught.value.problems
    assert (problem.key, problem.received, problem.fix) == (
        "drain_before_end",
        '"2m", the default',
        f'drain_before_end = "{fix}"',
    )
    assert read_annex(lease=f'"{lease}"', drain_before_end=f'"{fix}"').annexes["demo"].drain_before_end < timedelta(
        minutes=2
    )
    assert read_annex(lease='"2m1s"').annexes["demo"].drain_before_end == timedelta(minutes=2)


def test_an_absolute_end_allows_any_drain(read_annex: ReadAnnex) -> None:
    annex = read_annex(
        lease=None, lease_ends_at="2030-06-01T08:00:00Z", max_lifetime='"1h"', drain_before_end='"1h"'
    ).annexes["demo"]
    assert annex.drain_before_end == timedelta(hours=1)


def test_the_default_warning_fits_into_any_lease(read_annex: ReadAnnex) -> None:
    for lease, warn in [("2h", 900), ("30m", 900), ("29m59s", 899), ("5m1s", 150), ("2m", 60), ("1m59s", None)]:
        annex = read_annex(lease=f'"{lease}"', drain_before_end='"10s"').annexes["demo"]
        assert annex.warn_before_end == (None if warn is None else timedelta(seconds=warn)), lease


@pytest.mark.parametrize(
    ("lease", "fix"),
    [
        ("8h", 'warn_before_end = "4h"'),
        ("1m59s", 'warn_before_end = "1m"'),
        ("1m1s", 'warn_before_end = "1m"'),
        ("1m", "remove warn_before_end"),
    ],
)
def test_the_fix_of_a_warning_is_one(read_annex: ReadAnnex, lease: str, fix: str) -> None:
    keys = {"lease": f'"{lease}"', "drain_before_end": '"10s"'}
    with pytest.raises(SpecError) as caught:
        read_annex(**keys, warn_before_end='"8h"')
    assert [problem.fix for problem in caught.value.problems] == [fix]
    read_annex(**keys, warn_before_end=fix.removeprefix("warn_before_end = ") if "=" in fix else None)


def test_an_absolute_end_allows_any_warning(read_annex: ReadAnnex) -> None:
    keys = {"lease": None, "lease_ends_at": "2030-06-01T08:00:00Z", "max_lifetime": '"30d"'}
    assert read_annex(**keys).annexes["demo"].warn_before_end == timedelta(minutes=15)
    assert read_annex(**keys, warn_before_end='"366d"').annexes["demo"].warn_before_end == timedelta(days=366)


def test_the_shortest_renewal_fits_the_default_drain(read_annex: ReadAnnex) -> None:
    assert read_annex(renew_while_busy='"10m"').annexes["demo"].renew_while_busy == timedelta(minutes=10)
    with_fix = read_annex(renew_while_busy='"10m2s"', drain_before_end='"121s"').annexes["demo"]
    assert with_fix.renew_while_busy == timedelta(minutes=10, seconds=2)


def test_busy_instances_protect_themselves_if_that_is_declared_or_the_lease_is_renewed(read_annex: ReadAnnex) -> None:
    for keys, protects in [
        ({}, False),
        ({"protect_busy": "true"}, True),
        ({"protect_busy": "false"}, False),
        ({"renew_while_busy": '"1h"'}, True),
        ({"renew_while_busy": '"1h"', "protect_busy": "true"}, True),
    ]:
        assert read_annex(**keys).annexes["demo"].protect_busy is protects


def test_a_lease_that_is_renewed_needs_the_protection(read_annex: ReadAnnex) -> None:
    with pytest.raises(SpecError) as caught:
        read_annex(renew_while_busy='"1h"', protect_busy="false")
    (problem,) = caught.value.problems
    assert (problem.key, problem.received) == ("protect_busy", "false")
    assert problem.allowed.startswith("true with renew_while_busy: ")
    assert problem.fix == "remove protect_busy, or renew_while_busy"


def test_the_alarm_of_an_annex_replaces_that_of_the_defaults(read: Read) -> None:
    spec = read(f'{POOL}{DEFAULTS}alarm_email = "a@example.edu"\n[annex.a]\n{KEYS}alarm_topic = "{TOPIC}"\n')
    assert (spec.annexes["a"].alarm_email, spec.annexes["a"].alarm_topic) == (None, TOPIC)
