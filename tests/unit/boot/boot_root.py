"""A small root directory in which the boot scripts run as shipped, with fakes of the programs that reach outside.

Only /usr/bin and the libraries are the host's. /usr/sbin, first in the scripts' PATH, holds the fakes.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from annex_boot.boot_files import BOOT_FILES, boot_file
from annex_boot.settings import EpSettings

FAKES = Path(__file__).parent / "fakes"
SCRIPTS = sorted(name for name, (path, _) in BOOT_FILES.items() if path.startswith("/usr/local/lib/annex/"))
RULES = "reject\n" * 4
TOKEN = "aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:Annex-demo-AbCdEf"
SETTINGS = EpSettings(
    annex="demo",
    credential_arn=SECRET,
    collector="cm.example.edu:9618",
    trust_domain="example.edu",
    root_device="/dev/xvda",
    archive="example-bucket/boot.tar.gz",
    archive_digest="0123456789abcdef" * 4,
    times={
        "drain_before_end": 120,
        "idle_timeout": 1200,
        "join_timeout": 900,
        "shutdown_after_end": 600,
    },
)
ENTER = """
set -e
mount --make-rprivate /
for dir in usr/bin usr/lib usr/lib32 usr/lib64 usr/libexec proc dev; do
    [ ! -d "/$dir" ] || { mkdir -p "$1/$dir"; mount --rbind "/$dir" "$1/$dir"; }
done
mount --bind "$1/fake/uptime" "$1/proc/uptime"
for program in $(cat "$1/fake/hidden"); do
    [ ! -e "/usr/bin/$program" ] || mount --bind /dev/null "$1/usr/bin/$program"
done
root=$1 script=$2
shift 2
case $script in
/*) ;;
*) script=/usr/local/lib/annex/$script ;;
esac
exec chroot "$root" /bin/sh "$script" "$@"
"""


class BootRoot:
    """One instance, with its boot files, a valid lease and a stored credential unless a test says otherwise."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for link in ("bin", "lib", "lib64", "sbin"):
            (path / link).symlink_to(f"usr/{link}")
        for name in ("tmp", "run/annex", "etc/condor/config.d", "var/log/condor"):
            (path / name).mkdir(parents=True)
        for name, (target, _) in BOOT_FILES.items():
            self.write(target, boot_file(name))
        self.write("etc/annex/annex.env", SETTINGS.to_env_file())
        self.write("etc/condor/condor_config", "RELEASE_DIR = /usr\n")
        for name in ("condor_master", "condor_ping", "nft", "pgrep", "systemctl", "systemd-run", "systemd-sysusers"):
            self.program(f"usr/sbin/{name}", (FAKES / "answer").read_text())
        for name in ("curl", "interpreter", "record", "setpriv", "sleep"):
            self.program(f"usr/sbin/{name}", (FAKES / name).read_text())
        self.program("usr/sbin/cloud-init", "#!/usr/sbin/interpreter -s\n")
        self.write("etc/systemd/system/condor.service", "")
        self.write("fake/hidden", "")
        self.write("fake/calls", "")
        self.write("fake/uptime", "20.05 18.00\n")
        self.set_fact("instance-id", "i-0abc")
        self.set_fact("instance-type", "c6a.large")
        self.set_fact("tags_instance_annex:lease-end", "2099-01-01T00:00:00Z")
        self.write("fake/secret", TOKEN + "\n")
        self.write("fake/leave", "")
        self.write("fake/protect", "")
        self.write("fake/unpack", "")
        self.write("fake/nft", RULES)
        self.write("fake/curl-unprivileged", "7")

    def write(self, name: str, text: str) -> None:
        target = self.path / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def program(self, name: str, text: str) -> None:
        """Write a file that can be run."""
        self.write(name, text)
        (self.path / name.lstrip("/")).chmod(0o755)

    def read(self, name: str) -> str:
        return (self.path / name.lstrip("/")).read_text()

    def move(self, program: str, directory: str = "") -> None:
        """Move a program to another directory; without one, the image does not have it."""
        self.write("fake/hidden", self.read("fake/hidden") + f"{program}\n")
        present = self.path / "usr/sbin" / program
        if directory:
            (self.path / directory.lstrip("/")).mkdir(parents=True, exist_ok=True)
            present.rename(self.path / directory.lstrip("/") / program)
        else:
            present.unlink()

    def set_fact(self, fact: str, value: str) -> None:
        """Set what the metadata service says."""
        self.write(f"fake/imds/{fact}", value + "\n")

    def forget(self, fact: str) -> None:
        (self.path / "fake/imds" / fact).unlink()

    def exists(self, name: str) -> bool:
        return (self.path / name.lstrip("/")).exists()

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        own_user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        return subprocess.run(
            ["unshare", *own_user, "--mount", "sh", "-c", ENTER, "sh", str(self.path), script, *arguments],
            env={"PATH": "/usr/sbin:/usr/bin", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self, program: str) -> list[str]:
        """Return the arguments of each call of a program, in order."""
        return [
            line.removeprefix(program + " ")
            for line in self.read("fake/calls").splitlines()
            if line.startswith(program + " ")
        ]
