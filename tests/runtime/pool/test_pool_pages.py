"""No command asks for all instances in one answer: AWS throttles such a request, or fails ("DescribeInstances")."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.client import BaseClient

from tests.runtime.pool.image_builder import ImageBuilder
from tests.runtime.pool.pool_world import World, aws, deploy
from tests.runtime.pool.remains import pairs


@pytest.mark.parametrize(
    ("words", "requests"),
    [
        (("leftovers", "--all"), 3),
        (("leftovers", "--image", "base"), 4),
        (("status", "demo"), 2),
        (("status", "demo2"), 1),
    ],
)
def test_instances_are_listed_in_pages(
    world: World, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], requests: int
) -> None:
    ImageBuilder(monkeypatch)
    deploy("demo", annex_id="u-u-i-d.demo")
    image = aws().ec2.register_image(Name="annex-base", RootDeviceName="/dev/xvda")["ImageId"]
    aws().ec2.create_tags(Resources=[image], Tags=pairs({"annex:image": "base"}))
    asked: list[Any] = []
    answer = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: BaseClient, operation: str, params: Any) -> Any:
        if operation == "DescribeInstances":
            asked.append(params)
        return answer(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    world.annex(*words)
    assert len(asked) >= requests
    assert [each for each in asked if "MaxResults" not in each] == []
