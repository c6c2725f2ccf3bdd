"""Command line of the verification: `scripts/verify-account` runs it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

from annex_pool.command_error import AnnexError
from verify.account import check_bootstrap, find_account
from verify.cleanup import Cleanup
from verify.experiment import Experiment
from verify.experiments import EXPERIMENTS
from verify.options import Options, parse
from verify.outcome import ALL_HELD, INCOMPLETE, REFUSED
from verify.plan import Plan
from verify.run import Run
from verify.session import Session, confirmed, say


def main(words: Sequence[str]) -> int:
    """Do what the command line asks for; returns the exit code."""
    options = parse(words, EXPERIMENTS)
    chosen = [each for each in EXPERIMENTS.values() if each.number in options.numbers]
    if options.list_only:
        for each in sorted(EXPERIMENTS.values(), key=lambda each: each.number):
            say(f"{each.number:>3}  {each.title}: {each.assumed}")
        return ALL_HELD
    try:
        return _clean(options) if options.clean else _verify(options, chosen)
    except (AnnexError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return REFUSED
    except Exception:  # noqa: BLE001 - the code 1 that Python would exit with says that an assumption is wrong
        traceback.print_exc()
        return INCOMPLETE


def _verify(options: Options, chosen: Sequence[Experiment]) -> int:
    account = find_account(options.region)
    run = Run.new(account.region)
    plan = Plan(run, account.id, options, chosen).text()
    say(plan)
    check_bootstrap(account)
    if options.dry_run:
        return ALL_HELD
    if not options.yes and not confirmed():
        say("nothing was made")
        return REFUSED
    session = Session(run, account, options, chosen)
    findings = session.execute()
    say(session.summary())
    for each in findings.left or ():
        say(f"left: {each}; remove it with scripts/verify-account --clean")
    return findings.exit_code()


def _clean(options: Options) -> int:
    account = find_account(options.region)
    left = Cleanup(account.aws, None, say).clean()
    for each in left:
        say(f"left: {each}")
    if not left:
        say(f"nothing is left of any run in account {account.id}, {account.region}")
    return INCOMPLETE if left else ALL_HELD


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
