"""Pages of a long answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from tests.world.aws_errors import refusal

_T = TypeVar("_T")


def page_of(found: Sequence[_T], params: dict[str, Any], size: int) -> tuple[list[_T], dict[str, str]]:
    """One page, and the token of the next one if there is one.

    "A response can contain fewer items even when more are available" (API references of DescribeAutoScalingGroups and
    DescribeInstances): a size of 0 stands for the worst that this allows, an empty first page, then one item a page.
    """
    token = params.get("NextToken", "0:0")
    if not token.replace(":", "", 1).isdigit():
        raise refusal("InvalidNextToken", f"The token {token!r} is invalid.", "")
    start, number = (int(part) for part in token.split(":"))
    step = size or min(number, 1)
    end = start + step
    more = {"NextToken": f"{end}:{number + 1}"} if end < len(found) else {}
    return list(found[start:end]), more
