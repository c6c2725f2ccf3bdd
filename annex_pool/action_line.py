"""One line for an action of the lease checker, as `annex check` prints it: what, on what, why. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from annex_lease.tags import shown

_IDS_SHOWN = 3
_COUNT = "_count"
_REST = frozenset({"action", "reason"})


def action_line(action: Mapping[str, object]) -> str:
    """`ACTION what: reason`, such as `TerminateInstances instance_ids 25 (i-1, i-2, i-3, ...): the lease ended`.

    Args:
        action: as the lease checker tells it (`annex_lease.actions.as_data`): lists may be cut, their numbers are not.
    """
    words = [_plain(action.get("action", "?"))]
    for key, value in action.items():
        if isinstance(value, list):
            if value:
                words.append(f"{_plain(key)} {_listed(value, action.get(key + _COUNT))}")
        elif key not in _REST and value is not None and not _counts_a_list(key, action):
            words.append(f"{_plain(key)} {_plain(value)}")
    line = " ".join(words[:1]) + (f" {', '.join(words[1:])}" if words[1:] else "")
    reason = action.get("reason")
    return f"{line}: {_plain(reason)}" if reason else line


def _listed(ids: list[object], number: object) -> str:
    number = number if isinstance(number, int) else len(ids)
    first = ", ".join(_plain(each) for each in ids[:_IDS_SHOWN])
    return f"{number} ({first}{', ...' if number > _IDS_SHOWN else ''})"


def _counts_a_list(key: str, action: Mapping[str, object]) -> bool:
    return key.endswith(_COUNT) and isinstance(action.get(key.removesuffix(_COUNT)), list)


def _plain(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else shown(text)
