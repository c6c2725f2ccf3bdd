"""Upkeep of an image: the schedule of its builds, and which images are kept."""

from dataclasses import dataclass
from datetime import timedelta

from aws_cdk import Duration
from aws_cdk import aws_imagebuilder as imagebuilder

from annex_constructs.errors import FLAG, check_form, check_kind, check_whole_number, invalid_value, seconds
from annex_lease.built_forms import NEVER, SCHEDULES
from annex_lease.built_rules import days_conflict, schedule_conflict
from annex_lease.built_terms import BUILD_UNCHANGED, KEEP, KEEP_LAUNCHED, SCHEDULE

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class ImageUpkeep:
    """Schedule of the builds, and removal of old images with their snapshots.

    Example, built every week in any case::

        upkeep = ImageUpkeep(schedule="weekly", build_unchanged=True)

    :param schedule: how often the image is built: `monthly`, `weekly` or `never`. Default: `monthly`.
    :param build_unchanged: build by the schedule also if Image Builder sees no new version of the parent or of a
        component: it does not see new packages. Default: False.
    :param keep: number of newest images that are kept, however old they are, 1 to 10. Default: 3.
    :param keep_launched: other images are kept as long as they were built or launched within this time; whole days
        from 7d to 365d. Default: 90d.
    :raises ValueError: a value is not allowed.
    """

    schedule: str = SCHEDULE.default_value
    build_unchanged: bool = BUILD_UNCHANGED.default_value
    keep: float = KEEP.default_value
    keep_launched: Duration | None = None

    def __post_init__(self) -> None:
        """Refuse what is no schedule, or would keep no image."""
        check_form("ImageUpkeep schedule", self.schedule, SCHEDULE.form, known=True)
        check_kind("ImageUpkeep build_unchanged", self.build_unchanged, FLAG)
        check_whole_number("ImageUpkeep keep", self.keep, KEEP, known=True)
        conflict = schedule_conflict(self.schedule, self.build_unchanged)
        if conflict is not None:
            name, fix = "ImageUpkeep build_unchanged", "leave it out"
            raise invalid_value(name, received=self.build_unchanged, allowed=conflict.allowed, fix=fix)
        _ = self.days  # reads and checks it

    @property
    def days(self) -> int:
        """The value of `keep_launched` in days, with its default applied."""
        if self.keep_launched is None:
            return KEEP_LAUNCHED.default_value // _DAY
        length = timedelta(seconds=seconds("ImageUpkeep keep_launched", self.keep_launched, KEEP_LAUNCHED))
        conflict = days_conflict(length)
        if conflict is not None:
            raise invalid_value(
                "ImageUpkeep keep_launched",
                received=self.keep_launched.to_human_string(),
                allowed=conflict.allowed,
                fix=f"pass keep_launched=Duration.days({(conflict.fix or KEEP_LAUNCHED.minimum) // _DAY})",
            )
        return length // _DAY

    @property
    def plan(self) -> imagebuilder.CfnImagePipeline.ScheduleProperty | None:
        """The schedule of the pipeline; None: it has none."""
        if self.schedule == NEVER:
            return None
        condition = "EXPRESSION_MATCH_AND_DEPENDENCY_UPDATES_AVAILABLE"
        return imagebuilder.CfnImagePipeline.ScheduleProperty(
            schedule_expression=SCHEDULES[self.schedule],
            pipeline_execution_start_condition="EXPRESSION_MATCH_ONLY" if self.build_unchanged else condition,
        )
