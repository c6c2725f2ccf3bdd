"""Runs against an AWS in process that mark, report and remove what no annex needs any more."""

from __future__ import annotations

from tests.runtime.sweep.sweep_cloud import HOUR, MINUTE, Region, annex_tags, ids

GONE = "99999999-0000-4000-8000-000000000000"


def test_orphans_of_every_kind_are_removed_an_hour_after_they_were_found(region: Region) -> None:
    alive = region.add_stack("Annex-alive")
    region.add_annex("alive", alive, hours=9, size=0)
    kept = region.add_leftovers(annex_tags("alive", alive))
    # A filter of Secrets Manager matches the beginning of a key.
    foreign = region.add_leftovers({"annex:names": "a", "annex:ids": f"{GONE}.a"})
    orphans = region.add_leftovers(annex_tags("a", GONE))
    everything = region.left()
    assert sorted(ids(region.sweep(2 * HOUR), "marked")) == sorted(orphans.values())
    waiting = region.sweep(2 * HOUR + 59 * MINUTE)
    assert (waiting["marked"], waiting["removed"], len(waiting["waiting"])) == ([], [], 5)
    assert region.left() == everything
    removed = region.sweep(3 * HOUR)
    assert ids(removed, "removed") == [
        orphans[kind] for kind in ("instance", "volume", "network-interface", "secret", "log-group")
    ]
    assert not [each for each in removed["reports"] if each.split()[1].rstrip(":") in foreign.values()]
    assert set(orphans.values()) & region.left() == set()
    assert set(kept.values()) | set(foreign.values()) <= region.left()
    secret = region.clients.secretsmanager.describe_secret(SecretId=orphans["secret"])
    assert secret["DeletedDate"] is not None
    region.clients.secretsmanager.restore_secret(SecretId=orphans["secret"])
    region.changes.clear()
    restored = region.sweep(3 * HOUR + 15 * MINUTE)
    assert [entry["id"] for entry in restored["removed"]] == [orphans["secret"]]


def test_what_carries_an_id_alone_is_seen(region: Region) -> None:
    uuid = region.add_stack("Annex-a")
    region.add_annex("a", uuid)
    detached = region.add_instance({"annex:id": f"{uuid}.a"})
    lost = region.add_leftovers({"annex:id": f"{GONE}.b"})
    report = region.sweep(2 * HOUR)
    assert detached in report["ended"][0]["instances"]
    assert detached not in region.instances()
    assert sorted(each.split()[1].rstrip(":") for each in report["reports"]) == sorted(lost.values())
    assert (report["marked"], report["removed"]) == ([], [])
    assert set(lost.values()) <= region.left()


def test_unattached_volumes_are_reported_while_an_annex_lives_and_removed_after_it_ended(region: Region) -> None:
    uuid = region.add_stack("Annex-a")
    region.add_annex("a", uuid, hours=2)
    volume = region.add_leftovers(annex_tags("a", uuid))["volume"]
    early, living = region.sweep(59 * MINUTE), region.sweep(HOUR + MINUTE)
    assert (early["unattached"], early["reports"]) == ([], [])
    assert [entry["id"] for entry in living["unattached"]] == [volume]
    assert [report.split(";")[0] for report in living["reports"]] == [
        f"unattached volumes of annex {uuid}.a: 1, the first is {volume}"
    ]
    assert ids(region.sweep(2 * HOUR + 30 * MINUTE), "ended") == [f"{uuid}.a"]
    assert ids(region.sweep(3 * HOUR), "marked") == [volume]
    assert volume in region.left()
    assert ids(region.sweep(4 * HOUR), "removed") == [volume]
    assert volume not in region.left()


def test_nothing_young_is_judged(region: Region) -> None:
    orphan = region.add_instance(annex_tags("a", GONE))
    assert region.sweep(30 * MINUTE)["marked"] == []
    assert ids(region.sweep(61 * MINUTE), "marked") == [orphan]


def test_a_resource_whose_annex_returns_loses_its_mark(region: Region) -> None:
    uuid = region.add_stack("Annex-a")
    left = region.add_leftovers(annex_tags("a", uuid))
    del region.stacks["Annex-a"]
    assert len(region.sweep(2 * HOUR)["marked"]) == 5
    region.add_annex("a", uuid, hours=9, size=0)
    assert sorted(ids(region.sweep(4 * HOUR), "unmarked")) == sorted(left.values())
    region.changes.clear()
    assert region.sweep(5 * HOUR)["unmarked"] == []
    assert region.changes == []
    assert set(left.values()) <= region.left()


def test_a_group_whose_lease_cannot_be_read_ends_in_two_runs(region: Region) -> None:
    asg = region.add_annex("a", region.add_stack("Annex-a"), hours=9, without=["annex:lease-duration"])
    assert ids(region.sweep(2 * HOUR), "marked") == [asg]
    assert len(region.members(asg)) == 2
    (mark,) = [tag for tag in region.group(asg)["Tags"] if tag["Key"] == "annex:orphan"]
    assert mark["PropagateAtLaunch"] is False
    assert ids(region.sweep(3 * HOUR), "removed") == [asg]
    assert region.members(asg) == set()
    # It is empty and stopped: nothing is left to do, and it loses its mark.
    assert ids(region.sweep(4 * HOUR), "unmarked") == [asg]
    assert "annex:orphan" not in region.group_tags(asg)
