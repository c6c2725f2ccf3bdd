"""An account for each test, with credentials that are valid in it only."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from moto import mock_aws

from tests.runtime.pool.pool_parts import one_at_a_time
from tests.runtime.pool.pool_world import World

# moto's CloudFormation imports its API Gateway, which imports a validator of APIs that nothing here has.
for name in ("", ".validation", ".validation.exceptions"):
    module = ModuleType(f"openapi_spec_validator{name}")
    vars(module).update(validate=None, OpenAPIValidationError=ValueError)
    sys.modules.setdefault(module.__name__, module)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    # Reading Amazon's public images takes moto longer than a whole test.
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("ANNEX_TOKEN_COMMAND", raising=False)
    one_at_a_time(monkeypatch)
    with mock_aws():
        yield World(tmp_path)
