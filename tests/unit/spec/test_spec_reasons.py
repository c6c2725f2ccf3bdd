"""Values of the right form that cannot work, or that have a reason of their own: each is said with its fix."""

from __future__ import annotations

import pytest

from annex_spec import SpecError
from annex_spec.problem import Problem
from tests.unit.aws_names import instance_type_names
from tests.unit.spec.spec_texts import ANNEX, POOL, Read, ReadAnnex

KEY = "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
DEBIAN = "/aws/service/debian/release/13/latest"


def problem_of(read_annex: ReadAnnex, **keys: str) -> Problem:
    with pytest.raises(SpecError) as caught:
        read_annex(**keys)
    (problem,) = caught.value.problems
    assert problem.table == "[annex.demo]"
    return problem


@pytest.mark.parametrize(
    ("region", "meant"), [("us-esat-1", "us-east-1"), ("ue-west-1", "eu-west-1"), ("US-EAST-1", "us-east-1")]
)
def test_a_misspelt_region(read_annex: ReadAnnex, region: str, meant: str) -> None:
    problem = problem_of(read_annex, region=f'"{region}"')
    assert (problem.key, problem.received) == ("region", f'"{region}"')
    assert (problem.allowed, problem.fix) == ("an AWS Region's code", f'did you mean "{meant}"?')


@pytest.mark.parametrize(
    ("image", "allowed"),
    [
        ("ssm:annex-image:stable", "a version number after the name: CloudFormation reads no parameter by a label"),
        ("ssm:/images/annex:v2", "a version number after the name"),
        ("ssm:/images/annex:", "a version number after the name"),
        ("ssm:/aws/reference/secretsmanager/image", "a parameter of the type String"),
        ("ssm-secure:image:1", "a parameter of the type String"),
        ("ssm:awsimage", 'a parameter whose name does not begin with "aws" or "ssm"'),
        ("ssm:/AWS/image", 'a parameter whose name does not begin with "aws" or "ssm"'),
        ("ssm:/ssm/image", 'a parameter whose name does not begin with "aws" or "ssm"'),
        ("ssm:/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base", "a Linux image"),
        ("ssm:/aws/service/ec2-macos/sonoma/arm64_mac/latest/image_id", "a Linux image"),
        ("ssm:/images/windows-2022", "a Linux image"),
        ("ssm:/aws/service/freebsd/amd64/base/ufs/14.1/RELEASE", "a Linux image"),
        ("ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended", "a parameter with the image's id alone"),
        ("ssm:/aws/service/eks/optimized-ami/1.31/a/recommended:3", "a parameter with the image's id alone"),
        ("ssm:arn:aws:ssm:us-east-1:123456789012:parameter/image:3", "the ARN of a shared parameter without a version"),
        (
            "ssm:arn:aws:ssm:eu-west-1:123456789012:parameter/image",
            "a parameter in the Region of the instances, us-east",
        ),
        (f"ssm:{DEBIAN}/arm64", "an image for x86_64, the architecture of the instance types"),
    ],
)
def test_an_image_that_cannot_be_used(read_annex: ReadAnnex, image: str, allowed: str) -> None:
    problem = problem_of(read_annex, image=f'"{image}"')
    assert (problem.key, problem.received) == ("image", f'"{image}"')
    assert problem.allowed.startswith(allowed)
    assert problem.fix


SHARED = "arn:aws:ssm:us-east-1:123456789012:parameter/images/annex"


@pytest.mark.parametrize(
    ("image", "fix"),
    [
        ("/images/annex", "ssm:/images/annex"),
        ("resolve:ssm:/images/annex", "ssm:/images/annex"),
        ("{{resolve:ssm:/images/annex:3}}", "ssm:/images/annex:3"),
        (SHARED, f"ssm:{SHARED}"),
        ("resolve:ssm:annex-image", None),
        ("/images annex", None),
    ],
)
def test_a_parameter_as_others_write_it(read_annex: ReadAnnex, image: str, fix: str | None) -> None:
    problem = problem_of(read_annex, image=f'"{image}"')
    assert problem.fix == f'image = "{fix or "debian-13"}"'
    assert fix is None or read_annex(image=f'"{fix}"')


def test_the_image_below_a_parameter_that_holds_an_object(read_annex: ReadAnnex) -> None:
    assert read_annex(image='"ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"')
    assert read_annex(image='"ssm:/images/recommended"')


def test_a_public_image_of_the_architecture_of_the_types(read_annex: ReadAnnex) -> None:
    for architecture, types in (("amd64", '["c6a.large"]'), ("arm64", '["c6g.large"]')):
        assert read_annex(image=f'"ssm:{DEBIAN}/{architecture}"', instance_types=types)
        # A name that holds both says nothing.
        assert read_annex(image=f'"ssm:{DEBIAN}/amd64-and-arm64"', instance_types=types)
    # A name of one's own is no promise.
    assert read_annex(image='"ssm:/images/arm64-and-amd64"')
    assert read_annex(image='"ssm:/images/arm64"')


