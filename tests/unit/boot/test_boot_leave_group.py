"""leave-group: the request that AWS's own library would make, without that library."""

from __future__ import annotations

import io
import json
import runpy
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qsl
from urllib.request import Request

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


class MetadataService:
    """The metadata service, which answers at one address only."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.facts = {
            "api/token": "session",
            "meta-data/instance-id": "i-0abc",
            "meta-data/placement/region": REGION,
            "meta-data/services/domain": "amazonaws.com",
            "meta-data/iam/security-credentials/": "Annex-demo-Role",
            "meta-data/iam/security-credentials/Annex-demo-Role": json.dumps(KEY),
        }

    def open(self, request: Request, timeout: int) -> io.BytesIO:
        assert timeout < 60
        if request.host != self.address:
            raise URLError("no route to host")
        path = request.full_url.removeprefix(f"http://{self.address}/latest/")
        assert path == "api/token" or request.get_header("X-aws-ec2-metadata-token") == "session"
        return io.BytesIO(self.facts[path].encode())


@pytest.mark.parametrize(("address", "suffix"), [("169.254.169.254", "amazonaws.com"), ("[fd00:ec2::254]", "api.aws")])
def test_asks_for_one_instance_less(
    program: dict[str, Any], monkeypatch: pytest.MonkeyPatch, address: str, suffix: str
) -> None:
    """In a subnet without IPv4 too, where AWS has endpoints of another name."""
    sent: list[Request] = []
    monkeypatch.setitem(program["main"].__globals__, "DIRECT", MetadataService(address))
    monkeypatch.setattr(urllib.request, "urlopen", lambda request, timeout: sent.append(request))
    program["main"]()
    (request,) = sent
    assert (request.get_method(), request.full_url) == ("POST", f"https://autoscaling.{REGION}.{suffix}/")
    assert isinstance(request.data, bytes)
    assert dict(parse_qsl(request.data.decode())) == {**dict(parse_qsl(BODY.decode())), "Version": "2011-01-01"}
    assert request.get_header("X-amz-security-token") == KEY["Token"]


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
