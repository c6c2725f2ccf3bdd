"""`annex plan --deployed` for every kind of change of the spec."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from annex_lease.lease import Phase
from annex_lease.observed import Credential, Group, GroupMember, Instance
from annex_lease.policy import policy_tags
from annex_lease.tags import (
    TAG_BUSY,
    TAG_CLOSED,
    TAG_END,
    TAG_GRANTED,
    TAG_OVERRIDES,
    TAG_UNTIL,
    Tag,
    format_time,
    group_tag,
)
from annex_pool import redeploy
from annex_pool.deployed import Deployed
from annex_pool.lease_changes import lease_changes
from annex_pool.redeploy import Redeployment, compared, declared_policy
from annex_pool.region import RegionClients
from annex_pool.stored_credential import StoredCredential
from tests.unit.pool.annex_specs import annex_spec

CREATED = datetime(2030, 1, 1, 6, tzinfo=UTC)
NOW = CREATED + timedelta(hours=3)
HOUR = timedelta(hours=1)
SIZE = 3


def at(hours: float) -> str:
    return format_time(CREATED + hours * HOUR)


def group(*tags: Tag, size: int = SIZE, granted: bool = True, running: int | None = None, **spec: Any) -> Group:
    """A deployed annex with a lease of 8 hours, three hours old."""
    count = (size if granted else 0) if running is None else running
    members = tuple(GroupMember(f"i-{number}", "InService") for number in range(count))
    given = (group_tag(TAG_GRANTED, str(size)),) if granted else ()
    return Group(
        name="Group-demo",
        created=CREATED,
        min_size=0,
        max_size=size,
        desired=count,
        tags=(*policy_tags(declared_policy(annex_spec(size=size, **spec))), *given, *tags),
        members=members,
        instances=tuple(Instance(member.id, "running") for member in members),
    )


def change(
    before: Group, monkeypatch: pytest.MonkeyPatch, state: Credential = Credential.PRESENT, **spec: Any
) -> tuple[Redeployment, str]:
    monkeypatch.setattr(redeploy, "stored_credential", lambda _: StoredCredential("arn", "v", state))
    found = Deployed("demo", RegionClients("us-east-1"), before)
    compared_sides = compared(found, before, annex_spec(**{"size": SIZE, **spec}), NOW)
    return compared_sides, "\n".join(lease_changes("demo", compared_sides))


def test_the_same_spec_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = change(group(), monkeypatch)
    assert said == f"the lease stays as it is\nthe end stays: the lease ends at {at(8)}, as declared"
    data = found.as_data()
    assert (data["end"], data["end_after"], data["voids"], data["starts"], data["scaled_in"]) == (
        *(at(8), at(8), None, 0, 0),
    )
    assert (data["phase"], data["phase_after"], data["ends_in_seconds"]) == ("active", "active", 5 * 3600)


def test_an_extension_stays_where_the_declared_end_does(monkeypatch: pytest.MonkeyPatch) -> None:
    before = group(group_tag(TAG_UNTIL, at(12)), group_tag(TAG_OVERRIDES, f"{at(12)}@{at(8)}"))
    found, said = change(before, monkeypatch, grace="5m")
    assert f"the end stays: the lease ends at {at(12)}, as an operator wrote" in said
    assert "void" not in said
    assert "grace changes from 15m to 5m" in said
    assert found.voided is None


@pytest.mark.parametrize("recorded", [True, False])
def test_a_changed_declared_end_makes_the_extension_void(monkeypatch: pytest.MonkeyPatch, recorded: bool) -> None:
    """An extension by hand is recorded by the checker before the next deployment."""
    known = (group_tag(TAG_OVERRIDES, f"{at(12)}@{at(8)}"),) if recorded else ()
    found, said = change(group(group_tag(TAG_UNTIL, at(12)), *known), monkeypatch, lease="10h")
    assert f"the end moves from {at(12)}: the lease ends at {at(10)}, as declared" in said
    because = f"the declared end changes from {at(8)} to {at(10)}"
    assert f"the end {at(12)} that an operator wrote becomes void, because {because}" in said
    assert "the annex ends in 7h" in said
    assert found.as_data()["voids"] == at(12)
    assert found.as_data()["ends_in_seconds"] == 7 * 3600


def test_a_longer_lease_and_an_absolute_end(monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = change(group(), monkeypatch, lease="12h", max_lifetime="16h")
    assert f"the end moves from {at(8)}: the lease ends at {at(12)}, as declared" in said
    assert "ends in" not in said
    found, said = change(group(), monkeypatch, lease=None, lease_ends_at=CREATED + 5 * HOUR, max_lifetime="16h")
    assert f"the end moves from {at(8)}: the lease ends at {at(5)}, as declared" in said
    assert found.ends_in == 2 * HOUR


@pytest.mark.parametrize("running", [SIZE, 0])
def test_a_lease_that_is_over_ends_at_once(monkeypatch: pytest.MonkeyPatch, running: int) -> None:
    found, said = change(group(running=running), monkeypatch, lease="2h", max_lifetime="16h")
    assert f"THE ANNEX ENDS AT ONCE: the lease ended at {at(2)}; the grace of its instances: 15m" in said
    data = found.as_data()
    assert (data["phase"], data["phase_after"], data["ends_in_seconds"]) == (
        *(("active" if running else "granted"), "draining", 0),
    )
    assert "AT ONCE" not in change(group(), monkeypatch, lease="4h", max_lifetime="16h")[1]


def test_a_lowered_cap_caps_an_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    before = group(group_tag(TAG_UNTIL, at(15)), group_tag(TAG_OVERRIDES, f"{at(15)}@{at(8)}"), max_lifetime="16h")
    found, said = change(before, monkeypatch, max_lifetime="9h")
    assert f"the latest possible end is lowered from {at(16)} to {at(9)} (max_lifetime)" in said
    assert f"the end moves from {at(15)}: the lease ends at {at(9)}, the maximum lifetime" in said
    assert (found.as_data()["latest_end_after"], found.voided) == (at(9), None)
    assert (
        f"the latest possible end moves from {at(16)} to {at(20)}" in change(before, monkeypatch, max_lifetime="20h")[1]
    )


def test_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = change(group(), monkeypatch, max_instance_hours=9)
    # Three instances for three hours, as no use was counted before: unknown use counts as the most it can have been.
    assert "the limit of instance-hours changes from none to 9" in said
    assert "THE ANNEX ENDS AT ONCE: the 9 instance-hours were used up" in said
    assert "AT ONCE" not in change(group(), monkeypatch, max_instance_hours=10)[1]


def test_a_smaller_size_starts_nothing_and_scales_in(monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = change(group(), monkeypatch, size=1)
    assert said.endswith("the declared size changes from 3 to 1\nnothing starts")
    assert (found.scaled_in, found.after.starts) == (2, 0)
    idle, said = change(group(running=0), monkeypatch, size=1)
    assert (idle.scaled_in, idle.after.starts) == (0, 0)
    assert said.endswith("the declared size changes from 3 to 1\nnothing starts")


def test_a_larger_size_starts_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    found, said = change(group(), monkeypatch, size=5)
    assert said.endswith(
        "the declared size changes from 3 to 5\n2 instances are to start at the check of the deployment"
    )
    assert found.as_data()["starts"] == 2
    idle, said = change(group(running=0), monkeypatch, size=4)
    assert idle.after.starts == 4
    for state in (Credential.EMPTY, Credential.DELETED):
        waiting, said = change(group(), monkeypatch, state, size=5)
        assert "nothing starts yet: the credential" in said
        assert waiting.after.starts == 0


def test_a_stopped_annex_stays_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = replace(group(group_tag(TAG_END, at(2)), running=0), suspended=frozenset({"Launch"}))
    specs: tuple[dict[str, Any], ...] = ({}, {"lease": "12h"}, {"size": 9})
    for spec in specs:
        found, said = change(stopped, monkeypatch, **spec)
        assert "stays stopped until `annex renew demo`" in said
        assert "start at" not in said
        assert found.after.starts == 0
        assert found.after.decision.phase in (Phase.DRAINING, Phase.ENDED)


def test_a_renewal_of_the_busy_annex(monkeypatch: pytest.MonkeyPatch) -> None:
    before = group(group_tag(TAG_BUSY, f"{at(10)}@{at(8)}"), renew_while_busy="1h", max_lifetime="16h")
    spec: dict[str, Any] = {"renew_while_busy": "1h", "max_lifetime": "16h"}
    same, said = change(before, monkeypatch, **spec)
    assert (same.as_data()["end_after"], "void" in said) == (at(10), False)
    shorter, said = change(before, monkeypatch, **spec, lease="7h")
    assert f"the renewal of the busy annex to {at(10)} becomes void" in said
    assert shorter.as_data()["end_after"] == at(7)


def test_a_destroy_that_began(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = change(group(group_tag(TAG_CLOSED, at(2))), monkeypatch)
    assert "a destroy of the annex began" in said
    assert "renew" not in said


def test_a_record_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = group()
    before = replace(whole, tags=tuple(tag for tag in whole.tags if tag.key != "annex:max-lifetime"))
    found, said = change(before, monkeypatch)
    assert f"the lease cannot be read now; after the deployment it ends at {at(8)}, as declared" in said
    assert (found.as_data()["end"], found.as_data()["end_after"]) == (None, at(8))
