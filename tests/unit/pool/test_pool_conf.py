"""The shipped pool.conf among settings that are expressions, as HTCondor's own library reads them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.project_files import ROOT

# Another process for each: the library reads its configuration once.
READ = """
import json, sys, htcondor2
htcondor2.set_subsystem(sys.argv[1])
value = {name: str(htcondor2.param[name]) for name in sys.argv[2:] if name in htcondor2.param}
print(json.dumps(value))
"""


def values(folder: Path, own: str, subsystem: str, *names: str) -> dict[str, str]:
    """Settings of a daemon whose pool has these lines before pool.conf."""
    pool = folder / "50-annex"
    shutil.copy(ROOT / "annex_pool" / "pool.conf", pool)
    again = shutil.copy(pool, folder / "60-again")
    main = folder / "condor_config"
    main.write_text(
        f"FULL_HOSTNAME = cm.example.edu\nTRUST_DOMAIN = example.edu\nuse security:recommended\n{own}\n"
        f"include : {pool}\ninclude : {again}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", READ, subsystem, *names],
        env={**os.environ, "CONDOR_CONFIG": str(main)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("", "5"),
        ("NEGOTIATOR_INTERVAL = 60", "5"),
        ("NEGOTIATOR_INTERVAL =", "5"),
        ("NEGOTIATOR_INTERVAL = 90", "90"),
        ("NEGOTIATOR_INTERVAL = 60 * 2", "120"),
        ("NEGOTIATOR_INTERVAL = 5 * $(MINUTE)", "300"),
        ("OWN = 20\nNEGOTIATOR_INTERVAL = $(OWN) + 10", "30"),
        ("NEGOTIATOR.NEGOTIATOR_INTERVAL = 2 * 40", "80"),
    ],
)
def test_an_interval_that_is_an_expression(tmp_path: Path, own: str, expected: str) -> None:
    assert values(tmp_path, own, "NEGOTIATOR", "NEGOTIATOR_INTERVAL") == {"NEGOTIATOR_INTERVAL": expected}


@pytest.mark.parametrize("own", ["", "True", "true", "(1 == 1)", "$(OWN:True)", "False", "1 > 2", "! True"])
def test_a_token_fetch_that_is_an_expression(tmp_path: Path, own: str) -> None:
    line = f"SEC_ENABLE_TOKEN_FETCH = {own}"
    assert values(tmp_path, line, "COLLECTOR", "SEC_ENABLE_TOKEN_FETCH") == {"SEC_ENABLE_TOKEN_FETCH": "False"}


@pytest.mark.parametrize("own", ["", "ALLOW_ADVERTISE_STARTD = $(ALLOW_WRITE), own.example.edu"])
def test_the_list_of_startds(tmp_path: Path, own: str) -> None:
    name = "ALLOW_ADVERTISE_STARTD_COLLECTOR"
    found = values(tmp_path, f"ALLOW_WRITE = *.example.edu\n{own}", "COLLECTOR", name)[name].replace(",", " ").split()
    allowed = ["*.example.edu", "own.example.edu"] if own else ["condor@*", "condor@password"]
    assert found == [*allowed, "annex-*@example.edu"]
