"""Component documents: their form and limits, and their commands run as Image Builder runs them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import subprocess
from pathlib import Path

import pytest

from annex_boot.installation import DIRECTORY, install_files
from annex_constructs.image.component_document import (
    MAX_DOCUMENT,
    component_document,
    file_groups,
    run_script,
    version_of,
    write_files,
)
from annex_constructs.image.image_components import build_steps
from annex_constructs.image.image_content import ImageContent


def run(commands: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the commands of a step as AWSTOE's ExecuteBash does."""
    return subprocess.run(
        ["/bin/bash", "-c", commands],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **environment},
    )


def commands_of(document: str, phase: str, step: str) -> str:
    (found,) = (each for each in json.loads(document)["phases"] if each["name"] == phase)
    (one,) = (each for each in found["steps"] if each["name"] == step)
    assert one["action"] == "ExecuteBash"
    (text,) = one["inputs"]["commands"]
    return str(text)


def test_a_document_has_the_form_of_image_builder() -> None:
    text = component_document("annex-base-a", "what it does", {"build": {"One": "echo 1"}, "test": {"Two": "echo 2"}})
    assert json.loads(text) == {
        "name": "annex-base-a",
        "description": "what it does",
        "schemaVersion": 1.0,
        "phases": [
            {
                "name": phase,
                "steps": [
                    {"name": step, "action": "ExecuteBash", "inputs": {"commands": [f"set -euo pipefail\necho {n}"]}}
                ],
            }
            for phase, step, n in (("build", "One", 1), ("test", "Two", 2))
        ],
    }


def test_a_document_has_a_limit_and_no_text_that_would_be_replaced() -> None:
    long = "x" * MAX_DOCUMENT
    with pytest.raises(ValueError, match=f"component a: a document of 16.* characters, allowed {MAX_DOCUMENT}"):
        component_document("a", "", {"build": {"Long": long}})
    room = MAX_DOCUMENT - len(component_document("a", "", {"build": {"Long": ""}}))
    assert len(component_document("a", "", {"build": {"Long": "x" * room}})) == MAX_DOCUMENT
    with pytest.raises(ValueError, match=f"a document of {MAX_DOCUMENT + 1} characters"):
        component_document("a", "", {"build": {"Long": "x" * (room + 1)}})
    with pytest.raises(ValueError, match="component a: a command holds two braces"):
        component_document("a", "", {"build": {"Braces": "echo {{ now }}"}})


@pytest.mark.parametrize("failing", ["false", "false | true", 'echo "$unset"'])
def test_the_first_failure_ends_a_step(failing: str) -> None:
    document = component_document("a", "", {"build": {"Run": f"{failing}\necho reached"}})
    done = run(commands_of(document, "build", "Run"))
    assert done.returncode != 0
    assert "reached" not in done.stdout


def test_files_are_written_with_their_modes(tmp_path: Path) -> None:
    files = {
        f"{tmp_path}/one/a": ("0755", "#!/bin/sh\necho 'a' \"$b\" `c` $(d) \\ {{ e }}\n"),
        f"{tmp_path}/two/deep/b": ("0600", "no line end"),
        f"{tmp_path}/one/c": ("0644", ""),
    }
    done = run("set -euo pipefail\numask 077\n" + write_files(files))
    assert done.returncode == 0, done.stderr
    assert oct((tmp_path / "two/deep").stat().st_mode)[-3:] == "755", "with any umask of the agent"
    for path, (mode, text) in files.items():
        assert Path(path).read_text().rstrip("\n") == text.rstrip("\n")
        assert oct(Path(path).stat().st_mode)[-4:] == mode
    with pytest.raises(ValueError, match="a holds END_OF_FILE_0"):
        write_files({"/a": ("0644", "END_OF_FILE_0\n")})


