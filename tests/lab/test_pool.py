"""The lab's pool runs the shipped pool.conf, and sets nothing else but what is true of its own host."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SHIPPED, HOST, PACKAGE = "pool.conf", "90-host.conf", "00-security"
# Name, domain and directories of the host, and its daemons.
FACTS = {
    "CONDOR_HOST",
    "DAEMON_LIST",
    "ENABLE_KERNEL_TUNING",
    "LOCK",
    "NETWORK_HOSTNAME",
    "RUN",
    "TRUST_DOMAIN",
    "UID_DOMAIN",
}
SCRIPT = r"""
pool=/run/annex-lab/pool
cmp $pool/etc/condor/config.d/pool.conf annex_pool/pool.conf && echo "same"
ls $pool/etc/condor/config.d | sed 's/^/file /'
chroot $pool condor_config_val -dump -verbose | awk '
    / = / && !/^#/ { name = $1 }
    /, use / { next }
    /^ # at: .*config.d/ { sub(/.*config.d\//, ""); sub(/,.*/, ""); print "set", name, $0 }'
"""


@pytest.fixture(scope="module")
def found() -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-m", "lab", "run", "--machines", "none", "--", "bash", "-c", SCRIPT],
        cwd=REPOSITORY,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    return [line.split() for line in done.stdout.splitlines()]


def test_it_is_the_shipped_file(found: list[list[str]]) -> None:
    assert ["same"] in found
    assert {line[1] for line in found if line[0] == "file"} == {SHIPPED, HOST, PACKAGE}


def test_nothing_else_is_set(found: list[list[str]]) -> None:
    settings = {(line[1], line[2]) for line in found if line[0] == "set"}
    assert {name for name, file in settings if file == HOST} == FACTS
    # The package's file only has `use security:recommended`; HTCondor names the file that set a value last.
    assert {file for _, file in settings} == {SHIPPED, HOST}
    assert ("NEGOTIATOR_INTERVAL", SHIPPED) in settings
    assert ("NEGOTIATOR_CYCLE_DELAY", SHIPPED) in settings
    assert ("COLLECTOR_REQUIREMENTS", SHIPPED) in settings
