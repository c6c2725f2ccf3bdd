"""User data of the instances that build an image: it is run, with fakes of what it calls."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from aws_cdk import Aws

from annex_constructs.image.build_user_data import build_user_data

RECORD = '#!/bin/sh\necho "${0##*/} $*" >>"$FAKES/calls"\n'
# Python, which fetches the agent once it has failed as often as a test says.
PYTHON = """#!/bin/sh
echo "fetch $4" >>"$FAKES/calls"
left=$(cat "$FAKES/fails")
[ "$left" -le 0 ] || { echo $((left - 1)) >"$FAKES/fails"; exit 1; }
: >"$5"
"""
INSTALLERS = {"debian-13": "dpkg", "rocky-9": "rpm"}


class Builder:
    """An instance that runs its user data."""

    def __init__(self, directory: Path, parent: str, *, fails: int = 0, active: bool = False) -> None:
        self.path = directory
        (directory / "tmp").mkdir()
        self.write("fails", str(fails))
        self.write("systemctl", f'{RECORD}[ "$1" != is-active ] || exit {0 if active else 3}\n')
        for name in ("dpkg", "rpm", "sleep"):
            self.write(name, RECORD)
        self.write("python", PYTHON)
        self.write("cloud-init", f"#! {directory}/python -s\n")
        text = build_user_data(parent, ["c6a.large"])
        assert text is not None
        text = text.replace(Aws.REGION, "us-east-1").replace(Aws.URL_SUFFIX, "amazonaws.com")
        self.write("user-data", text.replace("/tmp/", f"{directory}/tmp/"))

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)
        (self.path / name).chmod(0o755)

    def run(self) -> list[str]:
        """Run the user data. Return the calls, without the directory."""
        environment = {"PATH": f"{self.path}:{os.environ['PATH']}", "FAKES": str(self.path)}
        subprocess.run(["/bin/sh", str(self.path / "user-data")], env=environment, check=True)
        return (self.path / "calls").read_text().replace(f"{self.path}/", "").splitlines()

    @property
    def left(self) -> set[str]:
        """Files in /tmp."""
        return {each.name for each in (self.path / "tmp").iterdir()}


@pytest.mark.parametrize(("parent", "installer"), INSTALLERS.items())
def test_the_agent_is_installed_and_started(tmp_path: Path, parent: str, installer: str) -> None:
    builder = Builder(tmp_path, parent)
    suffix, system = {"dpkg": ("deb", "debian"), "rpm": ("rpm", "linux")}[installer]
    place = f"https://s3.us-east-1.amazonaws.com/amazon-ssm-us-east-1/latest/{system}_amd64/amazon-ssm-agent.{suffix}"
    assert builder.run() == [
        "systemctl is-active --quiet amazon-ssm-agent",
        f"fetch {place}",
        f"{installer} -i tmp/amazon-ssm-agent.{suffix}",
        "systemctl enable --now amazon-ssm-agent",
    ]
    assert builder.left == {"perform_cleanup"}, "what asks Image Builder to clean up; not the package"


def test_an_agent_that_runs_is_left_alone(tmp_path: Path) -> None:
    builder = Builder(tmp_path, "debian-13", active=True)
    assert builder.run() == ["systemctl is-active --quiet amazon-ssm-agent"]
    assert builder.left == {"perform_cleanup"}


def test_an_agent_that_cannot_be_fetched_for_a_moment_is_asked_for_again(tmp_path: Path) -> None:
    calls = Builder(tmp_path, "debian-13", fails=3).run()
    assert [each for each in calls if each.startswith("sleep")] == ["sleep 5", "sleep 15", "sleep 30"]
    assert calls[-1] == "systemctl enable --now amazon-ssm-agent"
