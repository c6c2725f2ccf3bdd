"""The collectors of a highly available pool are asked in turn."""

from __future__ import annotations

import pytest

from annex_pool.collector import Slot, query_in_turn, query_slots
from annex_pool.command_error import AnnexError

SLOT = Slot("slot1@i-0abc.annex-demo.example.edu", "demo", "i-0abc", False)


class Pool:
    """Collectors by their addresses: slots, or the reason why there is no answer."""

    def __init__(self, **answers: tuple[Slot, ...] | str) -> None:
        self._answers = answers
        self.asked: list[str] = []

    def query(self, address: str) -> tuple[Slot, ...] | str:
        self.asked.append(address)
        return self._answers[address.split(":")[0]]


@pytest.mark.parametrize(
    ("answers", "asked", "found"),
    [
        ({"cm1": (SLOT,), "cm2": "down"}, ["cm1:9618"], (SLOT,)),
        ({"cm1": (), "cm2": (SLOT,)}, ["cm1:9618"], ()),  # an empty list is an answer
        ({"cm1": "down", "cm2": (SLOT,)}, ["cm1:9618", "cm2:9620"], (SLOT,)),
    ],
)
def test_the_first_answer_counts(
    answers: dict[str, tuple[Slot, ...] | str], asked: list[str], found: tuple[Slot, ...]
) -> None:
    pool = Pool(**answers)
    assert query_in_turn("cm1:9618,cm2:9620", pool.query) == found
    assert pool.asked == asked


def test_without_an_answer_each_reason_is_said() -> None:
    pool = Pool(cm1="it is down", cm2="it refused")
    said = (
        "the collector at cm1:9618 did not answer: it is down; "
        r"the collector at cm2:9620\?sock=collector did not answer: it refused; check that the pool is up"
    )
    with pytest.raises(AnnexError, match=said):
        query_in_turn("cm1:9618,cm2:9620?sock=collector", pool.query)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "127.0.0.1:1?sock=collector", "<127.0.0.1:1?addrs=127.0.0.1-1&noUDP>", "[::1]:1"]
)
def test_the_library_takes_each_form(address: str) -> None:
    with pytest.raises(AnnexError) as caught:
        query_slots(f"127.0.0.1:2,{address}")
    assert str(caught.value).count("did not answer: Failed communication with collector") == 2
    assert f"the collector at {address} did not answer" in str(caught.value)
