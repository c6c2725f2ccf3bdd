"""Component documents of EC2 Image Builder: the commands of each phase, and the files that they need.

A document is JSON, which is YAML too. Files are packed: Image Builder replaces what stands in double braces in a
document, and an inline document has a limit of 16,000 characters (EC2 Image Builder User Guide, "Use the AWSTOE
component document framework"; EC2 Image Builder API Reference, CreateComponent).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping

MAX_DOCUMENT = 16_000
"""Characters of an inline document (CloudFormation Template Reference, AWS::ImageBuilder::Component, Data)."""
_LARGEST_NODE = 2**30  # of a semantic version (EC2 Image Builder User Guide, "Semantic versioning in Image Builder")

Steps = Mapping[str, str]
"""Shell commands by the names of their steps, in order."""


def component_document(name: str, description: str, phases: Mapping[str, Steps]) -> str:
    """Return a component document: bash runs each step, and the first command that fails ends the build.

    Args:
        name: name of the component.
        description: what it does.
        phases: steps by phase: `build` and `validate` run on the build instance, `test` on one of the finished image.

    Raises:
        ValueError: it is too long, or holds two braces, which Image Builder would replace.
    """
    written = [
        {
            "name": phase,
            "steps": [
                {"name": step, "action": "ExecuteBash", "inputs": {"commands": [f"set -euo pipefail\n{commands}"]}}
                for step, commands in steps.items()
            ],
        }
        for phase, steps in phases.items()
    ]
    document = {"name": name, "description": description, "schemaVersion": 1.0, "phases": written}
    if any("{{" in commands for steps in phases.values() for commands in steps.values()):
        raise ValueError(f"component {name}: a command holds two braces")
    text = json.dumps(document, indent=1)
    if len(text) > MAX_DOCUMENT:
        raise ValueError(f"component {name}: a document of {len(text)} characters, allowed {MAX_DOCUMENT}")
    return text


def write_files(files: Mapping[str, tuple[str, str]]) -> str:
    """Return a shell command that writes files, each with its mode, and makes their directories.

    Args:
        files: mode and text by path.
    """
    script = "umask 022\n"
    for number, (path, (mode, text)) in enumerate(sorted(files.items())):
        end = f"END_OF_FILE_{number}"
        if end in text:
            raise ValueError(f"{path} holds {end}")
        line_end = "" if text.endswith("\n") else "\n"
        script += f"mkdir -p '{path.rpartition('/')[0]}'\n"
        script += f"cat >'{path}' <<'{end}'\n{text}{line_end}{end}\nchmod {mode} '{path}'\n"
    return f"{_unpack(script)} | /bin/sh -eu"


def file_groups(files: Mapping[str, tuple[str, str]], most: int) -> list[dict[str, tuple[str, str]]]:
    """Split files into as few groups as needed, so that the command that writes a group has at most so many characters.

    Args:
        files: mode and text by path.
        most: characters of a command.

    Raises:
        ValueError: a file alone needs more.
    """
    if len(write_files(files)) <= most:
        return [dict(files)]
    if len(files) == 1:
        raise ValueError(f"{next(iter(files))} does not fit into a component document")
    paths = sorted(files)
    halves = (paths[: len(paths) // 2], paths[len(paths) // 2 :])
    return [group for half in halves for group in file_groups({path: files[path] for path in half}, most)]


def run_script(text: str) -> str:
    """Return a shell command that runs a script of the user: its first line may name another interpreter."""
    return (
        "directory=$(mktemp -d)\n"
        f'{_unpack(text)} >"$directory/script"\n'
        "interpreter=$(sed -n '1s/^#! *//p' \"$directory/script\")\n"
        # Not executed itself: /tmp may be mounted noexec. The interpreter can have options.
        '${interpreter:-/bin/sh} "$directory/script"\n'
        'rm -rf "$directory"'
    )


def version_of(*contents: object) -> str:
    """Return a semantic version that is another one for other contents, and the same for the same contents.

    Image Builder refuses a component or a recipe that differs from an earlier one of the same name and version.

    Args:
        contents: all that the resource consists of, as JSON has it.
    """
    digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).digest()
    nodes = (int.from_bytes(digest[start : start + 8]) % _LARGEST_NODE for start in (0, 8))
    return "1." + ".".join(map(str, nodes))


def _unpack(text: str) -> str:
    # mtime 0: the same input gives the same bytes.
    packed = base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode("ascii")
    return f"echo {packed} | base64 -d | gzip -d"
