"""Errors that the `annex` command reports as one message, without a traceback."""


class AnnexError(Exception):
    """A command failed; the text gives the reason and the remedy. Exit code 1."""

    exit_code = 1


class InputError(AnnexError):
    """The input is not allowed; the text gives the value received and the values allowed. Exit code 2."""

    exit_code = 2
