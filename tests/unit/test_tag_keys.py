"""Keys of tags that EC2 takes on instances whose tags are in their metadata, and the keys of the lease among them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease import tags
from annex_lease.tags import Tag, keys_against_launches, unusable_in_metadata

# As EC2 says it: "Tag keys must match pattern ([0-9a-zA-Z\\-_+=,.@:]{1,255}), and must not be a reserved name
# ('.', '..', '_index')" (https://github.com/kubernetes/cloud-provider-aws/issues/436).
PATTERN = re.compile(r"[0-9a-zA-Z\-_+=,.@:]{1,255}")
RESERVED = (".", "..", "_index")


@pytest.mark.parametrize(
    "key",
    ["team", "cost-centre", "a+b=c,d.e@f:g_h", "...", "_indexes", "index", "aws:autoscaling:groupName", "k" * 255],
)
def test_usable(key: str) -> None:
    assert not unusable_in_metadata(key)


@pytest.mark.parametrize(
    "key", ["team/owner", "cost centre", "Patch Group", "kubernetes.io/cluster/a", "", ".", "..", "_index", "tëam"]
)
def test_unusable(key: str) -> None:
    assert unusable_in_metadata(key)


@pytest.mark.parametrize("key", ["k" * 256, "team\n", "\nteam", "a\tb", "a*", "a%2Fb", "٣"])
def test_unusable_at_the_edges(key: str) -> None:
    assert unusable_in_metadata(key)


@given(st.text(alphabet=st.characters(codec="utf-8", max_codepoint=0x2FF), max_size=8) | st.sampled_from(RESERVED))
def test_the_rule_is_that_of_ec2(key: str) -> None:
    assert unusable_in_metadata(key) == (PATTERN.fullmatch(key) is None or key in RESERVED)


def test_every_key_of_ours_is_usable() -> None:
    keys = {value for name, value in vars(tags).items() if name.startswith("TAG_") and isinstance(value, str)}
    assert len(keys) > 20
    assert not [key for key in keys if unusable_in_metadata(key)]


def test_every_key_of_ours_is_declared_or_written_later() -> None:
    """Otherwise it would not be counted when a template leaves room for the record."""
    keys = {value for name, value in vars(tags).items() if name.startswith("TAG_") and isinstance(value, str)}
    # Of the responder's function only; of images.
    assert keys - {tags.TAG_RESPONDER} - tags.IMAGE_TAGS == tags.DECLARED_TAGS | tags.RUNTIME_TAGS
    assert not tags.DECLARED_TAGS & tags.RUNTIME_TAGS


def test_only_what_a_group_propagates_hinders_its_launches() -> None:
    given = (
        Tag("team/owner", "physics", True),
        Tag("Patch Group", "a", False),
        Tag("cost centre", "1", True),
        Tag("team", "physics", True),
        *(tags.group_tag(key, "x") for key in sorted(tags.DECLARED_TAGS | tags.RUNTIME_TAGS)),
    )
    assert keys_against_launches(given) == ("team/owner", "cost centre")
    assert keys_against_launches(()) == ()