@pytest.mark.parametrize(
    ("types", "reason"),
    [
        ('["t2.micro"]', "not built on the Nitro System"),
        ('["c6a.large", "m4.large"]', "not built on the Nitro System"),
        ('["p3.2xlarge"]', "not built on the Nitro System"),
        ('["mac2.metal"]', "runs macOS only"),
        ('["mac-m4.metal"]', "runs macOS only"),
        ('["c6a.large", "c6g.large"]', "types of one processor architecture"),
        ('["p6e-gb200.36xlarge", "p6-b200.48xlarge"]', "types of one processor architecture"),
    ],
)
def test_types_on_which_no_annex_works(read_annex: ReadAnnex, types: str, reason: str) -> None:
    problem = problem_of(read_annex, instance_types=types)
    assert problem.key == "instance_types"
    assert reason in problem.allowed
    assert problem.fix


def test_every_type_of_ec2_is_accepted_or_refused_with_a_reason(read_annex: ReadAnnex) -> None:
    accepted = 0
    for name in instance_type_names():
        try:
            assert read_annex(instance_types=f'["{name}"]').annexes["demo"].instance_types == (name,)
            accepted += 1
        except SpecError as error:
            (problem,) = error.problems
            assert "Nitro" in problem.allowed or "macOS" in problem.allowed, name
    assert accepted > 1250


@pytest.mark.parametrize("name", ["volume_key", "credential_key"])
def test_a_key_of_another_region(read_annex: ReadAnnex, name: str) -> None:
    problem = problem_of(read_annex, **{name: f'"{KEY}"'})
    assert (problem.key, problem.allowed) == (name, "a key in the annex's Region, us-east-1")
    assert getattr(read_annex(**{name: f'"{KEY}"', "region": '"eu-west-1"'}).annexes["demo"], name) == KEY


@pytest.mark.parametrize(
    ("name", "arn"),
    [
        ("permissions_boundary", "arn:aws{}:iam::123456789012:policy/boundary"),
        ("permissions_boundary", "arn:aws{}:iam::aws:policy/PowerUserAccess"),
        ("alarm_topic", "arn:aws{}:sns:us-gov-west-1:123456789012:alarms"),
        ("volume_key", "arn:aws{}:kms:us-gov-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"),
        ("credential_key", "arn:aws{}:kms:us-gov-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"),
    ],
)
def test_a_resource_of_another_partition(read_annex: ReadAnnex, name: str, arn: str) -> None:
    problem = problem_of(read_annex, region='"us-gov-west-1"', **{name: f'"{arn.format("")}"'})
    assert (problem.key, problem.received) == (name, f'"{arn.format("")}"')
    assert problem.allowed.startswith("an ARN that begins with arn:aws-us-gov:")
    assert read_annex(region='"us-gov-west-1"', **{name: f'"{arn.format("-us-gov")}"'})


def test_a_boundary_of_another_account(read_annex: ReadAnnex) -> None:
    boundary = '"arn:aws:iam::123456789012:policy/boundary"'
    problem = problem_of(read_annex, account='"999999999999"', permissions_boundary=boundary)
    assert (problem.key, problem.allowed) == ("permissions_boundary", "a policy of the annex's account, 999999999999")
    for account in ("123456789012", None):
        assert read_annex(account=account and f'"{account}"', permissions_boundary=boundary)
    assert read_annex(account='"999999999999"', permissions_boundary='"arn:aws:iam::aws:policy/PowerUserAccess"')


def test_an_item_that_is_wrong_is_shown_before_its_list(read_annex: ReadAnnex) -> None:
    types = [f"c{number}.large" for number in range(1, 30)]
    problem = problem_of(read_annex, instance_types=str([*types, "c6a.larg", "c6a.0xlarge", *types[:5]]))
    assert problem.received.startswith('"c6a.larg", "c6a.0xlarge", in ["c1.large", "c2.large"')
    tags = problem_of(read_annex, tags='{ team = "physics", centre = 4711, since = 2030-01-01 }')
    assert tags.received.startswith("centre = 4711, since = 2030-01-01, in {")
    assert problem_of(read_annex, instance_types='["c6a"]').received == '["c6a"]'


@pytest.mark.parametrize("collector", ["127.0.0.1", "localhost:9620", "cm, [::1]"])
def test_a_collector_that_every_instance_would_find_on_itself(read: Read, collector: str) -> None:
    file = "\n".join(
        [POOL.replace("cm.example.edu", collector), "[annex.demo]", *(f"{k} = {v}" for k, v in ANNEX.items())]
    )
    with pytest.raises(SpecError) as caught:
        read(file)
    (problem,) = caught.value.problems
    assert (problem.table, problem.key) == ("[pool]", "collector")
    assert problem.allowed.startswith("addresses at which instances reach the central manager")
    assert problem.fix == 'write the central manager\'s name, such as "cm.example.edu"'
