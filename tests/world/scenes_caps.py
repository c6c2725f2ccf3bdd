"""Scenarios of the caps: nothing lasts longer, and nothing ends before one that is raised."""

from __future__ import annotations

from annex_lease import tags as lease_tags
from tests.world.cloudformation import deploy
from tests.world.scene import scene
from tests.world.scenes_decisions import GRACE, expect_end, expect_running, extended, renew, write_end
from tests.world.scenes_life import deploy_and_grant
from tests.world.stage import HOUR, MINUTE, Stage


@scene("ENDED")
def an_end_beyond_the_cap_counts_as_the_cap(stage: Stage) -> None:
    """An end that no rule allows, written over a valid extension: nothing is ended before the cap."""
    extended(stage, 1.8 * HOUR)
    stage.until(1.2 * HOUR)
    write_end(stage, 2.5 * HOUR)
    stage.minutes(2)
    stage.expect(lease_tags.TAG_UNTIL in stage.problems(), "it is reported")
    stage.until(1.9 * HOUR)
    expect_running(stage, "before the cap")
    expect_end(stage, 2 * HOUR)
    stage.until(2 * HOUR + GRACE)


@scene("ENDED")
def renewed_beyond_the_cap(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.until(HOUR + GRACE)
    stage.minutes(3)
    renew(stage, 3 * HOUR)
    stage.minutes(2)
    expect_running(stage, "until the cap")
    stage.until(2 * HOUR + GRACE)


@scene("ENDED")
def a_cap_that_is_lowered_below_the_override(stage: Stage) -> None:
    extended(stage, 1.8 * HOUR)
    deploy(stage, max_lifetime_seconds=84 * 60)
    stage.until(1.35 * HOUR)
    expect_running(stage, "before the new cap")
    expect_end(stage, 1.4 * HOUR)
    stage.until(1.4 * HOUR + GRACE)


@scene("ENDED")
def a_cap_that_is_lowered_below_what_was_lived(stage: Stage) -> None:
    """A cap that is over ends the annex with its grace, and never before it."""
    extended(stage, 1.8 * HOUR)
    stage.until(1.2 * HOUR)
    deploy(stage, max_lifetime_seconds=3600)
    stage.minutes(16)


@scene("RUNNING")
def a_cap_that_is_raised_above_the_override(stage: Stage) -> None:
    """Nothing that was put in place for the old cap ends the annex at it."""
    extended(stage, 2.5 * HOUR - 30 * MINUTE)
    write_end(stage, 2.5 * HOUR)
    stage.minutes(2)
    deploy(stage, max_lifetime_seconds=3 * 3600)
    stage.until(2.1 * HOUR)
    expect_running(stage, "after the old cap")
    expect_end(stage, 2.5 * HOUR)
    stage.until(2.3 * HOUR)


@scene("ENDED")
def an_absolute_end_beyond_the_cap(stage: Stage) -> None:
    deploy_and_grant(stage)
    end = lease_tags.parse_time(stage.at(5 * HOUR))
    deploy(stage, duration_seconds=None, ends_at=end)
    stage.until(1.9 * HOUR)
    expect_running(stage, "before the cap")
    stage.until(2 * HOUR + GRACE)
