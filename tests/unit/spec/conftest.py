"""A spec file that is right, and a way to make it wrong in one place."""

from pathlib import Path

import pytest

from annex_lease.terms import SCRIPT
from annex_spec import Spec, load
from tests.unit.spec.spec_texts import ANNEX, POOL, Read, ReadAnnex


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Load a spec from its text; the script that examples name is beside it."""
    script = tmp_path / SCRIPT.form.example
    script.parent.mkdir()
    script.write_text("echo tools\n")

    def load_text(text: str) -> Spec:
        path = tmp_path / "annexes.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return load_text


@pytest.fixture
def read_annex(read: Read) -> ReadAnnex:
    """Load a spec with one right annex `demo`, some of its keys replaced (None: left out)."""

    def load_annex(**keys: str | None) -> Spec:
        lines = [f"{key} = {value}" for key, value in {**ANNEX, **keys}.items() if value is not None]
        return read("\n".join([POOL, "[annex.demo]", *lines]))

    return load_annex
