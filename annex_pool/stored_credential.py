"""The secret of a deployed annex, without its value: current version, state, and what an operator does about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from annex_lease.facts import current_version, state_of
from annex_lease.observed import Credential
from annex_pool.deployed import Deployed
from annex_pool.own_resources import SECRET, find_arn
from annex_pool.region import asking
from annex_pool.token import TOLERANCE, stored_expiry


@dataclass(frozen=True)
class StoredCredential:
    """The annex's secret.

    Attributes:
        arn: its ARN.
        version: id of its current version; None if it has no value, or waits for its deletion.
        state: its state.
    """

    arn: str
    version: str | None
    state: Credential


def stored_credential(found: Deployed, sleep: Callable[[float], None] | None = None) -> StoredCredential:
    """Describe the annex's secret. Its value is not read.

    Args:
        found: the annex.
        sleep: waits between attempts to find a new secret, see `find_arn`. Default: None - one attempt only.

    Raises:
        AnnexError: AWS could not be asked, or there is not exactly one secret.
    """
    arn = find_arn(found, SECRET, sleep)
    with asking(f"whether the secret of annex {found.name} has a value"):
        described = found.aws.secretsmanager.describe_secret(SecretId=arn)
    return StoredCredential(arn, current_version(described), state_of(described))


def early_expiry(stored: StoredCredential, end: datetime) -> datetime | None:
    """Expiry of the stored token if it is before the end of a lease; None if it is not, or is not known.

    Args:
        stored: the annex's secret.
        end: the end, aware.
    """
    expires = stored_expiry(stored.version or "")
    return expires if expires is not None and expires < end - TOLERANCE else None


def restore_advice(secret: str, region: str) -> str:
    """Advice for a secret that waits for its deletion: AWS refuses a new value for it.

    Args:
        secret: ARN of the secret.
        region: its Region.
    """
    return (
        f"the credential's secret waits for its deletion: restore it with `aws secretsmanager restore-secret --region "
        f"{region} --secret-id {secret}`"
    )
