"""The alarm of an annex: its state and its history, at a deployment and afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_pool.leftovers.listing import pages
from verify.experiment import Experiment
from verify.experiments.scheduled_ends import delete_schedule
from verify.outcome import NotRunError, Seen
from verify.scene import Scene

_SILENCE_SECONDS = 900.0


def alarm_names(scene: Scene, letter: str) -> list[str]:
    """Names of the alarms of an annex's stack."""
    return scene.physical_ids(letter, "AWS::CloudWatch::Alarm")


def states(scene: Scene, letter: str) -> str:
    """States of the alarms of an annex.

    Raises:
        NotRunError: it has none.
    """
    names = alarm_names(scene, letter)
    found = scene.account.aws.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"] if names else []
    if not found:
        raise NotRunError("the stack has no alarm")
    return ", ".join(str(each["StateValue"]) for each in found)


@dataclass(frozen=True)
class AlarmChange:
    """A change of an alarm's state.

    Attributes:
        time: when it changed.
        summary: CloudWatch's words for it, such as "Alarm updated from OK to ALARM".
    """

    time: datetime
    summary: str

    @property
    def published(self) -> bool:
        """True if it is sent to the topic: an alarm is sent when it is raised, and when its data end."""
        unmade = "from INSUFFICIENT_DATA to INSUFFICIENT_DATA"  # the creation, in the words of some emulators
        return not self.summary.endswith("to OK") and unmade not in self.summary

    def __str__(self) -> str:
        return f"{self.time:%H:%M:%S} {self.summary}"


def changes(scene: Scene, names: list[str]) -> list[AlarmChange]:
    """Changes of the states of alarms, the oldest first.

    CloudWatch keeps the history of an alarm that is deleted (CloudWatch API Reference, DescribeAlarmHistory).
    """
    client = scene.account.aws.client("cloudwatch")
    found = [
        AlarmChange(item["Timestamp"], str(item["HistorySummary"]))
        for name in names
        for item in pages(
            client, "describe_alarm_history", "AlarmHistoryItems", AlarmName=name, HistoryItemType="StateUpdate"
        )
    ]
    return sorted(found, key=lambda each: each.time)


def quiet_deployment(scene: Scene) -> Seen:
    """Read the history of the alarm of an annex that works, from its deployment on."""
    created = scene.group("a")["CreatedTime"]
    wanted = created + timedelta(seconds=2 * scene.options.watch_seconds)
    scene.watch((wanted - scene.now()).total_seconds(), lambda: False)
    state, seen = states(scene, "a"), changes(scene, alarm_names(scene, "a"))
    published = [each for each in seen if each.published]
    minutes = (scene.now() - created).total_seconds() / 60
    text = f"{state} after {minutes:.0f} minutes, published {len(published)} times"
    return Seen(not published and state == "OK", text, tuple(map(str, seen)))


def silence_is_published(scene: Scene) -> Seen:
    """Wait for the alarm of the annex whose schedule is gone."""
    since, names = delete_schedule(scene), alarm_names(scene, "b")

    def published() -> list[AlarmChange]:
        return [each for each in changes(scene, names) if each.published and each.time >= since]

    left = _SILENCE_SECONDS - (scene.now() - since).total_seconds()
    found = scene.watch(left, published, every=10.0)
    seen = tuple(map(str, changes(scene, names)))
    if not found:
        return Seen(False, f"{states(scene, 'b')} {(scene.now() - since).total_seconds():.0f} s after it", seen)
    took = (found[0].time - since).total_seconds()
    return Seen(took <= _SILENCE_SECONDS, f"{found[0].summary}, {took:.0f} s after the schedule was deleted", seen)


EXPERIMENTS = (
    Experiment(
        3,
        "alarm at a deployment",
        "the alarm is OK, and is not published by a first deployment, nor by an update",
        "CloudWatch User Guide, 'Alarm evaluation' and 'Configuring how CloudWatch alarms treat missing data'",
        1,
        quiet_deployment,
    ),
    Experiment(
        13,
        "alarm about silence",
        f"it is published within {_SILENCE_SECONDS / 60:.0f} minutes after the schedule is gone",
        "CloudWatch User Guide, 'Configuring how CloudWatch alarms treat missing data'; docs/how-to/alarms.md",
        3,
        silence_is_published,
        ("b",),
    ),
)
