"""The app with any context and any file: stacks, or one error, and no traceback."""

from __future__ import annotations

import functools
import os
import runpy
from pathlib import Path
from typing import Any

import aws_cdk
import pytest

from tests.synth.templates import ROOT

SPEC = (
    '[pool]\ncollector = "cm"\ntrust_domain = "example.edu"\n[annex.demo]\nregion = "us-east-1"\n'
    'image = "ami-0123456789abcdef0"\nsize = 2\nlease = "8h"\ninstance_types = ["c6a.large"]\n'
)


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, context: object) -> str:
    """Error text with which the app ends; empty if it synthesises."""
    monkeypatch.chdir(tmp_path)
    # The CDK's command line hands the context over in the environment of the first Node alone.
    given: dict[str, Any] = {} if context is None else {"annexes": context}
    monkeypatch.setattr(aws_cdk, "App", functools.partial(aws_cdk.App, context=given, outdir=str(tmp_path / "out")))
    try:
        runpy.run_path(str(ROOT / "app.py"))
    except SystemExit as left:
        return str(left.code)
    return ""


def test_a_right_file_is_synthesised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_bytes(b"\xef\xbb\xbf" + SPEC.encode())
    assert run(monkeypatch, tmp_path, "some.toml") == ""
    assert (tmp_path / "out/Annex-demo.template.json").exists()


@pytest.mark.parametrize(
    "context",
    [None, "", "none.toml", ".", "/dev/null", 5, 1.5, True, ["a"], {"a": 1}, "null\0byte", "ä" * 300],
)
def test_a_context_that_names_no_spec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, context: Any) -> None:
    said = run(monkeypatch, tmp_path, context)
    assert said.startswith("error: ")
    assert "received: " in said and "allowed: " in said and "fix: " in said


@pytest.mark.parametrize(
    "content",
    [
        SPEC.encode("utf-16"),
        b"\x00\xff",
        b"[",
        b"a = " + b"[" * 10_000,
        SPEC.replace("c6a.large", 'p6-b200.48xlarge", "c6g.large').encode(),
        SPEC.replace("c6a.large", "t2.micro").encode(),
        SPEC.replace("c6a.large", "mac2.metal").encode(),
        SPEC.replace("us-east-1", "us-esat-1").encode(),
        SPEC.replace("cm", "http://cm").encode(),
        SPEC.replace("ami-0123456789abcdef0", "ssm:a/b").encode(),
        SPEC.replace("size = 2", 'size = 2\nvolume_key = "arn:aws:kms:us-east-1:123456789012:key/mrk-1"').encode(),
    ],
)
def test_a_file_that_is_no_spec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "annexes.toml").write_bytes(content)
    said = run(monkeypatch, tmp_path, None)
    assert said.startswith("error: annexes.toml: 1 problem\n")


def test_a_file_without_permission_to_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "annexes.toml").symlink_to("annexes.toml" if os.geteuid() == 0 else "secret")
    (tmp_path / "secret").touch(mode=0)
    assert run(monkeypatch, tmp_path, None).startswith("error: annexes.toml: 1 problem\n")
