"""Misuse of a construct, said in its constructor: the value received, the values allowed, and the fix."""

from datetime import timedelta

from aws_cdk import Duration, Token


def invalid_value(parameter: str, *, received: object, allowed: str, fix: str) -> ValueError:
    """The error to raise for a value that a construct cannot work with.

    :param parameter: class and parameter, such as `AnnexFleet max_size`.
    :param received: the value as the caller gave it.
    :param allowed: which values would have been accepted.
    :param fix: what to write instead.
    """
    return ValueError(f"{parameter}: received {received!r}, allowed {allowed}; fix: {fix}")


def check_whole_number(parameter: str, value: float, *, least: int, most: int, fix: str) -> None:
    """Refuse what is not a whole number in the range; an unresolved token passes, CloudFormation alone knows it.

    :param parameter: class and parameter.
    :param value: the number or token.
    :param least: smallest number allowed.
    :param most: largest number allowed.
    :param fix: what to write instead.
    :raises ValueError: the number is not allowed.
    """
    if Token.is_unresolved(value):
        return
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise invalid_value(parameter, received=value, allowed=f"a whole number from {least} to {most}", fix=fix)


def seconds(parameter: str, value: Duration, *, least: timedelta, most: timedelta, fix: str) -> int:
    """The seconds of a duration that must be known at synthesis and lie in the range.

    :param parameter: class and parameter.
    :param value: the duration.
    :param least: shortest duration allowed.
    :param most: longest duration allowed.
    :param fix: what to write instead.
    :raises ValueError: the duration is a token, is not whole seconds, or is out of the range.
    """
    allowed = f"whole seconds from {least} to {most}, known when the app is synthesised"
    if value.is_unresolved():
        raise invalid_value(parameter, received=value.to_string(), allowed=allowed, fix=fix)
    exact = float(value.to_milliseconds()) / 1000
    if exact != int(exact) or not least.total_seconds() <= exact <= most.total_seconds():
        raise invalid_value(parameter, received=value.to_human_string(), allowed=allowed, fix=fix)
    return int(exact)
