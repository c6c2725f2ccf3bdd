"""Actions as data, for a log line or the result of a run."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from annex_lease.actions import Action
from annex_lease.entries import Granted, Ledger, Override, Renewed, Schedule, ScheduledAction
from annex_lease.tags import format_time

_IDS_SHOWN = 20


def as_data(action: Action) -> dict[str, object]:
    """An action for a log line: JSON-able, long lists of ids cut to 20 and their number (a log event has a limit)."""
    data: dict[str, object] = {"action": type(action).__name__}
    for field in fields(action):
        value = getattr(action, field.name)
        if isinstance(value, datetime):
            data[field.name] = format_time(value)
        elif isinstance(value, Granted | Renewed | Ledger | Override | Schedule):
            data[field.name] = value.text()
        elif isinstance(value, tuple) and value and isinstance(value[0], ScheduledAction):
            data[field.name] = [each.name for each in value]
        elif isinstance(value, tuple):
            data[field.name] = list(value[:_IDS_SHOWN])
            data[f"{field.name}_count"] = len(value)
        else:
            data[field.name] = value
    return data
