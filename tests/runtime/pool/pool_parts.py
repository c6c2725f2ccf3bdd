"""The lease checker's function of an annex in an account (moto), and moto made to serve threads."""

from __future__ import annotations

import io
import json
import zipfile
from threading import RLock
from typing import Any

import pytest
from moto.core.botocore_stubber import BotocoreStubber

from annex_lease.invocation import CheckerSettings
from tests.runtime.pool.pool_world import REGION, aws


def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moto answer one request after the other: the commands ask in threads, for which moto is not made."""
    answer, lock = BotocoreStubber.__call__, RLock()

    def call(stubber: BotocoreStubber, event_name: str, request: Any, **more: Any) -> Any:
        with lock:
            return answer(stubber, event_name, request, **more)

    monkeypatch.setattr(BotocoreStubber, "__call__", call)


def make_checker(name: str, annex_id: str, *, region: str = REGION, part: str | None = None, **settings: str) -> None:
    """The lease checker's function of an annex, which has these settings; it is never invoked."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("code.py", "")
    iam, trust = aws().client("iam"), {"Version": "2012-10-17", "Statement": []}
    role = f"role-{region}-{part or name}"
    pool = {"collector": "cm.example.edu:9618", "trust_domain": "example.edu"}
    aws(region).functions.create_function(
        FunctionName=f"checker-{part or name}",
        Runtime="python3.13",
        Role=iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"],
        Handler="code.run",
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": CheckerSettings(**{**pool, **settings}).to_environ()},
        Tags={"annex:name": name, "annex:id": annex_id},
    )
