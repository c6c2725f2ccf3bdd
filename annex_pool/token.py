"""IDTOKEN of an annex: the claims it must have, reading them, and its expiry in the name of its secret version.

A token is a secret. `Token` shows its claims only, and no error of this module holds a part of the text.
HTCondor's documentation, "Security: Token Authentication", describes the claims and the form of the scope.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from annex_lease.forms import IDTOKEN
from annex_lease.tags import format_time, shown
from annex_pool.command_error import AnnexError

AUTHORIZATIONS = ("ADVERTISE_STARTD", "ADVERTISE_MASTER")
"""Authorizations that an execution point needs; tested as sufficient with CCB and file transfer too."""

_SCOPE = frozenset(f"condor:/{authorization}" for authorization in AUTHORIZATIONS)
_FIRST_YEAR, _LAST_YEAR = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
TOLERANCE = timedelta(minutes=5)
"""A token may expire so long before the lease: the pool counts its lifetime from a clock of its own."""
_VERSION = re.compile(r"annex-expires-([0-9]{8}T[0-9]{6}Z)-[0-9a-f]{32}")
_VERSION_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class TokenRule:
    """Claims that a token of one annex must have.

    Attributes:
        identity: its subject, such as annex-demo@example.edu.
        issuer: the pool's trust domain.
        earliest: earliest expiry: the end of the lease, or a little before it.
        latest: latest expiry: the end of the annex's maximum lifetime.
    """

    identity: str
    issuer: str
    earliest: datetime
    latest: datetime


@dataclass(frozen=True)
class Token:
    """A token with its claims. The text is left out of every representation."""

    text: str = field(repr=False)
    claims: Mapping[str, object]


def rule_for(annex: str, trust_domain: str, end: datetime, latest: datetime) -> TokenRule:
    """The rule for the token of this annex.

    Args:
        annex: the annex's name.
        trust_domain: the pool's trust domain.
        end: end of the lease, aware.
        latest: end of the maximum lifetime, aware; not before `end`.
    """
    return TokenRule(f"annex-{annex}@{trust_domain}", trust_domain, end - TOLERANCE, latest)


def read_token(text: str) -> Token:
    """Read a token without checking its signature: only the pool has the key, and it checks on every connection.

    Args:
        text: one token; white space around it is dropped.

    Raises:
        AnnexError: the text has another form.
    """
    stripped = text.strip()
    if not IDTOKEN.matches(stripped):
        raise AnnexError(f"the text received is not {IDTOKEN.allowed}")
    part = stripped.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        # Raised outside the handler: the decoder's own error holds the text that it decoded.
        raise AnnexError("the text received is not an IDTOKEN: its second part is not a JSON object in base64url")
    return Token(stripped, claims)


def defects(token: Token, rule: TokenRule, now: datetime) -> tuple[str, ...]:
    """List every claim that is missing or breaks the rule; empty if the token may be stored."""
    claims = token.claims
    found = []
    if claims.get("sub") != rule.identity:
        found.append(f"its identity (sub) is {_claim(claims, 'sub')}, allowed is {rule.identity}")
    if claims.get("iss") != rule.issuer:
        found.append(f"its issuer (iss) is {_claim(claims, 'iss')}, allowed is the pool's trust domain {rule.issuer}")
    scope = claims.get("scope")
    if not isinstance(scope, str) or frozenset(scope.split()) != _SCOPE:
        allowed = " ".join(sorted(_SCOPE))
        found.append(f"its scope is {_claim(claims, 'scope')}, allowed is exactly {allowed}")
    found.extend(_expiry_defects(claims, rule, now))
    return tuple(found)


def expiry(token: Token) -> datetime | None:
    """Expiry of the token, aware UTC; None if the claim is missing or cannot be read."""
    value = token.claims.get("exp")
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    if not _FIRST_YEAR.timestamp() <= value < _LAST_YEAR.timestamp():
        return None
    return datetime.fromtimestamp(value, UTC)


def version_id(expires: datetime | None) -> str:
    """A new name for the secret version of a token, which holds the token's expiry.

    A command can read the expiry from this name without reading the token. "ClientRequestToken ... becomes the
    VersionId of the new version", 32 to 64 characters (Secrets Manager API Reference, PutSecretValue). The expiry is no
    secret: it is no later than the end of the annex's maximum lifetime.

    Args:
        expires: expiry of the token, aware; None: unknown, the name holds none.
    """
    if expires is None:
        return str(uuid.uuid4())
    return f"annex-expires-{expires.astimezone(UTC).strftime(_VERSION_TIME)}-{uuid.uuid4().hex}"


def stored_expiry(version: str) -> datetime | None:
    """Expiry of the token in the secret version of this name; None if the name holds none."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return None
    try:
        return datetime.strptime(match[1], _VERSION_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _expiry_defects(claims: Mapping[str, object], rule: TokenRule, now: datetime) -> list[str]:
    expires = expiry(Token("", claims))
    if expires is None:
        return [f"its expiry (exp) is {_claim(claims, 'exp')}, allowed is a time, at most {format_time(rule.latest)}"]
    if expires <= now:
        return [f"it expired at {format_time(expires)}"]
    if expires < rule.earliest:
        least = f"execution points could not join until the end of the lease: allowed is {format_time(rule.earliest)}"
        return [f"it expires at {format_time(expires)}, and {least} or later"]
    if expires > rule.latest:
        end = f"the end of the maximum lifetime, {format_time(rule.latest)}"
        return [f"it expires at {format_time(expires)}, allowed is at most {end}"]
    return []


def _claim(claims: Mapping[str, object], claim: str) -> str:
    return shown(claims[claim]) if claim in claims else "missing"
