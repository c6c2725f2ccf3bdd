"""The eleven steps of the tutorial, in their order: each command, run at a terminal, prints what the page shows."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.operator import REPOSITORY, Operator
from lab.pool import USER
from lab.site import operator
from lab.steps import wait_for
from tests.e2e.by_hand import POOL_ROOT

PAGE = (REPOSITORY / "docs/tutorial/eleven-steps.md").read_text()
STEPS = PAGE[PAGE.index("## Step 1:") :]
COPY = "cp annex_pool/pool.conf /etc/condor/config.d/"
# The page says that the lab has done these.
DONE = (COPY, "python3 -m venv .venv", ". .venv/bin/activate", "pip install -r requirements.txt -e .")
LEFT_OUT = "..."
# What differs between two runs, and between machines that boot and machines that do not.
VARIES = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"^(left|joined|jobs)( +)\S+$", r"\1\2VALUE"),
)


@dataclass(frozen=True)
class Shown:
    """A command of the page, and the lines that the page shows as its output; none: the page does not show it."""

    command: str
    output: tuple[str, ...]


def shown() -> list[Shown]:
    found = []
    for block in re.findall(r"```console\n(.*?)```", STEPS, re.S):
        for each in re.split(r"^[$#] ", block, flags=re.M)[1:]:
            command, *output = each.splitlines()
            found.append(Shown(command, tuple(output)))
    return found


def lines(printed: str) -> list[str]:
    """Text of a terminal, line by line: without colours, cursor movements and empty lines."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed)
    return [line.rstrip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


def comparable(line: str) -> str:
    for pattern, replacement in VARIES:
        line = re.sub(pattern, replacement, line)
    return line


def agree(page: tuple[str, ...], printed: list[str]) -> bool:
    """True if the page shows the printed lines, all of them but those that it says are left out."""
    here, there = [comparable(line) for line in page if line], [comparable(line) for line in printed]
    pattern = "".join("(?:.*\n)*?" if line == LEFT_OUT else re.escape(line) + "\n" for line in here)
    return re.fullmatch(pattern, "".join(line + "\n" for line in there)) is not None


def at_terminal(user: Operator, directory: Path, command: str) -> list[str]:
    """Lines that a command prints on a terminal of 80 columns, where every question is answered with y."""
    if command.startswith("condor_submit"):  # by a user of the access point, in the user's home
        command = f"chroot {POOL_ROOT} su - {USER} -c '{command}'"
    words = user.command("script", "-qefc", f"stty cols 80 rows 50; {command}", "/dev/null")
    environment = {**user.shell_environment(), "TERM": "xterm"}
    done = subprocess.run(words, env=environment, cwd=directory, input="y\n", capture_output=True, text=True)
    assert done.returncode == 0, f"{command} exited {done.returncode}:\n{done.stdout}"
    found = lines(done.stdout)
    return found[1:] if found[:1] == ["y"] else found  # the answer, echoed before the question


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose annexes.toml is that of the page, with the names of the lab's pool."""
    for path in REPOSITORY.iterdir():
        if path.name not in (".git", "annexes.toml", "cdk.out"):
            (tmp_path / path.name).symlink_to(path)
    (spec,) = re.findall(r"```toml\n(.*?)```", STEPS, re.S)
    spec = spec.replace("cm.example.edu", "cm.pool.lab").replace('"example.edu"', '"pool.lab"')
    (tmp_path / "annexes.toml").write_text(spec)
    return tmp_path


def test_every_command_prints_what_the_page_shows(checkout: Path) -> None:
    # Not of the shared fixture, which prepares the account: the page does that itself.
    user = operator(checkout / "annexes.toml")
    (submit,) = re.findall(r"```text\n(executable.*?)```", STEPS, re.S)
    (POOL_ROOT / "home" / USER / "job.sub").write_text(submit)
    assert [each.command for each in shown() if each.command in DONE] == list(DONE)
    for each in shown():
        if each.command in DONE:
            continue
        printed: list[str] = []

        def shows(each: Shown = each, printed: list[str] = printed) -> bool:
            printed[:] = at_terminal(user, checkout, each.command)
            return agree(each.output, printed)

        def found(printed: list[str] = printed) -> str:
            return "\n".join(printed)

        print(f"$ {each.command}")
        if each.command.startswith("annex status"):  # the page says that it takes some seconds
            wait_for(f"state as on the page: {each.output}", 60, shows, otherwise=found)
        else:
            assert shows(), found()
        print(found())


def test_the_lab_has_copied_what_the_page_copies() -> None:
    source = REPOSITORY / COPY.split()[1]
    copies = (POOL_ROOT / "etc/condor/config.d").iterdir()
    assert source.read_text() in [copy.read_text() for copy in copies]


def test_another_output_would_be_noticed() -> None:
    page = ("demo: a 2030-01-01T00:00:00Z", "left 2h", LEFT_OUT, "end")
    assert agree(page, ["demo: a 2031-01-01T00:00:00Z", "left 3h", "more", "end"])
    assert agree(page, ["demo: a 2031-01-01T00:00:00Z", "left over", "end"])
    assert not agree(page, ["demo: b 2031-01-01T00:00:00Z", "left 3h", "end"])
    assert not agree(page, ["demo: a 2031-01-01T00:00:00Z", "more", "left 3h", "end"])
    assert not agree(page, ["demo: a 2031-01-01T00:00:00Z", "left 3h", "more"])
    assert not agree(("demo",), ["demo", "more"])
