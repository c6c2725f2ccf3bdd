"""A shared network in a spec file, and the warning about many VPCs in one account and Region."""

from __future__ import annotations

from typing import Any

import pytest

from annex_spec import AnnexSpec
from annex_spec.annex_warnings import vpc_warning
from tests.unit.spec.spec_texts import POOL, Read

VALUES: dict[str, Any] = {
    "region": "us-east-1",
    "image": "ami-0123456789abcdef0",
    "size": 2,
    "lease": "8h",
    "instance_types": ["c6a.large"],
}
ONE, OTHER = "123456789012", "210987654321"
OWN: dict[str, Any] = {}
SHARED = {"vpc": "shared"}
GIVEN = {"vpc": "vpc-01234567", "subnets": ["subnet-01234567"]}
ELSEWHERE = {"region": "eu-west-1"}


def warning(annexes: list[dict[str, Any]]) -> str | None:
    return vpc_warning(
        [AnnexSpec.model_validate({**VALUES, "name": f"n{n}", **each}) for n, each in enumerate(annexes)], "us-east-1"
    )


@pytest.mark.parametrize(
    "annexes",
    [
        [],
        [OWN] * 3,
        [OWN] * 3 + [GIVEN] * 3,
        [OWN] * 3 + [ELSEWHERE] * 3,
        [OWN] * 2 + [SHARED] * 5,
        [{"account": ONE}] * 3 + [{"account": OTHER}] * 3,
        [OWN] + [{"account": ONE}] * 2 + [{"account": OTHER}] * 2,
        # The account that is not stated may be the one that is: then the two shared networks are one.
        [SHARED, {"account": ONE, **SHARED}] + [{"account": ONE}] * 2,
        [ELSEWHERE] * 4,
    ],
)
def test_three_in_one_account_are_not_worth_a_warning(annexes: list[dict[str, Any]]) -> None:
    assert warning(annexes) is None


@pytest.mark.parametrize(
    ("annexes", "count"),
    [
        ([OWN] * 4, 4),
        ([OWN] * 7, 7),
        ([OWN] * 3 + [SHARED] * 2, 4),
        ([{"account": ONE}] * 4 + [{"account": OTHER}], 4),
        ([OWN] * 2 + [{"account": ONE}] * 2 + [{"account": OTHER}], 4),
    ],
)
def test_four_are(annexes: list[dict[str, Any]], count: int) -> None:
    text = warning(annexes)
    assert text is not None
    assert text.startswith(f"the annexes of this file make {count} VPCs in us-east-1; by default an account may have 5")
    assert 'fix: write vpc = "shared"' in text


def test_an_annex_may_share_a_network_where_the_defaults_name_one_and_the_reverse(read: Read) -> None:
    given, shared = 'vpc = "vpc-01234567"\nsubnets = ["subnet-01234567"]\n', 'vpc = "shared"\n'
    keys = 'region = "us-east-1"\nimage = "ami-01234567"\nlease = "8h"\nsize = 2\ninstance_types = ["c6a.large"]\n'
    annex = read(f"{POOL}[defaults]\n{given}[annex.a]\n{keys}{shared}").annexes["a"]
    assert (annex.vpc, annex.subnets) == ("shared", ())
    other = read(f"{POOL}[defaults]\n{shared}[annex.a]\n{keys}{given}").annexes["a"]
    assert (other.vpc, other.subnets) == ("vpc-01234567", ("subnet-01234567",))
