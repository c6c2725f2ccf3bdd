"""leave-group: the request that AWS's own library would make, without that library."""

from __future__ import annotations

import runpy
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from annex_boot import files

PROGRAM = Path(files.__file__).parent / "leave-group"
KEY = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret+/example", "Token": "token+/=="}
HOST, REGION = "autoscaling.eu-central-1.amazonaws.com", "eu-central-1"
BODY = b"Action=TerminateInstanceInAutoScalingGroup&InstanceId=i-0abc&ShouldDecrementDesiredCapacity=true"
NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    return runpy.run_path(str(PROGRAM), run_name="leave_group")


def test_signs_as_awss_own_library_does(program: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    headers = program["signed"](HOST, REGION, BODY, KEY, NOW)
    kept = {"Content-Type": headers["content-type"]}
    request = AWSRequest("POST", f"https://{HOST}/", data=BODY, headers=kept)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: NOW.replace(tzinfo=None))
    credentials = Credentials(KEY["AccessKeyId"], KEY["SecretAccessKey"], KEY["Token"])
    botocore.auth.SigV4Auth(credentials, "autoscaling", REGION).add_auth(request)
    assert headers["x-amz-date"] == "20260504T030201Z"
    assert headers["authorization"] == request.headers["Authorization"]


def test_without_a_metadata_service_it_fails_in_one_line(program: dict[str, Any]) -> None:
    # In a network of its own, where nothing answers.
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", sys.executable, str(PROGRAM)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("annex: Auto Scaling: ")
    assert len(done.stderr.splitlines()) == 1
