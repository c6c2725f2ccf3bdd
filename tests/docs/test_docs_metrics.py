"""The metrics and alarms in the documents are those of the program."""

from __future__ import annotations

import re

import pytest
from aws_cdk import App
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import IConstruct

from annex_lease import invocation, log_line
from annex_lease.sweep import sweep_report
from annex_spec import BaseSpec, load
from stacks import AnnexStack, base_stacks
from tests.docs.documents import DOCS, ROOT, text

ROW = re.compile(r"^\| `(\w+)` \| (.*?) \|", re.M)


def alarms(root: IConstruct) -> dict[str, str]:
    """The alarms below a construct: id, and the metric's name."""
    made = [each for each in root.node.find_all() if isinstance(each, cloudwatch.Alarm)]
    return {each.node.id: str(getattr(each.node.default_child, "metric_name", "")) for each in made}


@pytest.fixture(scope="module")
def of_annex() -> dict[str, str]:
    spec = load(ROOT / "annexes.toml")
    return alarms(AnnexStack(App(), pool=spec.pool, annex=spec.annex("demo")))


@pytest.fixture(scope="module")
def of_base() -> dict[str, str]:
    (base,) = base_stacks(App(), BaseSpec(), load(ROOT / "annexes.toml").annexes.values())
    return alarms(base)


def test_the_guides_name_every_alarm(of_annex: dict[str, str], of_base: dict[str, str]) -> None:
    assert dict(ROW.findall(text(DOCS / "how-to/alarms.md"))).keys() == of_annex.keys()
    assert dict(ROW.findall(text(DOCS / "how-to/base-stack.md").partition("\n## Alarms\n")[2])).keys() == of_base.keys()


def test_the_reference_names_every_alarm_and_its_metric(of_annex: dict[str, str], of_base: dict[str, str]) -> None:
    sections = text(DOCS / "reference/metrics.md").split("## Of the base")
    assert len(sections) == 2
    number = 0
    for section, made in zip(sections, (of_annex, of_base), strict=True):
        shown = dict(ROW.findall(section))
        assert shown.keys() == made.keys()
        ours = {metric for metric in made.values() if metric != "Errors"}
        assert {watched.strip("`") for watched in shown.values() if watched.startswith("`")} == ours
        number += len(ours)
    assert number == 3


def test_the_namespace_is_named() -> None:
    assert f"`{log_line.NAMESPACE}`" in text(DOCS / "reference/metrics.md")


def test_every_metric_an_alarm_watches_is_one_that_is_sent(of_annex: dict[str, str], of_base: dict[str, str]) -> None:
    sent = {value for module in (invocation, sweep_report) for value in vars(module).values() if isinstance(value, str)}
    assert {*of_annex.values(), *of_base.values()} - sent == {"Errors"}
