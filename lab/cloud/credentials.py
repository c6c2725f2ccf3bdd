"""Credentials of an instance's role, which the API accepts.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
"""

import datetime
import json
import secrets
import string
from dataclasses import dataclass
from typing import Any

from lab.cloud import instances, world
from lab.cloud.emulator import iam, sts
from lab.cloud.instances import Record

_LIFE = 6 * 3600.0
# "We make new credentials available at least five minutes before the expiration of the old credentials."
_RENEWED_BEFORE = 15 * 60.0


@dataclass(frozen=True)
class _Session:
    role: str
    access_key: str
    secret: str
    token: str
    issued: float


_sessions: dict[str, _Session] = {}


def role_of(record: Record) -> dict[str, Any] | None:
    """The role in the instance's profile, or None."""
    profile = _profile(record)
    names = [one if isinstance(one, str) else one["RoleName"] for one in (profile or {}).get("Roles", [])]
    role: dict[str, Any] | None = iam._roles.get(names[0]) if names else None
    return role


def _profile(record: Record) -> dict[str, Any] | None:
    arn = (record.get("IamInstanceProfile") or {}).get("Arn")
    return next((one for one in iam._instance_profiles.values() if arn and one["Arn"] == arn), None)


def info(record: Record) -> str:
    """``iam/info``."""
    profile = _profile(record) or {}
    return json.dumps(
        {
            "Code": "Success",
            "LastUpdated": _stamp(world.now()),
            "InstanceProfileArn": profile.get("Arn"),
            "InstanceProfileId": profile.get("InstanceProfileId"),
        },
        indent=2,
    )


def document(record: Record, role: dict[str, Any]) -> str:
    """``iam/security-credentials/ROLE``: a session of the role named by the instance id."""
    session = _session(record, role)
    return json.dumps(
        {
            "Code": "Success",
            "LastUpdated": _stamp(session.issued),
            "Type": "AWS-HMAC",
            "AccessKeyId": session.access_key,
            "SecretAccessKey": session.secret,
            "Token": session.token,
            "Expiration": _stamp(session.issued + _LIFE),
        },
        indent=2,
    )


def _session(record: Record, role: dict[str, Any]) -> _Session:
    instance_id = record["InstanceId"]
    kept = _sessions.get(instance_id)
    if kept and kept.role == role["RoleName"] and world.now() < kept.issued + _LIFE - _RENEWED_BEFORE:
        return kept
    letters = string.ascii_uppercase + string.digits
    session = _Session(
        role=role["RoleName"],
        access_key="ASIA" + "".join(secrets.choice(letters) for _ in range(16)),
        secret=secrets.token_urlsafe(30),
        token=secrets.token_urlsafe(200),
        issued=world.now(),
    )
    _sessions[instance_id] = session
    account = instances.details(record).account
    sts.register_session(
        session.access_key,
        {
            "Arn": f"arn:aws:sts::{account}:assumed-role/{session.role}/{instance_id}",
            "UserId": f"{role.get('RoleId', session.role)}:{instance_id}",
            "SecretAccessKey": session.secret,
            "SessionToken": session.token,
            "Expiration": session.issued + _LIFE,
            "AccountId": account,
            "PrincipalType": "AssumedRole",
        },
    )
    return session


def _stamp(moment: float) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
