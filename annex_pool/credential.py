"""`annex credential push`: store a token of the pool in the annex's secret, and have the waiting size granted."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from annex_lease.observed import Credential
from annex_pool.check import Answer
from annex_pool.command_error import AnnexError, InputError
from annex_pool.deployed import Deployed, renewable_lease
from annex_pool.deployed_pool import deployed_pool
from annex_pool.environment import Environment
from annex_pool.image import look_at_launch
from annex_pool.place import Place, deployed_annex
from annex_pool.region import asking
from annex_pool.stored_credential import restore_advice, stored_credential
from annex_pool.token import AUTHORIZATIONS, Token, TokenRule, defects, expiry, read_token, rule_for, version_id

# The pool counts a token's lifetime from its own clock when it signs; the margin keeps it within the maximum lifetime.
_MARGIN_SECONDS = 30
_ISSUE_SECONDS = 60
_MAX_TOKEN_BYTES = 65_536  # the largest secret value (Secrets Manager quotas)
# Matches tokens, and parts of them, in the error output of a program: they must not reach the screen or a log.
_TOKEN_LIKE = re.compile(r"ey[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)*|[A-Za-z0-9_-]{20,}(?:\.[A-Za-z0-9_-]{20,}){1,2}")


@dataclass(frozen=True)
class Pushed:
    """Result of a push, without the token.

    Attributes:
        identity: the identity that the pool will see.
        expires: when the token expires.
        answer: the lease checker's answer after the push.
        notes: what an operator should know of the image and the types, and what could not be checked of them.
    """

    identity: str
    expires: datetime
    answer: Answer
    notes: tuple[str, ...] = ()


def push(environment: Environment, place: Place, declared: str | None, command: str, file: str | None) -> Pushed:
    """Store a token for the annex, and run its lease checker, which grants the declared size.

    Args:
        environment: external dependencies.
        place: the annex.
        declared: the pool's trust domain as the spec file declares it; None: it declares none. That of the deployed
            annex counts if it is known, because its execution points have it.
        command: the program that issues the token; see `issue`.
        file: a file with a token issued elsewhere, `-` for standard input. Default: None - issue one.

    Raises:
        AnnexError: the annex is not deployed, its maximum lifetime is over, or it is being destroyed; its secret waits
            for its deletion; its image cannot work; the token is refused; AWS could not be asked; the trust domain is
            not known.
    """
    found = deployed_annex(environment, place)
    # Also for an annex that has ended: a renewal needs a valid credential.
    lease = renewable_lease(found, environment.now())
    rule = rule_for(place.name, _trust_domain(found, declared), lease.end_by_time, lease.latest_end)
    stored = stored_credential(found, environment.sleep)
    if stored.state is Credential.DELETED:
        # AWS refuses a new value. No token is issued that could not be stored.
        raise AnnexError(f"nothing was stored: {restore_advice(stored.arn, place.region)}, then push again")
    notes = _check_launch(found, environment.now())
    token = _from_file(file, rule, environment.now()) if file is not None else _issued(command, rule, environment)
    with asking(f"to store the token of annex {place.name} in {place.region}"):
        found.aws.secretsmanager.put_secret_value(
            SecretId=stored.arn, SecretString=token.text, ClientRequestToken=version_id(expiry(token))
        )
    try:
        answer = environment.ask_checker(found)
    except AnnexError as error:
        raise AnnexError(f"the token is stored, but {error}; a working checker grants within a minute") from error
    return Pushed(rule.identity, expiry(token) or lease.latest_end, answer, notes)


def _trust_domain(found: Deployed, declared: str | None) -> str:
    pool = deployed_pool(found)
    known = pool.trust_domain or declared
    if known:
        return known
    reason = pool.error or "an earlier version of this project deployed it"
    raise AnnexError(
        f"the trust domain of the pool of annex {found.name} is not known, and nothing was stored: the deployed annex "
        f"does not name it ({reason}), and no spec file does: name a file with a table [pool] (--spec), or run "
        f"{found.cdk('deploy')}"
    )


def _check_launch(found: Deployed, now: datetime) -> tuple[str, ...]:
    """Refuse to start instances that fail, or are billed and never join: without a token nothing is granted."""
    looked = look_at_launch(found.aws, found.group.name, now)
    if looked.defects:
        raise AnnexError(
            f"nothing was stored, so that nothing starts: {'; '.join(looked.defects)}. Correct the spec, run "
            f"{found.cdk('deploy')}, then push"
        )
    return tuple(looked.notes)


def issue(command: str, identity: str, lifetime_seconds: int) -> str:
    """Have the pool's own program sign a token; only that program reads the pool's signing key.

    Args:
        command: the program and leading arguments, split as a shell does, such as `condor_token_create`, or
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
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ISSUE_SECONDS)
    except subprocess.TimeoutExpired:
        # Not chained: the error of subprocess holds the program's output so far.
        raise AnnexError(f"{program} did not finish within {_ISSUE_SECONDS} seconds") from None
    except OSError as error:
        raise AnnexError(
            f"{program} cannot be started: {error.strerror}; run this on the pool's central manager, name the program "
            "with --token-command, or push a token issued there with --token-file"
        ) from None
    if done.returncode:
        raise AnnexError(f"{program} failed with exit code {done.returncode}: {_last_line(done.stderr)}")
    return done.stdout.decode("utf-8", errors="replace")


def read_token_file(name: str) -> str:
    """Read a token file.

    Args:
        name: the file; `-` is standard input.

    Raises:
        InputError: it cannot be read, or is too large for a token.
    """
    try:
        if name == "-":
            data = sys.stdin.buffer.read(_MAX_TOKEN_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(_MAX_TOKEN_BYTES + 1)
    except OSError as error:
        raise InputError(f"the token file {name} cannot be read: {error.strerror}") from None
    if len(data) > _MAX_TOKEN_BYTES:
        raise InputError(f"the token file {name} holds more than {_MAX_TOKEN_BYTES} bytes: it is not one token")
    return data.decode("utf-8", errors="replace")


def _issued(command: str, rule: TokenRule, environment: Environment) -> Token:
    lifetime = int((rule.latest - environment.now()).total_seconds()) - _MARGIN_SECONDS
    if lifetime <= 0:
        raise AnnexError(f"less than {_MARGIN_SECONDS} seconds of the maximum lifetime are left: no token was issued")
    token = read_token(issue(command, rule.identity, lifetime))
    found = defects(token, rule, environment.now())
    if found:
        raise AnnexError(
            f"the pool's token is refused and nothing was stored: {'; '.join(found)}. Compare trust_domain in the spec "
            f"with the pool's TRUST_DOMAIN, and check the token command ({command})"
        )
    return token


def _from_file(file: str, rule: TokenRule, now: datetime) -> Token:
    try:
        token = read_token(read_token_file(file))
    except InputError:
        raise
    except AnnexError as error:
        raise InputError(f"the token file {file} is refused and nothing was stored: {error}") from None
    found = defects(token, rule, now)
    if found:
        lifetime = max(int((rule.latest - now).total_seconds()) - _MARGIN_SECONDS, 1)
        authorizations = " ".join(f"-authz {name}" for name in AUTHORIZATIONS)
        raise InputError(
            f"the token is refused and nothing was stored: {'; '.join(found)}. Issue it on the pool's host with "
            f"`condor_token_create -identity {rule.identity} {authorizations} -lifetime {lifetime}`"
        )
    return token


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", errors="replace").strip().splitlines()
    return _TOKEN_LIKE.sub("[hidden]", lines[-1])[:300] if lines else "it printed no error"
