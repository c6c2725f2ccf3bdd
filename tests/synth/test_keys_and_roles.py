"""Keys of the volumes and the token, permissions boundary and path: by spec key and by parameter."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from annex_constructs import Annex, AnnexBase, AnnexCredential, AnnexFleet, ExecutionPoint, LeaseTerms, RoleSettings
from annex_constructs.fleet.annex_credential import through_secrets_manager
from annex_spec import BaseSpec
from stacks import AnnexBaseStack
from tests.synth.templates import OWN_NETWORK, Resources, of_type, only, template_of

KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
BOUNDARY = "arn:aws:iam::123456789012:policy/team/Boundary"
PATH = "/team/htcondor/"
ORGANISATION = {"permissions_boundary": BOUNDARY, "role_path": PATH}


def roles(resources: Resources) -> dict[str, tuple[Any, Any]]:
    found = of_type(resources, "AWS::IAM::Role")
    return {
        name: (each["Properties"].get("PermissionsBoundary"), each["Properties"].get("Path"))
        for name, each in found.items()
    }


def paths_of_profiles(resources: Resources) -> set[Any]:
    return {each["Properties"].get("Path") for each in of_type(resources, "AWS::IAM::InstanceProfile").values()}


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, (None, None)),
        (ORGANISATION, (BOUNDARY, PATH)),
        ({"permissions_boundary": BOUNDARY}, (BOUNDARY, None)),
        ({"role_path": PATH}, (None, PATH)),
    ],
)
def test_every_role_of_an_annex_has_the_boundary_and_the_path(
    flags: dict[str, Any], keys: dict[str, str], expected: tuple[str | None, str | None]
) -> None:
    resources = template_of(flags, {**OWN_NETWORK, **keys})["Resources"]
    found = roles(resources)
    assert len(found) == 4, "instances, lease checker, its schedule, its responder"
    assert set(found.values()) == {expected}
    assert paths_of_profiles(resources) == {expected[1]}


@pytest.mark.parametrize(("keys", "expected"), [({}, (None, None)), (ORGANISATION, (BOUNDARY, PATH))])
def test_every_role_of_the_base_has_the_boundary_and_the_path(
    flags: dict[str, Any], keys: dict[str, str], expected: tuple[str | None, str | None]
) -> None:
    stack = AnnexBaseStack(App(context=flags), base=BaseSpec.model_validate(keys), region="us-east-1")
    found = roles(Template.from_stack(stack).to_json()["Resources"])
    assert len(found) == 2, "sweeper, its schedule"
    assert set(found.values()) == {expected}


def test_a_role_of_the_app_keeps_what_it_has(stack: Stack) -> None:
    own = iam.ManagedPolicy.from_managed_policy_arn(stack, "Own", "arn:aws:iam::aws:policy/PowerUserAccess")
    principal = iam.ServicePrincipal("ec2.amazonaws.com")
    iam.Role(stack, "Mine", assumed_by=principal, permissions_boundary=own, path="/mine/")
    iam.Role(stack, "Other", assumed_by=principal)
    RoleSettings.apply(stack, permissions_boundary=BOUNDARY, role_path=PATH)
    found = roles(Template.from_stack(stack).to_json()["Resources"])
    assert sorted(found.values()) == [(BOUNDARY, PATH), ("arn:aws:iam::aws:policy/PowerUserAccess", "/mine/")]


@pytest.mark.parametrize(
    ("settings", "parameter"),
    [({"permissions_boundary": "Boundary"}, "permissions_boundary"), ({"role_path": "team"}, "role_path")],
)
def test_settings_of_another_form_are_refused(stack: Stack, settings: dict[str, str], parameter: str) -> None:
    with pytest.raises(ValueError, match=f"RoleSettings {parameter}: received .*, allowed .*; fix: pass {parameter}="):
        RoleSettings.apply(stack, **settings)


def volumes(resources: Resources) -> list[Any]:
    data = only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    return [(each["Ebs"]["Encrypted"], each["Ebs"].get("KmsKeyId")) for each in data["BlockDeviceMappings"]]


def decrypting(resources: Resources) -> list[Any]:
    statements = only(resources, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    return [(each["Resource"], each["Condition"]) for each in statements if each["Action"] == "kms:Decrypt"]


VIA = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}


def test_without_keys_the_defaults_of_the_account_encrypt(flags: dict[str, Any]) -> None:
    resources = template_of(flags, OWN_NETWORK)["Resources"]
    assert volumes(resources) == [(True, None)]
    assert "KmsKeyId" not in only(resources, "AWS::SecretsManager::Secret")
    assert decrypting(resources) == []


def test_the_keys_of_the_spec(flags: dict[str, Any]) -> None:
    other = KEY.replace("01234567", "89abcdef")
    resources = template_of(flags, {**OWN_NETWORK, "volume_key": KEY, "credential_key": other})["Resources"]
    assert volumes(resources) == [(True, KEY)]
    assert only(resources, "AWS::SecretsManager::Secret")["KmsKeyId"] == other
    assert decrypting(resources) == [(other, VIA)], "through Secrets Manager, and not the key of the volumes"


def annex_with(stack: Stack, point: ExecutionPoint, **more: Any) -> Annex:
    types = [ec2.InstanceType("c6a.large")]
    lease = LeaseTerms(duration=Duration.hours(8))
    return Annex(stack, "Demo", execution_point=point, instance_types=types, max_size=2, lease=lease, **more)


def test_a_key_of_the_app_lets_auto_scaling_use_it(stack: Stack, point: ExecutionPoint) -> None:
    key = kms.Key(stack, "Key")
    annex_with(stack, dataclasses.replace(point, volume_key=key), credential_key=key)
    resources = Template.from_stack(stack).to_json()["Resources"]
    arn = stack.resolve(key.key_arn)
    assert volumes(resources) == [(True, arn)]
    assert [resource for resource, _ in decrypting(resources)] == [arn]
    statements = {each.get("Sid"): each for each in only(resources, "AWS::KMS::Key")["KeyPolicy"]["Statement"]}
    use, grants = statements["AnnexVolumes"], statements["AnnexVolumeGrants"]
    role = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    assert role in str(use["Principal"]) and use["Principal"] == grants["Principal"]
    assert set(use["Action"]) == {
        "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey",
    }  # fmt: skip
    assert grants["Action"] == "kms:CreateGrant"
    assert grants["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


@pytest.mark.parametrize(
    ("grant", "expected"), [("grant_operate", True), ("grant_push_credential", True), ("grant_stop", False)]
)
def test_who_pushes_a_token_may_use_its_key(stack: Stack, point: ExecutionPoint, grant: str, expected: bool) -> None:
    annex = annex_with(stack, point, credential_key=kms.Key.from_key_arn(stack, "Key", KEY))
    role = iam.Role(stack, "Operator", assumed_by=iam.AccountRootPrincipal())
    getattr(annex, grant)(role)
    resources = Template.from_stack(stack).to_json()["Resources"]
    (policy,) = (each for name, each in of_type(resources, "AWS::IAM::Policy").items() if name.startswith("Operator"))
    statements = [each for each in policy["Properties"]["PolicyDocument"]["Statement"] if each["Resource"] == KEY]
    if not expected:
        assert statements == []
        return
    (statement,) = statements
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Condition"] == stack.resolve(through_secrets_manager(stack))


def test_the_policy_of_a_key_of_others_is_theirs(stack: Stack, point: ExecutionPoint) -> None:
    key = kms.Key.from_key_arn(stack, "Key", KEY)
    annex_with(stack, dataclasses.replace(point, volume_key=key))
    resources = Template.from_stack(stack).to_json()["Resources"]
    assert volumes(resources) == [(True, KEY)]
    assert not of_type(resources, "AWS::KMS::Key")


def test_a_credential_has_its_key(stack: Stack) -> None:
    AnnexCredential(stack, "Credential", encryption_key=kms.Key.from_key_arn(stack, "Key", KEY))
    assert only(Template.from_stack(stack).to_json()["Resources"], "AWS::SecretsManager::Secret")["KmsKeyId"] == KEY


def test_settings_reach_the_parts_of_an_app_of_its_own(stack: Stack, fleet: AnnexFleet) -> None:
    AnnexBase(stack, "Base")
    RoleSettings.apply(stack, role_path=PATH)
    found = roles(Template.from_stack(stack).to_json()["Resources"])
    assert len(found) == 3
    assert {path for _, path in found.values()} == {PATH}
