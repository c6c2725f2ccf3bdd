"""Role of a fleet's instances: any that is passed gets the permissions they need, or the fleet is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk.assertions import Template

from annex_constructs import AnnexFleet, ExecutionPoint, LeaseChecker, LeaseTerms
from tests.synth.templates import Resources, named, of_type, reads_its_archive

EC2 = "ec2.amazonaws.com"
ACCOUNT, OTHER = "123456789012", "210987654321"
FleetWith = Callable[..., AnnexFleet]


@pytest.fixture
def stack(app: App) -> Stack:
    return Stack(app, "Other", env=Environment(account=ACCOUNT, region="us-east-1"))


@pytest.fixture
def fleet_with(stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint) -> FleetWith:
    def make(**more: Any) -> AnnexFleet:
        types = [ec2.InstanceType("c6a.large")]
        given = {"vpc": vpc, "instance_types": types, "max_size": 2, "execution_point": point, **more}
        return AnnexFleet(stack, "Muon", **given)

    return make


def resources_of(stack: Stack) -> Resources:
    return dict(Template.from_stack(stack).to_json()["Resources"])


def expected(resources: Resources, **more: Any) -> list[dict[str, Any]]:
    """The statements of an execution point, whole."""
    group = {"Ref": named(resources, "AWS::AutoScaling::AutoScalingGroup", "MuonGroup")}
    prefix = f"arn:aws:autoscaling:us-east-1:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName/"
    arn = {"Fn::Join": ["", [prefix, group]]}
    secret = more.get("secret") or {"Ref": named(resources, "AWS::SecretsManager::Secret", "Credential")}

    def allow(sid: str, action: str, resource: object, **condition: Any) -> dict[str, Any]:
        return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource, **condition}

    via = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
    return [
        allow("OwnCredential", "secretsmanager:GetSecretValue", secret),
        *([allow("DecryptCredential", "kms:Decrypt", more["key"], Condition=via)] if "key" in more else []),
        allow("LeaveOwnGroup", "autoscaling:TerminateInstanceInAutoScalingGroup", arn),
        *([allow("ProtectWhileBusy", "autoscaling:SetInstanceProtection", arn)] if more.get("busy") else []),
        reads_its_archive(resources),
    ]


def granted(resources: Resources) -> tuple[object, list[dict[str, Any]]]:
    """Roles and statements of the one policy."""
    ((_, policy),) = of_type(resources, "AWS::IAM::Policy").items()
    document = policy["Properties"]["PolicyDocument"]
    assert document["Version"] == "2012-10-17"
    return policy["Properties"]["Roles"], document["Statement"]


def profile(resources: Resources) -> object:
    ((_, made),) = of_type(resources, "AWS::IAM::InstanceProfile").items()
    return made["Properties"]["Roles"]


@pytest.mark.parametrize("busy", [False, True])
def test_the_role_of_the_fleet(stack: Stack, fleet_with: FleetWith, busy: bool) -> None:
    fleet_with(protect_busy=busy)
    resources = resources_of(stack)
    role = [{"Ref": named(resources, "AWS::IAM::Role", "MuonRole")}]
    assert granted(resources) == (role, expected(resources, busy=busy))
    assert profile(resources) == role
    ((_, made),) = of_type(resources, "AWS::IAM::Role").items()
    assert "Policies" not in made["Properties"]


@pytest.mark.parametrize("busy", [False, True])
def test_a_plain_role(stack: Stack, fleet_with: FleetWith, busy: bool) -> None:
    role = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal(EC2))
    assert fleet_with(role=role, protect_busy=busy).role is role
    resources = resources_of(stack)
    mine = [{"Ref": named(resources, "AWS::IAM::Role", "Mine")}]
    assert granted(resources) == (mine, expected(resources, busy=busy))
    assert profile(resources) == mine
    assert len(of_type(resources, "AWS::IAM::Role")) == 1


def test_a_plain_role_keeps_its_own_permissions(stack: Stack, fleet_with: FleetWith) -> None:
    role = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal(EC2))
    fleet = fleet_with(role=role)
    secretsmanager.Secret(stack, "Data").grant_read(fleet)
    names = of_type(resources_of(stack), "AWS::IAM::Policy")
    assert sorted(name[:6] for name in names) == ["MineDe", "MuonIn"]


def test_a_role_of_another_stack(app: App, stack: Stack, fleet_with: FleetWith) -> None:
    other = Stack(app, "Roles", env=Environment(account=ACCOUNT, region="us-east-1"))
    fleet_with(role=iam.Role(other, "Mine", assumed_by=iam.ServicePrincipal(EC2)))
    resources = resources_of(stack)
    roles, statements = granted(resources)
    assert statements == expected(resources)
    assert roles == profile(resources)
    assert "RefMine" in str(roles)
    assert not of_type(resources_of(other), "AWS::IAM::Policy"), "or each stack would wait for the other"


def test_an_imported_role(stack: Stack, fleet_with: FleetWith) -> None:
    fleet_with(role=iam.Role.from_role_arn(stack, "Theirs", f"arn:aws:iam::{ACCOUNT}:role/path/theirs"))
    resources = resources_of(stack)
    assert granted(resources) == (["theirs"], expected(resources))
    assert profile(resources) == ["theirs"]


def immutable(stack: Stack) -> iam.IRole:
    return iam.Role.from_role_arn(stack, "Theirs", f"arn:aws:iam::{ACCOUNT}:role/theirs", mutable=False)


def of_another_account(stack: Stack) -> iam.IRole:
    return iam.Role.from_role_arn(stack, "Theirs", f"arn:aws:iam::{OTHER}:role/theirs")


def without_updates(stack: Stack) -> iam.IRole:
    return iam.Role(stack, "Theirs", assumed_by=iam.ServicePrincipal(EC2)).without_policy_updates()


@pytest.mark.parametrize("make", [immutable, of_another_account, without_updates])
def test_a_role_that_cannot_be_changed_is_refused(
    stack: Stack, fleet_with: FleetWith, make: Callable[[Stack], iam.IRole]
) -> None:
    with pytest.raises(
        ValueError, match=r"AnnexFleet role: received 'Other/.*Theirs.*', allowed a role .*; fix: import"
    ):
        fleet_with(role=make(stack))


@pytest.mark.parametrize(
    ("principal", "refused"),
    [
        (iam.ServicePrincipal("lambda.amazonaws.com"), True),
        (iam.AccountRootPrincipal(), True),
        (iam.ServicePrincipal(EC2), False),
        (iam.CompositePrincipal(iam.ServicePrincipal("lambda.amazonaws.com"), iam.ServicePrincipal(EC2)), False),
    ],
)
def test_a_role_that_ec2_cannot_assume_stops_the_synthesis(
    app: App, stack: Stack, fleet_with: FleetWith, principal: iam.IPrincipal, refused: bool
) -> None:
    fleet_with(role=iam.Role(stack, "Mine", assumed_by=principal))
    if refused:
        with pytest.raises(RuntimeError, match=r"role Other/Mine of Other/Muon cannot be assumed by EC2"):
            app.synth()
    else:
        app.synth()


def test_trust_may_be_added_later(app: App, stack: Stack, fleet_with: FleetWith) -> None:
    role = iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    fleet_with(role=role)
    assert role.assume_role_policy is not None
    role.assume_role_policy.add_statements(
        iam.PolicyStatement(actions=["sts:AssumeRole"], principals=[iam.ServicePrincipal(EC2)])
    )
    app.synth()


def test_a_credential_with_a_key_of_its_own(stack: Stack, fleet_with: FleetWith) -> None:
    key = kms.Key(stack, "Key")
    secret = secretsmanager.Secret(stack, "Credential", encryption_key=key)
    fleet_with(credential=secret)
    resources = resources_of(stack)
    statements = granted(resources)[1]
    assert statements == expected(resources, key=stack.resolve(key.key_arn))


NAME = f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:mine"


def test_a_credential_that_is_imported_by_name(stack: Stack, fleet_with: FleetWith) -> None:
    fleet = fleet_with(credential=secretsmanager.Secret.from_secret_partial_arn(stack, "Credential", NAME))
    LeaseChecker(stack, "Lease", fleet=fleet, lease=LeaseTerms(duration=Duration.hours(8)))
    resources = resources_of(stack)
    # Secrets Manager appends six characters to the name.
    assert granted(resources)[1] == expected(resources, secret=f"{NAME}-??????")
    asked = [
        statement["Resource"]
        for role in of_type(resources, "AWS::IAM::Role").values()
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "secretsmanager:DescribeSecret"
    ]
    assert asked == [f"{NAME}-??????"]


def test_a_credential_that_is_imported_whole(stack: Stack, fleet_with: FleetWith) -> None:
    whole = f"{NAME}-AbCdEf"
    fleet_with(credential=secretsmanager.Secret.from_secret_complete_arn(stack, "Credential", whole))
    resources = resources_of(stack)
    assert granted(resources)[1] == expected(resources, secret=whole)
