"""Validation of one table of the spec file: pydantic's errors become problems with a fix."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from annex_spec.problem import NOTHING, ContradictionError, Problem, nearest, shown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

# `name` is the table's own name, never a key in it.
_NOT_A_KEY = "name"
# Errors of pydantic that only follow from another one in the same table.
_CONSEQUENCES = frozenset({"default_factory_not_called"})


def keys(model: type[BaseModel]) -> tuple[str, ...]:
    """The keys a table of this model may hold."""
    return tuple(key for key in model.model_fields if key != _NOT_A_KEY)


def unknown(key: str, allowed: Collection[str], table: str, value: object) -> Problem:
    """The problem of a key that does not exist; its fix is the most similar key."""
    close = nearest(key, allowed)
    fix = f"did you mean {close}?" if close else f"remove {key}"
    return Problem(table, key, shown(value), "the keys " + ", ".join(allowed), fix)


def sub_table(parent: Mapping[str, object], key: str, problems: list[Problem], title: str = "") -> dict[str, object]:
    """The sub-table; empty if it is missing. A value of another type is a problem."""
    value = parent.get(key, {})
    if isinstance(value, dict):
        return value
    title = title or f"[{key}]"
    problems.append(Problem(title, "", shown(value), "a table", f"write {title} and its keys below it"))
    return {}


def named_tables(
    document: Mapping[str, object], key: str, model: type[BaseModel], problems: list[Problem]
) -> dict[str, dict[str, object] | None]:
    """The tables whose last part is a name, such as `[annex.demo]`, by their names; None for a value of another type.

    Args:
        document: the whole file.
        key: their common part: `annex`.
        model: model of each of them: its keys stand in no table without a name.
        problems: problems found so far.
    """
    tables: dict[str, dict[str, object] | None] = {}
    unnamed = []
    for name, value in sub_table(document, key, problems).items():
        if isinstance(value, dict):
            tables[name] = value
        elif name in keys(model):
            unnamed.append(name)
        else:
            tables[name] = None
            sub_table({name: value}, name, problems, f"[{key}.{name}]")
    if unnamed:
        fix = f"write these keys below [{key}.NAME], with a name of your own"
        received = f"the keys {', '.join(unnamed)}"
        problems.append(Problem(f"[{key}]", "", received, f"tables with a name: [{key}.NAME]", fix))
    return tables


def validated(model: type[M], values: Mapping[str, object], table: str) -> tuple[M | None, list[Problem]]:
    """The validated table, or None and its problems.

    Args:
        model: PoolSpec, AnnexSpec or BaseSpec.
        values: the keys and values, an annex's name among them.
        table: the table as the file writes it, such as `[annex.demo]`.
    """
    try:
        return model.model_validate(dict(values)), []
    except ValidationError as error:
        return None, _problems(model, values, table, error.errors(include_url=False))


def validated_as(name: str, model: type[M], values: Mapping[str, object], table: str) -> tuple[M | None, list[Problem]]:
    """`validated` for a table whose own name is a value of the model; no key of the table can be `name`.

    Args:
        name: the table's own name.
        model: AnnexSpec or ImageSpec.
        values: the keys and values of the table.
        table: the table as the file writes it.
    """
    found, problems = validated(model, {**values, _NOT_A_KEY: name}, table)
    return found, problems + named_problems(model, values, table)


def named_problems(model: type[BaseModel], values: Mapping[str, object], table: str) -> list[Problem]:
    """The problem of a key `name`, as a list; empty if there is none."""
    if _NOT_A_KEY not in values:
        return []
    return [unknown(_NOT_A_KEY, keys(model), table, values[_NOT_A_KEY])]


def wrong_values(model: type[BaseModel], values: Mapping[str, object], table: str) -> list[Problem]:
    """Problems of each value by itself; missing keys and contradictions are not reported."""
    try:
        model.model_validate(dict(values))
    except ValidationError as error:
        details = error.errors(include_url=False)
        return _problems(model, values, table, [d for d in details if d["loc"] and d["type"] != "missing"])
    return []


def _problems(
    model: type[BaseModel], values: Mapping[str, object], table: str, details: Iterable["ErrorDetails"]
) -> list[Problem]:
    errors = [detail for detail in details if detail["type"] not in _CONSEQUENCES]
    wrong: dict[str, list[str]] = {}
    for detail in errors:
        wrong.setdefault(str(detail["loc"][0]) if detail["loc"] else "", []).extend(_wrong_item(values, detail))
    # A list has one error for each wrong item; they are shown together, once.
    return list(dict.fromkeys(_problem(model, values, table, detail, wrong) for detail in errors))


def _wrong_item(values: Mapping[str, object], detail: "ErrorDetails") -> list[str]:
    """The item of a list or a table that an error is about, as the file writes it; none if it is about the whole."""
    key, *places = detail["loc"] or ("",)
    whole = values.get(str(key))
    if isinstance(whole, list) and len(whole) > 1 and places and isinstance(places[0], int) and places[0] < len(whole):
        return [shown(whole[places[0]])]
    if isinstance(whole, Mapping) and len(whole) > 1 and places and places[0] in whole:
        return [f"{places[0]} = {shown(whole[str(places[0])])}"]
    return []


def _problem(
    model: type[BaseModel],
    values: Mapping[str, object],
    table: str,
    detail: "ErrorDetails",
    wrong: Mapping[str, Sequence[str]],
) -> Problem:
    reason = detail.get("ctx", {}).get("error")
    if isinstance(reason, ContradictionError):
        return replace(reason.problem, table=table)
    key = str(detail["loc"][0])
    if detail["type"] == "extra_forbidden":
        return unknown(key, keys(model), table, values[key])
    field = model.model_fields[key]
    allowed = field.description or ""
    example = (field.examples or [""])[0]
    if key == _NOT_A_KEY:
        return Problem(table, "", shown(values[key]), allowed, f"rename the table, for example {example}")
    whole = NOTHING if detail["type"] == "missing" else shown(values[key])
    received = f"{', '.join(wrong[key])}, in {whole}" if wrong[key] else whole
    return Problem(table, key, received, allowed, f"{key} = {example}")
