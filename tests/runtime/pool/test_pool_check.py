"""A check on request: the call, its answers, and `annex check`."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from annex_lease.lease import Phase
from annex_pool.check import Answer, ask_checker
from annex_pool.command_error import AnnexError
from annex_pool.deployed import Deployed, find_annex
from tests.runtime.pool.pool_world import World, aws, deploy

ARN = "arn:aws:lambda:us-east-1:123456789012:function:checker"
Invoke = Callable[..., Answer]


def found() -> Deployed:
    annex = find_annex(aws(), "demo")
    assert annex
    return annex


@pytest.fixture
def invoke(world: World, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """The real invocation, of a function that expects this request and returns this answer."""
    deploy("demo")
    monkeypatch.setattr("annex_pool.check.find_arn", lambda *_: ARN)

    def run(body: bytes, asked: bytes, *, dry_run: bool = False, failed: bool = False) -> Answer:
        reply: dict[str, Any] = {"Payload": StreamingBody(io.BytesIO(body), len(body))}
        reply |= {"FunctionError": "Unhandled"} if failed else {}
        expected = {"FunctionName": ARN, "InvocationType": "RequestResponse", "Payload": asked}
        with Stubber(aws().functions) as stubber:
            stubber.add_response("invoke", reply, expected)
            return ask_checker(found(), dry_run=dry_run)

    return run


def test_a_function_that_is_not_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy("demo")
    monkeypatch.setattr("annex_pool.check.time.sleep", lambda _: None)
    with pytest.raises(AnnexError, match="there is no lease checker function of annex demo"):
        ask_checker(found())


def test_a_check(invoke: Invoke) -> None:
    assert invoke(b'{"phase": "active", "end": null}', b"{}").phase is Phase.ACTIVE


def test_a_check_that_fails(invoke: Invoke) -> None:
    with pytest.raises(AnnexError, match="boom"):
        invoke(b'{"errorMessage": "boom"}', b"{}", failed=True)


@pytest.mark.parametrize("phase", [phase.value for phase in Phase])
def test_every_phase_is_read(invoke: Invoke, phase: str) -> None:
    assert invoke(f'{{"phase": "{phase}"}}'.encode(), b"{}").phase.value == phase


@pytest.mark.parametrize("phase", ['"paused"', '"ACTIVE"', "null", "1", "[]"])
def test_a_phase_of_another_version_is_an_error(invoke: Invoke, phase: str) -> None:
    with pytest.raises(AnnexError, match=r"which this command does not know: .*`cdk deploy Annex-demo`"):
        invoke(f'{{"phase": {phase}}}'.encode(), b"{}")


def test_a_dry_run(invoke: Invoke) -> None:
    assert invoke(b'{"phase": "active", "dry_run": true}', b'{"check": "dry-run"}', dry_run=True).phase is Phase.ACTIVE


@pytest.mark.parametrize("body", [b'{"phase": "active"}', b'{"phase": "active", "dry_run": "true"}'])
def test_a_checker_that_does_not_confirm_a_dry_run_is_an_error(invoke: Invoke, body: bytes) -> None:
    with pytest.raises(AnnexError, match="may have acted"):
        invoke(body, b'{"check": "dry-run"}', dry_run=True)


@pytest.fixture
def running(world: World) -> World:
    deploy("demo")
    assert world.annex("credential", "push", "demo", "--token-command", world.issuer()).exit_code == 0
    world.shift = timedelta(hours=8, minutes=16)
    return world


def numbered(out: str) -> list[str]:
    lines = [line.split(". ", 1) for line in out.splitlines()]
    return [line[1] for line in lines if len(line) == 2 and line[0][-1].isdigit()]


def test_a_dry_run_prints_what_a_check_does_and_changes_nothing(running: World) -> None:
    before = running.group("demo")
    dry = running.annex("check", "demo", "--dry-run")
    assert (dry.exit_code, dry.err) == (0, "")
    assert running.group("demo") == before
    assert numbered(dry.out)[:2] == [
        "EmptyGroup: minimum is 0 and desired capacity 3; both must be 0",
        "SuspendLaunch: nothing may start any more, even if the capacity is raised",
    ]
    done = running.annex("check", "demo")
    assert numbered(done.out) == numbered(dry.out)
    assert "would do" not in done.out
    assert running.group("demo")["Instances"] == []


def test_a_check_as_json(running: World) -> None:
    data = json.loads(running.annex("check", "demo", "--dry-run", "--json").out)
    assert (data["phase"], data["dry_run"], data["actions"][0]["action"]) == ("draining", True, "EmptyGroup")


def test_a_check_with_nothing_to_do_says_so(world: World) -> None:
    deploy("demo")
    world.annex("credential", "push", "demo", "--token-command", world.issuer())
    world.annex("check", "demo")
    done = world.annex("check", "demo")
    assert "demo: the lease checker did nothing" in done.out
    assert "demo: active" in done.out


def test_what_a_check_could_not_do_is_an_error(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(Phase.DRAINING, "over", None, (), errors=("EmptyGroup: denied",))
    monkeypatch.setattr(World, "_check", lambda *_, **__: answer)
    done = running.annex("check", "demo")
    assert (done.exit_code, done.err) == (1, "error: EmptyGroup: denied\n")


def test_a_check_of_what_is_not_there(world: World) -> None:
    done = world.annex("check", "demo")
    assert done.exit_code == 1
    assert "annex demo is not deployed" in done.err
