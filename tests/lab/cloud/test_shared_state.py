"""Two threads of the cloud that write the same points, alarms, schedules, sessions or logs lose nothing."""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lab.cloud import alarms, emulator, functions, scheduling, shared_state, world
from lab.cloud import clock as ticking
from lab.cloud.emulator import cloudwatch, cloudwatch_logs, lambda_svc, provisioners, scheduler, sts
from lab.cloud.no_machines import NoMachines

from .rivals import ACCOUNT, REGION, Read, Rival, before_it_returns

pytestmark = pytest.mark.usefixtures("guarded")


class Ending(dict[str, Any]):
    """A session that lets the rival begin when its end is read."""

    def __init__(self, end: float, rival: Rival) -> None:
        super().__init__(Expiration=end)
        self._rival = rival

    def get(self, key: str, default: Any = None) -> Any:
        self._rival()
        return super().get(key, default)


def store(value: float) -> None:
    cloudwatch._store_datum("Test", "Beats", {}, time.time(), "Count", value, None, None, None)


def record(value: float) -> None:
    cloudwatch.record_metric("Test", "Beats", value)


def values() -> list[float]:
    return [one["Value"] for one in cloudwatch._metrics[("Test", "Beats", "")]]


@pytest.mark.parametrize("write", [store, record])
def test_a_point_that_is_stored_while_old_ones_are_removed_stays(write: Callable[[float], None]) -> None:
    rival = Rival(lambda: write(2))
    store(1)
    key = ("Test", "Beats", "")
    cloudwatch._metrics[key] = Read(cloudwatch._metrics[key], rival)
    cloudwatch._evict_old_metrics()
    rival.end()
    assert values() == [1, 2]


@pytest.mark.parametrize("write", [store, record])
@pytest.mark.parametrize("begin", [store, record])
def test_two_first_points_of_a_metric_stay(
    monkeypatch: pytest.MonkeyPatch, begin: Callable[[float], None], write: Callable[[float], None]
) -> None:
    rival = Rival(lambda: write(2))

    store_of_all = type(cloudwatch._metrics)
    monkeypatch.setattr(store_of_all, "get", before_it_returns(rival, store_of_all.get))
    begin(1)
    rival.end()
    assert sorted(values()) == [1, 2]


ALARM: dict[str, Any] = {
    "AlarmName": "Own",
    "Namespace": "Test",
    "MetricName": "Beats",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "breaching",
}


def by_template() -> None:
    provisioners._cw_metric_alarm_put("Own", ALARM)


def by_request() -> None:
    cloudwatch._put_metric_alarm({}, ALARM, is_cbor=False, is_json=True)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "_machines", [])
    monkeypatch.setattr(alarms, "_last", [0.0])
    world.install(world.Machines(NoMachines()))


def evaluate() -> None:
    with world.lock:
        alarms.tick()


@pytest.mark.parametrize(
    ("put", "place"),
    [(by_template, (provisioners, "_cw_metric_alarm_record")), (by_request, (cloudwatch, "_alarm_request_tags"))],
)
def test_a_state_that_is_found_while_the_alarm_is_changed_stays(
    monkeypatch: pytest.MonkeyPatch, clock: None, put: Callable[[], None], place: tuple[Any, str]
) -> None:
    put()
    assert cloudwatch._alarms["Own"]["StateValue"] == "INSUFFICIENT_DATA"
    rival = Rival(evaluate)
    monkeypatch.setattr(*place, before_it_returns(rival, getattr(*place)))
    put()
    rival.end()
    assert cloudwatch._alarms["Own"]["StateValue"] == "ALARM"
    before = len(cloudwatch._history_entries())
    alarms._last[0] = 0.0
    evaluate()
    assert len(cloudwatch._history_entries()) == before, "the same change is published once"


def removed_by_template() -> None:
    cloudwatch.cloudformation_delete_metric_alarm("Own")


def removed_by_request() -> None:
    cloudwatch._delete_alarms({}, {"AlarmNames": ["Own"]}, is_cbor=False, is_json=True)


@pytest.mark.parametrize("remove", [removed_by_template, removed_by_request])
def test_an_alarm_that_was_removed_publishes_nothing(
    monkeypatch: pytest.MonkeyPatch, clock: None, remove: Callable[[], None]
) -> None:
    order: list[str] = []
    monkeypatch.setattr(cloudwatch, "_dispatch_alarm_actions", lambda *_: order.append("published"))
    by_template()

    def removed() -> None:
        remove()
        order.append("removed")

    rival = Rival(removed)
    monkeypatch.setattr(alarms, "_points", before_it_returns(rival, alarms._points))
    evaluate()
    rival.end()
    assert order == ["published", "removed"]
    assert "Own" not in cloudwatch._alarms


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in shared_state.GUARDED.items() for name in names]
)
def test_each_of_these_functions_waits_for_the_lock(module: str, name: str) -> None:
    function, ended = getattr(getattr(emulator, module), name), threading.Event()

    def call() -> None:
        with contextlib.suppress(TypeError):  # most need arguments
            function()
        ended.set()

    with world.lock:
        threading.Thread(target=call, daemon=True).start()
        assert not ended.wait(0.05)
    assert ended.wait(30)


def test_two_ticks_at_once_fire_a_schedule_once(monkeypatch: pytest.MonkeyPatch, clock: None) -> None:
    fired: list[str] = []
    monkeypatch.setattr(functions, "dispatch", lambda arn, _: fired.append(arn))
    monkeypatch.setattr(scheduling, "_refusal", lambda *_: None)
    monkeypatch.setattr(scheduling, "_born", {})
    monkeypatch.setattr(scheduler, "_schedule_last_fired", {})
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"
    once = {"ScheduleExpression": "at(2026-01-01T00:00:00)", "State": "ENABLED", "Arn": "a", "Target": {"Arn": arn}}
    rival = Rival(ticking.tick)
    monkeypatch.setattr(scheduling, "due", before_it_returns(rival, scheduling.due))
    scheduler._schedules["default/once"] = once
    try:
        ticking.tick()
        rival.end()
    finally:
        del scheduler._schedules["default/once"]
    assert fired == [arn]


def test_a_session_that_begins_while_ended_ones_are_sought_ends_neither() -> None:
    rival = Rival(lambda: sts.register_session("second", {}))
    sts._sessions["earlier"] = Ending(time.time() + 60, rival)
    sts._sessions["another"] = {"Expiration": time.time() + 60}
    sts.register_session("first", {})
    rival.end()
    assert set(sts._sessions) == {"earlier", "another", "first", "second"}


def test_two_runs_that_make_their_log_group_at_once_both_have_their_log(monkeypatch: pytest.MonkeyPatch) -> None:
    function = {"config": {"FunctionName": "logged"}}

    def log(text: str) -> None:
        lambda_svc._emit_lambda_logs(function, text, text, error=False, duration_ms=1)

    rival = Rival(lambda: log("second"))
    monkeypatch.setattr(cloudwatch_logs, "_make_group_arn", before_it_returns(rival, cloudwatch_logs._make_group_arn))
    log("first")
    rival.end()
    streams = cloudwatch_logs._log_groups["/aws/lambda/logged"]["streams"].values()
    assert {"first", "second"} <= {event["message"] for stream in streams for event in stream["events"]}
