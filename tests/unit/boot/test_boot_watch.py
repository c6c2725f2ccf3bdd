"""annex-watch and the cron hook: the instance follows the lease, and never ends later than the end it read."""

from __future__ import annotations

import pytest

from tests.unit.boot.boot_root import BootRoot

OLD, NEW = 4_070_908_800, 4_070_912_400
TAG = "tags_instance_annex:lease-end"


@pytest.fixture
def running(root: BootRoot) -> BootRoot:
    root.write("run/annex/lease-end", f"{OLD}\n")
    root.write("run/annex/shutdown-at", f"{OLD + 600}\n")
    root.write("fake/step-1", ":")
    return root


def test_nothing_changes(running: BootRoot) -> None:
    running.run("watch")
    assert running.calls("systemd-run") == running.calls("systemctl") == running.calls("setpriv") == []
    assert set(running.calls("nft")) == {"list table inet annex"}
    assert len([call for call in running.calls("curl") if "-X PUT" in call]) == 1


@pytest.mark.parametrize(("text", "end"), [("2099-01-01T01:00:00Z", NEW), ("2098-12-31T23:00:00Z", OLD - 3600)])
def test_the_lease_moves(running: BootRoot, text: str, end: int) -> None:
    running.write("fake/step-1", f"echo {text} > '/fake/imds/{TAG}'")
    running.write("fake/step-2", ":")
    done = running.run("watch")
    assert f"annex: lease until {text}" in done.stdout
    assert running.read("run/annex/lease-end") == f"{end}\n"
    calls = running.read("fake/calls")
    assert calls.index(f"--on-calendar=@{end + 600}") < calls.index(f"stop annex-shutdown-{OLD + 600}.timer")
    assert len(running.calls("systemd-run")) == 1


@pytest.mark.parametrize("text", ["", "never", "2099-13-01T00:00:00Z", "99999999999"])
def test_a_malformed_tag_keeps_the_known_end(running: BootRoot, text: str) -> None:
    running.set_fact(TAG, text)
    running.run("watch")
    assert running.read("run/annex/lease-end") == f"{OLD}\n"
    assert running.calls("systemd-run") == []


def test_a_missing_tag_keeps_the_known_end(running: BootRoot) -> None:
    running.forget(TAG)
    running.run("watch")
    assert running.read("run/annex/lease-end") == f"{OLD}\n"


def test_an_end_without_its_timer_is_not_published(running: BootRoot) -> None:
    running.set_fact(TAG, "2099-01-01T01:00:00Z")
    running.write("fake/systemd-run.fails", "1")
    running.run("watch")
    assert running.read("run/annex/lease-end") == f"{NEW}\n", "the second try works"
    running.write("fake/systemd-run.fails", "9")
    running.write("fake/calls", "")
    running.set_fact(TAG, "2099-01-01T02:00:00Z")
    running.run("watch")
    assert running.read("run/annex/lease-end") == f"{NEW}\n"
    assert running.calls("systemctl") == []


@pytest.mark.parametrize("notified", [True, False])
def test_the_end_comes(running: BootRoot, notified: bool) -> None:
    if notified:
        running.set_fact(TAG, "2020-01-01T00:00:00Z")
    else:
        running.forget(TAG)
        running.write("run/annex/lease-end", "1577836800\n")
    running.run("watch")
    assert "--no-block start annex-retire.service" in running.calls("systemctl")
    assert running.read("run/annex/reason") == "the lease ended\n"


LOAD = "-f /etc/annex/firewall.nft"


def test_a_flushed_firewall_is_put_up_again(running: BootRoot) -> None:
    running.write("fake/nft.fails", "1")
    done = running.run("watch")
    assert running.calls("nft").count(LOAD) == 1
    assert len(running.calls("setpriv")) == 1, "it is tried as an ordinary user"
    assert "firewall rules are missing; loading them again" in done.stdout
    assert running.calls("systemctl") == [], "no job is lost for it"
    assert not running.exists("run/annex/reason")


def test_a_firewall_with_a_rule_missing_is_put_up_again(running: BootRoot) -> None:
    running.write("fake/nft", "reject\n" * 3)
    running.run("watch")
    assert LOAD in running.calls("nft")


def test_a_moment_without_memory_ends_no_machine(running: BootRoot) -> None:
    running.write("fake/nft.fails", "2")
    running.write("fake/step-2", ":")
    running.run("watch")
    assert running.calls("nft").count(LOAD) == 2
    assert running.calls("sleep")[0] == "1", "between the two"
    assert running.calls("systemctl") == []


@pytest.mark.parametrize("curl", [7, 0])
def test_a_firewall_that_cannot_be_put_up_again_ends_the_machine(running: BootRoot, curl: int) -> None:
    running.write("fake/nft.fails" if curl else "fake/curl-unprivileged", "9" if curl else "0")
    running.write("fake/nft", "" if curl else "reject\n" * 3)
    running.write("fake/step-2", ":")
    running.run("watch")
    assert running.calls("systemctl")[:3] == [
        "kill --kill-who=main --signal=QUIT condor.service",
        "--no-block stop condor.service",
        "--no-block start annex-retire.service",
    ]
    after = "--quiet --on-active=10s --timer-property=AccuracySec=1s"
    assert running.calls("systemd-run")[0] == f"{after} systemctl kill --signal=KILL condor.service"
    assert running.read("run/annex/reason") == "firewall rules are missing\n"


def test_the_hook_publishes_the_end_and_each_change(running: BootRoot) -> None:
    running.write("fake/step-2", f"echo {NEW} > /run/annex/lease-end")
    running.write("fake/step-3", "echo rubbish > /run/annex/lease-end")
    running.write("fake/step-4", ": > /run/annex/lease-end")
    done = running.run("lease-hook")
    assert done.stdout == f"AnnexLeaseEnd = {OLD}\n- update:true\nAnnexLeaseEnd = {NEW}\n- update:true\n"
