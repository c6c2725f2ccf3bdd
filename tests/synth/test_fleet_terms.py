"""Declared values of a fleet: its constructs have the defaults, ranges, forms and words of `annex_lease`, no others."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_ec2 as ec2

from annex_constructs import AnnexFleet, ExecutionPoint, Pool
from annex_constructs.errors import duration_code, invalid_value
from annex_lease import forms, terms
from annex_lease.duration import format_duration
from annex_lease.forms import Form
from annex_lease.terms import Number, Span, seconds
from tests.synth.templates import OWN_NETWORK, Resources, only, template_of

POOL = {"collector": "cm.example.edu", "trust_domain": "example.edu"}
FLEET_NUMBERS = [
    ("max_size", terms.SIZE),
    ("on_demand_base", terms.ON_DEMAND_BASE),
    ("on_demand_percentage", terms.ON_DEMAND_PERCENTAGE),
]


def point_with(**changes: Any) -> ExecutionPoint:
    image = ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"})
    return ExecutionPoint(**{"pool": Pool(**POOL), "machine_image": image, **changes})


def fleet_with(stack: Stack, vpc: ec2.IVpc, **changes: Any) -> AnnexFleet:
    types = [ec2.InstanceType("c6a.large")]
    size = terms.SIZE.maximum
    given = {"vpc": vpc, "instance_types": types, "max_size": size, "execution_point": point_with(), **changes}
    return AnnexFleet(stack, f"Fleet{len(stack.node.children)}", **given)


def documented(construct: type, parameter: str) -> str:
    """Text of the docstring about a parameter."""
    found = re.search(rf":param {parameter}: (.*?)(?=\n\s*:|\Z)", inspect.getdoc(construct) or "", re.S)
    assert found, f"{construct.__name__} does not describe {parameter}"
    return " ".join(found[1].split())


def refused(parameter: str, value: object, allowed: str) -> str:
    """The start of the error."""
    return str(invalid_value(parameter, received=value, allowed=allowed, fix="")).removesuffix("; fix: ")


def test_a_bare_point_has_the_defaults() -> None:
    point = point_with()
    assert point.times == {span.name: seconds(span.default_value) for span in terms.EXECUTION_POINT_TIMES}
    assert all(point.times.values())
    assert point.volume_gib == terms.VOLUME_GIB.default
    assert point.image_root_device == forms.ROOT_DEVICE.example
    assert point.drain_before_end_seconds == seconds(terms.DRAIN_BEFORE_END.default_value)


def test_a_bare_fleet_has_the_defaults(stack: Stack, vpc: ec2.IVpc) -> None:
    parameters = inspect.signature(AnnexFleet.__init__).parameters
    for name, term in FLEET_NUMBERS[1:]:
        assert parameters[name].default == term.default


@pytest.mark.parametrize("span", terms.EXECUTION_POINT_TIMES, ids=lambda span: span.name)
def test_the_range_of_a_time(span: Span) -> None:
    low, high = seconds(span.minimum), seconds(span.maximum)
    for value in (low, high):
        assert point_with(**{span.name: Duration.seconds(value)}).times[span.name] == value
    shortest, longest = format_duration(span.minimum), format_duration(span.maximum)
    for value in (low - 1, high + 1):
        given = Duration.seconds(value)
        allowed = f"whole seconds from {shortest} to {longest}, known when the app is synthesised"
        error = refused(f"ExecutionPoint {span.name}", given.to_human_string(), allowed)
        with pytest.raises(ValueError, match=f"^{re.escape(error)}; fix: pass {span.name}=Duration"):
            point_with(**{span.name: given})
    text = documented(ExecutionPoint, span.name)
    assert text.endswith(f"; {shortest} to {longest}. Default: {format_duration(span.default_value)}.")


def test_the_range_of_the_volume() -> None:
    term = terms.VOLUME_GIB
    for size in (term.minimum, term.maximum):
        assert point_with(volume_gib=size).volume_gib == size
    for size in (term.minimum - 1, term.maximum + 1):
        with pytest.raises(ValueError, match=re.escape(refused("ExecutionPoint volume_gib", size, term.allowed))):
            point_with(volume_gib=size)
    text = documented(ExecutionPoint, "volume_gib")
    assert f"{term.minimum} to {term.maximum} GiB" in text
    assert text.endswith(f"Default: {term.default}.")


@pytest.mark.parametrize(("name", "term"), FLEET_NUMBERS)
def test_the_range_of_a_number_of_the_fleet(stack: Stack, vpc: ec2.IVpc, name: str, term: Number) -> None:
    for number in (term.minimum, term.maximum):
        assert fleet_with(stack, vpc, **{name: number})
    words = f"a whole number{f' of {term.unit}' if term.unit else ''} from {term.minimum} to {term.maximum}"
    for number in (term.minimum - 1, term.maximum + 1):
        with pytest.raises(ValueError, match=f"^{re.escape(refused(f'AnnexFleet {name}', number, words))}; fix: "):
            fleet_with(stack, vpc, **{name: number})
    text = documented(AnnexFleet, name)
    assert f"{term.minimum} to {term.maximum}" in text if term.default is None else f"Default: {term.default}" in text


def test_a_type_that_only_cloudformation_knows_has_no_architecture(stack: Stack, vpc: ec2.IVpc) -> None:
    unknown = ec2.InstanceType(CfnParameter(stack, "Type").value_as_string)
    for known in ("c6a.large", "c7g.large"):
        assert fleet_with(stack, vpc, instance_types=[ec2.InstanceType(known), unknown])


def test_the_number_of_instance_types(stack: Stack, vpc: ec2.IVpc) -> None:
    term = terms.INSTANCE_TYPES
    assert term.maximum is not None
    types = [ec2.InstanceType(f"m{number}a.large") for number in range(term.maximum + 1)]
    for count in (term.minimum, term.maximum):
        assert fleet_with(stack, vpc, instance_types=types[:count])
    for count in (term.minimum - 1, term.maximum + 1):
        with pytest.raises(ValueError, match=rf"AnnexFleet instance_types: .*, allowed {term.allowed}; fix: "):
            fleet_with(stack, vpc, instance_types=types[:count])
    assert f"{term.minimum} to {term.maximum}" in documented(AnnexFleet, "instance_types")


LABEL = "a" * 63
TEXTS: list[tuple[str, Form, tuple[str, str]]] = [
    ("collector", forms.COLLECTOR, ("cm.example.edu:65535", "cm.example.edu:65536")),
    ("trust_domain", forms.TRUST_DOMAIN, ("a" * forms.MAX_HOST_LENGTH, "a" * (forms.MAX_HOST_LENGTH + 1))),
]


@pytest.mark.parametrize(("name", "form", "border"), TEXTS)
def test_the_form_of_a_text_of_the_pool(name: str, form: Form, border: tuple[str, str]) -> None:
    inside, beyond = border
    assert form.matches(inside)
    assert not form.matches(beyond)
    assert Pool(**{**POOL, name: inside})
    with pytest.raises(ValueError, match=re.escape(refused(f"Pool {name}", beyond, form.allowed))):
        Pool(**{**POOL, name: beyond})


def test_a_host_without_a_port_is_not_longer_than_a_dns_name() -> None:
    host = ".".join([LABEL] * 4)  # 255 characters
    with pytest.raises(ValueError, match="Pool collector"):
        Pool(collector=host, trust_domain="example.edu")
    assert Pool(collector=host[2:], trust_domain="example.edu").address == f"{host[2:]}:{forms.DEFAULT_PORT}"


def test_the_port_of_a_collector() -> None:
    assert Pool(**POOL).address == f"cm.example.edu:{forms.DEFAULT_PORT}"
    assert str(forms.DEFAULT_PORT) in documented(Pool, "collector")


@pytest.mark.parametrize(("device", "form"), [("/dev/xvda", True), ("/dev/sda1", True), ("/dev/nvme0n1", False)])
def test_the_form_of_a_root_device(device: str, form: bool) -> None:
    assert forms.ROOT_DEVICE.matches(device) is form
    if form:
        assert point_with(root_device=device)
    else:
        error = refused("ExecutionPoint root_device", device, forms.ROOT_DEVICE.allowed)
        with pytest.raises(ValueError, match=re.escape(error)):
            point_with(root_device=device)
    assert f"`{forms.ROOT_DEVICE.example}` with any other image" in documented(ExecutionPoint, "root_device")


def test_the_form_of_a_name(stack: Stack, vpc: ec2.IVpc) -> None:
    longest = "a" * (forms.ANNEX_NAME.max_length or 0)
    assert fleet_with(stack, vpc, annex_name=longest).annex_name == longest
    with pytest.raises(ValueError, match=re.escape(refused("AnnexFleet annex_name", "a_b", forms.ANNEX_NAME.allowed))):
        fleet_with(stack, vpc, annex_name="a_b")


def test_the_instance_gets_what_the_point_says(own_network: Resources) -> None:
    data = only(own_network, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Join"][1]
    lines = [line.strip() for line in str(data[-1]).splitlines()]
    for span in terms.EXECUTION_POINT_TIMES:
        assert f"ANNEX_{span.name.upper()}={seconds(span.default_value)}" in lines


def test_the_instance_gets_what_the_spec_says(flags: dict[str, Any]) -> None:
    keys = [span for span in terms.EXECUTION_POINT_TIMES if span in terms.ANNEX_KEYS]
    spec = {span.name: format_duration(span.minimum) for span in keys}
    resources = template_of(flags, {**OWN_NETWORK, **spec})["Resources"]
    data = only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Join"][1]
    lines = [line.strip() for line in str(data[-1]).splitlines()]
    assert len(keys) >= 3
    for span in keys:
        assert f"ANNEX_{span.name.upper()}={seconds(span.minimum)}" in lines


@pytest.mark.parametrize(
    ("span", "code"),
    [
        (timedelta(days=7), "Duration.days(7)"),
        (timedelta(hours=8), "Duration.hours(8)"),
        (timedelta(minutes=90), "Duration.minutes(90)"),
        (timedelta(seconds=90), "Duration.seconds(90)"),
        (timedelta(0), "Duration.seconds(0)"),
    ],
)
def test_a_fix_is_code(span: timedelta, code: str) -> None:
    assert duration_code(span) == code
    assert eval(code, {"Duration": Duration}).to_seconds() == span.total_seconds()  # noqa: S307 - our own code
