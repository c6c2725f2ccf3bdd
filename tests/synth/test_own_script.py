"""The own script of an annex: it is in the boot archive, with a stock image and with any other one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Fn
from aws_cdk import aws_ec2 as ec2

from annex_boot.archive import boot_archive
from annex_constructs import ExecutionPoint, ImageContent, Pool, StockImage
from annex_lease.built_forms import MAX_SCRIPT_BYTES
from annex_lease.installation_rules import bare_image
from annex_spec import load
from stacks import AnnexStack
from tests.synth.templates import feature_flags
from tests.synth.test_fleet_terms import POOL
from tests.unit.spec.spec_texts import ANNEX
from tests.unit.spec.spec_texts import POOL as POOL_TABLE

SCRIPT = "#!/bin/bash\n# what jobs need\necho ü\n"


def synthesised(tmp_path: Path, **keys: str) -> tuple[dict[str, Any], list[bytes]]:
    """The resources of an annex of a spec file with a script, and the archives among its assets."""
    directory, out = tmp_path / "spec", tmp_path / "out"
    directory.mkdir()
    (directory / "tools.sh").write_text(SCRIPT)
    lines = [f"{key} = {value}" for key, value in {**ANNEX, **keys}.items()]
    (directory / "annexes.toml").write_text("\n".join([POOL_TABLE, "[annex.demo]", *lines]))
    spec = load(directory / "annexes.toml")
    app = App(outdir=str(out), context=feature_flags())
    AnnexStack(app, pool=spec.pool, annex=spec.annexes["demo"], directory=directory)
    app.synth()
    resources: dict[str, Any] = json.loads((out / "Annex-demo.template.json").read_text())["Resources"]
    return resources, [path.read_bytes() for path in sorted(out.glob("asset.*.gz"))]


def launch_text(resources: dict[str, Any]) -> str:
    (template,) = (each for each in resources.values() if each["Type"] == "AWS::EC2::LaunchTemplate")
    return json.dumps(template["Properties"]["LaunchTemplateData"]["UserData"])


@pytest.mark.parametrize(
    ("keys", "series"),
    [
        ({"image": '"debian-13"', "components": '["docker"]'}, "25.0"),
        ({}, "image"),
        ({"htcondor": '"25.x"'}, "25.x"),
    ],
)
def test_an_instance_fetches_it_and_verifies_it(tmp_path: Path, keys: dict[str, str], series: str) -> None:
    resources, archives = synthesised(tmp_path, script='"tools.sh"', **keys)
    components = ["docker"] if "components" in keys else []
    (archive,) = archives
    assert archive == boot_archive(components, SCRIPT)
    text = launch_text(resources)
    assert f"ANNEX_HTCONDOR={series}\\n" in text
    assert f"ANNEX_ARCHIVE_DIGEST={hashlib.sha256(archive).hexdigest()}\\n" in text
    policies = [each for each in resources.values() if each["Type"] == "AWS::IAM::Policy"]
    assert sum("ReadBootArchive" in json.dumps(each) for each in policies) == 1


def test_without_one_an_image_stays_as_it_is(tmp_path: Path) -> None:
    resources, archives = synthesised(tmp_path)
    assert archives == [boot_archive()]
    assert "ANNEX_HTCONDOR=image\\n" in launch_text(resources)


def test_a_script_that_has_gone_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "annexes.toml"
    file.write_text("\n".join([POOL_TABLE, "[annex.demo]", *(f"{key} = {value}" for key, value in ANNEX.items())]))
    spec = load(file)
    annex = spec.annexes["demo"].model_copy(update={"script": "missing.sh"})
    with pytest.raises(FileNotFoundError):
        AnnexStack(App(), pool=spec.pool, annex=annex, directory=tmp_path)


@pytest.mark.parametrize("script", ["", "x" * (MAX_SCRIPT_BYTES + 1), b"echo", 1, "token"])
@pytest.mark.parametrize("owner", ["ExecutionPoint", "ImageContent"])
def test_what_is_no_script_is_refused(owner: str, script: Any) -> None:
    value = Fn.ref("Text") if script == "token" else script
    with pytest.raises(
        ValueError, match=f"{owner} script: received .*, allowed the text of a script, 1 to 10000 bytes"
    ):
        ExecutionPoint(pool=Pool(**POOL), script=value) if owner == "ExecutionPoint" else ImageContent(script=value)


def test_the_longest_one_is_taken_with_any_image() -> None:
    for image in (StockImage.ROCKY_9, ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"})):
        script = "x" * MAX_SCRIPT_BYTES
        assert ExecutionPoint(pool=Pool(**POOL), machine_image=image, script=script).script == script


def test_a_publishers_image_whose_script_may_install_htcondor_gets_no_warning() -> None:
    image = "ssm:/aws/service/debian/release/13/latest/amd64"
    assert bare_image("demo", image, "image", None)
    assert bare_image("demo", image, "image", "tools.sh") is None
