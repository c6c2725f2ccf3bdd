"""Every check of the project, as stages: the table, and the command line of `scripts/test`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scripts.stages import Runner, Stage, Status, table

PYTHON = sys.executable
PYTEST = (PYTHON, "-m", "pytest")
PARALLEL = ("-n", "2", "--dist", "loadfile")  # a file's tests share what they set up, so a file stays in one worker
COVERAGE = ("--cov", "--cov-report=term")  # the first takes a word that follows for its own, so an option follows
PACKAGES = (
    "annex_spec",
    "annex_lease",
    "annex_boot",
    "annex_constructs",
    "annex_pool",
    "stacks",
    "lab",
    "bench",
    "verify",
    "scripts",
    "tests",
)
SCRIPTS = ("scripts/setup.sh", "scripts/venv.sh", "scripts/demo", "scripts/test", "scripts/verify-account", ".ci/run")
PRODUCT = ("tests/unit", "tests/runtime", "tests/world", "tests/synth", "tests/permissions")
LINTED = ("ruff", "format", "shellcheck")
BUILT = (*LINTED, "image")


def in_lab(*tests: str, machines: str) -> tuple[str, ...]:
    """Pytest inside a lab of its own; labs share nothing but the cached image, so several run side by side."""
    return (PYTHON, "-m", "lab", "run", "--machines", machines, "--", *PYTEST, *tests)


# Long waits first, so that none begins when all else is done. `cores` is about processor time by wall time, measured.
STAGES = (
    Stage("ruff", ("ruff", "check", "."), 0.2),
    Stage("format", ("ruff", "format", "--check", "."), 0.2),
    Stage("shellcheck", ("shellcheck", "-x", *SCRIPTS), 0.2),
    # Built here and not by the lab that comes first: the others would wait for it with their clocks running.
    Stage("image", (PYTHON, "-c", "from lab import image; image.disk_image(), image.stock_disk()"), 0.5, needs=LINTED),
    # Computes only: behind everything that watches a clock, beside anything. The floor of the coverage is in
    # pyproject.toml.
    Stage("product", (*PYTEST, *PARALLEL, *COVERAGE, *PRODUCT), 0.0, needs=LINTED, nice=5),
    Stage("mypy", ("mypy", *(word for name in PACKAGES for word in ("-p", name))), 0.4, needs=LINTED),
    # In a lab with machines, which the tests boot, watch or kill; the e2e ones inside it.
    Stage("e2e-renewal", in_lab("tests/e2e/machines/test_renewal.py", machines="qemu"), 0.2, needs=BUILT),
    Stage("demo", (*PYTEST, "tests/demo/test_demo.py"), 0.9, needs=BUILT),
    # Inside a lab without machines: the lease against the account. Mostly waits for a lease, or a checker's minute.
    Stage("e2e-tampering", in_lab("tests/e2e/lease/test_tampering.py", machines="none"), 0.2, needs=BUILT),
    Stage("e2e-sweeper", in_lab("tests/e2e/lease/test_sweeper.py", machines="none"), 0.2, needs=BUILT),
    Stage("e2e-enforcer", in_lab("tests/e2e/lease/test_enforcer.py", machines="none"), 0.2, needs=BUILT),
    Stage("e2e-verify", in_lab("tests/e2e/lease/test_verify_account.py", machines="none"), 0.4, needs=BUILT),
    Stage("e2e-stock", in_lab("tests/e2e/machines/test_stock_image.py", machines="qemu"), 0.9, needs=BUILT),
    Stage("e2e-replacement", in_lab("tests/e2e/machines/test_replacement.py", machines="qemu"), 0.4, needs=BUILT),
    Stage("demo-keep", (*PYTEST, "tests/demo/test_keep.py"), 0.9, needs=BUILT),
    Stage("boot", (*PYTEST, "tests/boot"), 0.3, needs=BUILT),
    Stage("lab", (*PYTEST, "tests/lab"), 0.5, needs=BUILT),
    Stage("packages", (*PYTEST, "tests/packages"), 0.8, needs=BUILT),
    Stage("e2e-broken-code", in_lab("tests/e2e/lease/test_broken_code.py", machines="none"), 0.4, needs=BUILT),
    Stage("e2e-commands", in_lab("tests/e2e/lease/test_commands.py", machines="none"), 0.5, needs=BUILT),
    Stage("e2e-network", in_lab("tests/e2e/lease/test_shared_network.py", machines="none"), 0.5, needs=BUILT),
    Stage("e2e-tutorial", in_lab("tests/e2e/lease/test_tutorial.py", machines="none"), 0.5, needs=BUILT),
    Stage("e2e-by-hand", in_lab("tests/e2e/lease/test_by_hand.py", machines="none"), 0.5, needs=BUILT),
    Stage("e2e-token", in_lab("tests/e2e/lease/test_token.py", machines="none"), 0.5, needs=BUILT),
    # After the other, whose cache holds the CDK.
    Stage("mypy-docs", ("mypy", "docs/_ext/annex_reference", "docs/conf.py"), 0.3, needs=(*LINTED, "mypy"), nice=5),
    Stage("docs", (*PYTEST, "tests/docs"), 0.5, needs=LINTED, nice=5),
    Stage("wheel", (*PYTEST, "tests/wheel"), 0.5, needs=LINTED),
)
# For daily work: 90 seconds on two cores. mypy keeps its cache between runs.
FAST = (
    *(stage for stage in STAGES if stage.name in LINTED),
    Stage("mypy", next(stage.command for stage in STAGES if stage.name == "mypy"), 0.0, needs=LINTED),
    Stage("unit", (*PYTEST, *PARALLEL, "tests/unit"), 0.0, needs=LINTED),
    Stage("one-synth", (*PYTEST, "tests/synth/test_lease_and_fleet.py"), 0.0, needs=LINTED),
)
# For the night: new examples in every run, and many more of them. Other property tests state their number themselves.
EXPLORED = ("tests/unit", "tests/world/test_world_histories.py", "tests/world/test_world_destroyed.py")
EXPLORE = (Stage("explore", ("env", "HYPOTHESIS_PROFILE=explore", *PYTEST, *PARALLEL, *EXPLORED), 0.0),)


def main(words: Sequence[str]) -> int:
    """Runs the stages that the command line asks for; 0 only if every one of them ran and passed."""
    parser = argparse.ArgumentParser(prog="scripts/test", description="Runs every check of the project, in stages.")
    parser.add_argument("--fast", action="store_true", help="lint, types, unit tests and one synthesis")
    parser.add_argument("--explore", action="store_true", help="the property tests, with many new examples: nightly")
    parser.add_argument("--stage", action="append", default=[], metavar="NAME", help="only this stage; may be repeated")
    parser.add_argument("--list", action="store_true", help="the stages and their commands")
    asked = parser.parse_args(words)
    stages = EXPLORE if asked.explore else FAST if asked.fast else STAGES
    if asked.list:
        print("\n".join(f"{stage.name:16} {' '.join(stage.command)}" for stage in stages))  # noqa: T201
        return 0
    unknown = set(asked.stage) - {stage.name for stage in stages}
    if unknown:
        parser.error(f"no stage {', '.join(sorted(unknown))}; there are: {', '.join(each.name for each in stages)}")
    chosen = [stage for stage in stages if not asked.stage or stage.name in asked.stage]
    logs = Path(tempfile.mkdtemp(prefix="htcondor-checks-"))
    outcomes = Runner(chosen, cores=max(2, os.cpu_count() or 2), logs=logs).run()
    print(f"\n{table(outcomes)}\nwhat each printed: {logs}")  # noqa: T201
    return 0 if outcomes and all(each.status is Status.PASSED for each in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
