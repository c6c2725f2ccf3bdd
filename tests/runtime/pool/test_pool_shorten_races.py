"""`annex shorten` at the same moment as another command, or as a check of the lease checker."""

from __future__ import annotations

from datetime import timedelta

import pytest

from annex_lease.tags import TAG_END, TAG_UNTIL, format_time, parse_time
from annex_pool import deployed
from annex_pool import extend as writing
from annex_pool.deployed import Deployed
from tests.runtime.pool.pool_world import World
from tests.runtime.pool.test_pool_shorten import HOUR, created, set_busy, start


@pytest.fixture
def running(world: World) -> World:
    return start(world)


@pytest.fixture
def renewed(world: World) -> World:
    """A busy annex whose lease was renewed by an hour, half an hour before its end."""
    start(world, renew_seconds=3600)
    set_busy()
    world.shift = 7.5 * HOUR + timedelta(seconds=1)
    assert "RenewLease" in world.annex("check", "demo").out
    return world


def other_command(monkeypatch: pytest.MonkeyPatch, world: World, *words: str) -> list[int]:
    """Run another command after this one has read the lease and before it writes; its exit codes."""
    plain, codes = deployed.write_tags, list[int]()

    def late(found: Deployed, values: dict[str, str], what: str) -> None:
        monkeypatch.setattr(writing, "write_tags", plain)
        codes.append(world.annex(*words).exit_code)
        plain(found, values, what)

    monkeypatch.setattr(writing, "write_tags", late)
    return codes


@pytest.mark.parametrize(("first", "second"), [("shorten", "extend"), ("extend", "shorten"), ("shorten", "shorten")])
def test_of_two_commands_at_one_moment_the_later_end_stands(
    running: World, monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    hours = {"shorten": 2, "extend": 12}
    ends = [format_time(created(running) + hours[verb] * HOUR) for verb in (first, second)]
    if first == second:
        ends[1] = format_time(created(running) + 3 * HOUR)
    codes = other_command(monkeypatch, running, second, "demo", "--until", ends[1])
    done = running.annex(first, "demo", "--until", ends[0])
    assert (codes, done.exit_code) == ([0], 0)
    later = max(ends)
    assert running.tag("demo", TAG_UNTIL) == running.tag("demo", TAG_END) == later
    assert f"-> {later}" in done.out


def test_a_stop_at_the_same_moment_wins(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = other_command(monkeypatch, running, "stop", "demo", "--no-wait")
    done = running.annex("shorten", "demo", "--for", "2h")
    assert (codes, done.exit_code) == ([0], 1)
    assert "annex demo ended, or was stopped, at the same time" in done.err
    assert running.group("demo")["DesiredCapacity"] == 0


def test_a_renewal_of_the_busy_annex_at_the_same_moment_is_no_operators_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(world, renew_seconds=3600)
    set_busy()
    world.shift = 7.5 * HOUR + timedelta(seconds=1)
    plain = deployed.write_tags

    def late(found: Deployed, values: dict[str, str], what: str) -> None:
        # The checker's own schedule: it renews, and publishes the renewed end.
        world.environment().ask_checker(found)
        plain(found, values, what)

    monkeypatch.setattr(writing, "write_tags", late)
    until = format_time(created(world) + 7.9 * HOUR)
    done = world.annex("shorten", "demo", "--until", until)
    assert world.tag("demo", TAG_UNTIL) == until
    # It is renewed once more, in place of the shorter end, and that is said.
    assert (done.exit_code, "jobs run, and the lease checker renewed" in done.err) == (1, True)


def test_an_extension_of_a_busy_annex_that_is_renewed_at_once(renewed: World) -> None:
    """The renewal reaches further than the extension, which is what was asked for at least."""
    renewed.shift += timedelta(minutes=45)
    done = renewed.annex("extend", "demo", "--for", "20m")
    assert (done.exit_code, done.err) == (0, "")
    end = renewed.tag("demo", TAG_END)
    assert end
    assert parse_time(end) > renewed.now() + timedelta(minutes=59)
