"""Advice about failed launches, held against AWS's own words."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from annex_lease import kinds, terms
from annex_lease.launch_advice import KINDS, advice, explained
from tests.unit.lease.launch_messages import MESSAGES


@pytest.mark.parametrize(("kind", "source", "text"), MESSAGES)
def test_a_message_of_aws_has_the_advice_of_its_kind(kind: str, source: str, text: str) -> None:
    wanted = next(each.advice for each in KINDS if each.kind == kind)
    assert advice(text) == wanted, source
    assert explained(text) == f"{' '.join(text.split())} (to do: {wanted})"
    assert advice(f"Launching a new EC2 instance.  Status Reason: {text}".replace(". ", ".\n")) == wanted


@pytest.mark.parametrize(("kind", "_source", "text"), MESSAGES)
def test_the_case_of_a_message_does_not_matter(kind: str, _source: str, text: str) -> None:
    """AWS promises no form: some texts differ from the documents in their case alone."""
    wanted = next(each.advice for each in KINDS if each.kind == kind)
    assert advice(text.lower()) == advice(text.upper()) == wanted


def test_every_kind_has_a_real_message() -> None:
    assert {each.kind for each in KINDS} == {kind for kind, _, _ in MESSAGES}
    assert len({each.kind for each in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    "text", ["", "The weather in us-east-1a is bad. Launching EC2 instance failed.", "Instance failed.\n\n Twice."]
)
def test_an_unknown_message_is_shown_alone(text: str) -> None:
    assert advice(text) == ""
    assert explained(text) == " ".join(text.split())


@pytest.mark.parametrize("key", ["image", "instance_types", "root_device", "volume_gib", "volume_key", "subnets"])
def test_advice_names_keys_of_the_spec_that_exist(key: str) -> None:
    assert key in {term.name for term in vars(terms).values() if isinstance(term, get_args(kinds.Term))}
    assert any(re.search(rf"\b{key}\b", each.advice) for each in KINDS)
