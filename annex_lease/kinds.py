"""The kinds of declared value: lengths of time, numbers, texts, lists and tables of texts, prices, times, flags.

A kind has no value of its own: `annex_lease.terms` has them. Every kind says in words what it allows and what its
default is, and shows an example as the spec file writes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from annex_lease.duration import FORM, format_duration
from annex_lease.forms import Form

REQUIRED = "required"
_T = TypeVar("_T")


class _Term(Generic[_T]):
    """The default of a declared value, for programs and for readers."""

    name: str
    absent: str
    default: _T | None

    @property
    def default_value(self) -> _T:
        """The default.

        Raises:
            LookupError: there is none.
        """
        if self.default is None:
            raise LookupError(f"{self.name} has no default")
        return self.default

    @property
    def default_text(self) -> str:
        """The default in words; `REQUIRED` if there is none."""
        if self.absent or self.default is None:
            return self.absent or REQUIRED
        if isinstance(self.default, timedelta):
            return format_duration(self.default)
        return self.default if isinstance(self.default, str) else json.dumps(self.default)


@dataclass(frozen=True)
class Span(_Term[timedelta]):
    """A declared length of time.

    Attributes:
        name: key of the spec and parameter of the constructs.
        meaning: what it is, as help texts and the reference show it.
        minimum: shortest that may be declared.
        maximum: longest that may be declared.
        example: a value as the spec file writes it, without quotes.
        default: used where none is declared. Default: None - there is none, or it follows from other values.
        tag_minimum: shortest that a lease checker accepts from a tag. Default: None - `minimum`.
        tag_maximum: longest that a lease checker accepts from a tag. Default: None - `maximum`.
        absent: what holds where none is declared, if `default` alone does not say it. Default: "".
        zero: meaning of a declared 0s below the minimum; it declares that there is none. Default: "" - 0s is as any
            other value.
    """

    name: str
    meaning: str
    minimum: timedelta
    maximum: timedelta
    example: str
    default: timedelta | None = None
    tag_minimum: timedelta | None = None
    tag_maximum: timedelta | None = None
    absent: str = ""
    zero: str = ""

    @property
    def range(self) -> str:
        """The range in words."""
        zero = f", or {format_duration(timedelta(0))}: {self.zero}" if self.zero else ""
        return f"{format_duration(self.minimum)} to {format_duration(self.maximum)}{zero}"

    @property
    def allowed(self) -> str:
        """The form and the range in words."""
        return f"{FORM}; from {self.range}"

    def contains(self, value: timedelta) -> bool:
        """True from the minimum to the maximum, both included, and for a zero that has a meaning."""
        return self.minimum <= value <= self.maximum or bool(self.zero and not value)

    def tag_range(self) -> tuple[int, int]:
        """The range that a lease checker accepts from a tag, in seconds.

        It can be wider than what may be declared: a record that another release wrote must not end an annex.
        """
        low, high = self.tag_minimum, self.tag_maximum
        return (seconds(self.minimum if low is None else low), seconds(self.maximum if high is None else high))


@dataclass(frozen=True)
class Number(_Term[int]):
    """A declared whole number; the other attributes are those of `Span`.

    Attributes:
        unit: what it counts.
        limit: words for the maximum, if another declared value sets it. Default: "" - `maximum`.
    """

    name: str
    meaning: str
    unit: str
    minimum: int
    maximum: int
    example: str
    default: int | None = None
    tag_minimum: int | None = None
    tag_maximum: int | None = None
    absent: str = ""
    limit: str = ""

    @property
    def allowed(self) -> str:
        """The range in words."""
        unit = f" of {self.unit}" if self.unit else ""
        return f"a whole number{unit} from {self.minimum} to {self.limit or self.maximum}"

    def contains(self, value: int) -> bool:
        """True from the minimum to the maximum, both included."""
        return self.minimum <= value <= self.maximum

    def tag_range(self) -> tuple[int, int]:
        """The range that a lease checker accepts from a tag."""
        low, high = self.tag_minimum, self.tag_maximum
        return (self.minimum if low is None else low, self.maximum if high is None else high)


@dataclass(frozen=True)
class Text(_Term[str]):
    """A declared text of one form; the other attributes are those of `Span`."""

    name: str
    meaning: str
    form: Form
    default: str | None = None
    absent: str = ""

    @property
    def allowed(self) -> str:
        """The form in words."""
        return self.form.allowed


@dataclass(frozen=True)
class Texts(_Term[tuple[str, ...]]):
    """A declared list of different texts of one form; the other attributes are those of `Span`.

    Attributes:
        minimum: smallest number of texts.
        maximum: largest number of texts. Default: None - there is no limit.
    """

    name: str
    meaning: str
    form: Form
    allowed: str
    example: str
    minimum: int = 1
    maximum: int | None = None
    absent: str = ""
    default: None = None

    def contains(self, count: int) -> bool:
        """True if a list may hold so many texts."""
        return self.minimum <= count and (self.maximum is None or count <= self.maximum)


@dataclass(frozen=True)
class Price(_Term[float]):
    """A declared price: above zero, at most `maximum`; the other attributes are those of `Number`."""

    name: str
    meaning: str
    unit: str
    maximum: int
    example: str
    absent: str
    default: None = None

    @property
    def allowed(self) -> str:
        """The range in words."""
        return f"a number above 0, at most {self.maximum}: the price of {self.unit}"


@dataclass(frozen=True)
class Moment(_Term[datetime]):
    """A declared time, in whole seconds and with its offset from UTC: a local time would depend on the reader."""

    name: str
    meaning: str
    example: str
    absent: str
    allowed: str = "a date and time in whole seconds with its offset from UTC, without quotes"
    default: None = None

    def contains(self, value: datetime) -> bool:
        """True if the time has an offset and no fraction of a second."""
        return value.utcoffset() is not None and not value.microsecond


@dataclass(frozen=True)
class Flag(_Term[bool]):
    """A declared yes or no; the other attributes are those of `Span`."""

    name: str
    meaning: str
    example: str
    default: bool | None = None
    allowed: str = "true or false"
    absent: str = ""


@dataclass(frozen=True)
class Table(_Term[None]):
    """A declared table of texts by their keys; the other attributes are those of `Span`."""

    name: str
    meaning: str
    allowed: str
    example: str
    absent: str
    default: None = None


Term = Span | Number | Text | Texts | Price | Moment | Flag | Table


def seconds(span: timedelta) -> int:
    """A length of time in whole seconds; parts of a second are dropped."""
    return int(span.total_seconds())


def written(term: Term) -> str:
    """An example of the value as the spec file writes it: texts and lengths of time in quotes."""
    if isinstance(term, Text):
        return json.dumps(term.form.example)
    return json.dumps(term.example) if isinstance(term, Span) else term.example
