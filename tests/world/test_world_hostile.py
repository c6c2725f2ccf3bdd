"""Names that collide, tags and events that mean harm, fleets of ten thousand, and no time left."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from annex_lease import tags as lease_tags
from annex_lease.actions import Grant
from annex_lease.decision import decide
from annex_lease.observed import Credential, Group
from annex_lease.policy import LeasePolicy
from annex_lease.tags import Tag
from tests.world.aws_faults import Fault, FaultAt
from tests.world.aws_model import Aws
from tests.world.aws_state import GROUP_TAG, START
from tests.world.examples import REPEATABLE
from tests.world.stage import HOUR, MINUTE, Site, Stage
from tests.world.worlds import ModelWorld, declared_tags

NAMES = ("a", "pa", "paper", "pa-per", "p")
TAGS = [value for key, value in vars(lease_tags).items() if key.startswith("TAG_")]
PLAIN = ("2", "3", "60", "3600", "7200", "2026-11-01T12:30:00Z", "2026-11-01T13:30:00Z", "2@2026-11-01T12:30:00Z", "pa")
ODD: tuple[str, ...] = (
    "",
    "*",
    "?",
    "p*",
    "'",
    '"',
    "\n",
    "{}",
    "$(id)",
    "`id`",
    "\\",
    "%s",
    "../",
    "é",
    "a" * 250,
    "aws:x",
    "@",
    "x@y",
)
ODD += ("1@1x1", "9999-12-31T23:59:59Z", "1793545200000", "-1", "nan", "1e9", "٣")


def site(name: str, group: str = "", annex_id: str = "") -> Site:
    policy = LeasePolicy(name, size=2, max_lifetime_seconds=7200, grace_seconds=900, duration_seconds=3600)
    return Site(policy, group or f"Annex-{name}-Group", annex_id or f"id-of-{name}.{name}", max_size=20)


@pytest.mark.parametrize("page_size", [None, 0])
@pytest.mark.parametrize("ending", NAMES)
def test_the_end_of_one_annex_touches_no_other(ending: str, page_size: int | None) -> None:
    """Not one whose name begins alike, nor one of the same name in another stack."""
    world = ModelWorld(Aws(page_size=page_size))
    others = [Stage(world, site(name)) for name in NAMES if name != ending]
    others.append(Stage(world, site(ending, f"Annex-{ending}-Group-2", f"another-stack.{ending}")))
    mine = Stage(world, site(ending))
    for stage in [*others, mine]:
        stage.make()
        stage.minutes(2)
    detached = mine.alive()[:1] + others[0].alive()[:1] + others[-1].alive()[:1]
    for stage, key in zip((mine, others[0], others[-1]), detached, strict=True):
        stage.world.operator.autoscaling.detach_instances(
            AutoScalingGroupName=stage.site.group, InstanceIds=[key], ShouldDecrementDesiredCapacity=True
        )
    world.advance(2 * HOUR)
    before = {stage.site.group: (stage.group(), stage.alive()) for stage in others}
    own = world.alive(mine.site.group)
    mine.minutes(5)
    assert mine.alive() == []
    assert mine.runs[-1].phase == "ended"
    assert {stage.site.group: (stage.group(), stage.alive()) for stage in others} == before
    for call in world.aws.calls:
        if call.operation in ("TerminateInstances", "SetInstanceProtection") and call.at > HOUR:
            assert set(call.params["InstanceIds"]) <= own


def test_a_resource_with_only_half_of_our_tags_is_not_ours() -> None:
    """Any user can write the name; the group's own tag and the id of the annex are evidence."""
    world = ModelWorld()
    mine, other = Stage(world, site("pa")), Stage(world, site("paper"))
    for stage in (mine, other):
        stage.make()
        stage.minutes(2)
    foreign = [world.aws.account.instances[key] for key in other.alive()]
    foreign[0].tags[lease_tags.TAG_NAME] = "pa"
    foreign[0].tags[lease_tags.TAG_ID] = mine.site.annex_id + "x"
    foreign[1].tags[lease_tags.TAG_NAME] = "pa"
    foreign[1].tags[GROUP_TAG] = mine.site.group + "x"
    world.advance(2 * HOUR)
    before = other.alive()
    mine.minutes(5)
    assert mine.runs[-1].phase == "ended"
    assert other.alive() == before


def test_a_group_whose_name_is_a_pattern_has_its_own_instances_only() -> None:
    """EC2's filters read * and ? as wildcards, and a group may have them in its name: tags are compared whole."""
    world = ModelWorld()
    other, mine = Stage(world, site("paper")), Stage(world, replace(site("pa"), group="Annex-*"))
    for stage in (other, mine):
        stage.make(policy={"duration_seconds": 3600 if stage is mine else 7200})
        stage.minutes(2)
    before = other.alive()
    world.advance(HOUR)
    mine.minutes(20)
    assert (mine.runs[-1].phase, mine.alive()) == ("ended", [])
    assert other.alive() == before


