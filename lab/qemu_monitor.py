"""Client of QEMU's monitor: https://www.qemu.org/docs/master/interop/qmp-spec.html."""

from __future__ import annotations

import json
import socket
from pathlib import Path

SECONDS = 5.0


def execute(monitor: Path, command: str) -> None:
    """Sends one command, for instance ``system_powerdown``, to the machine of this monitor.

    Raises:
        OSError: the machine is gone, or its monitor does not answer within 5 seconds, or it refuses.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(monitor))
        with connection.makefile("r", encoding="utf-8") as lines:
            lines.readline()  # the greeting
            for word in ("qmp_capabilities", command):
                connection.sendall(json.dumps({"execute": word}).encode() + b"\n")
                for line in lines:  # events may come before the answer
                    answer = json.loads(line)
                    if "error" in answer:
                        raise OSError(f"the machine's monitor refused {word!r}: {answer['error']}")
                    if "return" in answer:
                        break
                else:
                    raise ConnectionError(f"the machine's monitor closed the connection at {word!r}")
