"""cdk-nag 2, which apps still use and which cannot be installed beside the 3 of the other tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The last release of version 2 when this was written; its form of suppressions is that of every 2.x since 2.12.
CDK_NAG = "cdk-nag==2.38.2"
APP = """\
import cdk_nag
from aws_cdk import App, Aspects, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from annex_constructs import Annex, AnnexBase, ExecutionPoint, LeaseTerms, Pool
assert cdk_nag.__file__.startswith({installed!r}), cdk_nag.__file__
app = App(outdir={outdir!r})
stack = Stack(app, "Physics", env=Environment(region="us-east-1"))
pool = Pool(collector="cm.example.edu", trust_domain="example.edu")
image = ec2.MachineImage.generic_linux({{"us-east-1": "ami-0123456789abcdef0"}})
annex = Annex(stack, "Muon", execution_point=ExecutionPoint(pool=pool, machine_image=image), max_size=20,
    instance_types=[ec2.InstanceType("c6a.large")],
    lease=LeaseTerms(duration=Duration.hours(8), renew_while_busy=Duration.hours(1)))
AnnexBase(Stack(app, "Base", env=Environment(region="us-east-1")), "Base")
{more}
Aspects.of(app).add(cdk_nag.AwsSolutionsChecks())
print([message.entry.data for each in app.synth().stacks for message in each.messages])
"""
MORE = """\
from aws_cdk import CfnResource
annex.connections.allow_from_any_ipv4(ec2.Port.tcp(22))
for each in app.node.find_all():
    if isinstance(each, CfnResource) and each.get_metadata("cdk_nag"):
        each.add_metadata("cdk_nag", {"rules_to_suppress": []})
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cdk-nag 2 alone; everything that it imports is here already."""
    folder = tmp_path_factory.mktemp("cdk-nag")
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), CDK_NAG]
    subprocess.run(words, check=True, capture_output=True, text=True)
    return folder


def checked(installed: Path, tmp_path: Path, more: str) -> subprocess.CompletedProcess[str]:
    app = tmp_path / "app.py"
    app.write_text(APP.format(installed=str(installed), outdir=str(tmp_path / "out"), more=more))
    env = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"}
    return subprocess.run(
        [sys.executable, "-P", str(app)], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )


def test_cdk_nag_2_finds_nothing(installed: Path, tmp_path: Path) -> None:
    done = checked(installed, tmp_path, "")
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_cdk_nag_2_would_find_an_open_port_and_what_is_not_acknowledged(installed: Path, tmp_path: Path) -> None:
    done = checked(installed, tmp_path, MORE)
    for rule in ("EC23", "SMG4", "AS3", "EC26", "L1", "VPC7", "IAM5[Resource::*]"):
        assert f"AwsSolutions-{rule}" in done.stdout, done.stderr
