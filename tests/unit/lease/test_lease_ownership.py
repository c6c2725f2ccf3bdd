"""Owner of a resource, by its tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease.ownership import (
    GROUP_TAG,
    STACK_ID_TAG,
    STACK_NAME_TAG,
    Identity,
    Owner,
    annex_id,
    by_key_from_api,
    carries_name,
    claimed_name,
    name_of_stack,
    stack_uuid,
)
from annex_lease.tags import TAG_ID, TAG_NAME

ONE, TWO = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
MUON = Identity("muon", f"{ONE}.muon", "Fleet")
OWN = {TAG_NAME: "muon", TAG_ID: f"{ONE}.muon"}

texts = st.text(max_size=6) | st.sampled_from(["muon", f"{ONE}.muon", f"{TWO}.muon", "Fleet", "Other"])
tagged = st.dictionaries(st.sampled_from([TAG_NAME, TAG_ID, GROUP_TAG]), texts)


def arn(uuid: str) -> str:
    return f"arn:aws:cloudformation:us-east-1:123456789012:stack/Annex-muon/{uuid}"


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        ({GROUP_TAG: "Fleet"}, Owner.MEMBER),
        ({GROUP_TAG: "Fleet", TAG_ID: f"{TWO}.muon"}, Owner.MEMBER),
        (OWN, Owner.ANNEX),
        (OWN | {GROUP_TAG: "Unknown"}, Owner.ANNEX),
        (OWN | {GROUP_TAG: "Other"}, Owner.OTHER),
        ({TAG_NAME: "muon"}, Owner.OTHER),
        ({TAG_NAME: "muon", TAG_ID: f"{TWO}.muon"}, Owner.OTHER),
        ({GROUP_TAG: "fleet"}, Owner.OTHER),
        ({GROUP_TAG: "Fleet2"}, Owner.OTHER),
        ({TAG_ID: f"{ONE}.muon2"}, Owner.OTHER),
        ({}, Owner.OTHER),
    ],
)
def test_the_group_counts_then_the_id_and_never_the_name_alone(tags: dict[str, str], owner: Owner) -> None:
    assert MUON.owner_of(tags, other_groups={"Other", "Fleet"}) is owner
    assert owner.ours is (owner in (Owner.MEMBER, Owner.ANNEX))


@given(tagged)
def test_an_unknown_identity_owns_nothing(tags: dict[str, str]) -> None:
    assert Identity().owner_of(tags) is Owner.OTHER
    assert Identity(name="muon").owner_of(tags) is Owner.OTHER


@given(tagged, tagged)
def test_no_resource_is_of_two_annexes(tags: dict[str, str], others: dict[str, str]) -> None:
    other = Identity.claimed_by(others)
    groups = {MUON.group, other.group}
    if MUON.id != other.id and MUON.group != other.group:
        owners = [identity.owner_of(tags, other_groups=groups) for identity in (MUON, other)]
        assert not all(owner.ours for owner in owners)


@pytest.mark.parametrize(
    ("tags", "owned"),
    [
        (OWN, True),
        ({TAG_NAME: "muon"}, False),
        ({TAG_ID: f"{ONE}.muon"}, False),
        (OWN | {TAG_NAME: "muon2"}, False),
        (OWN | {TAG_ID: f"{TWO}.muon"}, False),
        ({}, False),
    ],
)
def test_a_secret_or_a_function_needs_name_and_id(tags: dict[str, str], owned: bool) -> None:
    assert MUON.owns(tags) is owned


def test_where_the_group_declares_no_id_the_name_is_enough() -> None:
    assert Identity("muon", group="Fleet").owns({TAG_NAME: "muon", TAG_ID: "any"})
    assert not Identity("muon", group="Fleet").owns({TAG_NAME: "muon*"})
    assert carries_name({TAG_NAME: "muon"}, "muon")
    assert not carries_name({}, "muon")


@pytest.mark.parametrize(
    ("tags", "uuid"),
    [
        (OWN, ONE),
        ({STACK_ID_TAG: arn(ONE)}, ONE),
        (OWN | {STACK_ID_TAG: arn(ONE)}, ONE),
        (OWN | {STACK_ID_TAG: arn(TWO)}, None),
        (OWN | {STACK_ID_TAG: "rubbish"}, None),
        (OWN | {TAG_NAME: "quark"}, None),
        ({TAG_NAME: "muon", TAG_ID: "no-uuid.muon"}, None),
        ({TAG_NAME: "muon"}, None),
    ],
)
def test_the_stack_is_known_only_if_every_tag_agrees(tags: dict[str, str], uuid: str | None) -> None:
    assert stack_uuid(tags) == uuid
    assert annex_id(tags) == (f"{uuid}.muon" if uuid and TAG_NAME in tags else "")


def test_claims_are_read_as_they_are() -> None:
    assert claimed_name({TAG_NAME: "muon", TAG_ID: f"{ONE}.quark"}) == "muon"
    assert claimed_name({TAG_ID: f"{ONE}.a.b"}) == "a.b"
    assert claimed_name({STACK_NAME_TAG: "Annex-muon"}) is None
    assert name_of_stack({STACK_NAME_TAG: "Annex-muon"}) == "muon"
    assert name_of_stack({STACK_NAME_TAG: "My-Annex-muon"}) is None
    assert name_of_stack({}) is None
    assert Identity.claimed_by(OWN | {GROUP_TAG: "Fleet"}) == MUON
    assert by_key_from_api([{"Key": "a", "Value": "b"}, {"Key": "c"}]) == {"a": "b", "c": ""}
