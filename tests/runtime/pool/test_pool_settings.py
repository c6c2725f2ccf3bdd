"""Settings of AWS in the environment of the command that cannot be used: one line for every verb, never a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError
from typer.testing import CliRunner

from annex_pool.cli import app
from annex_pool.region import Connections, configured_region
from tests.runtime.pool.pool_world import SPEC, World

VERBS = [
    ("plan", "demo", "--deployed"),
    ("status",),
    ("status", "demo"),
    ("status", "--all"),
    ("extend", "demo", "--for", "1h"),
    ("shorten", "demo", "--for", "1h"),
    ("renew", "demo", "--for", "1h"),
    ("check", "demo"),
    ("stop", "demo"),
    ("stop", "old"),
    ("leftovers",),
    ("leftovers", "demo"),
    ("leftovers", "--all"),
    ("credential", "push", "demo"),
]
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
FILE = "FILE "
"""Before the text of a file, in the place of its name."""
ROLE = "[default]\nrole_arn = arn:aws:iam::123456789012:role/x\n"
SSO = "sso_account_id = 1\nsso_role_name = x\n"
BROKEN: Mapping[str, tuple[Mapping[str, str], str]] = {
    "a profile that does not exist": ({"AWS_PROFILE": "nope"}, "(nope) could not be found; there is none; fix: unset"),
    "a profile that is none of the others": (
        {"AWS_PROFILE": "nope", "AWS_CONFIG_FILE": FILE + "[profile pool]\nregion = us-east-1\n[default]\n"},
        "The config profile (nope) could not be found; there are: default, pool; fix: set AWS_PROFILE to one of them",
    ),
    "an empty profile": ({"AWS_PROFILE": ""}, "The config profile () could not be found"),
    "no credentials": ({}, "there are no AWS credentials in this environment"),
    "half of the credentials": ({"AWS_ACCESS_KEY_ID": "testing"}, "missing: AWS_SECRET_ACCESS_KEY"),
    "expired credentials": ({**KEYS, "AWS_CREDENTIAL_EXPIRATION": "2001-01-01T00:00:00Z"}, "still expired"),
    "an expiry that is no time": ({**KEYS, "AWS_CREDENTIAL_EXPIRATION": "soon"}, "soon"),
    "a configuration that cannot be parsed": ({**KEYS, "AWS_CONFIG_FILE": FILE + "[profile x\n"}, "Unable to parse"),
    "a configuration without a section": ({**KEYS, "AWS_CONFIG_FILE": FILE + "region = x\n"}, "Unable to parse"),
    "a configuration that is no text": ({**KEYS, "AWS_CONFIG_FILE": FILE + "\0\udcff"}, "Unable to parse"),
    "credentials that cannot be parsed": ({"AWS_SHARED_CREDENTIALS_FILE": FILE + "[x\n"}, "Unable to parse"),
    "a section that does not exist": ({**KEYS, "AWS_CONFIG_FILE": FILE + "[default]\nservices = nope\n"}, '"nope"'),
    "a section of another form": (
        {**KEYS, "AWS_CONFIG_FILE": FILE + "[default]\nservices = x\n[services x]\nec2 = 3\nauto_scaling = 4\n"},
        "cannot be used",
    ),
    "an endpoint that is no URL": ({**KEYS, "AWS_ENDPOINT_URL": "nonsense"}, "Invalid endpoint: nonsense"),
    "an endpoint that is no address": ({**KEYS, "AWS_ENDPOINT_URL": "http://[::1"}, "Invalid IPv6 URL"),
    "a mode that does not exist": ({**KEYS, "AWS_DEFAULTS_MODE": "nope"}, "invalid defaults mode: nope"),
    "a number that is none": ({**KEYS, "AWS_METADATA_SERVICE_TIMEOUT": "x"}, "'x'"),
    "a token file that does not exist": (
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere", "AWS_ROLE_ARN": "arn:aws:iam::1:role/x"},
        "No such file or directory",
    ),
    "a container that is elsewhere": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://x.example/"}, "Unsupported host"),
    "a program that fails": ({"AWS_CONFIG_FILE": FILE + "[default]\ncredential_process = false\n"}, "custom-process"),
    "a program that does not exist": (
        {"AWS_CONFIG_FILE": FILE + "[default]\ncredential_process = /nowhere/x\n"},
        "No such file or directory",
    ),
    "a program with another answer": ({"AWS_CONFIG_FILE": FILE + "[default]\ncredential_process = echo [1]\n"}, "list"),
    "a role of a profile that does not exist": ({"AWS_CONFIG_FILE": FILE + ROLE + "source_profile = nope\n"}, '"nope"'),
    "a role of a source that does not exist": ({"AWS_CONFIG_FILE": FILE + ROLE + "credential_source = x\n"}, '"x"'),
    "a role of itself": (
        {"AWS_CONFIG_FILE": FILE + ROLE + "source_profile = a\n[profile a]\nrole_arn = x\nsource_profile = default\n"},
        "Infinite loop",
    ),
    "a session that does not exist": ({"AWS_CONFIG_FILE": FILE + f"[default]\nsso_session = nope\n{SSO}"}, '"nope"'),
    "a session without a token": (
        {"AWS_CONFIG_FILE": FILE + f"[default]\nsso_start_url = https://x\nsso_region = us-east-1\n{SSO}"},
        "SSO Token",
    ),
}


@pytest.fixture
def bare(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """No settings at all, not even those of the person who runs the test."""
    for name in (*KEYS, "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(world.folder))
    return world


def run(world: World, words: tuple[str, ...]) -> tuple[int, list[str]]:
    """Exit code and lines of the error output, with the clients that a command makes for itself."""
    file = world.folder / "annexes.toml"
    file.write_text(SPEC)
    environment = replace(world.environment(), connect=Connections(), default_region=configured_region)
    done = CliRunner().invoke(app, list(words), obj=environment, env={"ANNEX_SPEC": str(file)})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stderr.splitlines()


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
@pytest.mark.parametrize("broken", BROKEN)
def test_settings_that_cannot_be_used(
    bare: World, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], broken: str
) -> None:
    settings, said = BROKEN[broken]
    for name, value in settings.items():
        if value.startswith(FILE):
            path = bare.folder / "file"
            path.write_bytes(value.removeprefix(FILE).encode("utf-8", "surrogateescape"))
            value = str(path)
        monkeypatch.setenv(name, value)
    code, lines = run(bare, words)
    assert (code, len(lines)) == (1, 1), lines
    assert lines[0].startswith("error: ")
    assert said in lines[0]


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "AuthFailure", "silence"])
def test_credentials_that_aws_refuses_and_an_aws_that_does_not_answer(
    bare: World, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: str
) -> None:
    def call(client: BaseClient, name: str, params: object) -> object:
        if code == "silence":
            raise EndpointConnectionError(endpoint_url="https://nowhere")
        raise ClientError({"Error": {"Code": code, "Message": "it\nis over"}}, name)

    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    exit_code, lines = run(bare, words)
    assert (exit_code, len(lines)) == (1, 1), lines
    assert ('endpoint URL: "https://nowhere"' if code == "silence" else f"refused: {code}: it is over") in lines[0]


@pytest.mark.parametrize(
    ("settings", "region"),
    [
        ({}, None),
        ({"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "us-west-2", "AWS_REGION": "eu-west-1"}, "us-west-2"),
        ({"AWS_DEFAULT_REGION": "Mars/../.."}, None),
        ({"AWS_CONFIG_FILE": FILE + "[default]\nregion =\n  a = b\n"}, None),
    ],
)
def test_the_region_of_the_environment(
    bare: World, monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str], region: str | None
) -> None:
    for name, value in settings.items():
        path = bare.folder / "file"
        path.write_text(value.removeprefix(FILE))
        monkeypatch.setenv(name, str(path) if value.startswith(FILE) else value)
    assert configured_region() == region


def test_a_program_for_credentials_runs_once_for_all_regions(bare: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may ask for a code."""
    answer = '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b"}'
    runs = bare.folder / "runs"
    program = bare.folder / "program"
    program.write_text(f"#!/bin/sh\necho run >> {runs}\necho '{answer}'\n")
    program.chmod(0o755)
    (bare.folder / "file").write_text(f"[default]\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(bare.folder / "file"))
    assert run(bare, ("leftovers", "demo")) == (0, [])
    assert runs.read_text() == "run\n"
