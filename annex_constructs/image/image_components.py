"""The components of an image: the install files of this project, run as at boot, each step with its own test."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aws_cdk import aws_imagebuilder as imagebuilder
from constructs import Construct

from annex_boot.installation import CLEAN_COMMAND, DIRECTORY, check_command, install_command, install_files
from annex_constructs.image.component_document import (
    MAX_DOCUMENT,
    Steps,
    component_document,
    file_groups,
    run_script,
    version_of,
    write_files,
)
from annex_constructs.image.image_content import ImageContent
from annex_lease.built_forms import builder_name

_ROOM = 1_000  # characters of a document around its longest command
# The machine's id and its host keys, as digests: an instance of the image must have others.
_IDENTITY = 'for file in /etc/machine-id /etc/ssh/ssh_host_*_key.pub; do [ ! -s "$file" ] || sha256sum <"$file"; done'
_BUILT_BY = f"{DIRECTORY}built-by"


@dataclass(frozen=True)
class BuildStep:
    """One component of an image.

    :param id: last part of its name, and id of its construct.
    :param does: what it does, in words.
    :param phases: steps by phase.
    """

    id: str
    does: str
    phases: Mapping[str, Steps]


def build_steps(content: ImageContent) -> Iterator[BuildStep]:
    """The components of an image in their order: files, HTCondor, further software, the user's script, the end.

    :param content: the image's content.
    """
    files = {DIRECTORY + name: ("0644", text) for name, text in install_files(content.components).items()}
    for number, group in enumerate(file_groups(files, MAX_DOCUMENT - _ROOM), 1):
        write = {"WriteFiles": write_files(group)}
        yield BuildStep(f"files-{number}", "install files of HTCondor annexes", {"build": write})
    sources = _sources(content)
    install = {"Install": sources + install_command(content.htcondor)}
    # Each further component has a test of its own.
    check = {"Check": check_command(content.htcondor), "NewIdentity": _new_identity()}
    yield BuildStep("htcondor", f"HTCondor {content.htcondor}", {"build": install, "test": check})
    for name in content.components:
        install = {"Install": sources + install_command(content.htcondor, [name])}
        check = {"Check": check_command(content.htcondor, [name])}
        yield BuildStep(name, f"component {name}", {"build": install, "test": check})
    if content.script is not None:
        phases: dict[str, Steps] = {"build": {"Run": run_script(content.script)}}
        if content.test_script is not None:
            phases["test"] = {"Test": run_script(content.test_script)}
        yield BuildStep("script", "script of the user", phases)
    end = {
        "RecordIdentity": f"{{ {_IDENTITY}; }} >{_BUILT_BY}\ntest -s {_BUILT_BY}",
        "Clean": CLEAN_COMMAND,
        "Check": check_command(content.htcondor, content.components, image=True),
    }
    yield BuildStep("end", "removal of ids, keys, logs and histories", {"build": end})


def image_components(scope: Construct, name: str, content: ImageContent) -> list[imagebuilder.CfnComponent]:
    """The components of an image, each with a version that follows from its content.

    :param scope: parent construct.
    :param name: the image's name.
    :param content: the image's content.
    """
    return [_component(scope, name, step) for step in build_steps(content)]


def _component(scope: Construct, name: str, step: BuildStep) -> imagebuilder.CfnComponent:
    full_name = f"{builder_name(name)}-{step.id}"
    description = f"Image {name} of HTCondor annexes: {step.does}"
    document = component_document(full_name, description, step.phases)
    return imagebuilder.CfnComponent(
        scope,
        f"Component-{step.id}",
        name=full_name,
        platform="Linux",
        version=version_of(full_name, description, document),
        description=description,
        data=document,
    )


def _sources(content: ImageContent) -> str:
    given = {"ANNEX_HTCONDOR_MIRROR": content.htcondor_mirror, "ANNEX_PACKAGE_MIRROR": content.package_mirror}
    return "".join(f"export {key}={shlex.quote(value)}\n" for key, value in given.items() if value is not None)


def _new_identity() -> str:
    """A command that fails if the instance has an id or a host key of the machine that built its image."""
    text = "annex: check: the image has an id or a key of the machine that built it"
    same = f"{{ {_IDENTITY}; }} | grep -Fxf {_BUILT_BY}"
    return f'test -s {_BUILT_BY}\nif {same}; then\n    echo "{text}"\n    exit 1\nfi'
