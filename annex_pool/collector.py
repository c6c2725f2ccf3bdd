"""The annexes' slots, as the pool's collector lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from annex_pool.error import AnnexError

_PROJECTION = ["Name", "AnnexName", "AnnexInstanceId", "PartitionableSlot", "State"]


@dataclass(frozen=True)
class Slot:
    """A slot of an execution point.

    Attributes:
        name: the slot's name.
        annex: the annex that the execution point says it belongs to.
        instance_id: the instance that it says it is; empty if it does not say.
        busy: whether a job has claimed it; a partitionable slot is never busy itself, its dynamic slots are.
    """

    name: str
    annex: str
    instance_id: str
    busy: bool


def query_slots(collector: str) -> tuple[Slot, ...]:
    """All slots in the pool that belong to an annex.

    Args:
        collector: host:port.

    Raises:
        AnnexError: the collector did not answer, or refused. "No slots" is only ever the collector's own word.
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
    """A slot's ad as data; attributes of another type than expected read as missing."""
    busy = ad.get("State") == "Claimed" and ad.get("PartitionableSlot") is not True
    return Slot(_text(ad, "Name"), _text(ad, "AnnexName"), _text(ad, "AnnexInstanceId"), busy)


def _text(ad: Mapping[str, object], key: str) -> str:
    value = ad.get(key)
    return value if isinstance(value, str) else ""
