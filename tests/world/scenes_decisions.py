"""Scenarios of who decides about the end: declared, extended, shortened, deployed, stopped, renewed, capped.

Caps cap; below them the newer decision wins; what was stopped stays stopped until it is renewed.
"""

from __future__ import annotations

from annex_lease import tags as lease_tags
from tests.world.cloudformation import deploy
from tests.world.scene import scene
from tests.world.scenes_life import deploy_and_grant
from tests.world.stage import HOUR, MINUTE, Stage

GRACE = 16 * MINUTE  # with a run


def extended(stage: Stage, end: float) -> None:
    """Play an annex of an hour whose operator wrote another end in its first minutes; it was seen by a check."""
    deploy_and_grant(stage)
    write_end(stage, end)
    stage.minutes(2)
    expect_end(stage, end)


def write_end(stage: Stage, seconds: float) -> None:
    """Write an end as an operator does by hand."""
    stage.write(lease_tags.TAG_UNTIL, stage.at(seconds))


def renew(stage: Stage, seconds: float) -> None:
    """Renew until so many seconds after the creation, as an operator does by hand."""
    write_end(stage, seconds)
    stage.write(lease_tags.TAG_RENEWED, stage.at(seconds))  # only compared: the same in every play


def expect_end(stage: Stage, seconds: float) -> None:
    """The end that instances see, those that run and those that start."""
    ends = {stage.tags().get(lease_tags.TAG_END)} | stage.ends_of_instances()
    stage.expect(ends == {stage.at(seconds)}, f"the end is {stage.at(seconds)}, not {ends}")


def expect_running(stage: Stage, what: str, number: int = 2) -> None:
    """So many instances live."""
    stage.expect(len(stage.alive()) == number, f"{what}: {number} instances run, not {len(stage.alive())}")


@scene("ENDED")
def extended_and_then_deployed_shorter(stage: Stage) -> None:
    extended(stage, 1.8 * HOUR)
    stage.expect(deploy(stage, duration_seconds=40 * 60) == "SUCCESS", "the deployment is newer")
    expect_end(stage, 40 * MINUTE)
    stage.until(39 * MINUTE)
    expect_running(stage, "before the new end")
    stage.until(40 * MINUTE + GRACE)


@scene("RUNNING")
def extended_and_then_deployed_shorter_and_renewed(stage: Stage) -> None:
    extended_and_then_deployed_shorter(stage)
    stage.minutes(3)
    stage.expect(not stage.alive(), "it ended")
    renew(stage, 1.9 * HOUR)
    stage.minutes(2)
    stage.until(1.7 * HOUR)


@scene("ENDED")
def extended_and_then_deployed_to_an_end_that_is_over(stage: Stage) -> None:
    extended(stage, 1.8 * HOUR)
    stage.until(30 * MINUTE)
    deploy(stage, duration_seconds=20 * 60)
    stage.minutes(16)


@scene("ENDED")
def extended_and_then_deployed_longer(stage: Stage) -> None:
    extended(stage, 1.25 * HOUR)
    stage.expect(deploy(stage, duration_seconds=90 * 60) == "SUCCESS", "the deployment is newer")
    stage.until(1.45 * HOUR)
    expect_running(stage, "after the end that the operator wrote before")
    expect_end(stage, 1.5 * HOUR)
    stage.until(1.5 * HOUR + GRACE)


@scene("ENDED")
def extended_and_then_deployed_to_an_absolute_end(stage: Stage) -> None:
    extended(stage, 1.25 * HOUR)
    end = lease_tags.parse_time(stage.at(1.75 * HOUR))
    stage.expect(deploy(stage, duration_seconds=None, ends_at=end) == "SUCCESS", "the deployment is newer")
    stage.until(1.7 * HOUR)
    expect_running(stage, "after the end that the operator wrote before")
    expect_end(stage, 1.75 * HOUR)
    stage.until(1.75 * HOUR + GRACE)


@scene(("active", 3, 3, False))
def extended_and_then_another_size_deployed(stage: Stage) -> None:
    """A deployment that does not change the end decides nothing about it."""
    extended(stage, 1.8 * HOUR)
    stage.expect(deploy(stage, size=3) == "SUCCESS", "three are granted")
    stage.until(1.5 * HOUR)
    expect_end(stage, 1.8 * HOUR)


@scene("ENDED")
def extended_deployed_shorter_and_deployed_back(stage: Stage) -> None:
    """Each deployment is newer than the override, also one that declares what was declared at first."""
    stage.make(policy={"duration_seconds": 85 * 60})
    stage.minutes(2)
    write_end(stage, 1.9 * HOUR)
    stage.minutes(2)
    expect_end(stage, 1.9 * HOUR)
    deploy(stage, duration_seconds=100 * 60)
    stage.until(70 * MINUTE)  # more than an hour later: this is no rollback
    expect_end(stage, 100 * MINUTE)
    deploy(stage, duration_seconds=85 * 60)
    stage.minutes(2)
    expect_end(stage, 85 * MINUTE)
    stage.until(82 * MINUTE)
    expect_running(stage, "before the declared end")
    stage.until(85 * MINUTE + GRACE)


