"""Parameters of the constructs have the ranges, forms and defaults of `annex_lease.terms`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from annex_constructs import Annex, AnnexBase, AnnexFleet, ExecutionPoint, LeaseTerms, Pool
from annex_lease import forms, rules, tags, terms
from annex_lease.forms import Form
from annex_lease.kinds import Number, Span
from tests.synth.templates import Resources, of_type, only

SECOND = timedelta(seconds=1)
LEASE = timedelta(hours=8)
EXECUTION_POINT_SPANS = [
    terms.DRAIN_BEFORE_END,
    terms.IDLE_TIMEOUT,
    terms.JOIN_TIMEOUT,
    terms.SHUTDOWN_AFTER_END,
]
LEASE_SPANS = [("duration", terms.LEASE), ("max_lifetime", terms.MAX_LIFETIME), ("grace", terms.GRACE)]
LEASE_SPANS += [("renew_while_busy", terms.RENEW_WHILE_BUSY), ("warn_before_end", terms.WARN_BEFORE_END)]
FLEET_NUMBERS = [
    ("max_size", terms.SIZE),
    ("on_demand_base", terms.ON_DEMAND_BASE),
    ("on_demand_percentage", terms.ON_DEMAND_PERCENTAGE),
]


def duration(value: timedelta) -> Duration:
    return Duration.seconds(terms.seconds(value))


def point_with(**changes: Any) -> ExecutionPoint:
    image = ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"})
    pool = Pool(collector=forms.COLLECTOR.example, trust_domain=forms.TRUST_DOMAIN.example)
    return ExecutionPoint(**{"pool": pool, "machine_image": image, **changes})


def lease_with(name: str, value: timedelta) -> LeaseTerms:
    """A lease in which no rule between two values refuses the bound of one."""
    if name == "duration":
        return LeaseTerms(duration=duration(value))
    if name == "max_lifetime":
        return LeaseTerms(duration=duration(min(value, LEASE)), max_lifetime=duration(value))
    ends: dict[str, Any] = {"ends_at": datetime(2030, 1, 1, tzinfo=UTC), "max_lifetime": Duration.days(366)}
    return LeaseTerms(**{**ends, name: duration(value)})


def refused(parameter: str) -> Any:
    return pytest.raises(ValueError, match=rf"{parameter}: received .*, allowed .*; fix: ")


@pytest.mark.parametrize(("name", "term"), LEASE_SPANS)
def test_a_time_of_a_lease_has_its_bounds(name: str, term: Span) -> None:
    for value in (term.minimum, term.maximum):
        assert lease_with(name, value)
    for value in (term.minimum - SECOND, term.maximum + SECOND):
        if value >= timedelta(0):
            with refused(f"LeaseTerms {name}"):
                lease_with(name, value) if name != "max_lifetime" else LeaseTerms(
                    ends_at=datetime(2030, 1, 1, tzinfo=UTC), max_lifetime=duration(value)
                )


def test_the_hours_of_a_lease_have_their_bounds() -> None:
    term = terms.MAX_INSTANCE_HOURS
    for value in (term.minimum, term.maximum):
        assert LeaseTerms(duration=Duration.hours(8), max_instance_hours=value)
    for value in (term.minimum - 1, term.maximum + 1):
        with refused("LeaseTerms max_instance_hours"):
            LeaseTerms(duration=Duration.hours(8), max_instance_hours=value)


@pytest.mark.parametrize("term", EXECUTION_POINT_SPANS, ids=lambda term: term.name)
def test_a_time_of_an_execution_point_has_its_bounds(term: Span) -> None:
    for value in (term.minimum, term.maximum):
        assert point_with(**{term.name: duration(value)})
    for value in (term.minimum - SECOND, term.maximum + SECOND):
        with refused(f"ExecutionPoint {term.name}"):
            point_with(**{term.name: duration(value)})


def test_the_volume_has_its_bounds() -> None:
    for value in (terms.VOLUME_GIB.minimum, terms.VOLUME_GIB.maximum):
        assert point_with(volume_gib=value)
    for value in (terms.VOLUME_GIB.minimum - 1, terms.VOLUME_GIB.maximum + 1):
        with refused("ExecutionPoint volume_gib"):
            point_with(volume_gib=value)


@pytest.mark.parametrize(("name", "term"), FLEET_NUMBERS)
def test_a_number_of_a_fleet_has_its_bounds(
    stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint, name: str, term: Number
) -> None:
    def fleet(construct_id: str, value: int) -> AnnexFleet:
        given: dict[str, Any] = {"max_size": terms.SIZE.maximum, name: value}
        types = [ec2.InstanceType("c6a.large")]
        return AnnexFleet(stack, construct_id, vpc=vpc, instance_types=types, execution_point=point, **given)

    for number, value in enumerate((term.minimum, term.maximum)):
        assert fleet(f"Good{number}", value)
    for number, value in enumerate((term.minimum - 1, term.maximum + 1)):
        with refused(f"AnnexFleet {name}"):
            fleet(f"Bad{number}", value)


def test_instance_types_have_their_bounds(stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint) -> None:
    term = terms.INSTANCE_TYPES

    def fleet(construct_id: str, count: int) -> AnnexFleet:
        types = [ec2.InstanceType(f"c{number}.large") for number in range(10, 10 + count)]
        return AnnexFleet(stack, construct_id, vpc=vpc, instance_types=types, execution_point=point, max_size=2)

    assert term.maximum is not None
    for number, count in enumerate((term.minimum, term.maximum)):
        assert fleet(f"Good{number}", count)
    for number, count in enumerate((term.minimum - 1, term.maximum + 1)):
        with refused("AnnexFleet instance_types"):
            fleet(f"Bad{number}", count)


def test_the_parameters_of_the_base_have_their_bounds(stack: Stack) -> None:
    removals, interval = terms.MAX_REMOVALS, terms.INTERVAL
    good: list[dict[str, Any]] = [{"max_removals": value} for value in (removals.minimum, removals.maximum)]
    good += [{"interval": duration(value)} for value in (interval.minimum, interval.maximum)]
    for number, given in enumerate(good):
        assert AnnexBase(stack, f"Good{number}", **given)
    bad: list[dict[str, Any]] = [{"max_removals": value} for value in (removals.minimum - 1, removals.maximum + 1)]
    minute = timedelta(minutes=1)
    bad += [{"interval": duration(value)} for value in (interval.minimum - minute, interval.maximum + minute)]
    for number, given in enumerate(bad):
        (name,) = given
        with refused(f"AnnexBase {name}"):
            AnnexBase(stack, f"Bad{number}", **given)


TEXTS: list[tuple[str, Form, Any]] = [
    ("Pool collector", forms.COLLECTOR, lambda text: Pool(collector=text, trust_domain="example.edu")),
    ("Pool trust_domain", forms.TRUST_DOMAIN, lambda text: Pool(collector="cm", trust_domain=text)),
    ("ExecutionPoint root_device", forms.ROOT_DEVICE, lambda text: point_with(root_device=text)),
]
LABEL = "a" * 63
SAMPLES = [
    "cm",
    "cm:1",
    "cm:0",
    "cm:65535",
    "cm:65536",
    "-cm",
    "a..b",
    f"{LABEL}a",
    "/dev/xvda",
    "/dev/sda1",
    "xvda",
    "",
]
SAMPLES += [f"{LABEL}.{LABEL}.{LABEL}.aa", f"{LABEL}.{LABEL}.{LABEL}.aaa", "example.edu", "a b", "a\n", ""]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize(("parameter", "form", "make"), TEXTS)
def test_a_text_has_the_form_of_the_term(parameter: str, form: Form, make: Any, sample: str) -> None:
    if form.matches(sample):
        assert make(sample)
    else:
        with refused(parameter):
            make(sample)


@pytest.mark.parametrize("name", ["a" * 32, "a" * 33, "a-b", "a--b", "1a", "A"])
def test_the_name_has_the_form_of_the_term(stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint, name: str) -> None:
    def fleet() -> AnnexFleet:
        types = [ec2.InstanceType("c6a.large")]
        return AnnexFleet(
            stack, "Fleet", vpc=vpc, instance_types=types, execution_point=point, max_size=2, annex_name=name
        )

    if forms.ANNEX_NAME.matches(name):
        assert fleet().annex_name == name
    else:
        with refused("AnnexFleet annex_name"):
            fleet()


@pytest.fixture(scope="module")
def defaults(flags: dict[str, Any]) -> Resources:
    """Resources of an annex with the parameters that are required, and no other."""
    stack = Stack(App(context=flags), "Other")
    Annex(
        stack,
        "Demo",
        execution_point=point_with(),
        instance_types=[ec2.InstanceType("c6a.large")],
        max_size=2,
        lease=LeaseTerms(duration=duration(LEASE)),
    )
    return dict(Template.from_stack(stack).to_json()["Resources"])


def test_the_defaults_of_a_lease(defaults: Resources) -> None:
    group = only(defaults, "AWS::AutoScaling::AutoScalingGroup")
    declared = {tag["Key"]: tag["Value"] for tag in group["Tags"]}
    assert declared[tags.TAG_GRACE] == str(terms.seconds(terms.GRACE.default_value))
    assert declared[tags.TAG_MAX_LIFETIME] == str(terms.seconds(rules.default_max_lifetime(LEASE)))
    warning = rules.default_warning(LEASE)
    assert warning is not None
    assert declared[tags.TAG_WARN_BEFORE_END] == str(terms.seconds(warning))
    optional = {tags.TAG_RENEW, tags.TAG_LIMIT}
    assert not optional & declared.keys()


def test_the_defaults_of_a_fleet(defaults: Resources) -> None:
    group = only(defaults, "AWS::AutoScaling::AutoScalingGroup")
    distribution = group["MixedInstancesPolicy"]["InstancesDistribution"]
    assert distribution["OnDemandBaseCapacity"] == terms.ON_DEMAND_BASE.default
    assert distribution["OnDemandPercentageAboveBaseCapacity"] == terms.ON_DEMAND_PERCENTAGE.default


def test_the_defaults_of_an_execution_point(defaults: Resources) -> None:
    data = only(defaults, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    (volume,) = data["BlockDeviceMappings"]
    assert volume["DeviceName"] == forms.ROOT_DEVICE.example
    assert volume["Ebs"]["VolumeSize"] == terms.VOLUME_GIB.default
    user_data = json.dumps(data["UserData"])
    for term in EXECUTION_POINT_SPANS:
        assert f"ANNEX_{term.name.upper()}={terms.seconds(term.default_value)}\\n" in user_data


def test_the_period_of_the_lease_checker(defaults: Resources) -> None:
    (schedule,) = of_type(defaults, "AWS::Scheduler::Schedule").values()
    assert timedelta(minutes=1) == terms.CHECK_PERIOD
    assert schedule["Properties"]["ScheduleExpression"] == "rate(1 minute)"


def test_the_defaults_of_the_base(stack: Stack) -> None:
    AnnexBase(stack, "Base")
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    minutes = terms.INTERVAL.default_value // timedelta(minutes=1)
    assert only(resources, "AWS::Scheduler::Schedule")["ScheduleExpression"] == f"rate({minutes} minutes)"
    environment = only(resources, "AWS::Lambda::Function")["Environment"]["Variables"]
    assert environment["SWEEP_MAX_REMOVALS"] == str(terms.MAX_REMOVALS.default)
