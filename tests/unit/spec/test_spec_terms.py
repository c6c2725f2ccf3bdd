"""The models of the spec file follow `annex_lease.terms`: keys, ranges, defaults, forms, error texts, docstrings."""

from __future__ import annotations

import inspect
from datetime import timedelta

import pytest
from pydantic import BaseModel

from annex_lease import rules, terms
from annex_lease.components import COMPONENTS
from annex_lease.duration import format_duration
from annex_lease.kinds import REQUIRED, Number, Price, Span, Term, Text, Texts, written
from annex_spec import AnnexSpec, BaseSpec, PoolSpec, SpecError
from tests.unit.spec.spec_texts import ANNEX, ReadAnnex

TABLES: list[tuple[type[BaseModel], tuple[Term, ...]]] = [
    (PoolSpec, terms.POOL_KEYS),
    (AnnexSpec, (terms.NAME, *terms.ANNEX_KEYS)),
    (BaseSpec, terms.BASE_KEYS),
]
KEYS = [(model, term) for model, table in TABLES for term in table]
SPANS = [term for term in terms.ANNEX_KEYS if isinstance(term, Span)]
NUMBERS = [term for term in terms.ANNEX_KEYS if isinstance(term, Number)]
LISTS = [term for term in terms.ANNEX_KEYS if isinstance(term, Texts)]
TEXTS = [term for term in terms.ANNEX_KEYS if isinstance(term, Text)]
SECOND = timedelta(seconds=1)
# A lease so long that no rule between two values refuses the bound of another one.
LONG = {"lease": '"365d"', "warn_before_end": '"1m"', "renew_while_busy": None}
# What is installed with the HTCondor of an image is refused, see test_spec_installation.py.
INSTALLING = {
    term.name: {"htcondor": '"25.0"'} for term in (terms.COMPONENTS, terms.HTCONDOR_MIRROR, terms.PACKAGE_MIRROR)
}


def name_of(value: object) -> str | None:
    return getattr(value, "name", None)


@pytest.mark.parametrize(("model", "table"), TABLES)
def test_each_table_has_the_declared_keys_in_their_order(model: type[BaseModel], table: tuple[Term, ...]) -> None:
    assert list(model.model_fields) == [term.name for term in table]


@pytest.mark.parametrize(("model", "term"), KEYS)
def test_error_texts_are_those_of_the_term(model: type[BaseModel], term: Term) -> None:
    field = model.model_fields[term.name]
    assert field.description == term.allowed
    expected = "[annex.demo]" if term is terms.NAME else written(term)
    assert (field.examples or [])[0] == expected


@pytest.mark.parametrize(("model", "term"), KEYS)
def test_the_docstring_has_meaning_and_default(model: type[BaseModel], term: Term) -> None:
    default = "" if term.default_text == REQUIRED else f" Default: {term.default_text}."
    assert f"    {term.name}: {term.meaning}.{default}\n" in f"{inspect.getdoc(model)}\n"


@pytest.mark.parametrize(("model", "term"), KEYS)
def test_a_key_is_required_exactly_where_the_term_has_no_default(model: type[BaseModel], term: Term) -> None:
    assert model.model_fields[term.name].is_required() == (term.default_text == REQUIRED)


@pytest.mark.parametrize("term", [term for _, term in KEYS if term.default is not None], ids=name_of)
def test_the_default_is_that_of_the_term(read_annex: ReadAnnex, term: Term) -> None:
    if term is terms.MAX_REMOVALS:  # None in the model: the stacks know the largest annex
        assert rules.default_max_removals(0) == term.default
        assert BaseSpec().max_removals is None
    elif term in terms.BASE_KEYS:
        assert getattr(BaseSpec(), term.name) == term.default
    else:
        assert getattr(read_annex(image=None).annexes["demo"], term.name) == term.default


def test_all_instances_of_the_largest_annex_may_be_removed() -> None:
    assert [rules.default_max_removals(largest) for largest in (0, 49, 50, 51)] == [50, 50, 50, 51]


@pytest.mark.parametrize(
    "lease", [timedelta(minutes=1), timedelta(minutes=29), timedelta(hours=8), timedelta(days=366)]
)
def test_defaults_that_follow_from_the_lease(read_annex: ReadAnnex, lease: timedelta) -> None:
    annex = read_annex(lease=f'"{format_duration(lease)}"', drain_before_end='"10s"').annexes["demo"]
    assert annex.max_lifetime == rules.default_max_lifetime(lease)
    assert annex.warn_before_end == rules.default_warning(lease)


