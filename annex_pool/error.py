"""The errors that the `annex` command reports as one message, without a traceback."""


class AnnexError(Exception):
    """Something could not be done; the text says what and what to do about it. Exit code 1."""

    exit_code = 1


class InputError(AnnexError):
    """What was asked for is not allowed; the text says what was received and what is allowed. Exit code 2."""

    exit_code = 2
