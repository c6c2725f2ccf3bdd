"""Images as templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from annex_spec import ImageSpec
from stacks import AnnexImageStack
from tests.synth.templates import Resources, only

BUILDER = "AWS::ImageBuilder::"

US_KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
EU_KEY = US_KEY.replace("us-east-1", "eu-west-1")
TOPIC = "arn:aws:sns:us-east-1:123456789012:images"
SMALLEST: dict[str, Any] = {"name": "base", "region": "us-east-1"}
EVERYTHING: dict[str, Any] = {
    **SMALLEST,
    "account": "123456789012",
    "parent": "ssm:/my/parent",
    "htcondor": "25.x",
    "components": ("pelican", "docker"),
    "script": "tools.sh",
    "test_script": "test.sh",
    "htcondor_mirror": "https://mirror.example.edu/htcondor",
    "package_mirror": "https://mirror.example.edu",
    "instance_types": ("c7g.large",),
    "volume_gib": 30,
    "root_device": "/dev/sda1",
    "regions": ("eu-west-1",),
    "accounts": ("210987654321",),
    "share_with": ("310987654321",),
    "volume_keys": (US_KEY, EU_KEY),
    "subnet": "subnet-0123456789abcdef0",
    "security_group": "sg-0123456789abcdef0",
    "schedule": "weekly",
    "build_unchanged": True,
    "keep": 5,
    "keep_launched": "30d",
    "results_topic": TOPIC,
    "tags": {"team": "physics"},
    "permissions_boundary": "arn:aws:iam::123456789012:policy/boundary",
    "role_path": "/htcondor/",
}
SCRIPT, TEST = "#!/bin/bash\necho tools\n", "test -x /bin/true\n"


def image_stack(app: App, spec: dict[str, Any], directory: Path = Path()) -> AnnexImageStack:
    return AnnexImageStack(app, image=ImageSpec.model_validate(spec), directory=directory)


def image_template(flags: dict[str, Any], spec: dict[str, Any], directory: Path = Path()) -> dict[str, Any]:
    return dict(Template.from_stack(image_stack(App(context=flags), spec, directory)).to_json())


def recipe(resources: Resources) -> dict[str, Any]:
    return only(resources, f"{BUILDER}ImageRecipe")


def with_scripts(directory: Path) -> Path:
    """A directory with the scripts of `EVERYTHING`."""
    (directory / "tools.sh").write_text(SCRIPT)
    (directory / "test.sh").write_text(TEST)
    return directory
