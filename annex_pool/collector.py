"""Slots of annexes, as the pool's collector lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from annex_lease.collectors import read_collectors
from annex_pool.command_error import AnnexError

_PROJECTION = ["Name", "AnnexName", "AnnexInstanceId", "PartitionableSlot", "State"]


@dataclass(frozen=True)
class Slot:
    """Slot of an execution point.

    Attributes:
        name: the slot's name.
        annex: the annex that the execution point claims to belong to.
        instance_id: the instance that the execution point claims to be; empty if it names none.
        busy: True if a job claimed the slot. A partitionable slot is never busy; its dynamic slots are.
    """

    name: str
    annex: str
    instance_id: str
    busy: bool


Query = Callable[[str], tuple[Slot, ...] | str]
"""Asks the collector at one address: the slots, or the reason why there is no answer."""


def query_slots(collector: str) -> tuple[Slot, ...]:
    """List all slots of the pool that belong to an annex.

    The collectors of a highly available central manager are asked in turn, because each has every ad (HTCondor manual,
    "High Availability of the Central Manager").

    Args:
        collector: the collectors as host:port, separated by commas.

    Raises:
        AnnexError: no collector answered, or all refused. An empty list is always an answer of a collector.
    """
    return query_in_turn(collector, _query)


def query_in_turn(collector: str, query: Query) -> tuple[Slot, ...]:
    """The answer of the first collector that gives one.

    Args:
        collector: the collectors as host:port, separated by commas.
        query: asks the collector at one address; the slots, or the reason why there is no answer.

    Raises:
        AnnexError: there is no answer; the text has the reason of each.
    """
    reasons = []
    for each in read_collectors(collector):
        answer = query(each.text)
        if not isinstance(answer, str):
            return answer
        reasons.append(f"the collector at {each.text} did not answer: {answer}")
    raise AnnexError(
        f"{'; '.join(reasons)}; check that the pool is up, and that this host may read from it (condor_status)"
    )


def _query(address: str) -> tuple[Slot, ...] | str:
    # Imported here: loading HTCondor's library reads its configuration, which no other command needs.
    import htcondor2  # type: ignore[import-untyped]

    try:
        # AdType.Startd asks for the slots; every release answers it.
        ads = htcondor2.Collector(address).query(htcondor2.AdType.Startd, "AnnexName =!= undefined", _PROJECTION)
    except (htcondor2.HTCondorException, OSError) as error:
        return str(error).rstrip(".") or type(error).__name__
    return tuple(read_slot(ad) for ad in ads)


def read_slot(ad: Mapping[str, object]) -> Slot:
    """Convert the ad of a slot; an attribute of an unexpected type counts as missing."""
    busy = ad.get("State") == "Claimed" and ad.get("PartitionableSlot") is not True
    return Slot(_text(ad, "Name"), _text(ad, "AnnexName"), _text(ad, "AnnexInstanceId"), busy)


def _text(ad: Mapping[str, object], key: str) -> str:
    value = ad.get(key)
    return value if isinstance(value, str) else ""
