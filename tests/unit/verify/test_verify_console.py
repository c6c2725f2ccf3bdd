"""Console lines of an instance: what its commands write, and what is read back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from annex_lease.tags import TAG_END
from verify.console import MARKER, ConsoleLine, commands, lines_of, others_of

CURL = """#!/bin/sh
for word; do url=$word; done
case $url in
"http://@DEAD@/"*) exit 7 ;;
*/api/token) echo token ;;
*tags/instance/{tag}) cat {end} ;;
*block-device-mapping/root) echo /dev/xvda ;;
*) exit 22 ;;
esac
"""


def run(directory: Path, *, dead: str = "nothing", sleep: str = "exit 1") -> str:
    """The console after the commands of an instance, whose clock the script `sleep` can end."""
    programs = directory / "bin"
    programs.mkdir()
    end = directory / "end"
    end.write_text("2030-01-02T03:04:05Z")
    scripts = {"curl": CURL.format(tag=TAG_END, end=end).replace("@DEAD@", dead), "sleep": f"#!/bin/sh\n{sleep}\n"}
    for name, text in scripts.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    console = directory / "console"
    console.touch()
    script = "set -e\n" + "\n".join(commands(1)).replace(">/dev/console", f">>{console}")
    path = f"{programs}:/usr/bin:/bin"
    subprocess.run(["bash", "-c", script], env={"PATH": path, "END": str(end)}, check=False, timeout=50)
    return console.read_text()


def test_an_instance_writes_what_its_metadata_say(tmp_path: Path) -> None:
    (line,) = lines_of(run(tmp_path))
    assert (line.end, line.root, line.via) == ("2030-01-02T03:04:05Z", "/dev/xvda", "169.254.169.254")
    assert line.time > 1_700_000_000


def test_without_ipv4_it_asks_by_ipv6(tmp_path: Path) -> None:
    (line,) = lines_of(run(tmp_path, dead="169.254.169.254"))
    assert line.via == "[fd00:ec2::254]"


def test_a_changed_tag_is_a_new_line(tmp_path: Path) -> None:
    # The second pause ends the commands, as a time of a minute would.
    sleep = 'if [ -e "$END.2" ]; then exit 1; fi; touch "$END.2"; echo 2031-01-02T03:04:05Z >"$END"'
    lines = lines_of(run(tmp_path, sleep=sleep))
    assert [line.end for line in lines] == ["2030-01-02T03:04:05Z", "2031-01-02T03:04:05Z"]


def test_lines_are_found_among_others() -> None:
    console = (
        f"[  1.0] boot\r\n{MARKER} 1893456000 end=2030 root=/dev/xvda via=169.254.169.254\r\nlogin: {MARKER} 18934"
    )
    assert lines_of(console) == [ConsoleLine(1893456000, "2030", "/dev/xvda", "169.254.169.254")]
    assert lines_of("") == []


def test_a_line_without_an_answer_has_empty_values() -> None:
    assert lines_of(f"{MARKER} 1893456000 end= root= via=") == [ConsoleLine(1893456000, "", "", "")]


@pytest.mark.parametrize(("most", "expected"), [(9, ("annex: one", "annex: two")), (1, ("annex: two",))])
def test_other_lines_of_a_console(most: int, expected: tuple[str, ...]) -> None:
    assert others_of("\x1b[0;32mannex: one\x1b[0m\r\nother\nannex: two\n", "annex", most) == expected
