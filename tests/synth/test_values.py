"""The value objects: values at the edge of each range, and the errors beyond it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_cdk import Duration, Token
from aws_cdk import aws_ec2 as ec2

from annex_constructs import ExecutionPoint, LeaseTerms, Pool


def point_with(**changes: Any) -> ExecutionPoint:
    image = ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"})
    pool = Pool(collector="cm.example.edu", trust_domain="example.edu")
    return ExecutionPoint(**{"pool": pool, "machine_image": image, **changes})


GOOD_VALUES: list[Callable[[], object]] = [
    lambda: LeaseTerms(duration=Duration.minutes(1)),
    lambda: LeaseTerms(duration=Duration.days(366)),
    lambda: LeaseTerms(duration=Duration.hours(1), max_lifetime=Duration.hours(1), grace=Duration.seconds(0)),
    lambda: LeaseTerms(duration=Duration.hours(1), grace=Duration.hours(2)),
    lambda: LeaseTerms(duration=Duration.hours(1), renew_while_busy=Duration.minutes(10), max_instance_hours=1),
    lambda: LeaseTerms(duration=Duration.hours(1), renew_while_busy=Duration.days(366), max_instance_hours=100_000_000),
    lambda: LeaseTerms(duration=Duration.hours(1), warn_before_end=Duration.minutes(1)),
    lambda: LeaseTerms(duration=Duration.hours(1), warn_before_end=Duration.seconds(3599)),
    lambda: LeaseTerms(duration=Duration.hours(1), warn_before_end=Duration.seconds(0)),
    lambda: LeaseTerms(
        ends_at=datetime(2030, 1, 1, tzinfo=UTC), max_lifetime=Duration.days(1), warn_before_end=Duration.days(366)
    ),
    lambda: Pool(collector="192.0.2.1:65535", trust_domain="example.edu"),
    lambda: Pool(collector="cm1.example.edu, cm2.example.edu:9620", trust_domain="LOCAL_POOL"),
    lambda: Pool(collector="cm:9618?sock=collector", trust_domain="cm.example.edu:9618"),
    lambda: Pool(collector="[2001:db8::1]:9618", trust_domain="example.edu"),
    lambda: Pool(collector=Token.as_string({"Ref": "Collector"}), trust_domain="example.edu"),
    lambda: point_with(volume_gib=1, root_device="/dev/sda1", idle_timeout=Duration.seconds(30)),
    lambda: point_with(drain_before_end=Duration.seconds(10)),
    lambda: point_with(drain_before_end=Duration.hours(1)),
    lambda: point_with(volume_gib=16_384, join_timeout=Duration.hours(2), shutdown_after_end=Duration.days(1)),
    lambda: point_with(volume_gib=Token.as_number({"Ref": "Volume"})),
]
BAD_VALUES: list[tuple[Callable[[], object], str]] = [
    (lambda: LeaseTerms(), "received 'neither of them', allowed exactly one of them; fix: pass duration="),
    (
        lambda: LeaseTerms(duration=Duration.hours(1), ends_at=datetime(2030, 1, 1, tzinfo=UTC)),
        "received 'both of them'",
    ),
    (
        lambda: LeaseTerms(duration=Duration.seconds(59)),
        "LeaseTerms duration: received '59 seconds', allowed whole seconds from",
    ),
    (lambda: LeaseTerms(duration=Duration.days(367)), "allowed whole seconds from 1m to 366d"),
    (lambda: LeaseTerms(duration=Duration.millis(90_500)), "allowed whole seconds"),
    (lambda: LeaseTerms(duration=Duration.seconds(Token.as_number({"Ref": "S"}))), "known when the app is synthesised"),
    (
        lambda: LeaseTerms(duration=Duration.hours(2), max_lifetime=Duration.hours(1)),
        "LeaseTerms max_lifetime: received '1 hour', allowed",
    ),
    (lambda: LeaseTerms(duration=Duration.hours(2), grace=Duration.minutes(121)), "LeaseTerms grace: received"),
    (
        lambda: LeaseTerms(duration=Duration.hours(1), renew_while_busy=Duration.seconds(599)),
        "allowed whole seconds from 10m",
    ),
    (
        lambda: LeaseTerms(duration=Duration.hours(1), renew_while_busy=Duration.days(367)),
        "LeaseTerms renew_while_busy: received",
    ),
    (
        lambda: LeaseTerms(duration=Duration.hours(1), max_instance_hours=0),
        "LeaseTerms max_instance_hours: received 0, allowed a",
    ),
    (lambda: LeaseTerms(duration=Duration.hours(1), max_instance_hours=100_000_001), "from 1 to 100000000"),
    (lambda: LeaseTerms(duration=Duration.hours(1), max_instance_hours=True), "received True"),
    (
        lambda: LeaseTerms(duration=Duration.hours(1), max_instance_hours=Token.as_number({"Ref": "H"})),  # type: ignore[arg-type]
        "known when the app is synthesised",
    ),
    (
        lambda: LeaseTerms(duration=Duration.hours(1), warn_before_end=Duration.seconds(59)),
        "LeaseTerms warn_before_end: received '59 seconds', allowed whole seconds from 1m to 366d, or 0s: no warning, ",
    ),
    (
        lambda: LeaseTerms(duration=Duration.hours(1), warn_before_end=Duration.hours(1)),
        "allowed less than the lease, 1h; fix: pass warn_before_end=Duration.minutes(30)",
    ),
    (
        lambda: LeaseTerms(ends_at=datetime(2030, 1, 1, tzinfo=UTC)),
        "LeaseTerms max_lifetime: received None, allowed required with",
    ),
    (lambda: LeaseTerms(ends_at=datetime(2030, 1, 1), max_lifetime=Duration.days(1)), "allowed an aware datetime"),  # noqa: DTZ001
    (
        lambda: Pool(collector="cm.example.edu:0", trust_domain="example.edu"),
        "received 'cm.example.edu:0', allowed one collector or several",
    ),
    (lambda: Pool(collector="cm.example.edu:", trust_domain="example.edu"), "Pool collector"),
    (lambda: Pool(collector=["cm"], trust_domain="example.edu"), "received ['cm'], allowed one"),  # type: ignore[arg-type]
    (lambda: Pool(collector="http://cm", trust_domain="example.edu"), "Pool collector"),
    (
        lambda: Pool(collector="cm.example.edu", trust_domain="example edu"),
        "received 'example edu', allowed the pool's TRUST_DOMAIN",
    ),
    (
        lambda: point_with(volume_gib=0),
        "received 0, allowed a whole number of GiB from 1 to 16384; fix: pass volume_gib=20",
    ),
    (lambda: point_with(volume_gib=20.5), "received 20.5"),
    (lambda: point_with(volume_gib=True), "received True"),
    (lambda: point_with(root_device="xvda"), "received 'xvda', allowed the name the image gives its root volume"),
    (
        lambda: point_with(drain_before_end=Duration.seconds(9)),
        "ExecutionPoint drain_before_end: received '9 seconds', allowed whole seconds",
    ),
    (lambda: point_with(drain_before_end=Duration.seconds(3601)), "allowed whole seconds from 10s to 1h"),
    (lambda: point_with(idle_timeout=Duration.seconds(29)), "ExecutionPoint idle_timeout: received '29 seconds'"),
    (lambda: point_with(join_timeout=Duration.hours(3)), "ExecutionPoint join_timeout: received '3 hours'"),
    (lambda: point_with(shutdown_after_end=Duration.days(2)), "ExecutionPoint shutdown_after_end: received '2 days'"),
]


@pytest.mark.parametrize("make", GOOD_VALUES)
def test_values_at_the_edge_are_taken(make: Callable[[], object]) -> None:
    assert make()


@pytest.mark.parametrize(("make", "complaint"), BAD_VALUES)
def test_values_beyond_it_are_refused(make: Callable[[], object], complaint: str) -> None:
    with pytest.raises(ValueError, match=r"received .*, allowed .*; fix: ") as refused:
        make()
    assert complaint in str(refused.value)
