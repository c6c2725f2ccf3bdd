"""call-aws: the requests that AWS's own library would make, without that library."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import runpy
import subprocess
import sys
import tarfile
import urllib.request
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl
from urllib.request import Request

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from annex_boot import files
from annex_boot.archive import boot_archive
from annex_boot.boot_files import boot_file

PROGRAM = Path(files.__file__).parent / "call-aws"
KEY = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret+/example", "Token": "token+/=="}
REGION = "eu-central-1"
NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue"}
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:Annex-demo-AbCdEf"


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    return runpy.run_path(str(PROGRAM), run_name="call_aws")


def test_the_oldest_python_reads_it() -> None:
    """cloud-init's interpreter is that of the image."""
    ast.parse(PROGRAM.read_text(), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("service", "headers", "body"),
    [
        ("autoscaling", FORM, b"Action=SetInstanceProtection&InstanceIds.member.1=i-0abc"),
        ("secretsmanager", JSON, b"{}"),
        ("s3", {}, b""),
    ],
)
def test_signs_as_awss_own_library_does(
    program: dict[str, Any], monkeypatch: pytest.MonkeyPatch, service: str, headers: dict[str, str], body: bytes
) -> None:
    host, path = f"{service}.{REGION}.amazonaws.com", "/example-bucket/a%20b.tar.gz" if service == "s3" else "/"
    signed = program["signed"](service, host, path, REGION, headers, body, KEY, NOW)
    kept = headers | {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
    request = AWSRequest("POST" if body else "GET", f"https://{host}{path}", data=body, headers=kept)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: NOW.replace(tzinfo=None))
    credentials = Credentials(KEY["AccessKeyId"], KEY["SecretAccessKey"], KEY["Token"])
    signer = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    signer(credentials, service, REGION).add_auth(request)
    assert signed["x-amz-date"] == "20260504T030201Z"
    assert signed["authorization"] == request.headers["Authorization"]
    assert signed.items() >= headers.items()


def test_the_metadata_service_is_asked_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example.edu:3128")
    openers = urllib.request.build_opener(), runpy.run_path(str(PROGRAM), run_name="call_aws")["DIRECT"]
    classes = [{type(handler) for handler in vars(opener)["handlers"]} for opener in openers]
    assert [urllib.request.ProxyHandler in each for each in classes] == [True, False], "Python's own opener would ask"


