"""Every verb of a command line with its arguments and options, from the typer app itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from .generated import Generated, table


class CommandLine(Generated):
    """Sections for the verbs of the typer app that the argument names as `module:attribute`."""

    required_arguments, optional_arguments = 1, 0

    def lines(self) -> Iterator[str]:
        """One section for each verb."""
        app = self.named(":")
        assert isinstance(app, typer.Typer)  # noqa: S101 - a page names it, no user does
        group: Any = typer.main.get_command(app)
        yield from _options(group)
        for words, command in verbs("annex", group):
            yield from _section(words, command)


def verbs(words: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Each command that does something, with the words that call it; groups are walked, not shown."""
    if hasattr(command, "commands"):
        for name in command.list_commands(None):  # in the order of its help
            yield from verbs(f"{words} {name}", command.commands[name])
    else:
        yield words, command


def _section(words: str, command: Any) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    shown = " ".join(each.metavar if each.required else f"[{each.metavar}]" for each in arguments)
    yield from (f"## `{words}`", "", "```text", f"{words} [OPTIONS] {shown}", "```", "")
    yield from (inspect.cleandoc(command.help or ""), "")
    yield from _options(command)


def _options(command: Any) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option"]
    rows = [[f"`{each.metavar}`", each.help or "", "required" if each.required else ""] for each in arguments]
    rows += [[_names(each), each.help or "", _default(each)] for each in options]
    if rows:
        yield from (*table(["argument or option", "meaning", "default"], rows), "")


def _names(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    value = "" if option.is_flag else f" {option.metavar or option.name.upper()}"
    return f"{names}{value}"


def _default(option: Any) -> str:
    default = option.default
    shown = "" if default is None or default is False else f"`{'yes' if default is True else default}`"
    return f"{shown} or `{option.envvar}`" if option.envvar else shown
