"""Rules that hold for the template of every annex."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from annex_lease.invocation import RUN_SECONDS
from annex_lease.tags import PROPAGATED_TAGS
from bench import function_cost
from tests.synth.templates import (
    LARGE,
    OWN_NETWORK,
    SPECS,
    TAGGABLE,
    Resources,
    annex_stack,
    checker,
    named,
    of_type,
    only,
    template_of,
)

# The CDK sends a template through the bucket of its bootstrap stack, from which CloudFormation takes 1 MB
# ("CloudFormation quotas"). A third of these bytes are the user data and the responder.
LARGEST_TEMPLATE_BYTES = 60_000
UNTAGGABLE = {
    "AWS::EC2::LaunchTemplate",  # has TagSpecifications instead
    "AWS::EC2::Route",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::Policy",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "Custom::AnnexLease",
}


def template_data(resources: Resources) -> dict[str, Any]:
    return dict(only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"])


def test_the_group_starts_nothing_by_itself(resources: Resources) -> None:
    group = only(resources, "AWS::AutoScaling::AutoScalingGroup")
    assert group["MinSize"] == "0"
    assert "DesiredCapacity" not in group
    assert group["CapacityRebalance"] is False
    assert group["InstanceMaintenancePolicy"] == {"MinHealthyPercentage": 0, "MaxHealthyPercentage": 100}
    assert group["NewInstancesProtectedFromScaleIn"] is False
    assert group["HealthCheckType"] == "EC2"
    assert not {"LaunchTemplate", "LaunchConfigurationName", "AutoScalingGroupName"} & set(group)


def test_a_changed_launch_template_replaces_no_running_instance(resources: Resources) -> None:
    (group,) = of_type(resources, "AWS::AutoScaling::AutoScalingGroup").values()
    # Without a rolling or replacing update, CloudFormation changes the group alone.
    assert group["UpdatePolicy"] == {"AutoScalingScheduledAction": {"IgnoreUnmodifiedGroupSizeProperties": True}}
    assert "CreationPolicy" not in group


@pytest.mark.parametrize(("spec", "size"), [(OWN_NETWORK, "2"), (LARGE, "10000")])
def test_spot_first_among_several_types(flags: dict[str, Any], spec: dict[str, Any], size: str) -> None:
    group = only(template_of(flags, spec)["Resources"], "AWS::AutoScaling::AutoScalingGroup")
    assert group["MaxSize"] == size
    assert group["MixedInstancesPolicy"]["InstancesDistribution"] == {
        "OnDemandBaseCapacity": spec.get("on_demand_base", 0),
        "OnDemandPercentageAboveBaseCapacity": spec.get("on_demand_percentage", 0),
        "SpotAllocationStrategy": "price-capacity-optimized",
    }
    launch = group["MixedInstancesPolicy"]["LaunchTemplate"]
    assert [each["InstanceType"] for each in launch["Overrides"]] == list(spec["instance_types"])
    assert list(launch["LaunchTemplateSpecification"]["Version"]) == ["Fn::GetAtt"]


def test_the_lease_is_declared_on_the_group(resources: Resources) -> None:
    tags = only(resources, "AWS::AutoScaling::AutoScalingGroup")["Tags"]
    ours = {tag["Key"]: tag for tag in tags if tag["Key"].startswith("annex:")}
    of_lease = {"lease-duration", "max-lifetime", "lease-grace", "warn-before-end"}
    required = {f"annex:{name}" for name in ("name", "id", "size", *of_lease)}
    # What only some of the specs ask for.
    assert required <= set(ours) <= required | {"annex:lease-renew", "annex:max-instance-hours"}
    assert all(tag["PropagateAtLaunch"] is (key in PROPAGATED_TAGS) for key, tag in ours.items())


@pytest.mark.parametrize(
    ("changes", "declared"),
    [
        ({}, {"lease-duration": "28800", "max-lifetime": "57600", "lease-grace": "900", "size": "2"}),
        (
            {"max_lifetime": "8h", "grace": "0s"},
            {"lease-duration": "28800", "max-lifetime": "28800", "lease-grace": "0"},
        ),
        ({"size": 7}, {"size": "7", "name": "demo", "warn-before-end": "900"}),
        (
            {"renew_while_busy": "1h", "max_instance_hours": 100, "warn_before_end": "30m"},
            {"lease-renew": "3600", "max-instance-hours": "100", "warn-before-end": "1800"},
        ),
    ],
)
def test_declared_values(flags: dict[str, Any], changes: dict[str, Any], declared: dict[str, str]) -> None:
    resources = template_of(flags, {**OWN_NETWORK, **changes})["Resources"]
    tags = {tag["Key"]: tag["Value"] for tag in only(resources, "AWS::AutoScaling::AutoScalingGroup")["Tags"]}
    assert {f"annex:{key}": value for key, value in declared.items()}.items() <= tags.items()
    # A changed policy, or another group, changes the custom resource: the deployment that changes it has it checked.
    ours = {key: value for key, value in tags.items() if key.startswith("annex:")}
    lease = only(resources, "Custom::AnnexLease")
    assert lease["Declared"] == ours
    assert lease["Group"] == {"Ref": named(resources, "AWS::AutoScaling::AutoScalingGroup", "")}


def test_instances_keep_to_the_metadata_service_of_version_2(resources: Resources) -> None:
    data = template_data(resources)
    assert data["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpProtocolIpv6": "enabled",
        "HttpPutResponseHopLimit": 1,
        "HttpTokens": "required",
        "InstanceMetadataTags": "enabled",
    }
    assert data["InstanceInitiatedShutdownBehavior"] == "terminate"
    assert data["Monitoring"] == {"Enabled": False}
    assert not {"KeyName", "InstanceMarketOptions", "NetworkInterfaces"} & set(data)


def test_every_volume_is_encrypted_and_deleted_with_its_instance(resources: Resources) -> None:
    mappings = template_data(resources)["BlockDeviceMappings"]
    assert [mapping["DeviceName"] for mapping in mappings] == ["/dev/xvda"]
    for mapping in mappings:
        assert mapping["Ebs"]["Encrypted"] is True
        assert mapping["Ebs"]["DeleteOnTermination"] is True
        assert mapping["Ebs"]["VolumeType"] == "gp3"


def test_everything_carries_the_name_and_the_id_of_the_annex(resources: Resources) -> None:
    declared = only(resources, "Custom::AnnexLease")["Declared"]
    expected = {key: declared[key] for key in ("annex:name", "annex:id")}
    name = expected["annex:name"]
    assert expected["annex:id"] == {"Fn::Select": [2, {"Fn::Split": ["/", {"Fn::Sub": f"${{AWS::StackId}}.{name}"}]}]}
    assert {each["Type"] for each in resources.values()} <= TAGGABLE | UNTAGGABLE
    for logical_id, each in resources.items():
        if each["Type"] in TAGGABLE:
            tags = {tag["Key"]: tag["Value"] for tag in each["Properties"]["Tags"]}
            assert expected.items() <= tags.items(), logical_id
    for specification in template_data(resources)["TagSpecifications"]:
        assert expected.items() <= {tag["Key"]: tag["Value"] for tag in specification["Tags"]}.items()
    kinds = [each["ResourceType"] for each in template_data(resources)["TagSpecifications"]]
    assert kinds == ["instance", "volume", "network-interface"]


def test_nothing_comes_in(resources: Resources) -> None:
    group = only(resources, "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert not of_type(resources, "AWS::EC2::SecurityGroupIngress")
    egress = {(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupEgress"]}
    assert egress == {("tcp", 80, 80), ("tcp", 443, 443), ("tcp", 9618, 9618)}


def test_the_secret_is_made_without_a_value(resources: Resources) -> None:
    (secret,) = of_type(resources, "AWS::SecretsManager::Secret").values()
    assert set(secret["Properties"]) == {"Description", "Tags"}


def test_the_checker(resources: Resources) -> None:
    function = checker(resources)
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == "annex_lease.handler.handler"
    names = {"GROUP", "CREDENTIAL", "NAME", "ID", "TOPIC", "MAX_LIFETIME_SECONDS", "SIZE", "MAX_INSTANCE_HOURS"}
    names |= {"COLLECTOR", "TRUST_DOMAIN"}
    assert set(function["Environment"]["Variables"]) == {f"ANNEX_{name}" for name in names}
    assert function["Timeout"] == RUN_SECONDS == 420
    # 119 MiB for 10,000 instances, measured, and a processor's share that lists them within a quarter of the time; less
    # would be too slow, more would cost an annex at rest more: `python -m bench.function_cost`.
    assert function["MemorySize"] == function_cost.FUNCTION_MB == 384
    # A run that times out, and then its responder's, before CloudFormation gives up.
    responder = resources[named(resources, "AWS::Lambda::Function", "Responder")]["Properties"]
    assert function["Timeout"] + responder["Timeout"] < int(only(resources, "Custom::AnnexLease")["ServiceTimeout"])


def test_the_schedule(resources: Resources) -> None:
    schedule = only(resources, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["State"] == "ENABLED"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert json.loads(schedule["Target"]["Input"]).get("RequestType") is None


def test_a_late_check_is_dropped_and_a_failed_one_kept(resources: Resources) -> None:
    queue = named(resources, "AWS::SQS::Queue", "FailedRuns")
    arn = {"Fn::GetAtt": [queue, "Arn"]}
    assert resources[queue]["Properties"]["MessageRetentionPeriod"] == 14 * 86_400
    assert checker(resources)["DeadLetterConfig"] == {"TargetArn": arn}
    target = only(resources, "AWS::Scheduler::Schedule")["Target"]
    assert target["DeadLetterConfig"] == {"Arn": arn}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0}
    asynchronous = only(resources, "AWS::Lambda::EventInvokeConfig")
    assert (asynchronous["MaximumEventAgeInSeconds"], asynchronous["MaximumRetryAttempts"]) == (60, 0)
    responder = named(resources, "AWS::Lambda::Function", "Responder")
    assert asynchronous["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": [responder, "Arn"]}}}


def test_no_name_is_chosen_that_a_second_stack_could_not_have(resources: Resources) -> None:
    chosen = {
        "AlarmName",
        "QueueName",
        "RoleName",
        "TopicName",
        "FunctionName",
        "LogGroupName",
        "GroupName",
        "Name",
        "LaunchTemplateName",
    }
    for logical_id, each in resources.items():
        refers = each["Type"] == "AWS::Lambda::EventInvokeConfig"  # to a function, by its name
        assert not chosen & set(each["Properties"]) or refers, logical_id


@pytest.mark.parametrize("name", SPECS)
def test_the_template_is_small(app: App, name: str) -> None:
    template = app_template(app, SPECS[name])
    assert len(template.encode()) <= LARGEST_TEMPLATE_BYTES
    assert len(json.loads(template)["Resources"]) <= 45


def app_template(app: App, spec: dict[str, Any]) -> str:
    made = annex_stack(app, spec)
    artifact = app.synth().get_stack_by_name(made.stack_name)
    return Path(artifact.template_full_path).read_text(encoding="utf-8")


def test_the_stack_says_what_it_is(flags: dict[str, Any]) -> None:
    made = annex_stack(App(context=flags), LARGE)
    assert made.stack_name == f"Annex-{LARGE['name']}"
    assert made.environment == f"aws://{LARGE['account']}/us-east-1"
    assert made.termination_protection is False
    template = template_of(flags, LARGE)
    assert template["Description"].startswith(f"HTCondor annex {LARGE['name']}")
    assert set(template["Outputs"]) == {"AnnexId", "AutoScalingGroup", "Credential", "Lease", "LeaseChecker"}
    images = [each for each in template["Parameters"].values() if each["Type"].endswith("<AWS::EC2::Image::Id>")]
    assert [each["Default"] for each in images] == ["/a/parameter"]
