"""Where a token comes from: the pool's own `condor_token_create`, or a file."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from annex_pool.error import AnnexError, InputError
from annex_pool.token import AUTHORIZATIONS

_TIMEOUT_SECONDS = 60
_LARGEST_FILE = 65_536  # Secrets Manager stores no more in one secret
# Whatever a program prints beside the token: a part of a token must not reach the operator's screen or log.
_TOKEN_LIKE = re.compile(r"ey[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*|[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9_-]{20,}){1,2}")


def issue(command: str, identity: str, lifetime_seconds: int) -> str:
    """Have the pool sign a token. Its signing key is read by the pool's own program and never by this one.

    Args:
        command: the program and leading arguments, split as a shell would, such as `condor_token_create`, or
            `docker exec cm condor_token_create` for a pool in a container.
        identity: the token's subject.
        lifetime_seconds: how long it is valid.

    Raises:
        InputError: the command is empty or not quoted correctly.
        AnnexError: it cannot be started, failed, or took longer than 60 seconds.
    """
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise InputError(f"the token command {command!r} cannot be split into arguments: {error}") from error
    if not arguments:
        raise InputError("the token command is empty: name the pool's condor_token_create")
    arguments += ["-identity", identity]
    for authorization in AUTHORIZATIONS:
        arguments += ["-authz", authorization]
    arguments += ["-lifetime", str(lifetime_seconds)]
    program = arguments[0]
    try:
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        # Not chained: the error of subprocess holds what was printed so far.
        raise AnnexError(f"{program} did not finish within {_TIMEOUT_SECONDS} seconds") from None
    except OSError as error:
        raise AnnexError(
            f"{program} cannot be started: {error.strerror}; run this on the pool's central manager, name the program "
            "with --token-command, or push a token issued there with --token-file"
        ) from None
    if done.returncode:
        raise AnnexError(f"{program} failed with exit code {done.returncode}: {_complaint(done.stderr)}")
    return done.stdout.decode("utf-8", errors="replace")


def read_file(name: str) -> str:
    """The text of a token file.

    Args:
        name: the file; `-` is standard input.

    Raises:
        InputError: it cannot be read, or is too large to be a token.
    """
    try:
        if name == "-":
            data = sys.stdin.buffer.read(_LARGEST_FILE + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"the token file {name} cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST_FILE:
        raise InputError(f"the token file {name} holds more than {_LARGEST_FILE} bytes: it is not one token")
    return data.decode("utf-8", errors="replace")


def _complaint(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", errors="replace").strip().splitlines()
    return _TOKEN_LIKE.sub("[hidden]", lines[-1])[:300] if lines else "it said nothing"
