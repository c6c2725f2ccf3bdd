"""The runner of the checks: what fails, cannot start or is interrupted is said, and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.stages import Outcome, Runner, Stage, Status, table

ROOT = Path(__file__).parents[3]
Run = Callable[..., list[Outcome]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(*stages: Stage, cores: float = 2) -> list[Outcome]:
        return Runner(stages, cores=cores, logs=tmp_path).run()

    return run


def shell(name: str, script: str, cores: float = 1, **more: object) -> Stage:
    return Stage(name, ("sh", "-c", script), cores, **more)  # type: ignore[arg-type]


def test_what_passed_is_said_with_its_times_and_not_its_output(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (outcome,) = run(shell("good", "echo quiet; sleep 0.2"))
    assert (outcome.status, outcome.reason) == (Status.PASSED, "")
    assert 0.2 <= outcome.seconds < 5
    printed = capsys.readouterr().out
    assert "passed  good" in printed
    assert "quiet" not in printed


def test_processor_time_of_all_that_a_stage_started_is_counted(run: Run) -> None:
    burn = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.5: pass'"
    outcome, idle = run(shell("busy", f"{burn}; true"), shell("idle", "sleep 0.5"))
    assert outcome.processor_seconds >= 0.5
    assert idle.processor_seconds < 0.3


def test_a_failing_stage_is_shown_whole_and_the_others_run_on(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    outcomes = run(shell("bad", "seq 5000; echo complaint >&2; exit 3"), shell("good", "sleep 0.1"))
    assert {each.stage.name: each.status for each in outcomes} == {"bad": Status.FAILED, "good": Status.PASSED}
    assert [each.reason for each in outcomes if each.stage.name == "bad"] == ["exit status 3"]
    printed = capsys.readouterr().out
    assert "--- bad, whole\n1\n2\n" in printed
    assert "4999\n5000\ncomplaint\n--- end of bad" in printed


def test_a_stage_that_dies_of_a_signal_fails(run: Run) -> None:
    (outcome,) = run(shell("killed", "kill -9 $$"))
    assert (outcome.status, outcome.reason) == (Status.FAILED, "ended by signal 9")


def test_a_stage_that_cannot_start_is_not_run_and_no_success(run: Run) -> None:
    (outcome,) = run(Stage("missing", ("/no/such/program",), 1))
    assert outcome.status is Status.NOT_RUN
    assert "/no/such/program" in outcome.reason


def test_what_needs_a_failed_stage_is_not_run(run: Run, tmp_path: Path) -> None:
    touch = f"touch {tmp_path}/ran"
    outcomes = run(
        shell("first", "false"), shell("second", touch, needs=("first",)), shell("third", touch, needs=("second",))
    )
    assert [(each.stage.name, each.status, each.reason) for each in outcomes[1:]] == [
        ("second", Status.NOT_RUN, "needs first"),
        ("third", Status.NOT_RUN, "needs second"),
    ]
    assert not (tmp_path / "ran").exists()


def test_a_stage_waits_for_what_it_needs(run: Run, tmp_path: Path) -> None:
    outcomes = run(
        shell("later", f"test -e {tmp_path}/made", 0.1, needs=("maker",)),
        shell("maker", f"sleep 0.3; touch {tmp_path}/made", 0.1),
    )
    assert [each.status for each in outcomes] == [Status.PASSED, Status.PASSED]


def test_a_need_that_was_not_asked_for_is_not_waited_for(run: Run) -> None:
    (outcome,) = run(shell("alone", "true", needs=("another",)))
    assert outcome.status is Status.PASSED


def test_stages_run_side_by_side_as_the_cores_allow(run: Run) -> None:
    began = time.monotonic()
    run(*(shell(f"s{number}", "sleep 0.6", 0.5) for number in range(4)))
    together = time.monotonic() - began
    began = time.monotonic()
    run(*(shell(f"s{number}", "sleep 0.6", 2) for number in range(3)))
    assert time.monotonic() - began >= 1.8, "each wants all cores"
    assert together < 1.8, "four halves fit into two cores"


def test_more_cores_than_there_are_is_run_alone(run: Run) -> None:
    assert [each.status for each in run(shell("huge", "true", 64), shell("small", "true"))] == [Status.PASSED] * 2


def test_a_stage_runs_with_its_niceness_and_reads_nothing(run: Run, tmp_path: Path) -> None:
    run(shell("nice", f"nice >{tmp_path}/nice; cat", nice=5))
    assert (tmp_path / "nice").read_text().strip() == str(os.nice(0) + 5)


def test_the_table_has_every_stage_with_its_times() -> None:
    outcomes = [
        Outcome(shell("one", ""), Status.PASSED, 61.4, 33.3),
        Outcome(shell("two", ""), Status.NOT_RUN, reason="needs one"),
    ]
    assert table(outcomes).splitlines()[1:] == [
        "passed      61 s    33 s  one",
        "NOT RUN      0 s     0 s  two  (needs one)",
    ]


INTERRUPTED = """
import sys
from pathlib import Path
from scripts.stages import Runner, Stage
shell = lambda name, script, **more: Stage(name, ("sh", "-c", script), 1, **more)
outcomes = Runner(
    [shell("polite", "trap 'echo polite >{0}/ended; exit 130' INT; touch {0}/up; while :; do sleep 0.05; done"),
     shell("parent", "sleep {1} & touch {0}/too; wait"), shell("never", "touch {0}/never", needs=("parent",))],
    cores=2, logs=Path("{0}")).run()
print([(each.stage.name, str(each.status), each.reason) for each in outcomes])
"""


@pytest.mark.parametrize("ignored", [False, True], ids=["in front", "started in the background"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_stage_and_what_it_started(tmp_path: Path, number: signal.Signals, ignored: bool) -> None:
    if ignored and number is signal.SIGINT:
        number = signal.SIGTERM  # INT means nothing to what runs in the background
    marker = f"600.{uuid.uuid4().int % 10**12}"  # an argument that no other process of this machine has
    program = textwrap.dedent(INTERRUPTED).replace("{0}", str(tmp_path)).replace("{1}", marker)
    words = ["env", f"--{'ignore' if ignored else 'default'}-signal=INT", sys.executable, "-c", program]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as runner:
        until = time.monotonic() + 60
        while not ((tmp_path / "up").exists() and (tmp_path / "too").exists()):
            assert time.monotonic() < until, "the stages do not start"
            time.sleep(0.02)
        runner.send_signal(number)
        printed = runner.communicate(timeout=60)[0]
    assert (tmp_path / "ended").read_text() == "polite\n", "the stage was not asked to end by INT first"
    why = f"ended by {number.name}"
    assert f"('never', 'NOT RUN', '{why}')" in printed
    assert f"('parent', 'FAILED', '{why}')" in printed
    assert not (tmp_path / "never").exists()
    assert subprocess.run(["pgrep", "-f", f"^sleep {marker}"], capture_output=True, text=True, check=False).stdout == ""
