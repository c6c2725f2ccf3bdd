"""One call for many instances: in batches, and one by one where an id of the batch blocks the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from botocore.exceptions import ClientError

from annex_lease.aws import Annex

CALL_SECONDS = 5.0
"""No call is begun with less time left than this: a run that is cut off says nothing of what it left."""
# Asking once for each id of the batch would be throttled the more; the next run asks again. Whereas a denied call is
# asked again for each id: one instance without our tag denies its whole batch.
_THROTTLED = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException"})
_GONE = ("InvalidInstanceID.NotFound",)


class RefusedError(Exception):
    """AWS refused a call for some of the instances of an action; the others were served."""


def in_batches(
    annex: Annex,
    ids: Sequence[str],
    size: int,
    call: Callable[[list[str]], object],
    *,
    harmless: Sequence[str] = _GONE,
) -> None:
    """Call for all ids, batch by batch; where one id blocks its batch, once for each id of that batch.

    Args:
        annex: whose instances these are, and how long the run may take.
        ids: the instances.
        size: how many go into one call.
        call: makes the call for some of them.
        harmless: what in an error's code or text says that nothing is left to do for its instance.

    Raises:
        RefusedError: after every id was tried, if AWS refused any of them that still exists; or time ran out.
    """
    refused: list[str] = []
    for start in range(0, len(ids), size):
        if annex.seconds_left() < CALL_SECONDS:
            refused.append(f"{len(ids) - start} instances: out of time; the next run goes on")
            break
        batch = list(ids[start : start + size])
        try:
            call(batch)
        except ClientError as error:
            if error.response["Error"]["Code"] in _THROTTLED:
                refused.append(f"{len(batch)} instances: {error}")
            else:
                refused.extend(_one_by_one(annex, batch, call, harmless))
    raise_refused(refused)


def _one_by_one(
    annex: Annex, batch: Sequence[str], call: Callable[[list[str]], object], harmless: Sequence[str]
) -> list[str]:
    refused = []
    for index, instance_id in enumerate(batch):
        if annex.seconds_left() < CALL_SECONDS:
            refused.append(f"{len(batch) - index} instances: out of time; the next run goes on")
            break
        try:
            call([instance_id])
        except ClientError as error:
            if not any(words in str(error) for words in harmless):
                refused.append(f"{instance_id}: {error}")
    return refused


def raise_refused(refused: Sequence[str]) -> None:
    """Report what was refused, if anything was.

    Raises:
        RefusedError: something was.
    """
    if refused:
        raise RefusedError(f"AWS refused {len(refused)} of the instances, first {refused[0]}")
