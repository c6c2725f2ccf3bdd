"""Of an annex's two functions, the command asks the lease checker, never its responder."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from annex_lease.observed import Group
from annex_lease.tags import TAG_ID, TAG_NAME, TAG_RESPONDER, group_tag
from annex_pool.command_error import AnnexError
from annex_pool.deployed import Deployed
from annex_pool.own_resources import FUNCTION, find_arn

OWN = {TAG_NAME: "pa", TAG_ID: "0b4f.pa"}


def annex(**functions: dict[str, str]) -> Deployed:
    listed = [
        {"ResourceARN": name, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for name, tags in functions.items()
    ]
    pages = SimpleNamespace(paginate=lambda **_: [{"ResourceTagMappingList": listed}])
    aws: Any = SimpleNamespace(region="us-east-1", tagging=SimpleNamespace(get_paginator=lambda _: pages))
    created = datetime(2026, 11, 23, tzinfo=UTC)
    group = Group("g", created, 0, 2, 0, tags=tuple(group_tag(key, value) for key, value in OWN.items()))
    return Deployed("pa", aws, group)


def test_the_responder_is_not_the_checker() -> None:
    both = annex(responder={**OWN, TAG_RESPONDER: "lease-checker"}, checker=OWN)
    assert find_arn(both, FUNCTION, None) == "checker"


def test_a_responder_alone_is_no_checker() -> None:
    with pytest.raises(AnnexError, match="there is no lease checker function"):
        find_arn(annex(responder={**OWN, TAG_RESPONDER: "lease-checker"}), FUNCTION, None)


def test_two_checkers_are_one_too_many() -> None:
    with pytest.raises(AnnexError, match="2 instead of one"):
        find_arn(annex(one=OWN, two=OWN), FUNCTION, None)
