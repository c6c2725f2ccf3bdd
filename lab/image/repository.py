"""The lab's package repository: HTCondor of a newer Debian, laid out and signed as HTCondor's official one."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from annex_lease.stock_images import HTCONDOR_REPOSITORIES, IMAGE_FAMILIES
from lab.image import recipe
from lab.image.mirror import KEYRING, acquire_settings, mirror
from lab.processes import require, run

SIGNER = "HTCondor annex lab <lab@pool.lab>"


def build(directory: Path) -> None:
    """Builds ``repo`` with the repository below it, and the key that signed it; see `lab.image` for its errors."""
    for program in ("apt-ftparchive", "gpg"):
        require(program)
    family = IMAGE_FAMILIES["debian-13"]
    top = directory / Path(HTCONDOR_REPOSITORIES).name / family.htcondor_path.format(series=recipe.HTCONDOR_SERIES)
    pool = top / "pool"
    pool.mkdir(parents=True)
    _fetch(pool, directory / "apt")
    sign(top, family.htcondor_suite, key=directory / "key.asc")


def sign(top: Path, suite: str, *, key: Path, facts: Mapping[str, str] = MappingProxyType({})) -> None:
    """Makes the lists of the packages in ``top/pool``, and signs them with a new key.

    Args:
        top: directory of the repository.
        suite: name of its suite; its component is ``main``.
        key: file for the armored public key; the private one is not kept.
        facts: more fields of the list of lists.
    """
    lists = top / "dists" / suite / "main/binary-amd64"
    lists.mkdir(parents=True, exist_ok=True)
    (lists / "Packages").write_text(run("env", "-C", str(top), "apt-ftparchive", "packages", "pool"))
    release = top / "dists" / suite / "Release"
    release.unlink(missing_ok=True)
    own = {"Suite": suite, "Codename": suite, "Architectures": "amd64", "Components": "main", "Origin": "lab"}
    options = [f"-o=APT::FTPArchive::Release::{name}={value}" for name, value in {**own, **facts}.items()]
    text = run("apt-ftparchive", *options, "release", str(release.parent))
    release.write_text(text)
    with tempfile.TemporaryDirectory() as keyring:  # on a short path: gpg makes a socket in it
        gpg = ["gpg", "--homedir", keyring, "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback"]
        run(*gpg, "--passphrase", "", "--quick-generate-key", SIGNER, "rsa3072", "sign", "0")
        key.write_text(run(*gpg, "--armor", "--export"))
        run(*gpg, "--clearsign", "--yes", "--output", str(release.with_name("InRelease")), str(release))
        run("gpgconf", "--homedir", keyring, "--kill", "all")


def _fetch(pool: Path, scratch: Path) -> None:
    """Fetches the packages with this host's apt, which verifies them, by a configuration of its own."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (scratch / name).mkdir(parents=True)
    source = scratch / "sources.list"
    source.write_text(f"deb [signed-by={KEYRING} arch=amd64] {mirror()} {recipe.HTCONDOR_SUITE} main\n")
    configuration = scratch / "apt.conf"
    configuration.write_text(
        "".join(f"{line}\n" for line in acquire_settings())
        + f'Dir::State "{scratch}/state"; Dir::State::status "/dev/null"; Dir::Cache "{scratch}/cache";\n'
        + f'Dir::Etc::sourcelist "{source}"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::parts "/dev/null";\n'
        + 'APT::Sandbox::User "root"; Acquire::Languages "none";\n'
    )
    apt = ["env", "-C", str(pool), f"APT_CONFIG={configuration}", "apt-get", "-qq"]
    run(*apt, "update", "--error-on=any")
    run(*apt, "download", *recipe.HTCONDOR_PACKAGES)
    run("rm", "-r", str(scratch))
