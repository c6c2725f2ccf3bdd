"""The stack of an image: distribution, removal, versions that follow from the content, findings of rule checkers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks
from cfnlint import ManualArgs, lint  # type: ignore[import-untyped]

from annex_lease.tags import TAG_ID, TAG_NAME
from tests.synth.image_template import (
    BUILDER,
    EU_KEY,
    EVERYTHING,
    SMALLEST,
    US_KEY,
    image_stack,
    image_template,
    recipe,
    with_scripts,
)
from tests.synth.templates import Resources, named, of_type, only
from tests.synth.test_rule_checkers import acknowledged


def test_the_distribution(smallest: Resources, everything: Resources) -> None:
    image: dict[str, Any] = {
        "Name": "annex-base-{{ imagebuilder:buildDate }}",
        "Description": "Execution points of HTCondor annexes: image base",
        "AmiTags": {"annex:image": "base"},
    }
    parameter: dict[str, Any] = {"ParameterName": "/annex/image/base", "DataType": "aws:ec2:image"}
    here = {
        "Region": "us-east-1",
        "AmiDistributionConfiguration": image,
        "SsmParameterConfigurations": [parameter],
    }
    assert only(smallest, f"{BUILDER}DistributionConfiguration")["Distributions"] == [here]
    own = {"Ref": "AWS::AccountId"}
    shared: dict[str, Any] = {
        **image,
        "AmiTags": {"annex:image": "base", "team": "physics"},
        "TargetAccountIds": [own, "210987654321"],
        "LaunchPermissionConfiguration": {"UserIds": ["310987654321"]},
    }
    parameters = [{**parameter, "AmiAccountId": own}, {**parameter, "AmiAccountId": "210987654321"}]
    expected: list[dict[str, Any]] = [
        {
            "Region": region,
            "AmiDistributionConfiguration": {**shared, "KmsKeyId": key},
            "SsmParameterConfigurations": parameters,
        }
        for region, key in (("us-east-1", US_KEY), ("eu-west-1", EU_KEY))
    ]
    assert only(everything, f"{BUILDER}DistributionConfiguration")["Distributions"] == expected


def test_the_removal_of_old_images(everything: Resources) -> None:
    version = recipe(everything)["Version"]
    rule: dict[str, Any] = {
        "Action": {"Type": "DELETE", "IncludeResources": {"Amis": True, "Snapshots": True}},
        "ExclusionRules": {"Amis": {"LastLaunched": {"Unit": "DAYS", "Value": 30}}},
        "Filter": {"Type": "AGE", "Unit": "DAYS", "Value": 30},
    }
    shared: dict[str, Any] = {
        "Description": "Removes old images base of HTCondor annexes and their snapshots",
        "ExecutionRole": {"Fn::GetAtt": [named(everything, "AWS::IAM::Role", "RemovalRole"), "Arn"]},
        "ResourceType": "AMI_IMAGE",
        "Tags": {"annex:image": "base", "team": "physics"},
    }
    excluded: dict[str, Any] = {**rule["ExclusionRules"], "TagMap": {"annex:recipe": version}}
    found = [each["Properties"] for each in of_type(everything, f"{BUILDER}LifecyclePolicy").values()]
    assert sorted(found, key=lambda each: each["Name"]) == [
        {
            **shared,
            "Name": "annex-base-newest",
            "PolicyDetails": [{**rule, "Filter": {**rule["Filter"], "RetainAtLeast": 5}}],
            "ResourceSelection": {"Recipes": [{"Name": "annex-base", "SemanticVersion": version}]},
        },
        {
            **shared,
            "Name": "annex-base-superseded",
            "PolicyDetails": [{**rule, "ExclusionRules": excluded}],
            "ResourceSelection": {"TagMap": {"annex:image": "base"}},
        },
    ]


def test_another_content_has_another_version(flags: Any, tmp_path: Path, smallest: Resources) -> None:
    def versions(resources: Resources) -> dict[str, str]:
        components = of_type(resources, f"{BUILDER}Component").values()
        found = {each["Properties"]["Name"]: each["Properties"]["Version"] for each in components}
        return {**found, "recipe": recipe(resources)["Version"]}

    first = versions(smallest)
    other = versions(image_template(flags, {**SMALLEST, "htcondor": "25.x"})["Resources"])
    assert {name for name in first if first[name] != other[name]} == {
        "annex-base-htcondor",
        "annex-base-end",
        "recipe",
    }
    larger = versions(image_template(flags, {**SMALLEST, "volume_gib": 21})["Resources"])
    assert {name for name in first if first[name] != larger[name]} == {"recipe"}
    directory = with_scripts(tmp_path)
    spec = {**SMALLEST, "script": "tools.sh"}
    with_script = versions(image_template(flags, spec, directory)["Resources"])
    assert with_script.keys() - first.keys() == {"annex-base-script"}
    assert with_script["recipe"] != first["recipe"]
    (directory / "tools.sh").write_text("echo other\n")
    changed = versions(image_template(flags, spec, directory)["Resources"])
    assert {name for name in changed if changed[name] != with_script[name]} == {"annex-base-script", "recipe"}
    for version in first.values():
        assert all(0 <= int(node) < 2**30 for node in version.split("."))
    # What does not make another image makes no other version.
    assert versions(image_template(flags, {**SMALLEST, "keep": 5, "regions": ("eu-west-1",)})["Resources"]) == first


@pytest.mark.parametrize("spec", [SMALLEST, EVERYTHING])
def test_two_syntheses_agree(flags: Any, tmp_path: Path, spec: dict[str, Any]) -> None:
    directory = with_scripts(tmp_path)
    first, second = (json.dumps(image_template(flags, spec, directory)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("spec", [SMALLEST, EVERYTHING])
def test_no_checker_finds_anything_that_was_not_decided(app: App, tmp_path: Path, spec: dict[str, Any]) -> None:
    image_stack(app, spec, with_scripts(tmp_path))
    decided = acknowledged(app)
    assert {path: len(rules) for path, rules in decided.items()} == {
        "Image/InstanceRole": 4,
        "Image/BuilderRole": 1,
        "Image/RemovalRole": 4,
    }
    assert all(len(reason) > 40 for rules in decided.values() for reason in rules.values())
    pack = AwsSolutionsChecks(app)
    found = {
        (str(resource.construct_path).split("/", 1)[1].rpartition("/")[0], violation.rule_name)
        for violation in pack.validate_scope(app).violations
        for resource in violation.violating_resources
    }
    assert found == {(path, rule) for path, rules in decided.items() for rule in rules}
    Validations.of(app).add_plugins(pack)
    template = next(stack.template for stack in app.synth().stacks)
    matches = lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"], include_checks=["I"]))
    assert [(each.rule.id, *each.path[1:3]) for each in matches if each.rule.id != "I1022"] == []


def test_nothing_of_an_image_looks_like_an_annex(everything: Resources) -> None:
    """Otherwise the account-wide sweeper would remove it as an orphan."""
    assert TAG_NAME not in json.dumps(everything)
    assert TAG_ID not in json.dumps(everything)


def test_every_resource_that_can_have_it_has_the_tag_of_the_image(smallest: Resources) -> None:
    for name, resource in smallest.items():
        if resource["Type"] == "AWS::IAM::InstanceProfile":
            continue
        tags = resource["Properties"]["Tags"]
        found = tags if isinstance(tags, dict) else {each["Key"]: each["Value"] for each in tags}
        assert found["annex:image"] == "base", name


def test_boundary_and_path_reach_every_role(everything: Resources) -> None:
    for role in of_type(everything, "AWS::IAM::Role").values():
        assert role["Properties"]["PermissionsBoundary"] == EVERYTHING["permissions_boundary"]
        assert role["Properties"]["Path"] == "/htcondor/"


def test_the_log_is_where_image_builder_may_write_and_ends_with_the_stack(smallest: Resources) -> None:
    ((_, group),) = of_type(smallest, "AWS::Logs::LogGroup").items()
    assert group["Properties"]["LogGroupName"] == "/aws/imagebuilder/annex-base"
    assert (group["Properties"]["RetentionInDays"], group["DeletionPolicy"]) == (30, "Delete")


def test_the_outputs_name_what_a_command_needs(flags: Any) -> None:
    outputs = image_template(flags, SMALLEST)["Outputs"]
    assert outputs["Parameter"]["Value"] == "/annex/image/base"
    _, parts = outputs["BuildNow"]["Value"]["Fn::Join"]
    assert parts[0] == ("aws imagebuilder start-image-pipeline-execution --region us-east-1 --image-pipeline-arn ")
    assert outputs.keys() == {"Pipeline", "Parameter", "ImageId", "BuildNow"}
