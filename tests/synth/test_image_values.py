"""The value objects of an image and the construct: what they refuse, and with which words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Aws, Duration, Environment, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from annex_constructs import AnnexImage, BuildPlace, ImageContent, ImageDistribution, ImageUpkeep
from annex_spec import SpecError, load
from stacks import images_with_accounts
from tests.synth.image_template import EU_KEY, US_KEY
from tests.synth.templates import annex_stack, of_type, only
from tests.synth.test_app_input import SPEC, run

ACCOUNT = "123456789012"
TYPES = [ec2.InstanceType("c6a.large")]
HERE = Environment(account=ACCOUNT, region="us-east-1")
ROCKY = '\n[image.rocky]\nregion = "us-east-1"\nparent = "rocky-9"\n'


def place() -> Stack:
    return Stack(App(), "Images", env=HERE)


def a_subnet(scope: Stack) -> ec2.ISubnet:
    return ec2.Subnet.from_subnet_id(scope, "Subnet", "subnet-0123456789abcdef0")


def a_key(scope: Stack, arn: str) -> kms.IKey:
    return kms.Key.from_key_arn(scope, "Key", arn)


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: ImageContent(parent="debian-12"), "ImageContent parent: received \"debian-12\"|'debian-12'"),
    (lambda: ImageContent(parent="built:base"), "ImageContent parent"),
    (lambda: ImageContent(parent="ssm:/aws/x"), 'ImageContent parent: .*does not begin with "aws"'),
    (lambda: ImageContent(parent="ssm:/aws/service/ami-windows-latest/x"), "ImageContent parent: .*a Linux image"),
    (lambda: ImageContent(htcondor="24.0"), "ImageContent htcondor"),
    (lambda: ImageContent(htcondor="image"), "ImageContent htcondor"),
    (lambda: ImageContent(components="docker"), "ImageContent components"),
    (lambda: ImageContent(components=["docker", "docker"]), "ImageContent components"),
    (lambda: ImageContent(components=["conda"]), "ImageContent components"),
    (lambda: ImageContent(components=["dokcer"]), 'ImageContent components: .*fix: did you mean "docker"'),
    (lambda: ImageContent(components=["osg", "singularity"]), 'components: .*fix: did you mean "apptainer"'),
    (lambda: ImageContent(components=["conda"]), r"components: .*fix: pass components=\["),
    (lambda: ImageContent(parent="amazon-linux-2023", components=["cvmfs"]), "ImageContent components"),
    (lambda: ImageContent(script=""), "ImageContent script: .*the text of a script, 1 to 10000 bytes"),
    (lambda: ImageContent(script="é" * 5_001), "ImageContent script: .*more than 10000 bytes"),
    (lambda: ImageContent(script="#!/bin/sh\r\ntrue\r\n"), "ImageContent script: .*as on Windows"),
    (lambda: ImageContent(script="\ufefftrue"), "ImageContent script: .*a byte order mark"),
    (lambda: ImageContent(script="echo a\0b"), "ImageContent script: .*a null character"),
    (lambda: ImageContent(script=" \n"), "ImageContent script: .*nothing but blanks"),
    (lambda: ImageContent(script="\ud800"), "ImageContent script: .*bytes that are not UTF-8 at 0"),
    (lambda: ImageContent(script=f"echo {Aws.REGION}"), "ImageContent script: .*known when the app is synthesised"),
    (lambda: ImageContent(script="true", test_script="x" * 10_001), "ImageContent test_script"),
    (lambda: ImageContent(test_script="true"), "ImageContent test_script: .*only with script"),
    (lambda: ImageContent(script=7), "ImageContent script"),  # type: ignore[arg-type]
    (lambda: ImageContent(volume_gib=0), "ImageContent volume_gib"),
    (lambda: ImageContent(volume_gib=Token.as_number({"Ref": "Size"})), "ImageContent volume_gib"),
    (lambda: ImageContent(root_device="sda1"), "ImageContent root_device"),
    (lambda: ImageContent(htcondor_mirror="ftp://mirror"), "ImageContent htcondor_mirror"),
    (lambda: BuildPlace(instance_types=["c6a.large"]), "BuildPlace instance_types"),  # type: ignore[list-item]
    (lambda: BuildPlace(instance_types=[*TYPES, ec2.InstanceType("c7g.large")]), "BuildPlace instance_types"),
    (lambda: BuildPlace(instance_types=[*TYPES, *TYPES]), "BuildPlace instance_types"),
    (lambda: BuildPlace(instance_types=[ec2.InstanceType("c6a.larg")]), "BuildPlace instance_types"),
    (lambda: BuildPlace(instance_types=[ec2.InstanceType(Aws.REGION)]), "BuildPlace instance_types: .*architecture"),
    (lambda: BuildPlace(instance_types=[*TYPES, ec2.InstanceType(Aws.REGION)]), "BuildPlace instance_types: .*known"),
    (lambda: BuildPlace(subnet=a_subnet(place())), "BuildPlace security_group"),
    (lambda: BuildPlace(subnet="subnet-0123456789abcdef0"), "BuildPlace subnet"),  # type: ignore[arg-type]
    (lambda: BuildPlace(results_topic="arn"), "BuildPlace results_topic"),  # type: ignore[arg-type]
    (lambda: ImageDistribution(copies={"eu-wst-1": None}), "ImageDistribution copies"),
    (lambda: ImageDistribution(copies={Aws.REGION: None}), "ImageDistribution copies"),
    (lambda: ImageDistribution(copies=["eu-west-1"]), "ImageDistribution copies"),  # type: ignore[arg-type]
    (lambda: ImageDistribution(copies={"eu-west-1": EU_KEY}), "ImageDistribution copies"),  # type: ignore[dict-item]
    (lambda: ImageDistribution(accounts=["12345"]), "ImageDistribution accounts"),
    (lambda: ImageDistribution(accounts=[ACCOUNT, ACCOUNT]), "ImageDistribution accounts"),
    (lambda: ImageDistribution(share_with=["210987654321"]), "ImageDistribution share_with: .*a key in every Region"),
    (lambda: ImageUpkeep(schedule="daily"), "ImageUpkeep schedule"),
    (lambda: ImageUpkeep(schedule="never", build_unchanged=True), "ImageUpkeep build_unchanged"),
    (lambda: ImageUpkeep(build_unchanged="yes"), "ImageUpkeep build_unchanged"),  # type: ignore[arg-type]
    (lambda: ImageUpkeep(keep=0), "ImageUpkeep keep"),
    (lambda: ImageUpkeep(keep=11), "ImageUpkeep keep"),
    (lambda: ImageUpkeep(keep_launched=Duration.days(6)), "ImageUpkeep keep_launched"),
    (lambda: ImageUpkeep(keep_launched=Duration.days(366)), "ImageUpkeep keep_launched"),
    (lambda: ImageUpkeep(keep_launched=Duration.hours(180)), "ImageUpkeep keep_launched: .*Duration.days\\("),
    (lambda: AnnexImage(place(), "Base_1"), "AnnexImage image_name"),
    (lambda: AnnexImage(place(), "Base", image_name="-base"), "AnnexImage image_name"),
    (lambda: AnnexImage(place(), "Base", content={}), "AnnexImage content"),  # type: ignore[arg-type]
    (lambda: AnnexImage(place(), "Base", image_tags={"annex:image": "other"}), "AnnexImage image_tags"),
    (lambda: AnnexImage(place(), "Base", image_tags={"team": 7}), "AnnexImage image_tags"),  # type: ignore[dict-item]
    (lambda: AnnexImage(place(), "Base", log_retention=30), "AnnexImage log_retention"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_a_value_that_is_not_allowed(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        make()
    assert "allowed" in str(refused.value)


@pytest.mark.parametrize("env", [HERE, None])
def test_two_images_of_a_name_in_an_account_and_region_are_refused(env: Environment | None) -> None:
    app = App()
    AnnexImage(Stack(app, "One", env=env), "Base")
    said = r"AnnexImage image_name: received 'base', allowed a name .* the account and Region; One/Base uses it; fix: "
    two = Stack(app, "Two", env=env)
    with pytest.raises(ValueError, match=said):
        AnnexImage(two, "Second", image_name="base")
    assert AnnexImage(two, "Third", image_name="base-2").image_name == "base-2"


@pytest.mark.parametrize("other", [Environment(account=ACCOUNT, region="eu-west-1"), Environment(region="us-east-1")])
def test_two_images_of_a_name_elsewhere(other: Environment) -> None:
    app = App()
    AnnexImage(Stack(app, "One", env=HERE), "Base")
    assert AnnexImage(Stack(app, "Two", env=other), "Base").image_name == "base"


def test_scripts_of_the_largest_size_are_accepted() -> None:
    content = ImageContent(script="é" * 5_000, test_script="x" * 10_000)
    assert (content.script, content.test_script) == ("é" * 5_000, "x" * 10_000)


def test_an_image_of_the_stacks_own_region_is_no_copy() -> None:
    with pytest.raises(ValueError, match="Regions besides the image's own"):
        AnnexImage(place(), "Base", distribution=ImageDistribution(copies={"us-east-1": None}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"copies": {"cn-north-1": None}}, "ImageDistribution copies: .*partition of AWS, aws; fix: remove cn-north-1"),
        ({"accounts": [ACCOUNT]}, f"ImageDistribution accounts: .*the image's own, {ACCOUNT}; fix: remove {ACCOUNT}"),
    ],
)
def test_a_place_that_the_stack_excludes(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AnnexImage(place(), "Base", distribution=ImageDistribution(**given))
    # In a stack without a place it is not known, and nothing is refused.
    assert AnnexImage(Stack(App(), "Images"), "Base", distribution=ImageDistribution(**given))


def test_an_account_with_the_image_is_no_other_one() -> None:
    stack = place()
    distribution = ImageDistribution(key=a_key(stack, US_KEY), share_with=[ACCOUNT])
    with pytest.raises(ValueError, match=r"ImageDistribution share_with: .*the image's own"):
        AnnexImage(stack, "Base", distribution=distribution)


def test_a_copy_has_a_key_of_its_region() -> None:
    stack = place()
    with pytest.raises(ValueError, match=r"ImageDistribution copies: .*of us-east-1.*a key of eu-west-1"):
        AnnexImage(stack, "Wrong", distribution=ImageDistribution(copies={"eu-west-1": a_key(stack, US_KEY)}))
    key = kms.Key.from_key_arn(stack, "EuKey", EU_KEY)
    assert AnnexImage(stack, "Right", distribution=ImageDistribution(copies={"eu-west-1": key}))


def test_a_parent_of_another_region() -> None:
    shared = "ssm:arn:aws:ssm:{}:210987654321:parameter/parent"
    with pytest.raises(ValueError, match=r"ImageContent parent: .*the Region of the instances, us-east-1"):
        AnnexImage(place(), "Base", content=ImageContent(parent=shared.format("eu-west-1")))
    assert AnnexImage(place(), "Base", content=ImageContent(parent=shared.format("us-east-1")))
    assert AnnexImage(Stack(App(), "Images"), "Base", content=ImageContent(parent=shared.format("eu-west-1")))


def test_a_key_and_a_topic_of_another_region() -> None:
    stack = place()
    with pytest.raises(ValueError, match="ImageDistribution key"):
        AnnexImage(stack, "Keyed", distribution=ImageDistribution(key=a_key(stack, EU_KEY)))
    topic = sns.Topic.from_topic_arn(stack, "Topic", f"arn:aws:sns:eu-west-1:{ACCOUNT}:images")
    with pytest.raises(ValueError, match="BuildPlace results_topic"):
        AnnexImage(stack, "Heard", place=BuildPlace(results_topic=topic))


def test_the_construct_alone_and_its_names() -> None:
    stack = Stack(App(), "Images")
    image = AnnexImage(stack, "Base")
    assert (image.image_name, image.parameter_name) == ("base", "/annex/image/base")
    resources = Template.from_stack(stack).to_json()["Resources"]
    assert len(of_type(resources, "AWS::ImageBuilder::Image")) == 1
    assert stack.resolve(image.pipeline_arn)["Fn::GetAtt"][0] in of_type(resources, "AWS::ImageBuilder::ImagePipeline")
    assert stack.resolve(image.image_id)["Fn::GetAtt"][1] == "ImageId"
    assert stack.resolve(image.log_group.log_group_name)["Ref"] in of_type(resources, "AWS::Logs::LogGroup")


def test_a_place_that_names_no_types_has_two_of_one_architecture() -> None:
    assert BuildPlace().types == ["c6a.large", "c6i.large"]
    assert BuildPlace(instance_types=TYPES).types == ["c6a.large"]


def test_images_of_one_stack_do_not_collide() -> None:
    stack = place()
    AnnexImage(stack, "One", distribution=ImageDistribution(key=a_key(stack, US_KEY)))
    AnnexImage(stack, "Two", image_tags={"team": "physics"})
    recipes = of_type(Template.from_stack(stack).to_json()["Resources"], "AWS::ImageBuilder::ImageRecipe")
    assert sorted(each["Properties"]["Name"] for each in recipes.values()) == ["annex-one", "annex-two"]


def test_an_annex_reads_the_parameter_at_deployment() -> None:
    annex: dict[str, Any] = {
        "name": "demo",
        "region": "us-east-1",
        "instance_types": ["c6a.large"],
        "size": 1,
        "lease": "1h",
        "image": "built:base",
    }
    template = Template.from_stack(annex_stack(App(), annex)).to_json()
    data = only(template["Resources"], "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    parameter = template["Parameters"][data["ImageId"]["Ref"]]
    assert parameter == {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", "Default": "/annex/image/base"}


@pytest.mark.parametrize("account", [None, ""])
def test_a_parent_that_is_looked_up_needs_an_account(tmp_path: Path, account: str | None) -> None:
    file = tmp_path / "annexes.toml"
    file.write_text(SPEC + ROCKY)
    with pytest.raises(SpecError) as refused:
        images_with_accounts(load(file), account)
    (problem,) = refused.value.problems
    assert (problem.table, problem.key, problem.fix) == ("[image.rocky]", "account", f'account = "{ACCOUNT}"')
    assert images_with_accounts(load(file), ACCOUNT)["rocky"].account == ACCOUNT


@pytest.mark.parametrize("key", ["accounts", "share_with"])
def test_the_account_of_the_credentials_is_no_further_one(tmp_path: Path, key: str) -> None:
    file = tmp_path / "annexes.toml"
    file.write_text(f'{SPEC}{ROCKY}{key} = ["{ACCOUNT}"]\nvolume_keys = ["{US_KEY}"]\n')
    with pytest.raises(SpecError) as refused:
        images_with_accounts(load(file), ACCOUNT)
    (problem,) = refused.value.problems
    assert (problem.table, problem.key, problem.fix) == ("[image.rocky]", key, f"remove {ACCOUNT}")
    assert images_with_accounts(load(file), "210987654321")["rocky"].account == "210987654321"


def test_the_app_makes_the_stacks_of_the_images(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CDK_DEFAULT_ACCOUNT", raising=False)
    (tmp_path / "annexes.toml").write_text(SPEC + ROCKY.replace("rocky", "base").replace("base-9", "debian-13"))
    assert not run(monkeypatch, tmp_path, None)
    made = {path.name for path in (tmp_path / "out").glob("*.template.json")}
    assert made == {"Annex-demo.template.json", "AnnexImage-base.template.json"}
