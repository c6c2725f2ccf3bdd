"""The wheel alone, without this checkout: what a developer of another CDK app installs."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = """\
import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from annex_constructs import Annex, ExecutionPoint, LeaseTerms, Pool
import annex_constructs
assert annex_constructs.__file__.startswith({installed!r}), annex_constructs.__file__
app = cdk.App(outdir={outdir!r})
stack = cdk.Stack(app, "Physics", env=cdk.Environment(region="us-east-1"))
{five_lines}
app.synth()
"""
FIVE_LINES = """\
pool = Pool(collector="cm.example.edu", trust_domain="example.edu")
point = ExecutionPoint(pool=pool, machine_image=ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"}))
Annex(stack, "Muon", annex_name="muon", execution_point=point, max_size=20,
      instance_types=[ec2.InstanceType("c6a.large")], lease=LeaseTerms(duration=cdk.Duration.hours(8)))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    # Through the source distribution: a wheel straight from the tree would also take what an older build left there.
    words = [sys.executable, "-m", "build", "--outdir", str(out), str(ROOT)]
    subprocess.run(words, check=True, capture_output=True, text=True)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_four_packages_and_the_boot_files(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"annex_spec", "annex_lease", "annex_constructs", "annex_pool"}
    tracked = subprocess.run(["git", "ls-files", "annex_spec", "annex_lease", "annex_constructs", "annex_pool"],
                             cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()  # fmt: skip
    assert sorted(n for n in names if ".dist-info" not in n) == sorted(tracked)


def test_five_lines_in_another_app_give_an_annex(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    app = tmp_path / "app.py"
    app.write_text(APP.format(installed=str(installed), outdir=str(tmp_path / "out"), five_lines=FIVE_LINES))
    unpacked = str(Path.home() / ".cache/aws/jsii/package-cache")  # by content; it takes longer than the synthesis
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(installed),
           "JSII_RUNTIME_PACKAGE_CACHE_ROOT": unpacked}  # fmt: skip
    done = subprocess.run([sys.executable, "-P", str(app)], cwd=tmp_path, env=env, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    template = (tmp_path / "out" / "Physics.template.json").read_text()
    assert '"AWS::AutoScaling::AutoScalingGroup"' in template
