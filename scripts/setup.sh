# shellcheck shell=bash
# Sourced by scripts/demo and scripts/test: everything they need, on a Debian with Python 3.11, git and root.
# A second run finds it all there and takes under a second.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() { echo "set-up: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || die "needs root: the lab makes network namespaces and boots machines; run it as root"
command -v apt-get >/dev/null || die "needs Debian (apt-get not found)"
[ "$(uname -m)" = x86_64 ] || die "the lab's machines are x86_64, this host is $(uname -m): the lab cannot run here"

# mmdebstrap, the archive's keyring: the machine image.  qemu-*, dnsmasq-base, nftables, iproute2: machines and their
# network.  apt-utils, gnupg: the lab's signed package repository.  dnf, rpm, createrepo-c: the install files' tests of
# RPM systems.  shellcheck, curl: the boot files' tests.  Debian's python3 alone cannot make a virtual environment:
# python3-venv.
packages=(ca-certificates mmdebstrap debian-archive-keyring gpgv qemu-system-x86 qemu-utils dnsmasq-base nftables
    iproute2 e2fsprogs util-linux procps apt-utils gnupg dnf rpm createrepo-c curl shellcheck python3-venv)
missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "set-up: installing ${missing[*]}"
    log=$(mktemp)
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
        >"$log" 2>&1 </dev/null || { cat "$log" >&2; die "apt-get could not install ${missing[*]}"; }
    rm -f "$log"
fi

# shellcheck source=scripts/venv.sh
. scripts/venv.sh
