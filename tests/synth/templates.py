"""Annexes as CloudFormation templates, and how to look into them."""

from __future__ import annotations

import json
import runpy
from copy import deepcopy
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from annex_spec import AnnexSpec, PoolSpec
from stacks import AnnexStack

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/app.py"))
Resources = dict[str, dict[str, Any]]

OWN_NETWORK: dict[str, Any] = {
    "name": "demo",
    "region": "us-east-1",
    "image": "ami-0123456789abcdef0",
    "size": 2,
    "lease": "8h",
    "instance_types": ("c6a.large", "c6i.large"),
}
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
GIVEN_NETWORK = {
    **OWN_NETWORK,
    "alarm_topic": TOPIC,
    "vpc": "vpc-0123456789abcdef0",
    "subnets": ("subnet-0123456789abcdef0", "subnet-0fedcba9876543210"),
}
_FAMILIES = ("c5", "c5a", "c6a", "c6i", "m5", "m6a", "m6i", "r5", "r6a", "r6i")
_SIZES = ("large", "xlarge", "2xlarge", "4xlarge")
LARGE = {
    **OWN_NETWORK,
    "name": "a123456789b123456789c123456789d1",
    "account": "123456789012",
    "image": "ssm:/a/parameter",
    "size": 10_000,
    "grace": "2h",
    "instance_types": tuple(
        f"{family}.{size}" for family in _FAMILIES for size in ("large", "xlarge", "2xlarge", "4xlarge")
    ),
    "on_demand_base": 100,
    "on_demand_percentage": 20,
    "volume_gib": 100,
}
EVERYTHING = {
    **OWN_NETWORK,
    "renew_while_busy": "1h",
    "max_instance_hours": 100,
    "price_per_hour": 0.085,
    "warn_before_end": "30m",
    "alarm_email": "admin@example.edu",
    "image": "debian-13",
    "htcondor": "25.x",
    "htcondor_mirror": "https://mirror.example.edu/htcondor",
    "package_mirror": "http://mirror.example.edu",
}
SPECS = {"own network": OWN_NETWORK, "given network": GIVEN_NETWORK, "large": LARGE, "everything": EVERYTHING}

_TEMPLATES: dict[str, dict[str, Any]] = {}

TAGGABLE = {
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::CloudWatch::Alarm",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
}


def feature_flags() -> dict[str, Any]:
    """The feature flags of the repository's app."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


def annex_stack(app: App, spec: dict[str, Any]) -> AnnexStack:
    pool = PoolSpec(collector="cm.example.edu", trust_domain="example.edu")
    return AnnexStack(app, pool=pool, annex=AnnexSpec.model_validate(spec))


def template_of(flags: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """The template of an annex, synthesised once for each spec: a copy, which the caller may change."""
    key = repr((sorted(flags.items()), sorted(spec.items())))
    if key not in _TEMPLATES:
        _TEMPLATES[key] = dict(Template.from_stack(annex_stack(App(context=flags), spec)).to_json())
    return deepcopy(_TEMPLATES[key])


def example_template(example: Path) -> dict[str, Any]:
    """The template of the one stack of an example, as its reader would make it."""
    app = runpy.run_path(str(example / "app.py"))["app"]
    assert isinstance(app, App)
    (stack,) = app.synth().stacks
    assert not stack.messages
    return dict(stack.template)


def of_type(resources: Resources, kind: str) -> Resources:
    return {name: each for name, each in resources.items() if each["Type"] == kind}


def named(resources: Resources, kind: str, part: str) -> str:
    """The logical id of the one resource of its type whose id holds a part."""
    (name,) = (each for each in of_type(resources, kind) if part in each)
    return name


def checker(resources: Resources) -> dict[str, Any]:
    """The properties of the lease checker's function; the other function is its responder."""
    return dict(resources[named(resources, "AWS::Lambda::Function", "LeaseCheckerFunction")]["Properties"])


def only(resources: Resources, kind: str) -> dict[str, Any]:
    """The properties of the one resource of its type."""
    ((_, resource),) = of_type(resources, kind).items()
    return dict(resource["Properties"])


def reads_its_archive(resources: Resources) -> dict[str, Any]:
    """The statement that lets the one fleet read the object that its user data names, and no other one."""
    given = only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"]["Fn::Base64"]
    parts = [given] if isinstance(given, str) else given["Fn::Join"][1]
    # References between zero bytes: the bucket is one, unless account and Region are known.
    text = "".join(part if isinstance(part, str) else f"\0{json.dumps(part)}\0" for part in parts)
    name, *others = f"arn:aws:s3:::{text.partition('ANNEX_ARCHIVE=')[2]}".partition("\n")[0].split("\0")
    arn: object = name
    if others:
        arn = {"Fn::Join": ["", [name, json.loads(others[0]), others[1]]]}
    return {"Sid": "ReadBootArchive", "Effect": "Allow", "Action": "s3:GetObject", "Resource": arn}
