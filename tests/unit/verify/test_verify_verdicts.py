"""Both verdicts of the experiments, on an account that answers one way or the other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annex_lease.tags import TAG_END, TAG_UNTIL
from tests.unit.verify.fake_scene import START, scene, set_tag
from verify.console import MARKER
from verify.experiments import EXPERIMENTS, deployments, instances
from verify.experiments.checker_runs import errors_metric, scheduled_run
from verify.outcome import NotRunError


def changed(group: dict[str, Any], key: str, value: str | None) -> bool:
    """A deployment that succeeds, and changes a tag."""
    set_tag(group, key, value)
    return True


@pytest.mark.parametrize(
    ("deploy", "held"),
    [
        (lambda _group: True, True),
        (lambda _group: False, False),
        (lambda group: changed(group, TAG_UNTIL, None), False),
        (lambda group: changed(group, TAG_UNTIL, "2031-01-01T00:00:00Z"), False),
        (lambda group: changed(group, TAG_END, None), False),
        (lambda group: changed(group, "annex:new", "1"), True),
    ],
)
def test_run_time_tags(deploy: Callable[[dict[str, Any]], bool], held: bool) -> None:
    at = scene()
    group = at.groups["a"]
    set_tag(group, TAG_END, "2030-01-02T03:50:00Z")
    at.on_deploy = lambda: deploy(group)
    assert deployments.tags_survive(at).held is held


@pytest.mark.parametrize(
    ("succeeds", "status", "reason", "end", "held"),
    [
        (False, "UPDATE_ROLLBACK_COMPLETE", deployments.REASON, "2030-01-02T03:50:00Z", True),
        (True, "UPDATE_COMPLETE", deployments.REASON, "2030-01-02T03:50:00Z", False),
        (False, "UPDATE_ROLLBACK_FAILED", deployments.REASON, "2030-01-02T03:50:00Z", False),
        (False, "UPDATE_ROLLBACK_COMPLETE", "timeout", "2030-01-02T03:50:00Z", False),
        (False, "UPDATE_ROLLBACK_COMPLETE", deployments.REASON, "2030-01-02T03:40:00Z", False),
    ],
)
def test_broken_release(
    monkeypatch: pytest.MonkeyPatch, succeeds: bool, status: str, reason: str, end: str, held: bool
) -> None:
    at = scene(on_deploy=lambda: succeeds)
    monkeypatch.setattr(deployments, "broken_release", lambda directory: directory)
    event = {"LogicalResourceId": "Lease", "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": reason}
    at.aws.answers["describe_stacks"] = {"Stacks": [{"StackStatus": status}]}
    at.aws.answers["describe_stack_events"] = {"StackEvents": [{**event, "Timestamp": START}]}
    at.checks.append({"end": end, "phase": "waiting", "errors": []})
    assert deployments.broken_update_fails(at).held is held


def test_a_broken_release_cannot_be_imported(tmp_path: Any) -> None:
    assert (deployments.broken_release(tmp_path) / "annex_lease/handler.py").read_text() == deployments.BROKEN
    assert (tmp_path / "verify/app.py").exists()


@pytest.mark.parametrize(
    ("change", "held"),
    [
        ({}, True),
        ({"Encrypted": False}, False),
        ({"root": "/dev/sda1"}, False),
        ({"DeleteOnTermination": False}, False),
    ],
)
def test_root_volume(change: dict[str, Any], held: bool) -> None:
    at = scene()
    ebs = {"VolumeId": "vol-1", "DeleteOnTermination": change.get("DeleteOnTermination", True)}
    at.aws.answers["instance"] = {
        "RootDeviceName": change.get("root", "/dev/xvda"),
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": ebs}],
    }
    volume = {"Encrypted": change.get("Encrypted", True), "Attachments": [{"Device": "/dev/xvda"}]}
    at.aws.answers["describe_volumes"] = {"Volumes": [{**volume, "VolumeType": "gp3", "Size": 20}]}
    assert instances.volume(at).held is held


def console(end: str, root: str = "/dev/xvda", seconds: float = 0.0) -> str:
    return f"{MARKER} {START.timestamp() + seconds:.0f} end={end} root={root} via=169.254.169.254\n"


@pytest.mark.parametrize(
    ("line", "held"), [(console("2030"), True), (console("2030", "sda1"), False), (console(""), False)]
)
def test_instance_metadata(line: str, held: bool) -> None:
    at = scene()
    at.aws.answers["get_console_output"] = {"Output": line}
    assert instances.metadata(at).held is held


@pytest.mark.parametrize("output", ["", "boot", f"{MARKER} 1 end= root= via=\n"])
def test_a_console_without_a_line_says_nothing(output: str) -> None:
    at = scene()
    at.aws.answers["get_console_output"] = {"Output": output}
    with pytest.raises(NotRunError, match="no line of the instance"):
        instances.metadata(at)


@pytest.mark.parametrize(("after", "held"), [(20.0, True), (119.0, True), (150.0, False), (None, False)])
def test_a_tag_that_changes(after: float | None, held: bool) -> None:
    at = scene()
    old, new = "2030-01-02T03:50:00Z", "2030-01-02T03:30:00Z"
    at.aws.answers["get_console_output"] = {"Output": console(old)}
    at.checks = [{"end": new}]
    if after is not None:
        shown = {"Output": console(old) + console(new, seconds=after)}
        at.later.append((after, lambda: at.aws.answers.update(get_console_output=shown)))
    assert instances.live_tag(at).held is held


def test_an_end_that_cannot_be_moved_says_nothing_about_a_tag() -> None:
    at = scene()
    at.aws.answers["get_console_output"] = {"Output": console("2030-01-02T03:50:00Z")}
    with pytest.raises(NotRunError, match="could not be moved"):
        instances.live_tag(at)


@pytest.mark.parametrize(
    ("output", "held", "seen"),
    [
        ("[ 61.2] sh[9]: annex: install: HTCondor 25.0.14 is installed\r\n", True, "debian-13: HTCondor 25.0.14, 0 s"),
        (
            "[ 61.2] sh[9]: annex: retiring: reading the package lists failed\n",
            False,
            "reading the package lists failed",
        ),
        ("annex: install: HTCondor 25.0.14 is installed\nannex: retiring: x\n", True, "debian-13: HTCondor 25.0.14"),
        ("[ 20.0] booting\n", False, "debian-13: no end of the installation 600 s"),
    ],
)
def test_an_installation_at_boot(output: str, held: bool, seen: str) -> None:
    at = scene()
    at.groups["c"].update(Instances=[{"InstanceId": "i-1", "LifecycleState": "InService"}], DesiredCapacity=1)
    at.aws.answers["get_console_output"] = {"Output": output}
    found = instances.installation(at)
    assert found.held is held
    assert seen in found.text


@pytest.mark.parametrize(("sums", "held"), [((0.0, 1.0), True), ((1.0,), False), ((), False)])
def test_errors_is_zero(sums: tuple[float, ...], held: bool) -> None:
    at = scene()
    points = [{"Timestamp": START, "Sum": each} for each in sums]
    at.aws.answers["get_metric_statistics"] = {"Datapoints": points}
    assert errors_metric(at).held is held


@pytest.mark.parametrize(
    ("duration", "used", "dry_run", "held"),
    [
        (120, 96, True, True),
        (61_000, 96, True, False),
        (120, 380, True, False),
        (120, 96, False, False),
        (120, 0, True, None),
    ],
)
def test_a_scheduled_minute(duration: int, used: int, dry_run: bool, held: bool | None) -> None:
    at = scene()
    report = f"REPORT Duration: {duration} ms\tMemory Size: 384 MB\tMax Memory Used: {used} MB"
    lines = ['{"event": "scheduled"}', report]
    at.aws.answers["filter_log_events"] = {
        "events": [{"timestamp": n, "message": each} for n, each in enumerate(lines)]
    }
    at.checks[0]["dry_run"] = dry_run
    if held is None:
        with pytest.raises(NotRunError, match="no memory"):
            scheduled_run(at)
    else:
        assert scheduled_run(at).held is held


def test_a_run_that_the_schedule_did_not_start_says_nothing() -> None:
    at = scene()
    report = "REPORT Duration: 120 ms\tMemory Size: 384 MB\tMax Memory Used: 96 MB"
    at.aws.answers["filter_log_events"] = {"events": [{"timestamp": 1, "message": report}]}
    with pytest.raises(NotRunError, match="REPORT line of a scheduled run"):
        scheduled_run(at)


def test_a_report_line_of_another_form_says_nothing() -> None:
    at = scene()
    lines = ['{"event": "scheduled"}', "REPORT of another form"]
    at.aws.answers["filter_log_events"] = {
        "events": [{"timestamp": n, "message": each} for n, each in enumerate(lines)]
    }
    with pytest.raises(NotRunError, match="another form"):
        scheduled_run(at)


def test_the_verdict_of_every_experiment_is_tested() -> None:
    texts = "".join(path.read_text() for path in Path(__file__).parent.glob("test_verify_verdicts*.py"))
    called = set(re.findall(r"(\w+)\((?:at|simulating|answering|pool)\b", texts))
    assert {each.look.__name__ for each in EXPERIMENTS.values()} <= called
