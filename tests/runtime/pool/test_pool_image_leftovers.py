"""`annex leftovers --image`: every resource of a built image is found, with its command, and no other image's."""

from __future__ import annotations

import json
import shlex
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import EndpointConnectionError

from annex_pool.leftovers.image_search import IMAGE_KINDS
from tests.runtime.pool.image_builder import ACCOUNT, ImageBuilder
from tests.runtime.pool.pool_world import SPEC, World, aws
from tests.runtime.pool.remains import pairs

WEST = "us-west-2"
IMAGE = '[image.base]\nregion = "us-east-1"\n'
_TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def builder(world: World, monkeypatch: pytest.MonkeyPatch) -> ImageBuilder:
    world.spec = SPEC + IMAGE
    return ImageBuilder(monkeypatch)


def left(world: World, *words: str) -> dict[str, Any]:
    done = world.annex("leftovers", "--image", "base", "--json", *words)
    data: dict[str, Any] = json.loads(done.out)
    assert done.exit_code == (0 if data["nothing_left"] else 1)
    assert data["nothing_left"] == (not data["leftovers"] and not data["errors"])
    return data


def found(world: World, *words: str) -> list[tuple[str, str, str]]:
    data = left(world, *words)
    assert data["errors"] == []
    return [(each["region"], each["kind"], each["id"]) for each in data["leftovers"]]


def machine_image(region: str, image: str = "base") -> tuple[str, str]:
    """A machine image with a snapshot, as Image Builder makes one; the ids."""
    ec2 = aws(region).ec2
    made = ec2.register_image(Name=f"annex-{image}", RootDeviceName="/dev/xvda")["ImageId"]
    (described,) = ec2.describe_images(ImageIds=[made])["Images"]
    (snapshot,) = (each["Ebs"]["SnapshotId"] for each in described["BlockDeviceMappings"])
    tags = {"CreatedBy": "EC2 Image Builder", "Ec2ImageBuilderArn": record(image)}
    ec2.create_tags(Resources=[made], Tags=pairs({**tags, "annex:image": image}))
    ec2.create_tags(Resources=[snapshot], Tags=pairs(tags))
    return made, snapshot


def record(image: str) -> str:
    return f"arn:aws:imagebuilder:us-east-1:{ACCOUNT}:image/annex-{image}/1.2.3/1"


def make_roles(image: str) -> None:
    iam = boto3.client("iam")
    iam.create_role(RoleName=f"AnnexImage-{image}-ImageInstanceRole637A63EC-X", AssumeRolePolicyDocument=_TRUST)
    iam.create_instance_profile(InstanceProfileName=f"AnnexImage-{image}-ImageInstanceProfileE31F42A3-X")


def test_nothing_is_left_after_two_searches(world: World, builder: ImageBuilder) -> None:
    done = world.annex("leftovers", "--image", "base")
    assert (done.exit_code, done.err) == (0, "")
    assert f"nothing is left of image base: searched twice for {len(IMAGE_KINDS)} kinds of resource" in done.out
    assert "eu-west-1, us-east-1, us-west-2" in done.out
    assert world.slept == [10.0]


def test_everything_that_the_stack_makes_is_found_in_the_order_of_its_removal(
    world: World, builder: ImageBuilder
) -> None:
    arns = builder.made(WEST, "base")
    for other in ("base-2", "ba", "x-base", "base-newest", "base-docker"):
        builder.made(WEST, other)
    builder.add(WEST, "component", "annex-base-other", "1.0.0")
    expected = [each.rpartition("/")[0].split(":")[5].split("/")[0] for each in arns]
    kinds = {
        "image-pipeline": "pipeline",
        "image-recipe": "recipe",
        "infrastructure-configuration": "infrastructure configuration",
        "distribution-configuration": "distribution configuration",
        "lifecycle-policy": "lifecycle policy",
        "component": "component",
        "image": "Image Builder image",
    }
    assert found(world) == [(WEST, kinds[kind], arn) for kind, arn in zip(expected, arns, strict=True)]


def test_machine_images_and_snapshots_of_every_region(world: World, builder: ImageBuilder) -> None:
    made = {region: machine_image(region) for region in ("us-east-1", WEST)}
    machine_image(WEST, "base-2")
    assert sorted(found(world)) == sorted(
        (region, kind, each)
        for region, ids in made.items()
        for kind, each in zip(("machine image", "snapshot"), ids, strict=True)
    )


def test_a_snapshot_whose_machine_image_is_gone(world: World, builder: ImageBuilder) -> None:
    image, snapshot = machine_image("us-east-1")
    aws().ec2.deregister_image(ImageId=image)
    assert found(world) == [("us-east-1", "snapshot", snapshot)]


