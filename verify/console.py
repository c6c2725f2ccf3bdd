"""Lines that an instance of a run writes on its console, and how they are read back. Pure.

Such an instance belongs to no pool, so its console is the only way to see what it sees. The commands run before the
execution point is installed, and delay it: until they end, the instance does nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from annex_lease.tags import TAG_END

MARKER = "annex-verify"
SECONDS = 5
"""Period of the lines."""
MINUTES = 50
"""Time for which an instance writes them, and does nothing else; its lease ends soon after."""
# The console of an instance holds 64 KB (EC2 User Guide, "Troubleshoot an unreachable instance").
_LINE = re.compile(rf"{MARKER} (\d+) end=(\S*) root=(\S*) via=(\S*)")


@dataclass(frozen=True)
class ConsoleLine:
    """A line of an instance.

    Attributes:
        time: seconds since 1970, by the instance's clock.
        end: value of the tag with the end of the lease, in the instance metadata; empty: it has none.
        root: name of the root volume in the instance metadata; empty: it has none.
        via: address of the metadata service that answered; empty: none did.
    """

    time: int
    end: str
    root: str
    via: str


def commands(minutes: int = MINUTES) -> tuple[str, ...]:
    """Shell commands that write a line on the console when the values change, and each minute.

    Args:
        minutes: how long they run; the execution point starts afterwards. Default: `MINUTES`.
    """
    return (
        "annex_verify() (",
        "  for host in 169.254.169.254 '[fd00:ec2::254]'; do",
        "    token=$(curl -q -s -f --noproxy '*' --max-time 3 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' \\",
        '      "http://$host/latest/api/token") && via=$host && break',
        "  done",
        '  get() { curl -q -s -f --noproxy "*" --max-time 3 -H "X-aws-ec2-metadata-token: $token" \\',
        '    "http://$via/latest/meta-data/$1"; }',
        f'  echo "end=$(get tags/instance/{TAG_END}) root=$(get block-device-mapping/root) via=$via"',
        ")",
        f"annex_verify_until=$(($(date +%s) + {60 * minutes}))",
        'while [ "$(date +%s)" -lt "$annex_verify_until" ]; do',
        "  annex_verify_new=$(annex_verify)",
        "  annex_verify_minute=$(date +%M)",
        '  [ "$annex_verify_new$annex_verify_minute" = "$annex_verify_old" ] ||',
        f'    echo "{MARKER} $(date +%s) $annex_verify_new" >/dev/console',
        "  annex_verify_old=$annex_verify_new$annex_verify_minute",
        f"  sleep {SECONDS}",
        "done",
    )


def lines_of(console: str) -> Sequence[ConsoleLine]:
    """The lines of an instance in its console output, in their order; a line that is cut is none."""
    return [ConsoleLine(int(time), end, root, via) for time, end, root, via in _LINE.findall(console)]


def others_of(console: str, pattern: str, most: int = 20) -> tuple[str, ...]:
    """The last lines of a console that match a pattern, without colours and other control characters.

    Args:
        console: the output.
        pattern: a regular expression.
        most: largest number of lines. Default: 20.
    """
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x20-\x7e\n]", "", console)
    return tuple([line.strip() for line in plain.splitlines() if re.search(pattern, line)][-most:])
