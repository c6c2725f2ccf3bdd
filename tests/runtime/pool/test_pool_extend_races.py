"""Two operators extend the same lease at the same moment: the later end stands, in every order of writing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from annex_lease.tags import TAG_UNTIL, format_time, group_tag
from annex_pool import deployed, extend
from annex_pool.deployed import Deployed
from tests.runtime.pool.pool_world import World, aws, deploy

HOUR = timedelta(hours=1)


@pytest.fixture
def running(world: World) -> World:
    """An annex that was granted, with its end published."""
    deploy("demo")
    aws().secretsmanager.put_secret_value(SecretId="secret-demo", SecretString="token")
    assert world.annex("check", "demo").exit_code == 0
    return world


def later(world: World, hours: float) -> str:
    return format_time(world.now().replace(microsecond=0) + hours * HOUR)


def write(until: str) -> None:
    tag = group_tag(TAG_UNTIL, until).to_api("Group-demo")
    aws().autoscaling.create_or_update_tags(Tags=[tag])  # type: ignore[list-item]


def before_the_first_write(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> list[str]:
    """Run `act` after this command has read the lease and before it writes; returns the ends it writes."""
    plain, written = deployed.write_tags, list[str]()

    def late(found: Deployed, values: dict[str, str], what: str) -> None:
        monkeypatch.setattr(extend, "write_tags", plain)
        act()
        monkeypatch.setattr(extend, "write_tags", recording)
        recording(found, values, what)

    def recording(found: Deployed, values: dict[str, str], what: str) -> None:
        written.append(values[TAG_UNTIL])
        plain(found, values, what)

    monkeypatch.setattr(extend, "write_tags", late)
    return written


def test_an_extension_that_overwrites_a_later_end_restores_it(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = later(running, 10), later(running, 12)
    others: list[int] = []
    written = before_the_first_write(
        monkeypatch, lambda: others.append(running.annex("extend", "demo", "--until", theirs).exit_code)
    )
    done = running.annex("extend", "demo", "--until", mine)
    assert (others, done.exit_code) == ([0], 0)
    assert written == [mine, theirs]
    assert running.tag("demo", TAG_UNTIL) == theirs
    assert theirs in done.out
    assert running.tag("demo", "annex:lease-end") == theirs


def test_an_extension_that_is_overwritten_writes_again(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = later(running, 12), later(running, 10)
    written = before_the_first_write(monkeypatch, lambda: None)
    once = iter([theirs])
    plain = running._check

    def check(found: Deployed, *, dry_run: bool = False) -> object:
        answer = plain(found, dry_run=dry_run)
        for end in once:
            write(end)
        return answer

    monkeypatch.setattr(running, "_check", check)
    assert running.annex("extend", "demo", "--until", mine).exit_code == 0
    assert written == [mine, mine]
    assert running.tag("demo", "annex:lease-end") == mine


def test_who_is_overwritten_by_a_later_end_leaves_it(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = later(running, 10), later(running, 12)
    written = before_the_first_write(monkeypatch, lambda: None)
    once = iter([theirs])
    plain = running._check

    def check(found: Deployed, *, dry_run: bool = False) -> object:
        answer = plain(found, dry_run=dry_run)
        for end in once:
            write(end)
        return answer

    monkeypatch.setattr(running, "_check", check)
    done = running.annex("extend", "demo", "--until", mine)
    assert (done.exit_code, written) == (0, [mine])
    assert running.tag("demo", "annex:lease-end") == theirs
    assert theirs in done.out


def test_a_stop_at_the_same_moment_wins(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = running._check

    def check(found: Deployed, *, dry_run: bool = False) -> object:
        answer = plain(found, dry_run=dry_run)
        write(format_time(running.now()))
        return answer

    monkeypatch.setattr(running, "_check", check)
    done = running.annex("extend", "demo", "--until", later(running, 10))
    assert done.exit_code == 1
    assert "was stopped at the same time" in done.err
    until = running.tag("demo", TAG_UNTIL)
    assert until is not None
    assert datetime.fromisoformat(until) <= running.now()


def test_a_single_extension_writes_once(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    written = before_the_first_write(monkeypatch, lambda: None)
    mine = later(running, 10)
    assert running.annex("extend", "demo", "--until", mine).exit_code == 0
    assert written == [mine]


def test_an_end_that_keeps_changing_is_an_error(running: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, ends = running._check, (later(running, 8.5 + n / 100) for n in range(100))

    def check(found: Deployed, *, dry_run: bool = False) -> object:
        answer = plain(found, dry_run=dry_run)
        write(next(ends))
        return answer

    monkeypatch.setattr(running, "_check", check)
    done = running.annex("extend", "demo", "--until", later(running, 10))
    assert done.exit_code == 1
    assert "other commands keep changing the end" in done.err
