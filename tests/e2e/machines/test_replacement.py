"""A machine dies during the lease, and another after its end: only the first is replaced."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lab.operator import Operator
from lab.site import machines
from lab.steps import wait_for
from tests.e2e.aws_clients import client
from tests.e2e.machines.only_group import in_group, set_until

SPEC = '[annex.mortal]\nsize = 1\nlease = "30m"\nmax_lifetime = "1h"\n'


def state_of(instance: str) -> str:
    (reservation,) = client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    return str(reservation["Instances"][0]["State"]["Name"])


def test_a_dead_machine_is_replaced_while_the_lease_lives_and_never_after(
    operator_of: Callable[[str], Operator],
) -> None:
    operator = operator_of(SPEC)
    operator.cdk("deploy", "Annex-mortal", "--require-approval", "never")
    operator.annex("credential", "push", "mortal")
    (first,) = wait_for("machine", 60, machines)
    (instance,) = in_group()
    wait_for("running instance", 60, lambda: state_of(instance) == "running")

    os.kill(first, signal.SIGKILL)
    wait_for("end of the dead machine's instance", 60, lambda: state_of(instance) == "terminated")
    (second,) = wait_for("replacement", 90, lambda: [pid for pid in machines() if pid != first])
    (replacement,) = wait_for("replacement in the group", 30, in_group)
    assert replacement != instance
    wait_for("running replacement", 60, lambda: state_of(replacement) == "running")

    # The end comes; the machine dies a moment later, before it has shut down and before the checker's next minute.
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=65)
    set_until(end)
    time.sleep((end - datetime.now(UTC)).total_seconds() + 2)
    assert second in machines(), "it was gone before it could be killed"
    os.kill(second, signal.SIGKILL)
    wait_for("end of the last machine", 60, lambda: not machines())
    until = time.monotonic() + 75  # longer than the period of the checker and of the group
    while time.monotonic() < until:
        assert machines() == []
        time.sleep(1)
    assert in_group() == []
    operator.cdk("destroy", "Annex-mortal", "--force")
