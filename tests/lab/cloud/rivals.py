"""A second thread that begins in the middle of the first one's work, at a place that the test chooses."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from lab.cloud import world

REGION, ACCOUNT = "us-east-1", "000000000000"
PAUSE = 0.3
"""Seconds that the first thread gives the second one in the middle of its own work."""


class Rival:
    """Another thread, which begins in the middle of the first one's work and ends then if nothing keeps it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._errors: list[BaseException] = []
        self._work, self.began = work, False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            with world.scope(ACCOUNT, REGION):
                self._work()
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            self._errors.append(error)

    def __call__(self, *_: object) -> None:
        """Begin, once only."""
        if not self.began:
            self.began = True
            self._thread.start()
            self._thread.join(PAUSE)

    def end(self) -> None:
        assert self.began, "the first thread did not reach the place where the other one begins"
        self._thread.join(30)
        assert not self._thread.is_alive(), "the second thread never ends"
        for error in self._errors:
            raise error


class Read(list[Any]):
    """A list that lets the rival begin when it was read to its end."""

    def __init__(self, content: list[Any], rival: Rival) -> None:
        super().__init__(content)
        self._rival = rival

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        self._rival()


def before_it_returns(rival: Rival, original: Callable[..., Any]) -> Callable[..., Any]:
    """A function that lets the rival begin after its work, before its caller's next step."""

    def run(*arguments: Any, **named: Any) -> Any:
        found = original(*arguments, **named)
        rival()
        return found

    return run