@scene("RUNNING")
def extended_and_a_deployment_that_was_rolled_back(stage: Stage) -> None:
    """A deployment that failed decides nothing: CloudFormation writes the former tags again within minutes."""
    extended(stage, 1.8 * HOUR)
    deploy(stage, duration_seconds=40 * 60)
    stage.minutes(3)
    expect_end(stage, 40 * MINUTE)
    deploy(stage, duration_seconds=3600)
    stage.minutes(2)
    expect_end(stage, 1.8 * HOUR)
    stage.until(1.5 * HOUR)


@scene("RUNNING")
def extended_after_a_deployment(stage: Stage) -> None:
    """The newest decision wins over all that came before it."""
    extended(stage, 70 * MINUTE)
    deploy(stage, duration_seconds=80 * 60)
    stage.minutes(2)
    write_end(stage, 1.8 * HOUR)
    stage.minutes(2)
    stage.until(1.6 * HOUR)
    expect_end(stage, 1.8 * HOUR)


@scene("ENDED")
def shortened_by_hand(stage: Stage) -> None:
    extended(stage, 40 * MINUTE)
    stage.until(39 * MINUTE)
    expect_running(stage, "before the end")
    stage.until(40 * MINUTE + GRACE)


@scene("ENDED")
def shortened_by_hand_and_then_another_size_deployed(stage: Stage) -> None:
    extended(stage, 40 * MINUTE)
    deploy(stage, size=3)
    stage.until(38 * MINUTE)
    expect_running(stage, "before the end", 3)
    stage.until(40 * MINUTE + GRACE)


@scene("ENDED")
def stopped_and_then_deployed_longer(stage: Stage) -> None:
    """A deployment is no renewal: the annex stays stopped."""
    deploy_and_grant(stage)
    stage.until(20 * MINUTE)
    write_end(stage, 20 * MINUTE)
    stage.minutes(2)
    stage.expect(not stage.alive(), "it was stopped")
    deploy(stage, duration_seconds=100 * 60, size=3)


@scene(("active", 3, 3, False))
def stopped_deployed_longer_and_renewed(stage: Stage) -> None:
    stopped_and_then_deployed_longer(stage)
    stage.minutes(2)
    renew(stage, 1.9 * HOUR)
    stage.minutes(2)
    stage.until(1.7 * HOUR)
    expect_end(stage, 1.9 * HOUR)


@scene("ENDED")
def renewed_without_a_credential_and_deployed_longer_after_it(stage: Stage) -> None:
    """The renewed lease ends before anything is granted: what starts nothing now starts nothing later."""
    stage.make(credential=False)
    stage.minutes(2)
    stage.until(HOUR + GRACE)
    renew(stage, 1.5 * HOUR)
    stage.minutes(2)
    stage.until(1.5 * HOUR + 3 * MINUTE)
    stage.world.operator.secretsmanager.put_secret_value(SecretId=stage.site.secret_arn, SecretString="value")
    deploy(stage, duration_seconds=110 * 60, size=3)
    stage.minutes(3)
    stage.expect(not stage.alive(), "nothing starts")


@scene("ENDED")
def ended_and_then_deployed_longer(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.until(HOUR + GRACE)
    stage.minutes(3)
    deploy(stage, duration_seconds=100 * 60)


@scene("ENDED")
def renewed_while_busy_and_then_deployed_shorter(stage: Stage) -> None:
    """A renewal of a busy annex counts in place of the end that it renewed, and of no other."""
    stage.make(policy={"renew_seconds": 1200})
    stage.minutes(3)
    protection = {"AutoScalingGroupName": stage.site.group, "InstanceIds": stage.alive()}
    stage.world.operator.autoscaling.set_instance_protection(**protection, ProtectedFromScaleIn=True)
    stage.until(57 * MINUTE)
    stage.expect(str(stage.tags().get(lease_tags.TAG_END)) > stage.at(HOUR), "it was renewed")
    stage.world.operator.autoscaling.set_instance_protection(**protection, ProtectedFromScaleIn=False)
    deploy(stage, duration_seconds=58 * 60)
    stage.until(58 * MINUTE + GRACE)


@scene("ENDED")
def extended_by_hand_between_two_checks_and_ended(stage: Stage) -> None:
    """An extension that comes within the last minute is in time: the check after it comes before the end."""
    deploy_and_grant(stage)
    stage.until(HOUR - 70)
    write_end(stage, 1.5 * HOUR)
    stage.minutes(2)
    expect_running(stage, "after the old end")
    stage.until(1.5 * HOUR + GRACE)
