"""`annex status` gives the reason of an instance that left before it joined: the instance wrote it to its console."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from annex_pool.missing_instances import NEWEST, reason_in
from tests.runtime.pool.pool_world import World, aws, deploy
from tests.unit.project_files import ROOT

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
LACKS = "[   21.5] sh[410]: annex: retiring: the image lacks nft\r\n"
JOINED = "[   40.1] sh[612]: annex: joined after 40 s\r\n"


@pytest.fixture
def running(world: World) -> World:
    deploy("demo", annex_id="u-u-i-d.demo")
    aws().secretsmanager.put_secret_value(SecretId="secret-demo", SecretString="token")
    assert world.annex("check", "demo").exit_code == 0
    return world


class Gone:
    """EC2, where instances with these consoles have left, the newest last."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *consoles: str | Exception) -> None:
        self.consoles = {f"i-{number}": console for number, console in enumerate(consoles)}
        self.asked: list[str] = []
        self.filters: list[Any] = []
        monkeypatch.setattr(BaseClient, "_make_api_call", lambda *call: self.call(*call))

    def call(self, client: object, operation: str, params: dict[str, Any]) -> Any:
        if operation == "GetConsoleOutput":
            assert params["Latest"] is True
            self.asked.append(params["InstanceId"])
            console = self.consoles[params["InstanceId"]]
            if isinstance(console, Exception):
                raise console
            return {"InstanceId": params["InstanceId"], "Output": console}
        answer = REAL_CALL(client, operation, params)
        if operation == "DescribeInstances" and "tag:annex:id" in json.dumps(params):
            self.filters.append(params["Filters"])
            answer["Reservations"] += [{"Instances": [each]} for each in self.instances()]
        return answer

    def instances(self) -> list[dict[str, Any]]:
        """Those that have left, in both states of an instance that costs nothing any more."""
        return [
            {
                "InstanceId": key,
                "LaunchTime": NOW + timedelta(minutes=number),
                "State": {"Name": ("terminated", "shutting-down")[number % 2]},
                "Tags": [{"Key": "annex:id", "Value": "u-u-i-d.demo"}],
            }
            for number, key in enumerate(self.consoles)
        ]


def problems(world: World) -> list[str]:
    found: list[str] = json.loads(world.annex("status", "demo", "--json").out)["problems"]
    return found


def test_the_reason_is_that_of_the_console(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Gone(monkeypatch, LACKS)
    said = "instance i-0, launched at 2030-01-02T03:04:05Z, left before it joined: the image lacks nft"
    assert said in problems(running)
    assert said in " ".join(running.annex("status", "demo").out.split())
    assert {"Name": "tag:annex:id", "Values": ["u-u-i-d.demo"]} in gone.filters[0]


def test_the_newest_few_are_asked(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Gone(monkeypatch, *[LACKS] * (NEWEST + 2))
    found = [each for each in problems(running) if "left before it joined" in each]
    assert [each.split()[1] for each in found] == ["i-4,", "i-3,", "i-2,"]
    assert gone.asked == ["i-4", "i-3", "i-2"]


def test_a_refusal_is_an_error_and_the_rest_is_shown(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "not you"}}, "GetConsoleOutput")
    Gone(monkeypatch, refused)
    shown = json.loads(running.annex("status", "demo", "--json").out)
    assert any("console output of i-0" in each for each in shown["errors"])
    assert shown["phase"] is not None


@pytest.mark.parametrize(
    ("console", "reason"),
    [
        (LACKS, "the image lacks nft"),
        ("", ""),
        ("login:", ""),
        (JOINED + LACKS, ""),
        (LACKS.replace("the image lacks nft", "idle"), ""),
        (LACKS.replace("the image lacks nft", "the lease ended"), ""),
        (LACKS + LACKS.replace("the image lacks nft", "did not join in time"), "did not join in time"),
        ("annex: install: no packages\nannex: retiring: no packages", "no packages"),
    ],
)
def test_the_reason_of_a_failed_start(console: str, reason: str) -> None:
    assert reason_in(console) == reason


def test_the_lines_are_those_that_the_boot_files_write() -> None:
    files = {path.name: path.read_text() for path in (ROOT / "annex_boot/files").iterdir() if path.is_file()}
    (line,) = re.findall(r'^echo "(annex: retiring: .*)"$', files["retire"], re.M)
    assert reason_in(line.replace("$why", "the image lacks nft")) == "the image lacks nft"
    (joined,) = re.findall(r'^echo "(annex: joined .*)"$', files["join"], re.M)
    assert reason_in(f"{joined}\n{LACKS}") == ""
    (idle,) = re.findall(r"condor.service:success\) why=(.*) ;;", files["retire"])
    (ended,) = re.findall(r'echo "(.*ended.*)" >/run/annex/reason', files["watch"])
    assert [reason_in(line.replace("$why", why)) for why in (idle, ended)] == ["", ""]


def test_an_annex_that_ended_is_not_asked(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert running.annex("stop", "demo").exit_code in (0, 1)
    gone = Gone(monkeypatch, LACKS)
    problems(running)
    assert gone.asked == []