def test_files_are_split_into_groups_that_fit() -> None:
    numbers = random.Random(1)  # noqa: S311 - a text that cannot be packed
    text = "".join(chr(numbers.randrange(33, 126)) for _ in range(3_000))
    files = {f"/d/{n}": ("0644", text[n:] + text[:n] + str(numbers.random())) for n in range(8)}
    files = {path: (mode, "".join(numbers.sample(text, len(text)))) for path, (mode, _) in files.items()}
    groups = file_groups(files, 12_000)
    assert len(groups) > 1
    assert {path: each for group in groups for path, each in group.items()} == files
    assert all(len(write_files(group)) <= 12_000 for group in groups)
    with pytest.raises(ValueError, match="/d/0 does not fit"):
        file_groups({"/d/0": files["/d/0"]}, 1_000)
    assert file_groups(files, len(write_files(files))) == [files]
    assert len(file_groups(files, len(write_files(files)) - 1)) == 2


def test_the_same_files_make_the_same_command() -> None:
    """Otherwise each deployment would build an image that has not changed."""
    files = {"/a": ("0644", "one"), "/b": ("0600", "two")}
    command = write_files(files)
    assert command == write_files(dict(reversed(files.items())))
    packed = base64.b64decode(command.split(" ")[1])
    assert packed[4:8] == bytes(4), "the time in the header of gzip (RFC 1952)"


@pytest.mark.parametrize(
    ("script", "output"),
    [
        ("echo plain $0 | sed 's,/.*,,'\n", "plain \n"),
        ("#!/bin/bash\necho ${BASH_VERSION:+bash}\n", "bash\n"),
        ("#! /usr/bin/env -S python3 -I\nprint('{{ python }}')\n", "{{ python }}\n"),
    ],
)
def test_a_script_of_the_user_runs_with_its_own_interpreter(tmp_path: Path, script: str, output: str) -> None:
    done = run("set -euo pipefail\n" + run_script(script), TMPDIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, output), done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_script_that_fails_fails_the_step(tmp_path: Path) -> None:
    assert run("set -euo pipefail\n" + run_script("exit 3\n"), TMPDIR=str(tmp_path)).returncode == 3


def test_versions_follow_from_the_content() -> None:
    assert version_of("a", {"b": 1, "c": 2}) == version_of("a", {"c": 2, "b": 1})
    assert (
        len({version_of("a"), version_of("b"), version_of("a", ""), version_of({"a": 1}), version_of({"a": "1"})}) == 5
    )
    for content in range(200):
        major, minor, patch = map(int, version_of(content).split("."))
        assert major == 1
        assert 0 <= minor < 2**30
        assert 0 <= patch < 2**30
        assert minor != patch


def test_the_steps_of_an_image_write_the_install_files_and_run_them() -> None:
    content = ImageContent(script="echo hi\n", test_script="true\n")
    steps = list(build_steps(content))
    assert [step.id for step in steps] == ["files-1", "htcondor", "script", "end"]
    phases = {step.id: {phase: list(each) for phase, each in step.phases.items()} for step in steps}
    assert phases == {
        "files-1": {"build": ["WriteFiles"]},
        "htcondor": {"build": ["Install"], "test": ["Check", "NewIdentity"]},
        "script": {"build": ["Run"], "test": ["Test"]},
        "end": {"build": ["RecordIdentity", "Clean", "Check"]},
    }
    by_id = {step.id: step.phases for step in steps}
    assert by_id["htcondor"]["build"]["Install"] == f"/bin/sh {DIRECTORY}install 25.0"
    assert by_id["htcondor"]["test"]["Check"] == f"/bin/sh {DIRECTORY}check 25.0"
    assert by_id["end"]["build"]["Clean"] == f"/bin/sh {DIRECTORY}clean"
    assert by_id["end"]["build"]["Check"] == f"/bin/sh {DIRECTORY}check 25.0 image"


