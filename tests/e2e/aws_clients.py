"""The administrator's boto3 clients of the lab's account, each made once: to make one takes longer than most calls."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3


@cache
def client(service: str) -> Any:
    """The client of a service, by boto3's name for it. Only once there is an account to ask; see `conftest.account`."""
    return boto3.client(service)  # type: ignore[call-overload]  # the stubs know each service by its literal name only
