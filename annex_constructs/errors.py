"""Checks of the constructs' parameters, and their errors: the value received, the values allowed, and the fix.

Ranges, forms and examples are those of `annex_lease.terms` and `annex_lease.forms`.
"""

import dataclasses
from datetime import timedelta

from aws_cdk import Duration, Token

from annex_lease.duration import parse_duration
from annex_lease.forms import Form
from annex_lease.terms import Number, Span

_KNOWN = "known when the app is synthesised"
_UNITS = (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1)))


def invalid_value(parameter: str, *, received: object, allowed: str, fix: str) -> ValueError:
    """The error to raise for a value that a construct cannot work with.

    :param parameter: class and parameter, such as `AnnexFleet max_size`.
    :param received: the value as the caller gave it.
    :param allowed: which values would have been accepted.
    :param fix: what to write instead.
    """
    return ValueError(f"{parameter}: received {received!r}, allowed {allowed}; fix: {fix}")


def check_form(parameter: str, value: str, form: Form) -> None:
    """Refuse a text of another form; an unresolved token passes, because only CloudFormation knows its value.

    :param parameter: class and parameter.
    :param value: the text or token.
    :param form: the form to have.
    :raises ValueError: the text has another form.
    """
    if Token.is_unresolved(value):
        return
    if not isinstance(value, str) or not form.matches(value):
        raise invalid_value(parameter, received=value, allowed=form.allowed, fix=_fix(parameter, f'"{form.example}"'))


def check_whole_number(
    parameter: str,
    value: float,
    term: Number,
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    known: bool = False,
) -> None:
    """Refuse what is not a whole number in the range.

    :param parameter: class and parameter.
    :param value: the number or token.
    :param term: the declared value.
    :param minimum: smallest number allowed. Default: - that of the term.
    :param maximum: largest number allowed. Default: - that of the term.
    :param known: refuse an unresolved token. Default: False - it passes, because only CloudFormation knows its value.
    :raises ValueError: the number is not allowed.
    """
    if not known and Token.is_unresolved(value):
        return
    low = term.minimum if minimum is None else minimum
    high = term.maximum if maximum is None else maximum
    # A token, which is a number out of any range, is refused here.
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        allowed = dataclasses.replace(term, minimum=low, maximum=high, limit="").allowed
        fix = _fix(parameter, str(min(max(int(term.example), low), high)))
        raise invalid_value(parameter, received=value, allowed=f"{allowed}, {_KNOWN}" if known else allowed, fix=fix)


def seconds(
    parameter: str, value: Duration, term: Span, *, minimum: timedelta | None = None, maximum: timedelta | None = None
) -> int:
    """The seconds of a duration that must be known at synthesis and lie in the range.

    :param parameter: class and parameter.
    :param value: the duration.
    :param term: the declared value.
    :param minimum: shortest duration allowed. Default: - that of the term.
    :param maximum: longest duration allowed. Default: - that of the term.
    :raises ValueError: the duration is a token, is not whole seconds, or is out of the range.
    """
    low = term.minimum if minimum is None else minimum
    high = term.maximum if maximum is None else maximum
    allowed = f"whole seconds from {dataclasses.replace(term, minimum=low, maximum=high).range}, {_KNOWN}"
    fix = _fix(parameter, duration_code(min(max(parse_duration(term.example), low), high)))
    if value.is_unresolved():
        raise invalid_value(parameter, received=value.to_string(), allowed=allowed, fix=fix)
    exact = float(value.to_milliseconds()) / 1000
    if exact != int(exact) or not (low.total_seconds() <= exact <= high.total_seconds() or (term.zero and not exact)):
        raise invalid_value(parameter, received=value.to_human_string(), allowed=allowed, fix=fix)
    return int(exact)


def duration_code(duration: timedelta) -> str:
    """A length of time as code, in the largest unit without a remainder: `Duration.hours(8)`."""
    for unit, length in _UNITS:
        if duration and not duration % length:
            return f"Duration.{unit}({duration // length})"
    return f"Duration.seconds({int(duration.total_seconds())})"


def _fix(parameter: str, code: str) -> str:
    """A value that is allowed, as code; `parameter` ends with the name of the parameter."""
    return f"pass {parameter.rpartition(' ')[2]}={code}"
