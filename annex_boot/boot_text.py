"""Texts of the boot and install files as they are on a machine: without comments, with the rules of the project."""

from __future__ import annotations

from collections.abc import Mapping


def on_machine(text: str, values: Mapping[str, str], *, comments: bool = False) -> str:
    """Return a text with its placeholders (``@@NAME@@``) replaced, so that no file repeats a rule.

    Args:
        text: text of the file.
        values: value of each placeholder.
        comments: keep whole-line comments and empty lines; on a machine they only take space. Default: False.
    """
    if not comments:
        lines = (line for line in text.splitlines() if line.strip())
        text = "".join(f"{line}\n" for line in lines if line.startswith("#!") or not line.lstrip().startswith("#"))
    for placeholder, value in values.items():
        text = text.replace(f"@@{placeholder}@@", value)
    return text
