"""The glossary holds the words of the program, and no word that is used nowhere."""

from __future__ import annotations

import re

import pytest

from annex_lease.decision import Phase
from annex_spec import AnnexSpec
from tests.docs.documents import DOCS, DOCUMENTS, ROOT, blocks, text

GLOSSARY = DOCS / "reference/glossary.md"
# Keys that are AWS's or HTCondor's words, or plain English.
FOREIGN = {"name", "region", "account", "image", "instance_types", "on_demand_base", "on_demand_percentage", "vpc"}
FOREIGN |= {"volume_key", "permissions_boundary", "role_path", "ipv6", "dns_servers", "proxy"}
FOREIGN |= {"subnets", "volume_gib", "root_device", "price_per_hour", "alarm_email", "alarm_topic", "lease_ends_at"}
FOREIGN |= {"tags", "htcondor", "components", "htcondor_mirror", "package_mirror", "script"}
FOREIGN |= {"owners", "groups", "project_id", "start"}


def terms() -> list[str]:
    (body,) = blocks(GLOSSARY, "{glossary}")
    return re.findall(r"^(\S.*)$", body, re.M)


def test_terms_are_sorted_and_unique() -> None:
    listed = [term for term in terms() if term != "account-wide sweeper"]
    assert len(set(listed)) == len(listed)
    rest = [term for term in listed if term != "sweeper"]
    assert rest == sorted(rest)


def test_it_is_small() -> None:
    assert 30 <= len(terms()) <= 50


@pytest.mark.parametrize("key", sorted(AnnexSpec.model_fields.keys() - FOREIGN))
def test_every_key_of_ours_is_explained(key: str) -> None:
    assert f"`{key}`" in text(GLOSSARY) or key.replace("_", " ") in terms()


@pytest.mark.parametrize("phase", [phase.value for phase in Phase])
def test_every_phase_is_explained(phase: str) -> None:
    assert f"`{phase}`" in text(GLOSSARY)


@pytest.mark.parametrize("term", terms())
def test_every_term_is_used(term: str) -> None:
    """In another document, or in a text or docstring of the product."""
    other = [text(document) for document in DOCUMENTS if document != GLOSSARY]
    other += [
        path.read_text()
        for room in ("annex_lease", "annex_pool", "annex_spec")
        for path in sorted((ROOT / room).rglob("*.py"))
    ]
    pattern = re.compile(r"[\s_]*".join(re.escape(part) for part in term.split()), re.I)
    assert any(pattern.search(each) for each in other)