def test_what_boots_a_machine_image(world: World, builder: ImageBuilder) -> None:
    image, _ = machine_image("us-east-1")
    ec2 = aws().ec2
    (instance,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    (gone,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    ec2.terminate_instances(InstanceIds=[gone["InstanceId"]])
    templates = []
    for name, tags in (("of-an-annex", {"annex:name": "demo"}), ("another", {"team": "physics"})):
        made = ec2.create_launch_template(
            LaunchTemplateName=name,
            LaunchTemplateData={"ImageId": image},
            TagSpecifications=[{"ResourceType": "launch-template", "Tags": pairs(tags)}],
        )
        templates.append(made["LaunchTemplate"]["LaunchTemplateId"])
    data = left(world)
    (used,) = (each["used_by"] for each in data["leftovers"] if each["kind"] == "machine image")
    assert used == [instance["InstanceId"], templates[0]]
    done = world.annex("leftovers", "--image", "base")
    assert f"annexes boot {image}: without it they start no instance" in done.err


def test_instances_and_volumes_of_a_build(world: World, builder: ImageBuilder) -> None:
    ec2 = aws(WEST).ec2
    image = ec2.register_image(Name="parent", RootDeviceName="/dev/xvda")["ImageId"]
    for name in ("base", "base-2"):
        tags: Any = [{"ResourceType": "instance", "Tags": pairs({"annex:image": name})}]
        ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=tags)
        tags = [{"ResourceType": "volume", "Tags": pairs({"annex:image": name})}]
        ec2.create_volume(AvailabilityZone=f"{WEST}a", Size=1, TagSpecifications=tags)
    assert [(region, kind) for region, kind, _ in found(world)] == [(WEST, "instance"), (WEST, "volume")]


def test_parameter_log_group_and_stack(world: World, builder: ImageBuilder) -> None:
    for name in ("base", "base-2"):
        parameter: Any = {"Name": f"/annex/image/{name}", "Value": "ami-0123456789abcdef0", "Type": "String"}
        aws().client("ssm").put_parameter(**parameter)
        aws().logs.create_log_group(logGroupName=f"/aws/imagebuilder/annex-{name}")
        body = json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}})
        aws().cloudformation.create_stack(StackName=f"AnnexImage-{name}", TemplateBody=body)
    assert found(world) == [
        ("us-east-1", "stack", "AnnexImage-base"),
        ("us-east-1", "parameter", "/annex/image/base"),
        ("us-east-1", "log group", "/aws/imagebuilder/annex-base"),
    ]


def test_roles_and_instance_profiles_that_a_removal_left(world: World, builder: ImageBuilder) -> None:
    for name in ("base", "base-2"):
        make_roles(name)
    assert found(world) == [
        ("global", "role", "AnnexImage-base-ImageInstanceRole637A63EC-X"),
        ("global", "instance profile", "AnnexImage-base-ImageInstanceProfileE31F42A3-X"),
    ]


def test_each_command_removes_what_it_names(world: World, builder: ImageBuilder) -> None:
    """The commands are those of the AWS CLI: a service of botocore, an operation of it, and its parameters."""
    builder.made(WEST, "base")
    machine_image(WEST)
    parameter: Any = {"Name": "/annex/image/base", "Value": "ami-0123456789abcdef0", "Type": "String"}
    aws(WEST).client("ssm").put_parameter(**parameter)
    aws(WEST).logs.create_log_group(logGroupName="/aws/imagebuilder/annex-base")
    commands = [(each["id"], shlex.split(each["remove"])) for each in left(world)["leftovers"]]
    assert len(commands) >= 15
    for resource, (program, service, operation, *options) in commands:
        assert program == "aws"
        client = boto3.client(service, region_name=WEST)  # type: ignore[call-overload]
        name = operation.replace("-", "_")
        shape = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[name]).input_shape
        given = dict(zip(options[::2], options[1::2], strict=True))
        assert given.pop("--region") == WEST
        ((option, value),) = given.items()
        assert value == resource
        members = {member.lower() for member in shape.members}
        assert option.removeprefix("--").replace("-", "").lower() in members | {each.rstrip("s") for each in members}


def test_a_refused_listing_is_an_error_and_never_an_empty_one(world: World, builder: ImageBuilder) -> None:
    builder.refused = {"ListComponents"}
    data = left(world)
    assert data["leftovers"] == []
    assert len(data["errors"]) == 3
    assert "to list every component of image base in us-east-1" in " ".join(data["errors"])
    done = world.annex("leftovers", "--image", "base")
    assert "it is not known whether anything is left of image base" in done.out
    assert world.slept == []


def test_a_region_that_does_not_answer_is_skipped(
    world: World, builder: ImageBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, snapshot), asked = machine_image("us-east-1"), list[str]()
    answer = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: BaseClient, name: str, params: object) -> object:
        if client.meta.region_name == WEST:
            asked.append(name)
            raise EndpointConnectionError(endpoint_url="https://west")
        return answer(client, name, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    data = left(world)
    assert (data["leftovers"][-1]["id"], len(asked)) == (snapshot, 3)
    assert f"AWS did not answer in {WEST}: the other listings there were skipped" in data["errors"]


def test_an_image_that_the_file_does_not_declare(world: World, builder: ImageBuilder) -> None:
    world.spec = SPEC
    machine_image("us-east-1")
    done = world.annex("leftovers", "--image", "base", "--region", "us-east-1")
    assert done.exit_code == 1
    assert "image base is not declared by" in done.err
    assert "aws ec2 deregister-image --image-id ami-" in done.out


def test_the_search_is_restricted_by_region(world: World, builder: ImageBuilder) -> None:
    machine_image(WEST)
    assert found(world, "--region", "us-east-1") == []
    done = world.annex("leftovers", "--image", "base", "--region", "us-east-1")
    assert "no other Region was searched" in done.out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--image", "base", "--all"], "received --image base and --all: give only one"),
        (["demo", "--image", "base"], "received --image base and NAME demo: give only one"),
        (["--image", "Base"], "name of the image: received 'Base', allowed is lower-case letters"),
    ],
)
def test_input_that_is_not_allowed(world: World, builder: ImageBuilder, words: list[str], complaint: str) -> None:
    done = world.annex("leftovers", *words)
    assert done.exit_code == 2
    assert complaint in " ".join(done.err.split())


def test_nothing_of_an_image_is_a_leftover_of_an_annex(world: World, builder: ImageBuilder) -> None:
    builder.made("us-east-1", "base")
    machine_image("us-east-1")
    make_roles("base")
    assert world.annex("leftovers", "--all").exit_code == 0
