"""Faults of a call: refused, not answered, answered after it was lost, half done, answered from the past.

A fault stands for what is left after boto3's own attempts. `Killed` is a `BaseException`, because a process that is
killed runs no `except Exception`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from enum import Enum
from typing import Any

from botocore.exceptions import ReadTimeoutError

from tests.world.aws_errors import DENIED, INTERNAL, THROTTLED, refusal
from tests.world.aws_model import Aws, Call
from tests.world.aws_state import Account

Do = Callable[[dict[str, Any]], dict[str, Any]]
LAG = 10.0
"""Seconds that a listing may lag behind. AWS gives no number; the code takes no less than 15 for enough."""


class Killed(BaseException):
    """The function's process was killed."""


class Fault(Enum):
    """A way for a call to go wrong."""

    THROTTLED = "throttled"
    DENIED = "denied"
    TIMEOUT = "timeout"
    """Neither done nor answered."""
    LOST = "lost answer"
    """Done, and not answered."""
    PARTIAL = "partial"
    """The first half of a call's instances was served, then AWS failed; a call without instances was not served."""
    STALE = "stale listing"
    """A listing answers as it would have at the time that was remembered, if that is not too long ago."""
    KILLED = "killed"
    """Done, and the process that called is gone."""


class FaultAt:
    """One fault, or one each, at the calls of these numbers; at `operation` alone, if given, for all its calls."""

    def __init__(self, fault: Fault, numbers: Collection[int] = (), *, operation: str = "", times: int = 10**9) -> None:
        self.fault = fault
        self.numbers = numbers
        self.operation = operation
        self.left = times
        self.struck: list[Call] = []

    def carry_out(self, call: Call, do: Do, past: Account) -> dict[str, Any]:
        """See `Faults`."""
        if self.left > 0 and (call.number in self.numbers or call.operation == self.operation):
            self.left -= 1
            self.struck.append(call)
            return strike(self.fault, call, do, past)
        return do(call.params)


def strike(fault: Fault, call: Call, do: Do, past: Account) -> dict[str, Any]:
    """Let the call go wrong in this way."""
    codes = {Fault.THROTTLED: THROTTLED, Fault.DENIED: DENIED}
    if fault in codes:
        raise refusal(codes[fault][call.service], "injected", call.operation)
    if fault is Fault.STALE:
        return _from_the_past(call, do, past)
    if fault is Fault.PARTIAL:
        _half(call, do)
        raise refusal(INTERNAL[call.service], "injected", call.operation)
    if fault in (Fault.LOST, Fault.KILLED):
        do(call.params)
    if fault is Fault.KILLED:
        raise Killed
    raise ReadTimeoutError(endpoint_url=f"https://{call.service}.model")


def _half(call: Call, do: Do) -> None:
    for key in ("InstanceIds", "Resources"):
        ids = call.params.get(key)
        if isinstance(ids, list) and len(ids) > 1:
            do({**call.params, key: ids[: len(ids) // 2]})


def _from_the_past(call: Call, do: Do, past: Account) -> dict[str, Any]:
    if not call.operation.startswith("Describe") or call.at > past.now + LAG:
        return do(call.params)
    aws = Aws()
    aws.account = past
    return aws.execute(past, call.service, call.operation, call.params)


class Turns:
    """Lets several runs take turns, call by call, in a given order; who is not in the order comes after it.

    Every run is a thread that waits before each of its calls, so exactly one runs at any time and the order is exact.
    """

    def __init__(self, aws: Aws, order: list[int], runs: int) -> None:
        self._aws = aws
        self._order = list(order)
        self._runs = runs
        self._done: set[int] = set()
        self._turn = threading.Condition()
        self._me = threading.local()

    def run_all(self, functions: list[Callable[[], object]]) -> list[BaseException | None]:
        """Run the functions; what each raised."""
        raised: list[BaseException | None] = [None] * len(functions)

        def body(number: int) -> None:
            self._me.number = number
            try:
                self._wait(number)
                functions[number]()
            except BaseException as error:  # noqa: BLE001 -- kept for the test to look at
                raised[number] = error
            finally:
                with self._turn:
                    self._done.add(number)
                    self._turn.notify_all()

        before, self._aws.faults = self._aws.faults, self
        threads = [threading.Thread(target=body, args=(number,)) for number in range(self._runs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._aws.faults = before
        return raised

    def carry_out(self, call: Call, do: Do, past: Account) -> dict[str, Any]:
        """See `Faults`: the call is carried out, then the next in the order continues."""
        del past
        try:
            return do(call.params)
        finally:
            number = self._me.number
            with self._turn:
                if self._order and self._order[0] == number:
                    self._order.pop(0)
                self._turn.notify_all()
            self._wait(number)

    def _wait(self, number: int) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._next() == number, timeout=30)

    def _next(self) -> int:
        while self._order and self._order[0] in self._done:
            self._order.pop(0)
        if self._order:
            return self._order[0]
        return min((number for number in range(self._runs) if number not in self._done), default=-1)
