"""The declaration of what an account has once per Region, whatever annexes it has: the sweeper."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from annex_spec import field
from annex_spec.problem import ContradictionError, Problem

TABLE = "[base]"

MaxRemovals = Annotated[
    int | None, Field(description="a whole number from 0 to 10000: 0 removes nothing", examples=["50"], ge=0, le=10_000)
]
DryRun = Annotated[bool, Field(description="true or false", examples=["true"])]


class BaseSpec(BaseModel):
    """The base of each Region in which the file has an annex.

    Attributes:
        alarm_email: who is told when the sweeper is silent, fails or stops itself; AWS asks the address to confirm.
            Default: None - the alarms are there, and nobody is told.
        alarm_topic: ARN of the Amazon SNS topic that is told instead. Default: None - a topic is made.
        max_removals: with more orphans than this to remove in one run, none is removed; a group whose lease cannot be
            read counts all its instances. Default: None - 50, or the size of the Region's largest annex if that is
            more.
        dry_run: whether the sweeper only reports what it would do. It then marks nothing, so nothing is ever due: what
            marks would lead to is in its report as `would_remove_later`, and counts against `max_removals`.
            Default: False.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    alarm_email: field.AlarmEmail = None
    alarm_topic: field.AlarmTopic = None
    max_removals: MaxRemovals = None
    dry_run: DryRun = False

    @model_validator(mode="after")
    def _one_alarm(self) -> Self:
        if self.alarm_email is not None and self.alarm_topic is not None:
            allowed = "at most one of alarm_email and alarm_topic"
            fix = "remove one of the two; the address can subscribe to the topic"
            raise ContradictionError("alarm_email", "both alarm_email and alarm_topic", allowed, fix)
        return self

    def problems_in(self, regions: Iterable[str]) -> list[Problem]:
        """What is wrong with the base of these Regions: an alarm can only tell a topic of its own Region.

        Args:
            regions: the Regions of the file's annexes.
        """
        if self.alarm_topic is None:
            return []
        own = field.topic_region(self.alarm_topic)
        others = sorted({*regions} - {own})
        if not others:
            return []
        fix = 'remove alarm_topic and write alarm_email = "admin@example.edu"'
        allowed = f"a topic in the Region of every annex, and there are annexes in {', '.join(others)}"
        return [Problem(TABLE, "alarm_topic", f'"{self.alarm_topic}"', allowed, fix)]
