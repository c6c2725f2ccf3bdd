"""`annex leftovers --image`: what boots a machine image, and states in which a resource is left or is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.runtime.pool.image_builder import ImageBuilder
from tests.runtime.pool.pool_world import SPEC, World, aws
from tests.runtime.pool.remains import pairs
from tests.runtime.pool.test_pool_image_leftovers import IMAGE, found, left, machine_image

HERE = "us-east-1"
Answer = dict[str, Any]


@pytest.fixture
def region(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """The one Region that is searched."""
    world.spec = SPEC + IMAGE
    ImageBuilder(monkeypatch)
    return HERE


def answering(monkeypatch: pytest.MonkeyPatch, change: Callable[[str, Mapping[str, Any], Answer], Answer]) -> None:
    """Have AWS answer as it does and moto does not."""
    real = BaseClient._make_api_call  # type: ignore[attr-defined]
    monkeypatch.setattr(
        BaseClient, "_make_api_call", lambda client, name, params: change(name, params, real(client, name, params))
    )


def started(image: str, *tags: tuple[str, str]) -> str:
    specified: Any = [{"ResourceType": "instance", "Tags": pairs(dict(tags))}] if tags else []
    made = aws().ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=specified)
    return str(made["Instances"][0]["InstanceId"])


def users(world: World) -> dict[str, list[str]]:
    """Users of each machine image, by its id."""
    listed = left(world, "--region", HERE)["leftovers"]
    return {each["id"]: each["used_by"] for each in listed if each["kind"] == "machine image"}


def test_instances_of_each_machine_image(world: World, region: str) -> None:
    images = [machine_image(region)[0], machine_image(region)[0]]
    expected = {image: [started(image)] for image in images}
    assert users(world) == expected


def test_a_launch_template_whose_default_version_is_not_its_latest(world: World, region: str) -> None:
    """A group names a version that CloudFormation has just made, or the default one."""
    first, default, latest, ec2 = *(machine_image(region)[0] for _ in range(3)), aws().ec2
    made = ec2.create_launch_template(
        LaunchTemplateName="of-an-annex",
        LaunchTemplateData={"ImageId": first},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": pairs({"annex:name": "demo"})}],
    )["LaunchTemplate"]["LaunchTemplateId"]
    for image in (default, latest):
        ec2.create_launch_template_version(LaunchTemplateId=made, LaunchTemplateData={"ImageId": image})
    ec2.modify_launch_template(LaunchTemplateId=made, DefaultVersion="2")
    assert users(world) == {first: [], default: [made], latest: [made]}


@pytest.mark.parametrize(("state", "listed"), [("terminated", False), ("shutting-down", True), ("stopped", True)])
def test_an_instance_of_a_build_is_left_until_it_is_terminated(
    world: World, region: str, monkeypatch: pytest.MonkeyPatch, state: str, listed: bool
) -> None:
    instance = started("ami-0123456789abcdef0", ("annex:image", "base"))

    def change(name: str, _: Mapping[str, Any], answer: Answer) -> Answer:
        for each in answer["Reservations"] if name == "DescribeInstances" else ():
            each["Instances"][0]["State"]["Name"] = state
        return answer

    answering(monkeypatch, change)
    assert ((HERE, "instance", instance) in found(world, "--region", HERE)) is listed


def test_a_machine_image_that_is_disabled(world: World, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """EC2 lists it only if it is asked for (EC2 API Reference, DescribeImages)."""
    image, _ = machine_image(region)

    def change(name: str, params: Mapping[str, Any], answer: Answer) -> Answer:
        return {**answer, "Images": []} if name == "DescribeImages" and not params.get("IncludeDisabled") else answer

    answering(monkeypatch, change)
    assert (HERE, "machine image", image) in found(world, "--region", HERE)


def test_where_there_is_no_machine_image_its_users_are_not_asked_for(
    world: World, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = set[str]()

    def change(name: str, _: Mapping[str, Any], answer: Answer) -> Answer:
        asked.add(name)
        return answer

    answering(monkeypatch, change)
    assert found(world, "--region", HERE) == []
    assert ("DescribeImages" in asked, "DescribeLaunchTemplates" in asked) == (True, False)


def test_what_only_the_second_search_finds_is_left(world: World, region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tags: Any = [{"ResourceType": "volume", "Tags": pairs({"annex:image": "base"})}]
    volume = aws().ec2.create_volume(AvailabilityZone=f"{HERE}a", Size=1, TagSpecifications=tags)["VolumeId"]
    searches = list[str]()

    def change(name: str, _: Mapping[str, Any], answer: Answer) -> Answer:
        searches.extend(each for each in (name,) if each == "DescribeVolumes")
        return {**answer, "Volumes": []} if name == "DescribeVolumes" and len(searches) == 1 else answer

    answering(monkeypatch, change)
    assert found(world, "--region", HERE) == [(HERE, "volume", volume)]
    assert len(searches) == 2


def test_a_snapshot_that_has_no_tag_of_image_builder(world: World, region: str) -> None:
    image, snapshot = machine_image(region)
    aws().ec2.delete_tags(Resources=[snapshot], Tags=[{"Key": "Ec2ImageBuilderArn"}])
    assert found(world, "--region", HERE) == [(HERE, "machine image", image), (HERE, "snapshot", snapshot)]
