"""Version of the distribution. `pyproject.toml` and `annex --version` read it here."""

__version__ = "0.1.0"