def test_each_component_is_installed_and_tested_in_the_order_of_the_image() -> None:
    steps = list(build_steps(ImageContent(components=("pelican", "docker"))))
    assert [step.id for step in steps if step.id in {"pelican", "docker"}] == ["pelican", "docker"]
    phases = {step.id: step.phases for step in steps}
    assert phases["docker"] == {
        "build": {"Install": f"/bin/sh {DIRECTORY}install 25.0 docker"},
        "test": {"Check": f"/bin/sh {DIRECTORY}check 25.0 docker"},
    }
    assert phases["htcondor"]["test"]["Check"] == f"/bin/sh {DIRECTORY}check 25.0", "no component is tested twice"
    # All together once, before the image is made of the instance.
    assert phases["end"]["build"]["Check"] == f"/bin/sh {DIRECTORY}check 25.0 image pelican docker"


@pytest.mark.parametrize("components", [(), ("cvmfs", "docker")])
def test_the_files_of_an_image_are_those_of_the_boot(tmp_path: Path, components: tuple[str, ...]) -> None:
    steps = build_steps(ImageContent(components=components))
    (write,) = (step.phases["build"]["WriteFiles"] for step in steps if step.id == "files-1")
    done = run(f"set -euo pipefail\n{write.removesuffix('/bin/sh -eu')} cat")
    script = done.stdout.replace(DIRECTORY.rstrip("/"), str(tmp_path / "install"))
    assert run(script).returncode == 0
    found = {path.name: path.read_text() for path in (tmp_path / "install").iterdir()}
    assert found == install_files(components)
    modes = {oct(path.stat().st_mode)[-3:] for path in (tmp_path / "install").iterdir()}
    assert modes == {"644"}, "root runs them, and no other user changes them"


def test_mirrors_reach_the_installation() -> None:
    content = ImageContent(
        components=["docker"],
        htcondor_mirror="https://mirror.example.edu/h",
        package_mirror="http://mirror.example.edu",
    )
    steps = {step.id: step.phases for step in build_steps(content)}
    for step in ("htcondor", "docker"):
        exports, _, command = steps[step]["build"]["Install"].rpartition("\n")
        assert command.startswith(f"/bin/sh {DIRECTORY}install 25.0")
        shown = run(f'{exports}\necho "$ANNEX_HTCONDOR_MIRROR $ANNEX_PACKAGE_MIRROR"')
        assert shown.stdout == "https://mirror.example.edu/h http://mirror.example.edu\n"


@pytest.mark.parametrize("kept", ["", "machine-id", "ssh_host_ed25519_key.pub"])
def test_an_instance_with_an_id_or_a_key_of_the_builder_fails_the_test(tmp_path: Path, kept: str) -> None:
    """The paths of the machine are replaced; the commands are those of the components."""
    steps = {step.id: step.phases for step in build_steps(ImageContent())}

    def on_machine(commands: str) -> subprocess.CompletedProcess[str]:
        here = {"/etc/machine-id": f"{tmp_path}/machine-id", "/etc/ssh/": f"{tmp_path}/", DIRECTORY: f"{tmp_path}/"}
        for path, other in here.items():
            commands = commands.replace(path, other)
        return run(f"set -euo pipefail\n{commands}")

    names = ("machine-id", "ssh_host_ed25519_key.pub", "ssh_host_rsa_key.pub")
    for name in names:
        (tmp_path / name).write_text(f"builder {name}\n")
    assert on_machine(steps["end"]["build"]["RecordIdentity"]).returncode == 0
    recorded = (tmp_path / "built-by").read_text().splitlines()
    assert recorded == [hashlib.sha256(b"builder %s\n" % name.encode()).hexdigest() + "  -" for name in names]
    for name in names:
        if name != kept:
            (tmp_path / name).write_text(f"instance {name}\n")
    done = on_machine(steps["htcondor"]["test"]["NewIdentity"])
    assert done.returncode == (1 if kept else 0), done.stderr
    assert ("annex: check: the image has an id or a key" in done.stdout) == bool(kept)
    (tmp_path / "built-by").unlink()
    assert on_machine(steps["htcondor"]["test"]["NewIdentity"]).returncode != 0, "nothing to compare with"
    for name in names:
        (tmp_path / name).write_text("")
    assert on_machine(steps["end"]["build"]["RecordIdentity"]).returncode != 0, "an empty file is no id"
