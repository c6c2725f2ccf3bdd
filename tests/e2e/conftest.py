"""Fixtures of tests inside a lab: `python -m lab run -- python -m pytest tests/e2e/...`, as in scripts/test."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import sandbox
from lab.operator import Operator
from lab.site import operator

SPEC = """\
[pool]
collector = "cm.pool.lab"
trust_domain = "pool.lab"

[defaults]
region = "us-east-1"
image = "ami-0123456789abcdef0"
instance_types = ["c6a.large"]
grace = "30s"
"""


def pytest_collection(session: pytest.Session) -> None:
    if not sandbox.inside():
        # An error, not a skip: a check that could not run must not look like one that passed.
        pytest.exit("tests/e2e needs a lab: python -m lab run -- python -m pytest tests/e2e/...", returncode=2)


@pytest.fixture(scope="session")
def account() -> None:
    """The account, prepared once; boto3 in these tests acts as its administrator."""
    someone = operator(Path("unused"))
    os.environ.update({k: v for k, v in someone.environment().items() if k.startswith("AWS_")})
    someone.bootstrap()


@pytest.fixture(scope="module")
def operator_of(account: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Operator]:
    """An operator whose annexes.toml holds the given annexes."""

    def make(annexes: str) -> Operator:
        spec = tmp_path_factory.mktemp("spec") / "annexes.toml"
        spec.write_text(SPEC + annexes)
        return operator(spec)

    return make
