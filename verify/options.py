"""Command line of `scripts/verify-account`."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from annex_lease import stock_images

# Amazon Linux 2023 for x86_64, by the parameter that AWS maintains (Amazon Linux 2023 User Guide, "Get started with
# AL2023 on Amazon EC2"). It has no HTCondor: its instances boot, report on their console, and leave.
DEFAULT_IMAGE = "ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
DEFAULT_TYPE = "t3.micro"
STOCK_IMAGE = stock_images.DEFAULT_IMAGE
_WATCH_SECONDS = 300
_MOST_WATCH_SECONDS = 3600  # the run's own lease ends its instances soon after that


@dataclass(frozen=True)
class Options:
    """The command line of a run.

    Attributes:
        numbers: experiments to run, in their order.
        region: value of --region; None: that of the environment.
        image: image of the instances, in a form that a spec file takes.
        instance_type: their EC2 type.
        system: stock image of the experiment in which an instance installs HTCondor.
        watch_seconds: how long to look for something that may not happen.
        report: file of the report; None: one that is named after the run.
        yes: do not ask.
        dry_run: print the plan only.
        list_only: print the experiments only.
        clean: remove what earlier runs left.
        collector: COLLECTOR_HOST of a pool that instances can join; None: none joins.
        trust_domain: TRUST_DOMAIN of that pool.
    """

    numbers: tuple[int, ...]
    region: str | None = None
    image: str = DEFAULT_IMAGE
    instance_type: str = DEFAULT_TYPE
    system: str = STOCK_IMAGE
    watch_seconds: float = _WATCH_SECONDS
    report: Path | None = None
    yes: bool = False
    dry_run: bool = False
    list_only: bool = False
    clean: bool = False
    collector: str | None = None
    trust_domain: str | None = None

    @property
    def can_join(self) -> bool:
        """True if the instances can join a pool."""
        return self.collector is not None and self.image != DEFAULT_IMAGE


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    made = argparse.ArgumentParser(
        prog="scripts/verify-account",
        description="Checks on your AWS account what only AWS can show, for less than $1 and an hour, and leaves "
        "nothing behind. Asks before it makes anything.",
        epilog="Exit code: 0 every experiment ran and held; 1 an assumption is wrong; 2 refused, nothing was made; "
        "3 an experiment could not run, or something was left.",
    )
    made.add_argument("--list", action="store_true", help="print the experiments, and make nothing")
    made.add_argument("--dry-run", action="store_true", help="print what would be made and its cost, and make nothing")
    made.add_argument("--yes", action="store_true", help="do not ask before anything is made")
    made.add_argument("--only", metavar="N,N", help="only these experiments")
    made.add_argument("--region", help="AWS Region; default: that of the environment or the profile")
    made.add_argument("--report", type=Path, metavar="FILE.md", help="report; default: verify-RUN.md here")
    made.add_argument("--image", default=DEFAULT_IMAGE, help="image of the instances; default: Amazon Linux 2023")
    made.add_argument("--instance-type", default=DEFAULT_TYPE, help=f"their type; default: {DEFAULT_TYPE}")
    made.add_argument(
        "--system",
        choices=tuple(stock_images.IMAGE_FAMILIES),
        default=STOCK_IMAGE,
        help=f"stock image on which an instance installs HTCondor; default: {STOCK_IMAGE}",
    )
    made.add_argument("--collector", help="COLLECTOR_HOST of your pool, for the experiment in which an instance joins")
    made.add_argument("--trust-domain", help="TRUST_DOMAIN of that pool")
    made.add_argument(
        "--watch-seconds",
        type=float,
        default=_WATCH_SECONDS,
        help=f"how long to look for something that may not happen; default: {_WATCH_SECONDS}",
    )
    made.add_argument("--clean", action="store_true", help="remove what runs left, and of one under way too")
    return made


def parse(words: Sequence[str], known: Collection[int]) -> Options:
    """Read the command line.

    Args:
        words: its words, without the program.
        known: numbers of the experiments.

    Raises:
        SystemExit: with code 2, after a line that says what is allowed.
    """
    made = parser()
    asked = made.parse_args(words)
    numbers = tuple(sorted(known))
    if asked.only is not None:
        parts = [part.strip() for part in asked.only.split(",")]
        unknown = [part for part in parts if not part.isdecimal() or int(part) not in known]
        if unknown:
            made.error(f"--only {asked.only}: no experiment {', '.join(unknown) or 'is named'}; see --list")
        numbers = tuple(sorted({int(part) for part in parts}))
    if not 0 < asked.watch_seconds <= _MOST_WATCH_SECONDS:  # neither is true of "nan"
        made.error(f"--watch-seconds {asked.watch_seconds}: allowed is above 0, at most {_MOST_WATCH_SECONDS}")
    if (asked.collector is None) != (asked.trust_domain is None):
        made.error("--collector and --trust-domain belong together: give both or none")
    if asked.clean and (asked.only or asked.dry_run or asked.list):
        made.error("--clean removes what an earlier run left; give it without --only, --dry-run and --list")
    return Options(
        numbers=numbers,
        region=asked.region,
        image=asked.image,
        instance_type=asked.instance_type,
        system=asked.system,
        watch_seconds=asked.watch_seconds,
        report=asked.report,
        yes=asked.yes,
        dry_run=asked.dry_run,
        list_only=asked.list,
        clean=asked.clean,
        collector=asked.collector,
        trust_domain=asked.trust_domain,
    )