texts = st.one_of(st.sampled_from(ODD), st.text(max_size=20))


@settings(REPEATABLE, max_examples=150)
@given(st.dictionaries(st.sampled_from(TAGS), texts, max_size=4), st.integers(0, 5), st.booleans())
def test_no_record_keeps_anything_beyond_its_maximum_lifetime(tags: dict[str, str], when: int, granted: bool) -> None:
    world = ModelWorld()
    stage = Stage(world, strict=False)
    stage.make()
    if granted:
        stage.minutes(1)
    world.advance(when * 1200)
    group = world.aws.account.groups[stage.site.group]
    group.tags |= {key: (value, key in lease_tags.PROPAGATED_TAGS) for key, value in tags.items()}
    calls = len(world.aws.calls)
    run = stage.run()
    assert run.phase in ("waiting", "granted", "active", "draining", "ended")
    assert run.error is None
    if world.aws.account.now > 7200:
        assert not any(call.params.get("DesiredCapacity", 0) for call in world.aws.calls[calls:])
        world.advance(24 * HOUR)
        stage.minutes(2)
        assert stage.alive() == []


def test_ten_thousand_records_are_decided() -> None:
    """No record raises, reaches further than a year, or has anything granted that it does not declare."""
    draw = random.Random(84)  # noqa: S311 -- not a secret: the same records in every run
    declared = {tag["Key"]: tag["Value"] for tag in declared_tags(Site())} | {lease_tags.TAG_GRANTED: "2"}
    group = Group("g", START, 0, 10, 0, (), credential=Credential.PRESENT, instances=())
    grants = 0
    for _ in range(10_000):
        values = declared | {draw.choice(TAGS): draw.choice(ODD + PLAIN) for _ in range(draw.randrange(1, 4))}
        for key in draw.sample(TAGS, draw.randrange(3)):
            values.pop(key, None)
        tags = tuple(Tag(key, value, False) for key, value in values.items())
        now = START + timedelta(seconds=draw.randrange(-3600, 9000))
        suspended = frozenset({"Launch"} if draw.random() < 0.3 else ())
        decision = decide(replace(group, tags=tags, suspended=suspended), now)
        assert decision.end is None or decision.end <= START + timedelta(days=366)
        for grant in (one for one in decision.actions if isinstance(one, Grant)):
            grants += 1
            assert now < (decision.end or now)
            assert str(grant.granted.size) == values[lease_tags.TAG_SIZE]
            assert not suspended or lease_tags.TAG_RENEWED in values
    assert grants > 50


EVENTS: list[dict[str, Any]] = [{}, {"check": "scheduled"}, {"check": "dry-run"}, {"check": None}, {"check": ["x"]}]
json_values = st.recursive(st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner, max_size=2))


@settings(REPEATABLE, max_examples=80)
@given(st.dictionaries(st.sampled_from(["check", "group", "now", "detail", "Records"]), json_values, max_size=3))
@example({"group": "Annex-paper-Group", "now": "9999-12-31T23:59:59Z", "check": "scheduled"})
def test_no_event_but_a_request_is_more_than_a_check(event: dict[str, Any]) -> None:
    world = ModelWorld()
    mine, other = Stage(world, site("pa")), Stage(world, site("paper"))
    for stage in (mine, other):
        stage.make()
        stage.minutes(1)
    before = other.group()
    run = mine.run(event)
    assert run.error is None
    assert run.phase == "active" or event.get("check") == "dry-run" or run.phase == "granted"
    assert other.group() == before
    assert mine.reply_group() == mine.site.group


@pytest.mark.parametrize("operation", ["DescribeAutoScalingGroups", "DescribeInstances"])
@pytest.mark.parametrize("fault", [Fault.DENIED, Fault.THROTTLED, Fault.TIMEOUT])
def test_a_listing_that_is_refused_is_an_error_and_never_an_empty_one(operation: str, fault: Fault) -> None:
    world = ModelWorld()
    stage = Stage(world, strict=False)
    stage.make()
    stage.minutes(2)
    world.operator.autoscaling.enter_standby(
        AutoScalingGroupName=stage.site.group, InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=True
    )
    stage.until(2 * HOUR, checked=False)
    world.aws.faults = FaultAt(fault, operation=operation)
    for _ in range(3):
        run = stage.run()
        assert run.error is not None
        assert run.phase != "ended"
        world.advance(MINUTE)
