"""When the token in an annex's secret expires, told by the name of its version: to read it nobody must read the token.

"ClientRequestToken ... becomes the VersionId of the new version", 32 to 64 characters (Secrets Manager API Reference,
PutSecretValue). The expiry is no secret: it is no later than the end of the annex's reach.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

_FORM = re.compile(r"annex-expires-([0-9]{8}T[0-9]{6}Z)-[0-9a-f]{32}")
_TIME = "%Y%m%dT%H%M%SZ"


def version_id(expires: datetime | None) -> str:
    """A new name for the version of a token that expires then; None: nothing can be said.

    Args:
        expires: aware.
    """
    if expires is None:
        return str(uuid.uuid4())
    return f"annex-expires-{expires.astimezone(UTC).strftime(_TIME)}-{uuid.uuid4().hex}"


def stored_expiry(version: str) -> datetime | None:
    """When the token of this version expires; None if its name does not say so."""
    match = _FORM.fullmatch(version)
    if match is None:
        return None
    try:
        return datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
