"""`annex plan --deployed` against an account; without it AWS is not asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, NoCredentialsError

from annex_lease.tags import format_time
from tests.runtime.pool import pool_world
from tests.runtime.pool.pool_world import World, aws, deploy

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]


@pytest.fixture
def running(world: World) -> World:
    # The warning that the spec declares by itself.
    deploy("demo", warn_before_end_seconds=900)
    aws().secretsmanager.put_secret_value(SecretId="secret-demo", SecretString="token")
    assert world.annex("check", "demo").exit_code == 0
    return world


def declared(world: World) -> datetime:
    made = world.group("demo")["CreatedTime"]
    assert isinstance(made, datetime)
    return made.astimezone(UTC).replace(microsecond=0) + timedelta(hours=8)


def spec_with(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    assert old in pool_world.SPEC
    monkeypatch.setattr(pool_world, "SPEC", pool_world.SPEC.replace(old, new, 1))


def test_by_default_aws_is_not_asked(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(BaseClient, "_make_api_call", lambda *call: asked.append(call[1]))
    done = running.annex("plan", "demo")
    assert (done.exit_code, done.err, asked) == (0, "", [])
    assert "deployed:" not in done.out
    assert "deployed" not in json.loads(running.annex("plan", "demo", "--json").out)


def test_an_annex_that_is_as_its_spec(running: World) -> None:
    done = running.annex("plan", "demo", "--deployed")
    assert (done.exit_code, done.err) == (0, "")
    assert done.out.splitlines()[-2:] == [
        "deployed: the lease stays as it is",
        f"deployed: the end stays: the lease ends at {format_time(declared(running))}, as declared",
    ]
    assert "at worst" in done.out
    assert running.checks == ["demo"]


def test_what_a_changed_spec_does(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    until = format_time(declared(running) + timedelta(hours=3))
    assert running.annex("extend", "demo", "--until", until).exit_code == 0
    before = json.dumps(running.group("demo"), default=str)
    spec_with(monkeypatch, 'size = 3\nlease = "8h"', 'size = 2\nlease = "4h"\nmax_lifetime = "6h"')
    done = running.annex("plan", "demo", "--deployed", "--json")
    assert (done.exit_code, done.err) == (0, "")
    data: dict[str, Any] = json.loads(done.out)["deployed"]
    end = format_time(declared(running) - timedelta(hours=4))
    assert (data["end"], data["end_after"], data["voids"]) == (until, end, until)
    assert (data["size"], data["size_after"], data["starts"], data["scaled_in"]) == (3, 2, 0, 1)
    assert 4 * 3600 - 60 < data["ends_in_seconds"] <= 4 * 3600
    assert data["latest_end_after"] == format_time(declared(running) - timedelta(hours=2))
    assert f"the end {until} that an operator wrote becomes void" in "\n".join(data["changes"])
    assert json.dumps(running.group("demo"), default=str) == before


def test_the_credential_decides_about_a_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy("demo")
    assert "nothing starts yet: the credential has no value yet" in world.annex("plan", "demo", "--deployed").out
    aws().secretsmanager.put_secret_value(SecretId="secret-demo", SecretString="token")
    assert "3 instances are to start" in world.annex("plan", "demo", "--deployed").out


def test_an_annex_that_is_not_deployed(world: World) -> None:
    done = world.annex("plan", "demo", "--deployed")
    assert (done.exit_code, done.err) == (0, "")
    assert done.out.endswith("deployed: annex demo is not deployed in us-east-1: a deployment begins a new lease\n")
    assert json.loads(world.annex("plan", "demo", "--deployed", "--json").out)["deployed"] is None


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "not you"}}, "x"), "refused: AccessDenied: not you"),
        (NoCredentialsError(), "could not answer: Unable to locate credentials"),
    ],
)
def test_without_access_to_aws_it_is_one_error(
    running: World, monkeypatch: pytest.MonkeyPatch, refusal: Exception, said: str
) -> None:
    def call(*_: object) -> object:
        raise refusal

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = running.annex("plan", "demo", "--deployed")
    assert (done.exit_code, done.out) == (1, "")
    assert done.err.count("error:") == 1
    assert said in done.err
