"""The keys of a table of the spec file, from the pydantic model that validates it."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from datetime import timedelta

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from annex_lease import terms
from annex_lease.duration import format_duration

from .generated import Generated, table

_ATTRIBUTE = re.compile(r"^(\w+): (.*)$")
_DEFAULT = re.compile(r"\s*Default: .*$")


class SpecKeys(Generated):
    """Table of the keys of the model that the argument names: key, meaning, default, values allowed."""

    required_arguments, optional_arguments = 1, 0

    def lines(self) -> Iterator[str]:
        """One row for each key."""
        model = self.named(".")
        assert isinstance(model, type) and issubclass(model, BaseModel)  # noqa: S101 - a page names it, no user does
        described = attributes(model)
        declared = {
            each.name: each.meaning for each in vars(terms).values() if isinstance(each, terms.Span | terms.Number)
        }
        rows = []
        for key, field in model.model_fields.items():
            if key == "name":  # the name of the table, not a key in it
                continue
            meaning = declared.get(key) or _DEFAULT.sub("", described[key])
            rows.append([f"`{key}`", meaning, _default(field, described.get(key, "")), field.description or ""])
        yield from table(["key", "meaning", "default", "values"], rows)


def attributes(model: type[BaseModel]) -> dict[str, str]:
    """The meaning of attributes, from the section "Attributes" of the class's docstring.

    Raises:
        ValueError: an attribute is described that does not exist.
    """
    _, _, section = (inspect.getdoc(model) or "").partition("Attributes:\n")
    found: dict[str, str] = {}
    last = ""
    for line in inspect.cleandoc(section).splitlines():
        match = _ATTRIBUTE.match(line)
        if match:
            last = match[1]
            found[last] = match[2]
        elif last and line.strip():
            found[last] += " " + line.strip()
    unknown = sorted(found.keys() - model.model_fields.keys())
    if unknown:
        raise ValueError(f"the docstring of {model.__name__} describes {', '.join(unknown)}, which the model has not")
    return found


def _default(field: FieldInfo, meaning: str) -> str:
    if field.is_required():
        return "required"
    described = re.search(r"Default: (?:None - )?(.*?)\.?$", meaning)
    if field.default is PydanticUndefined or field.default is None:
        # Computed from other keys, or nothing: only the docstring can say it.
        return described[1] if described else "none"
    if isinstance(field.default, timedelta):
        return f'`"{format_duration(field.default)}"`'
    return f"`{json.dumps(field.default)}`"