class MetadataService:
    """The metadata service, which answers at one address only."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.facts = {
            "api/token": "session",
            "meta-data/instance-id": "i-0abc",
            "meta-data/tags/instance/aws:autoscaling:groupName": "Annex-demo-Group-1",
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


class Aws:
    """AWS, which answers each request with the same text and keeps the requests."""

    def __init__(self, answer: bytes = b"") -> None:
        self.answer = answer
        self.sent: list[Request] = []

    def urlopen(self, request: Request, timeout: int) -> io.BytesIO:
        assert timeout < 90
        self.sent.append(request)
        return io.BytesIO(self.answer)


def calls(
    program: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    answer: bytes = b"",
    address: str = "169.254.169.254",
) -> Request:
    """The one request that a verb makes."""
    aws = Aws(answer)
    monkeypatch.setitem(program["main"].__globals__, "DIRECT", MetadataService(address))
    monkeypatch.setattr(urllib.request, "urlopen", aws.urlopen)
    program["main"](*arguments)
    (request,) = aws.sent
    return request


def form(request: Request) -> dict[str, str]:
    assert isinstance(request.data, bytes)
    return dict(parse_qsl(request.data.decode()))


@pytest.mark.parametrize(("address", "suffix"), [("169.254.169.254", "amazonaws.com"), ("[fd00:ec2::254]", "api.aws")])
def test_asks_for_one_instance_less(
    program: dict[str, Any], monkeypatch: pytest.MonkeyPatch, address: str, suffix: str
) -> None:
    """In a subnet without IPv4 too, where AWS has endpoints of another name."""
    request = calls(program, monkeypatch, "leave", address=address)
    assert (request.get_method(), request.full_url) == ("POST", f"https://autoscaling.{REGION}.{suffix}/")
    assert form(request) == {
        "Action": "TerminateInstanceInAutoScalingGroup",
        "InstanceId": "i-0abc",
        "ShouldDecrementDesiredCapacity": "true",
        "Version": "2011-01-01",
    }
    assert request.get_header("X-amz-security-token") == KEY["Token"]


@pytest.mark.parametrize("on", ["true", "false"])
def test_protects_itself_in_its_own_group(program: dict[str, Any], monkeypatch: pytest.MonkeyPatch, on: str) -> None:
    assert form(calls(program, monkeypatch, "protect", on)) == {
        "Action": "SetInstanceProtection",
        "AutoScalingGroupName": "Annex-demo-Group-1",
        "InstanceIds.member.1": "i-0abc",
        "ProtectedFromScaleIn": on,
        "Version": "2011-01-01",
    }


def test_prints_the_text_of_a_secret(
    program: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    request = calls(program, monkeypatch, "secret", SECRET, answer=b'{"SecretString": "a.b.c", "Name": "n"}')
    assert request.full_url == f"https://secretsmanager.{REGION}.amazonaws.com/"
    assert isinstance(request.data, bytes)
    assert json.loads(request.data) == {"SecretId": SECRET}
    assert request.get_header("X-amz-target") == "secretsmanager.GetSecretValue"
    assert capsys.readouterr().out == "a.b.c\n"


def test_a_refusal_is_shown_in_awss_words(program: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    words = io.BytesIO(b'{"__type": "ResourceNotFoundException",\n "Message": "no value"}')

    def refuse(request: Request, timeout: int) -> None:
        raise HTTPError(request.full_url, 400, "Bad Request", Message(), words)

    monkeypatch.setitem(program["main"].__globals__, "DIRECT", MetadataService("169.254.169.254"))
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(SystemExit) as ended:
        program["main"]("secret", SECRET)
    said = 'HTTP Error 400: Bad Request: {"__type": "ResourceNotFoundException", "Message": "no value"}'
    assert ended.value.code == f"annex: call-aws secret: {said}"


@pytest.mark.parametrize("answer", [b"", b"not JSON", b'{"SecretBinary": "aGk="}', b"\xff", b"[]", b"null"])
def test_an_answer_without_a_text_fails_in_one_line(
    program: dict[str, Any], monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    with pytest.raises(SystemExit) as ended:
        calls(program, monkeypatch, "secret", SECRET, answer=answer)
    assert str(ended.value.code).startswith("annex: call-aws secret: ")
    assert "\n" not in str(ended.value.code)


@pytest.mark.parametrize(
    ("address", "host"),
    [("169.254.169.254", f"s3.{REGION}"), ("[fd00:ec2::254]", f"s3.dualstack.{REGION}")],
)
def test_unpacks_an_archive(
    program: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, host: str
) -> None:
    packed = boot_archive()
    digest = hashlib.sha256(packed).hexdigest()
    words = ("unpack", "example-bucket/boot.tar.gz", digest, str(tmp_path))
    request = calls(program, monkeypatch, *words, answer=packed, address=address)
    assert (request.get_method(), request.full_url) == (
        "GET",
        f"https://{host}.amazonaws.com/example-bucket/boot.tar.gz",
    )
    assert (tmp_path / "usr/local/lib/annex/watch").read_text() == boot_file("watch")


def test_python_is_not_asked_to_choose_what_it_unpacks(
    program: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Python 3.12 and 3.13 print a warning if the program does not choose."""
    chosen = []
    monkeypatch.setattr(tarfile.TarFile, "extractall", lambda archive, _: chosen.append(archive.extraction_filter))
    packed = boot_archive()
    calls(program, monkeypatch, "unpack", "b/k", hashlib.sha256(packed).hexdigest(), str(tmp_path), answer=packed)
    assert chosen == [getattr(tarfile, "data_filter", None)]


def test_an_archive_that_was_changed_is_not_unpacked(
    program: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        calls(program, monkeypatch, "unpack", "b/k", "0" * 64, str(tmp_path), answer=boot_archive())
    assert "b/k is not what was deployed" in str(ended.value.code)
    assert not any(tmp_path.iterdir())


def test_without_a_metadata_service_it_fails_in_one_line(program: dict[str, Any]) -> None:
    # In a network of its own, where nothing answers.
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--net", sys.executable, str(PROGRAM), "leave"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("annex: call-aws leave: ")
    assert len(done.stderr.splitlines()) == 1
