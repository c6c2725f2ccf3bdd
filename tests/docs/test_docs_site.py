"""The documentation site builds without a warning, and its reference pages hold what the code has."""

from __future__ import annotations

import html
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import annex_constructs
from annex_lease import invocation, tags
from annex_lease.sweep import sweep_report
from annex_pool.cli import app
from annex_spec import AnnexSpec, BaseSpec, ImageSpec, PoolSpec
from tests.docs.documents import ROOT


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. Warnings are errors: a broken link between pages, an unknown term, bad markup."""
    out = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-d", str(out / "doctrees")]
    done = subprocess.run([*build, "docs", str(out / "html")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out / "html"


def page(site: Path, name: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", (site / "reference" / f"{name}.html").read_text()))


def test_every_document_has_a_page(site: Path) -> None:
    pages = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    sources = {path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")}
    assert sources <= pages


def test_every_key_of_the_spec_file_is_documented(site: Path) -> None:
    shown = (site / "reference/spec.html").read_text()
    for model in (PoolSpec, AnnexSpec, BaseSpec, ImageSpec):
        for key in model.model_fields.keys() - {"name"}:
            assert re.search(rf"<td>.*>{key}<", shown), key
    assert '"20m"' in page(site, "spec")  # a default of the model, as the file writes it


def test_every_verb_and_option_is_documented(site: Path) -> None:
    shown = page(site, "command")
    group: Any = typer.main.get_command(app)
    for verb, command in {**group.commands, **group.commands["credential"].commands}.items():
        if not hasattr(command, "commands"):
            assert re.search(rf"annex (credential )?{verb} \[OPTIONS\]", shown), verb
            for parameter in command.params:
                for option in parameter.opts if parameter.param_type_name == "option" else [parameter.metavar]:
                    assert option in shown, (verb, option)
    assert "--version" in shown


def test_every_public_construct_is_documented(site: Path) -> None:
    targets = set(re.findall(r'id="annex_constructs\.(\w+)"', (site / "reference/constructs.html").read_text()))
    assert targets == {*annex_constructs.__all__} - {"__version__"}


def test_the_parameters_of_a_construct_are_shown(site: Path) -> None:
    """The metaclass of jsii hides them from autodoc: without our handler the signature would be `*args, **kwargs`."""
    shown = page(site, "constructs")
    assert "execution_point: ExecutionPoint" in shown
    assert "**kwargs" not in shown


def test_each_parameter_of_a_construct_is_described_and_no_other(site: Path) -> None:
    """In a construct that derives from one of the CDK, autodoc would add the parameters of the base class."""
    shown = (site / "reference/constructs.html").read_text()
    compared = 0
    for name in annex_constructs.__all__:
        own = getattr(annex_constructs, name)
        body = re.search(
            rf'id="annex_constructs\.{name}">.*?(?=<dl class="py (?:property|method)|id="annex_con)', shown, re.S
        )
        fields = re.search(r"Parameters<.*?</dd>", body[0], re.S) if body else None
        if isinstance(own, type) and fields:
            described = re.findall(r"<li><p><strong>(\w+)</strong>", fields[0]) or re.findall(
                r"<p><strong>(\w+)</strong>", fields[0]
            )
            signature = inspect.signature(own.__init__)  # type: ignore[misc]
            parameters = signature.parameters.keys() - {"self", "scope", "construct_id"}
            assert {*described} - {"scope", "construct_id"} == parameters, name
            compared += 1
    assert compared >= 9


def test_every_tag_is_documented(site: Path) -> None:
    shown = page(site, "tags")
    keys = [value for key, value in vars(tags).items() if key.startswith("TAG_")]
    assert len(keys) > 15
    for key in keys:
        assert key in shown
    assert "TAG_" not in shown


def test_every_metric_is_documented(site: Path) -> None:
    """In the generated tables, which show only constants with a docstring; the tables of alarms name metrics too."""
    shown = (site / "reference/metrics.html").read_text()
    tables = [each for each in re.findall(r"<table.*?</table>", shown, re.S) if re.search(r"<th[^>]*><p>metric<", each)]
    rows = {
        name for each in tables for name in re.findall(r'<tr[^>]*><td><p><code[^>]*><span class="pre">(\w+)<', each)
    }
    constants = {**vars(invocation), **vars(sweep_report)}
    named = {value for key, value in constants.items() if re.match("[A-Z]+", key) and isinstance(value, str)}
    assert rows == named - {invocation.DIMENSION, sweep_report.DIMENSION}
    assert len(rows) >= 7
