"""Regions of the account: which are enabled, and asking all of them at once with a bound on each answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, TypeVar

from annex_pool.command_error import AnnexError
from annex_pool.region import RegionClients, SettingsError, asking

LOOK_SECONDS = 25.0
"""Longest wait for the answers of all Regions about one annex. A Region that is slower counts as not asked."""
FIRST_REGION = "us-east-1"
"""Region that is asked for the others if neither the spec file nor the environment names one."""

T = TypeVar("T")


@dataclass(frozen=True)
class Answers(Generic[T]):
    """Answers of several Regions.

    Attributes:
        given: the answers by Region.
        failures: the errors of the Regions that refused, failed or did not answer in time.
    """

    given: Mapping[str, T]
    failures: Mapping[str, AnnexError]

    @property
    def errors(self) -> dict[str, str]:
        """Texts of the failures by Region."""
        return {region: str(error) for region, error in self.failures.items()}


def enabled_regions(aws: RegionClients) -> tuple[str, ...]:
    """The Regions that are enabled for the account, sorted.

    "Describes the Regions that are enabled for your account, or all Regions": all of them only with AllRegions (Amazon
    EC2 API Reference, DescribeRegions).

    Args:
        aws: the clients of any Region of the partition.

    Raises:
        AnnexError: AWS refused or could not be asked.
    """
    with asking(f"for the enabled Regions of the account, in {aws.region}"):
        listed = aws.ec2.describe_regions()["Regions"]
    return tuple(sorted(each["RegionName"] for each in listed))


def ask_each(
    regions: Sequence[str], ask: Callable[[str], T], seconds: float = LOOK_SECONDS, *, first: bool = False
) -> Answers[T]:
    """Ask all Regions at the same time.

    A Region that hangs holds up neither the others nor the end of the command: its thread is left behind.

    Args:
        regions: the Regions.
        ask: asks one Region; raises AnnexError. It runs in a thread of its own.
        seconds: longest wait for all answers. Default: `LOOK_SECONDS`.
        first: one answer is enough, and the others are not waited for. Default: False.

    Raises:
        SettingsError: no Region can be asked.
        BaseException: any other error of `ask`.
    """
    answers: SimpleQueue[tuple[str, T | None, BaseException | None]] = SimpleQueue()

    def run(region: str) -> None:
        try:
            answers.put((region, ask(region), None))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread
            answers.put((region, None, error))

    for region in regions:
        threading.Thread(target=run, args=(region,), name=f"ask-{region}", daemon=True).start()
    given: dict[str, T] = {}
    errors: dict[str, AnnexError] = {}
    end = monotonic() + seconds
    while len(given) + len(errors) < len(regions) and not (first and given):
        try:
            region, answer, error = answers.get(timeout=max(end - monotonic(), 0))
        except Empty:
            silent = [each for each in regions if each not in given and each not in errors]
            late = f"within {seconds:.0f} seconds"
            errors |= {each: AnnexError(f"AWS did not answer in {each} {late}") for each in silent}
        else:
            if error is None:
                given[region] = answer  # type: ignore[assignment]
            elif isinstance(error, AnnexError) and not isinstance(error, SettingsError):
                errors[region] = error
            else:
                raise error
    return Answers({each: given[each] for each in regions if each in given}, dict(sorted(errors.items())))


def grouped(errors: Mapping[str, str]) -> tuple[str, ...]:
    """One line for each reason, with all its Regions: one cause mostly holds for all.

    Args:
        errors: reasons by Region. A reason that names its Region is the same as one that names another.
    """
    regions: dict[str, list[str]] = {}
    for region, reason in errors.items():
        regions.setdefault(reason.replace(region, "\0"), []).append(region)
    # The text of the first stands for the others: it differs from theirs in the Region only.
    return tuple(f"{', '.join(where)} could not be asked: {errors[where[0]]}" for where in regions.values())
