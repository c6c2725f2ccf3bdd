"""Texts without what identifies an account: ids, ARNs, names, addresses, paths. Pure.

The same value has the same replacement in the whole report, so that lines can still be compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
# In this order: what can hold another is first. A group with a name is a part that is kept.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("arn", re.compile(r"(?P<kept>arn:aws[a-z-]*:[a-z0-9-]+:)[^\s\"'<>,;()\[\]]+")),
    ("address", re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")),
    ("key", re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA|ANPA|AGPA)[A-Z0-9]{12,}\b")),
    ("uuid", re.compile(rf"\b{_UUID}\b")),
    # An id of EC2: a short prefix, a hyphen, 8 or 17 hexadecimal digits.
    ("id", re.compile(r"\b(?P<kept>[a-z]{1,12}-)(?:[0-9a-f]{17}|[0-9a-f]{8})\b")),
    ("account", re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")),
    ("host", re.compile(r"\b(?:ip|ec2)-\d{1,3}(?:-\d{1,3}){3}[A-Za-z0-9.-]*\b")),
    ("ip", re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")),
    ("ip", re.compile(r"(?<![0-9A-Za-z:])(?:[0-9a-f]{1,4}:){3,7}(?::?[0-9a-f]{1,4})+(?![0-9A-Za-z:])")),
    ("ip", re.compile(r"(?<![0-9A-Za-z:])(?:[0-9a-f]{1,4}:)+(?::[0-9a-f]{1,4})+(?![0-9A-Za-z:])")),
    ("path", re.compile(r"(?<![\w.])/(?:home|Users|root|tmp|var/folders)/[^\s\"'<>,;()]+")),
)
# Addresses that are the same in every account: of the metadata service, and none at all.
_PUBLIC = frozenset({"169.254.169.254", "fd00:ec2::254", "0.0.0.0", "127.0.0.1"})  # noqa: S104


class Anonymiser:
    """Replaces what identifies an account, its owner or its machines."""

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        """Remember the names to replace.

        Args:
            known: texts of this run and their replacements, such as the name of a role. Default: none.
        """
        texts = {text: new for text, new in (known or {}).items() if text}
        # The longest first, so that a name is not cut by a part of it; a name in a longer word is none.
        ordered = sorted(texts.items(), key=lambda pair: -len(pair[0]))
        self._known = [(re.compile(rf"(?<![A-Za-z0-9]){re.escape(old)}(?![A-Za-z0-9])"), new) for old, new in ordered]
        self._numbers: dict[str, dict[str, int]] = {}

    def text(self, text: str) -> str:
        """The text with replacements."""
        for kind, form in _FORMS[:1]:
            text = form.sub(lambda match, kind=kind: self._replacement(kind, match), text)  # type: ignore[misc]
        for old, new in self._known:
            text = old.sub(lambda _match, new=new: new, text)  # type: ignore[misc]
        for kind, form in _FORMS[1:]:
            text = form.sub(lambda match, kind=kind: self._replacement(kind, match), text)  # type: ignore[misc]
        return text

    def data(self, value: object) -> object:
        """JSON-able data with replacements in every text of it."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.data(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(each) for each in value]
        return value

    def _replacement(self, kind: str, match: re.Match[str]) -> str:
        whole = match[0]
        if whole in _PUBLIC:
            return whole
        numbers = self._numbers.setdefault(kind, {})
        number = numbers.setdefault(whole, len(numbers) + 1)
        return f"{match.groupdict().get('kept') or ''}<{kind} {number}>"
