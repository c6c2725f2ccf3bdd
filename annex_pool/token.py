"""An annex's IDTOKEN: what it must say to be accepted, and reading what it says.

A token is a secret. `Token` shows its claims only, and no error made here holds a part of the text.
HTCondor's documentation, "Security: Token Authentication", describes the claims and the form of the scope.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from annex_lease.tags import format_time, shown
from annex_pool.error import AnnexError

AUTHORIZATIONS = ("ADVERTISE_STARTD", "ADVERTISE_MASTER")
"""All that an execution point needs; measured to be enough with CCB and file transfer too."""

_SCOPE = frozenset(f"condor:/{authorization}" for authorization in AUTHORIZATIONS)
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_FIRST_YEAR, _LAST_YEAR = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rule:
    """What a token of one annex must say.

    Attributes:
        identity: its subject, such as annex-demo@example.edu.
        issuer: the pool's trust domain.
        latest: when it must have expired: the longest reach of the lease.
    """

    identity: str
    issuer: str
    latest: datetime


@dataclass(frozen=True)
class Token:
    """A token that was read. The text is left out of every representation."""

    text: str = field(repr=False)
    claims: Mapping[str, object]


def rule_for(annex: str, trust_domain: str, latest: datetime) -> Rule:
    """What the token of this annex must say."""
    return Rule(f"annex-{annex}@{trust_domain}", trust_domain, latest)


def read_token(text: str) -> Token:
    """Read a token without checking its signature: only the pool has the key, and it checks on every connection.

    Args:
        text: one token; white space around it is dropped.

    Raises:
        AnnexError: the text has another form.
    """
    stripped = text.strip()
    if _FORM.fullmatch(stripped) is None:
        raise AnnexError("what was received is not one IDTOKEN: three parts of base64url text joined by dots")
    part = stripped.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        # Raised outside the handler: the decoder's own error holds what it was decoding.
        raise AnnexError("what was received is not an IDTOKEN: its second part is not a JSON object in base64url")
    return Token(stripped, claims)


def defects(token: Token, rule: Rule, now: datetime) -> tuple[str, ...]:
    """Everything a token says that it must not say, or fails to say; empty if it may be stored."""
    claims = token.claims
    found = []
    if claims.get("sub") != rule.identity:
        found.append(f"its identity (sub) is {_said(claims, 'sub')}, allowed is {rule.identity}")
    if claims.get("iss") != rule.issuer:
        found.append(f"its issuer (iss) is {_said(claims, 'iss')}, allowed is the pool's trust domain {rule.issuer}")
    scope = claims.get("scope")
    if not isinstance(scope, str) or frozenset(scope.split()) != _SCOPE:
        allowed = " ".join(sorted(_SCOPE))
        found.append(f"its scope is {_said(claims, 'scope')}, allowed is exactly {allowed}")
    found.extend(_expiry_defects(claims, rule, now))
    return tuple(found)


def expiry(token: Token) -> datetime | None:
    """When the token expires, aware UTC; None if it does not say so in a way that can be read."""
    value = token.claims.get("exp")
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    if not _FIRST_YEAR.timestamp() <= value < _LAST_YEAR.timestamp():
        return None
    return datetime.fromtimestamp(value, UTC)


def _expiry_defects(claims: Mapping[str, object], rule: Rule, now: datetime) -> list[str]:
    expires = expiry(Token("", claims))
    if expires is None:
        return [f"its expiry (exp) is {_said(claims, 'exp')}, allowed is a time, at most {format_time(rule.latest)}"]
    if expires <= now:
        return [f"it expired at {format_time(expires)}"]
    if expires > rule.latest:
        end = f"the longest reach of the lease, {format_time(rule.latest)}"
        return [f"it expires at {format_time(expires)}, allowed is at most {end}"]
    return []


def _said(claims: Mapping[str, object], claim: str) -> str:
    return shown(claims[claim]) if claim in claims else "missing"
