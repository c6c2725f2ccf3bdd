"""Keys, topics, subnets and secrets that an app gives to an annex, and that no annex could work with."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from annex_constructs import Annex, AnnexCredential, AnnexFleet, ExecutionPoint, LeaseTerms, Pool
from tests.synth.templates import of_type

TYPES = [ec2.InstanceType("c6a.large")]
REGION = "eu-west-1"
KEY = "arn:aws:kms:{}:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
TOPIC = "arn:aws:sns:{}:123456789012:alarms"


@pytest.fixture
def placed(app: App) -> Stack:
    return Stack(app, "Placed", env=Environment(account="123456789012", region=REGION))


def point_with(**given: Any) -> ExecutionPoint:
    image = ec2.MachineImage.from_ssm_parameter("/images/annex")
    pool = Pool(collector="cm.example.edu", trust_domain="example.edu")
    return ExecutionPoint(pool=pool, machine_image=image, **given)


def annex(stack: Stack, name: str = "Muon", *, point: ExecutionPoint | None = None, **given: Any) -> Annex:
    lease = LeaseTerms(duration=Duration.hours(8))
    point = point or point_with()
    return Annex(stack, name, execution_point=point, instance_types=TYPES, max_size=2, lease=lease, **given)


def given_as(stack: Stack, what: str, region: str) -> dict[str, Any]:
    key = kms.Key.from_key_arn(stack, f"Key{region}", KEY.format(region))
    if what == "alarm_topic":
        return {what: sns.Topic.from_topic_arn(stack, f"Topic{region}", TOPIC.format(region))}
    return {"point": point_with(volume_key=key)} if what == "volume_key" else {what: key}


@pytest.mark.parametrize("what", ["volume_key", "credential_key", "alarm_topic"])
def test_a_resource_of_another_region(placed: Stack, stack: Stack, what: str) -> None:
    with pytest.raises(
        ValueError, match=r"received .*, of us-east-1', allowed one in the Region of the stack, eu-west-1"
    ):
        annex(placed, "Other", **given_as(placed, what, "us-east-1"))
    assert annex(placed, "Same", **given_as(placed, what, REGION))
    # The Region of such a stack is known at deployment only.
    assert annex(stack, **given_as(stack, what, "us-east-1"))


def test_a_fifo_topic(stack: Stack) -> None:
    with pytest.raises(ValueError, match="alarm_topic: received 'Other/Topic', allowed a standard topic"):
        annex(stack, alarm_topic=sns.Topic(stack, "Topic", fifo=True))


def test_an_alias_that_was_imported(stack: Stack) -> None:
    alias = kms.Alias.from_alias_name(stack, "Alias", "alias/annex")
    with pytest.raises(ValueError, match="encryption_key: received 'an imported alias', allowed the key itself"):
        annex(stack, credential_key=alias)
    assert annex(stack, "Volumes", point=point_with(volume_key=alias)), "EC2 takes an alias"


def test_the_key_behind_an_alias_can_decrypt_the_credential(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    annex(stack, credential_key=kms.Alias(stack, "Alias", alias_name="alias/annex", target_key=key))
    policies = of_type(dict(Template.from_stack(stack).to_json()["Resources"]), "AWS::IAM::Policy")
    statements = [each for policy in policies.values() for each in policy["Properties"]["PolicyDocument"]["Statement"]]
    (decrypt,) = (each for each in statements if each.get("Sid") == "DecryptCredential")
    assert decrypt["Resource"] == stack.resolve(key.key_arn)


def test_a_selection_of_no_subnet(stack: Stack, vpc: ec2.IVpc) -> None:
    with pytest.raises(
        ValueError, match=r"vpc_subnets: received .*, allowed an ec2\.SubnetSelection, not of an empty list"
    ):
        annex(stack, vpc=vpc, vpc_subnets=ec2.SubnetSelection(subnets=[]))
    selection = ec2.SubnetSelection(subnets=vpc.private_subnets)
    assert annex(stack, "Given", vpc=vpc, vpc_subnets=selection)


def test_a_proxy_that_is_known_at_deployment_only(stack: Stack) -> None:
    with pytest.raises(ValueError, match=r"ExecutionPoint proxy: received .*, known when the app is synthesised; fix"):
        point_with(proxy=CfnParameter(stack, "Proxy").value_as_string)


def test_one_credential_for_two_fleets(stack: Stack, vpc: ec2.IVpc) -> None:
    credential = AnnexCredential(stack, "Credential")
    known: dict[str, Any] = {"vpc": vpc, "instance_types": TYPES, "max_size": 1, "credential": credential}
    AnnexFleet(stack, "One", execution_point=point_with(), **known)
    with pytest.raises(ValueError, match="AnnexFleet credential: received 'Other/Credential, which another fleet has'"):
        AnnexFleet(stack, "Two", execution_point=point_with(), **known)
