"""The lease checker's answer, as the commands read it."""

import pytest

from annex_lease.lease import Phase
from annex_pool.check import read_answer
from annex_pool.command_error import AnnexError


def test_the_checkers_answer() -> None:
    answer = read_answer("demo", b'{"phase": "active", "end": "2030-01-01T19:00:00Z", "problems": ["x"]}', failed=False)
    assert (answer.phase, answer.end, answer.problems) == (Phase.ACTIVE, "2030-01-01T19:00:00Z", ("x",))
    assert read_answer("demo", b'{"phase": "ended", "end": null}', failed=False).end is None
    acted = b'{"phase": "draining", "actions": [{"action": "EmptyGroup", "reason": "y"}, 7], "errors": ["z"]}'
    answer = read_answer("demo", acted, failed=False)
    assert (answer.actions, answer.errors) == (({"action": "EmptyGroup", "reason": "y"},), ("z",))


@pytest.mark.parametrize(
    ("payload", "failed", "said"),
    [
        (b"", False, "no JSON object"),
        (b"null", False, "no JSON object"),
        (b"[1]", True, "no JSON object"),
        (b"{}", False, "it sent no phase"),
        (b'{"errorMessage": "boom", "errorType": "E"}', True, "boom"),
        (b'{"phase": "active"}', True, "failed"),
    ],
)
def test_an_answer_that_is_none(payload: bytes, failed: bool, said: str) -> None:
    with pytest.raises(AnnexError, match=said):
        read_answer("demo", payload, failed=failed)