@pytest.mark.parametrize("term", SPANS, ids=name_of)
def test_a_length_of_time_is_accepted_at_its_bounds_and_refused_beyond(read_annex: ReadAnnex, term: Span) -> None:
    for value in (term.minimum, term.maximum):
        keys = {**LONG, term.name: f'"{format_duration(value)}"'}
        if term in (terms.LEASE, terms.MAX_LIFETIME):
            keys |= {"lease": keys[term.name], "warn_before_end": None, "drain_before_end": '"10s"'}
        if term is terms.RENEW_WHILE_BUSY:
            keys["drain_before_end"] = '"10s"'
        if term is terms.WARN_BEFORE_END:
            keys |= {"lease": None, "lease_ends_at": "2030-06-01T08:00:00Z", "max_lifetime": '"366d"'}
        assert getattr(read_annex(**keys).annexes["demo"], term.name) == value
    beyond = [format_duration(term.maximum + SECOND)]
    if term.minimum:
        beyond.append(format_duration(term.minimum - SECOND))
    for text in beyond:
        refused(read_annex, term, f'"{text}"')


@pytest.mark.parametrize("term", NUMBERS, ids=name_of)
def test_a_number_is_accepted_at_its_bounds_and_refused_beyond(read_annex: ReadAnnex, term: Number) -> None:
    for value in (term.minimum, term.maximum):
        keys = {"size": str(terms.SIZE.maximum), term.name: str(value)}
        assert getattr(read_annex(**keys).annexes["demo"], term.name) == value
    for value in (term.minimum - 1, term.maximum + 1):
        refused(read_annex, term, str(value))


def test_the_price_has_its_bounds(read_annex: ReadAnnex) -> None:
    term = terms.PRICE_PER_HOUR
    assert read_annex(price_per_hour=str(term.maximum)).annexes["demo"].price_per_hour == term.maximum
    refused(read_annex, term, f"{term.maximum}.01")
    refused(read_annex, term, "0")


def test_the_base_has_its_bounds() -> None:
    term = terms.MAX_REMOVALS
    for value in (term.minimum, term.maximum):
        assert BaseSpec(max_removals=value).max_removals == value
    for value in (term.minimum - 1, term.maximum + 1):
        with pytest.raises(ValueError, match="max_removals"):
            BaseSpec(max_removals=value)


@pytest.mark.parametrize("term", LISTS, ids=name_of)
def test_a_list_has_its_bounds(read_annex: ReadAnnex, term: Texts) -> None:
    def items(count: int) -> str:
        forms = {terms.INSTANCE_TYPES.name: "m{}a.large", terms.DNS_SERVERS.name: "192.0.2.{}"}
        texts = [forms.get(term.name, "subnet-{:08x}").format(n) for n in range(count)]
        if term is terms.COMPONENTS:
            texts = (list(COMPONENTS) * 2)[:count]
        assert all(term.form.matches(text) for text in texts)
        return str(texts)

    keys = {"vpc": '"vpc-01234567"'} if term is terms.SUBNETS else INSTALLING.get(term.name, {})
    for count in (term.minimum, term.maximum or 50):
        assert len(getattr(read_annex(**keys, **{term.name: items(count)}).annexes["demo"], term.name)) == count
    if term.minimum:
        refused(read_annex, term, items(term.minimum - 1))
    if term.maximum is not None:
        assert str(term.maximum) in term.allowed
        refused(read_annex, term, items(term.maximum + 1))


@pytest.mark.parametrize("term", LISTS, ids=name_of)
def test_a_list_is_one_problem_however_many_items_are_wrong(read_annex: ReadAnnex, term: Texts) -> None:
    refused(read_annex, term, '["!", "?"]')


@pytest.mark.parametrize("term", TEXTS, ids=name_of)
def test_a_text_has_the_form_of_the_term(read_annex: ReadAnnex, term: Text) -> None:
    example = term.form.example
    keys = {terms.VPC.name: {"subnets": '["subnet-01234567"]'}, **INSTALLING}.get(term.name, {})
    assert term.form.matches(example)
    assert getattr(read_annex(**keys, **{term.name: f'"{example}"'}).annexes["demo"], term.name) == example
    before = ")" if term is terms.START else "!"  # an expression may begin with !
    for other in (f"{example}!", f"{before}{example}", f"{example}\\n", ""):
        if term is terms.REGION and other:
            with pytest.raises(SpecError, match=f'did you mean "{example}"'):
                read_annex(region=f'"{other}"')
        else:
            refused(read_annex, term, f'"{other}"')


def refused(read_annex: ReadAnnex, term: Term, text: str) -> None:
    assert isinstance(term, Span | Number | Price | Text | Texts)
    with pytest.raises(SpecError) as caught:
        read_annex(**{**ANNEX, term.name: text})
    (problem,) = caught.value.problems
    allowed = problem.allowed
    if term is terms.START:  # the position of the mistake follows
        assert allowed.startswith(f"{term.allowed}; ")
        allowed = term.allowed
    assert (problem.key, allowed, problem.fix) == (term.name, term.allowed, f"{term.name} = {written(term)}")
