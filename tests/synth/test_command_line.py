"""The app as its user runs it: the CDK's command line, an empty home, no AWS variables."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from annex_constructs.function_code import import_closure
from tests.synth.templates import EXAMPLES, ROOT, of_type

SPEC = """\
[pool]
collector = "cm.example.edu"
trust_domain = "example.edu"

[annex.demo]
region = "us-east-1"
image = "ami-0123456789abcdef0"
size = 2
lease = "8h"
instance_types = ["c6a.large"]

[annex.muon]
region = "eu-central-1"
account = "123456789012"
image = "ssm:/a/parameter"
size = 20
lease_ends_at = 2030-06-01T08:00:00Z
max_lifetime = "30d"
instance_types = ["c6a.large"]
vpc = "vpc-0123456789abcdef0"
subnets = ["subnet-0123456789abcdef0"]

[annex.tau]
region = "eu-west-1"
account = "123456789012"
image = "ami-0123456789abcdef0"
size = 1
lease = "1h"
instance_types = ["c7g.large"]
vpc = "shared"
"""


# About the run and not for the deployment: times, and stack traces with the temporary directory of the CDK's Node.
OF_THE_RUN = ("performance-counters.json", "validation-report.json", ".metadata.json")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all runs, with nothing of the user's."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("spec") / "some.toml"
    file.write_text(SPEC)
    return file


@pytest.fixture(scope="module")
def listed(home: Path, spec: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    """`cdk ls`, which synthesises everything, and where it did."""
    out = home / "listed"
    return run(home, "cdk", "ls", "-c", f"annexes={spec}", "-o", str(out)), out


def run(home: Path, *command: str, cwd: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    # What jsii unpacks, by content, is in this process's own cache already: to unpack it takes longer than a synthesis.
    unpacked = str(Path.home() / ".cache/aws/jsii/package-cache")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "JSII_RUNTIME_PACKAGE_CACHE_ROOT": unpacked, **more}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def files(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


def test_the_command_line_is_the_pinned_one() -> None:
    assert Path(str(shutil.which("cdk"))).parent == Path(sys.executable).parent


def test_ls_names_every_annex_and_warns_of_nothing(listed: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, _ = listed
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["AnnexNetwork-eu-west-1", "Annex-demo", "Annex-muon", "Annex-tau"]
    assert not (ROOT / "cdk.context.json").exists()  # nothing was looked up


def test_two_syntheses_agree_to_the_byte(
    home: Path, spec: Path, listed: tuple[subprocess.CompletedProcess[str], Path]
) -> None:
    out = home / "synthesised"
    done = run(home, "cdk", "synth", "Annex-demo", "--quiet", "-c", f"annexes={spec}", "-o", str(out))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    one, other = ({k: v for k, v in files(each).items() if not k.endswith(OF_THE_RUN)} for each in (listed[1], out))
    assert sorted(one) == sorted(other)
    assert [name for name in one if one[name] != other[name]] == []
    assert len([name for name in one if name.endswith(".template.json")]) == 4


def test_the_checker_is_deployed_as_sources_and_nothing_else(
    listed: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    (asset,) = (path for path in listed[1].glob("asset.*") if path.is_dir())
    assert sorted(Path(name) for name in files(asset)) == list(import_closure("annex_lease.handler", ROOT))


def test_a_bad_spec_is_one_clear_error(home: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(SPEC.replace('lease = "8h"', 'lease = "8"'))
    out = tmp_path / "out"
    context = f'{{"annexes": "{wrong}"}}'
    done = run(home, sys.executable, "app.py", CDK_CONTEXT_JSON=context, CDK_OUTDIR=str(out))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {wrong}: 1 problem\n  [annex.demo] lease\n    received: ")
    assert "Traceback" not in done.stderr
    assert files(out) == {}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_that_is_copied_is_an_app_without_open_flags(home: Path, tmp_path: Path, example: Path) -> None:
    shutil.copytree(example, tmp_path / "own")
    done = run(home, "cdk", "synth", "-q", cwd=tmp_path / "own", PYTHONPATH=str(ROOT))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "feature flags" not in done.stderr, "the CLI counts the flags that an app leaves open"
    (template,) = (tmp_path / "own/cdk.out").glob("*.template.json")
    # The flag @aws-cdk/aws-iam:minimizePolicies: statements that differ in their actions only are one.
    policies = of_type(json.loads(template.read_text())["Resources"], "AWS::IAM::Policy").values()
    for statements in (each["Properties"]["PolicyDocument"]["Statement"] for each in policies):
        others = [json.dumps({**each, "Action": None}, sort_keys=True) for each in statements]
        assert len(others) == len(set(others))
