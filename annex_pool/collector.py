"""Slots of annexes, as the pool's collector lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


def query_slots(collector: str) -> tuple[Slot, ...]:
    """List all slots of the pool that belong to an annex.

    Args:
        collector: host:port.

    Raises:
        AnnexError: the collector did not answer, or refused. An empty list is always an answer of the collector.
    """
    # Imported here: loading HTCondor's library reads its configuration, which no other command needs.
    import htcondor2  # type: ignore[import-untyped]

    try:
        # AdType.Startd asks for the slots; every release answers it.
        ads = htcondor2.Collector(collector).query(htcondor2.AdType.Startd, "AnnexName =!= undefined", _PROJECTION)
    except (htcondor2.HTCondorException, OSError) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise AnnexError(
            f"the collector at {collector} did not answer: {reason}; check that the pool is up, and that this host may "
            "read from it (condor_status)"
        ) from error
    return tuple(read_slot(ad) for ad in ads)


def read_slot(ad: Mapping[str, object]) -> Slot:
    """Convert the ad of a slot; an attribute of an unexpected type counts as missing."""
    busy = ad.get("State") == "Claimed" and ad.get("PartitionableSlot") is not True
    return Slot(_text(ad, "Name"), _text(ad, "AnnexName"), _text(ad, "AnnexInstanceId"), busy)


def _text(ad: Mapping[str, object], key: str) -> str:
    value = ad.get(key)
    return value if isinstance(value, str) else ""
