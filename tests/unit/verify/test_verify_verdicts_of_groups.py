"""Both verdicts of the experiments about groups, alarms and stacks; see `test_verify_verdicts`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.verify.fake_scene import START, FakeScene, scene
from verify.experiments import destroy, launches, purchase, scheduled_ends
from verify.experiments.account_alarms import quiet_deployment, silence_is_published
from verify.options import DEFAULT_IMAGE
from verify.outcome import NotRunError

LAUNCH, END = "Launching a new EC2 instance: i-1", "Terminating EC2 instance: i-1"


def starts(at: FakeScene, state: str = "Pending") -> None:
    at.groups["b"].update(Instances=[{"InstanceId": "i-1", "LifecycleState": state}], DesiredCapacity=1)
    at.act(LAUNCH)


def ends(at: FakeScene) -> None:
    at.groups["b"].update(Instances=[], DesiredCapacity=0, MinSize=0)
    at.act(END)


@pytest.mark.parametrize(
    ("ended", "replaced", "held"), [(62.0, False, True), (62.0, True, False), (None, False, False)]
)
def test_a_lease_that_ends_at_once(ended: float | None, replaced: bool, held: bool) -> None:
    at = scene()
    at.later.append((1.0, lambda: starts(at)))
    if ended is not None:
        at.later.append((ended, lambda: ends(at)))
    if replaced:
        at.later += [(100.0, lambda: starts(at)), (130.0, lambda: ends(at))]
    assert launches.lease_ends_at_start(at).held is held


def test_an_instance_that_ends_before_its_lease_says_nothing() -> None:
    at = scene()
    at.later += [(1.0, lambda: starts(at)), (20.0, lambda: ends(at))]
    with pytest.raises(NotRunError, match="before the lease did"):
        launches.lease_ends_at_start(at)


def test_a_lease_that_ends_at_once_needs_a_group_that_is_new() -> None:
    at = scene()
    at.act(LAUNCH)
    with pytest.raises(NotRunError, match="before"):
        launches.lease_ends_at_start(at)


@pytest.mark.parametrize(("replaced", "held"), [(False, True), (True, False)])
def test_retiring_while_pending(replaced: bool, held: bool) -> None:
    at = scene()
    at.on_launch = lambda: starts(at)
    at.aws.answers["terminate_instance_in_auto_scaling_group"] = lambda **_request: ends(at)
    if replaced:
        at.later.append((30.0, lambda: starts(at)))
    assert launches.retire_while_pending(at).held is held


def test_an_instance_that_is_in_service_is_not_pending() -> None:
    at = scene()
    at.on_launch = lambda: starts(at, "InService")
    with pytest.raises(NotRunError, match="InService before it was seen"):
        launches.retire_while_pending(at)
    assert "terminate_instance_in_auto_scaling_group" not in at.aws.called


@pytest.mark.parametrize(
    ("emulated", "image", "said"), [(True, DEFAULT_IMAGE, "boots"), (False, "ami-0123456789abcdef0", "default image")]
)
def test_leaving_the_group_needs_a_machine_without_htcondor(emulated: bool, image: str, said: str) -> None:
    at = scene(emulated=emulated, image=image)
    with pytest.raises(NotRunError, match=said):
        launches.leaves_by_itself(at)
    assert at.done == []


@pytest.mark.parametrize(("left", "held"), [(90.0, True), (None, False)])
def test_leaving_the_group(left: float | None, held: bool) -> None:
    at = scene()
    at.on_launch = lambda: starts(at)
    if left is not None:
        at.later.append((left, lambda: ends(at)))
    assert launches.leaves_by_itself(at).held is held


@pytest.mark.parametrize(
    ("acts", "held"), [((END, LAUNCH), True), ((LAUNCH, END), False), ((END,), False), ((), False)]
)
def test_purchase_option(acts: tuple[str, ...], held: bool) -> None:
    at = scene()
    at.aws.answers["instance"] = {"InstanceLifecycle": "spot"}
    specification = {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "LaunchTemplateName": "x"}}
    at.groups["a"].update(
        AutoScalingGroupName="g", MixedInstancesPolicy={"InstancesDistribution": {}, "LaunchTemplate": specification}
    )
    at.later += [(10.0 + n, lambda text=text: at.act(text)) for n, text in enumerate(acts)]  # type: ignore[misc]
    at.act(LAUNCH)  # of the fleet itself, just before
    assert purchase.purchase_option(at).held is held


@pytest.mark.parametrize(
    "change", [{"DesiredCapacity": 2}, {"Instances": [{"InstanceId": "i-1", "LifecycleState": "Pending"}]}]
)
def test_the_purchase_option_needs_a_fleet_that_is_complete(change: dict[str, Any]) -> None:
    at = scene()
    at.aws.answers["instance"] = {"InstanceLifecycle": "spot"}
    at.groups["a"].update(change)
    with pytest.raises(NotRunError, match="whole fleet"):
        purchase.purchase_option(at)
    assert "update_auto_scaling_group" not in at.aws.called


@pytest.mark.parametrize(
    ("newest", "reason"), [("Failed", "no capacity"), ("Cancelled", "no capacity"), ("Successful", "")]
)
def test_a_fleet_that_is_not_complete_says_why(newest: str, reason: str) -> None:
    at = scene()
    at.aws.answers["instance"] = {"InstanceLifecycle": "spot"}
    at.groups["a"].update(DesiredCapacity=2)
    at.act("Launching a new EC2 instance")
    at.done[-1].update(StatusCode=newest, StatusMessage="no capacity")
    with pytest.raises(NotRunError) as refused:
        purchase.purchase_option(at)
    assert str(refused.value).partition("; ")[2] == reason


def test_the_purchase_option_needs_a_spot_instance() -> None:
    at = scene()
    at.aws.answers["instance"] = {}
    with pytest.raises(NotRunError, match="no"):
        purchase.purchase_option(at)


@pytest.mark.parametrize(("ended", "held"), [(160.0, True), (60.0, False), (None, False)])
def test_scheduled_actions(ended: float | None, held: bool) -> None:
    at = scene()
    at.on_launch = lambda: starts(at)
    at.aws.answers["describe_scheduled_actions"] = {"ScheduledUpdateGroupActions": []}
    if ended is not None:
        at.later.append((ended, lambda: ends(at)))
    assert scheduled_ends.scheduled_actions_end_it(at).held is held
    assert at.aws.called.count("delete_schedule") == 1


def history(*changes: str) -> dict[str, Any]:
    return {"AlarmHistoryItems": [{"Timestamp": START, "HistorySummary": f"Alarm updated {each}"} for each in changes]}


@pytest.mark.parametrize(
    ("changes", "state", "held"),
    [
        (("from INSUFFICIENT_DATA to OK",), "OK", True),
        (("from INSUFFICIENT_DATA to INSUFFICIENT_DATA", "from INSUFFICIENT_DATA to OK"), "OK", True),
        ((), "INSUFFICIENT_DATA", False),
        (("from INSUFFICIENT_DATA to ALARM", "from ALARM to OK"), "OK", False),
        (("from OK to INSUFFICIENT_DATA", "from INSUFFICIENT_DATA to OK"), "OK", False),
    ],
)
def test_alarm_at_a_deployment(changes: tuple[str, ...], state: str, held: bool) -> None:
    at = scene()
    at.aws.answers["describe_alarms"] = {"MetricAlarms": [{"StateValue": state}]}
    at.aws.answers["describe_alarm_history"] = history(*changes)
    assert quiet_deployment(at).held is held


@pytest.mark.parametrize(
    ("change", "held"),
    [("from OK to INSUFFICIENT_DATA", True), ("from OK to ALARM", True), ("from INSUFFICIENT_DATA to OK", False)],
)
def test_alarm_about_silence(change: str, held: bool) -> None:
    at = scene()
    at.aws.answers["describe_alarms"] = {"MetricAlarms": [{"StateValue": "OK"}]}
    at.aws.answers["describe_alarm_history"] = history(change)
    assert silence_is_published(at).held is held


@pytest.mark.parametrize(
    ("failed", "status", "state", "held"),
    [
        (False, "DELETE_COMPLETE", "terminated", True),
        (True, "DELETE_COMPLETE", "terminated", False),
        (True, "DELETE_FAILED", "terminated", False),
        (False, "DELETE_COMPLETE", "running", False),
        (False, "DELETE_IN_PROGRESS", "shutting-down", False),
    ],
)
def test_destroy_with_an_instance(failed: bool, status: str, state: str, held: bool) -> None:
    at = scene()
    at.aws.answers["describe_stacks"] = {"Stacks": [{"StackStatus": status}]}
    event = {"LogicalResourceId": "Gateway", "ResourceStatus": "DELETE_FAILED", "Timestamp": START}
    at.aws.answers["describe_stack_events"] = {"StackEvents": [event] if failed else []}
    at.aws.answers["instance"] = {"State": {"Name": state}}
    assert destroy.destroy_with_instance(at).held is held


@pytest.mark.parametrize(("seconds", "held"), [(1, False), (-3600, True)])
def test_destroy_without_an_alarm_while_it_lasts(seconds: float, held: bool) -> None:
    at = scene()
    at.aws.answers["describe_stacks"] = {"Stacks": [{"StackStatus": "DELETE_COMPLETE"}]}
    at.aws.answers["instance"] = {"State": {"Name": "terminated"}}
    raised = {"Timestamp": START + timedelta(seconds=seconds), "HistorySummary": "Alarm updated from OK to ALARM"}
    at.aws.answers["describe_alarm_history"] = {"AlarmHistoryItems": [raised]}
    seen = destroy.destroy_with_instance(at)
    assert (seen.held, "alarm published" in seen.text) == (held, not held)


@pytest.mark.parametrize(("seconds", "held"), [(899, True), (900, True), (901, False), (-1, False)])
def test_alarm_about_silence_is_in_time_and_about_this_silence(seconds: float, held: bool) -> None:
    at = scene()
    at.aws.answers["describe_alarms"] = {"MetricAlarms": [{"StateValue": "OK"}]}
    raised = {"Timestamp": START + timedelta(seconds=seconds), "HistorySummary": "Alarm updated from OK to ALARM"}
    at.aws.answers["describe_alarm_history"] = {"AlarmHistoryItems": [raised]}
    assert silence_is_published(at).held is held


def test_a_stack_without_an_alarm_says_nothing_about_one() -> None:
    at = scene()
    at.aws.answers["describe_alarms"] = {"MetricAlarms": []}
    with pytest.raises(NotRunError, match="no alarm"):
        quiet_deployment(at)
