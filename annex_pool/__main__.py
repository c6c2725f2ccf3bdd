"""Entry point of the `annex` command; says in one line what to install if a library is missing."""

from __future__ import annotations

import sys

INSTALL = "pip install 'htcondor-annex-cdk[pool]'"


def main() -> None:
    """Run the `annex` command."""
    try:
        # Imported here: all of it needs the libraries of the extra.
        from annex_pool.cli import main as run

        run()
    except ModuleNotFoundError as missing:
        library = (missing.name or "").partition(".")[0]
        if library.startswith("annex_"):
            raise
        sys.exit(f"error: annex needs {library}, which is not installed here; {_advice(library)}")


def _advice(library: str) -> str:
    if library == "htcondor2" and sys.platform != "linux":
        return "HTCondor's Python bindings exist for Linux only: run the command on the pool's central manager"
    return f"fix: {INSTALL}"


if __name__ == "__main__":
    main()
