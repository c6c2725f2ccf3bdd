"""The base stack: its resources, and the findings of rule checkers about it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack, Validations
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks
from cfnlint import ManualArgs, lint  # type: ignore[import-untyped]

from annex_constructs import AnnexBase
from annex_spec import AnnexSpec, BaseSpec
from stacks import AnnexBaseStack, base_stacks
from tests.synth.base_template import base_template
from tests.synth.templates import OWN_NETWORK, Resources, of_type, only

TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"


@pytest.fixture(scope="module")
def base(flags: dict[str, Any]) -> Resources:
    return dict(base_template(flags, alarm_email="admin@example.edu")["Resources"])


def test_the_function(base: Resources) -> None:
    function = only(base, "AWS::Lambda::Function")
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert function["Handler"] == "annex_lease.sweep.sweep_handler.handler"
    assert function["Environment"]["Variables"] == {"SWEEP_MAX_REMOVALS": "50", "SWEEP_DRY_RUN": "0"}
    assert function["Timeout"] < 300, "one run must be over when the next begins, at the shortest period"
    assert only(base, "AWS::Lambda::EventInvokeConfig")["MaximumRetryAttempts"] == 0


def test_the_spec_reaches_the_function(flags: dict[str, Any]) -> None:
    resources = base_template(flags, max_removals=3, dry_run=True, alarm_topic=TOPIC)["Resources"]
    variables = only(resources, "AWS::Lambda::Function")["Environment"]["Variables"]
    assert variables == {"SWEEP_MAX_REMOVALS": "3", "SWEEP_DRY_RUN": "1"}
    assert not of_type(resources, "AWS::SNS::Topic")
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    assert all(alarm["Properties"]["AlarmActions"] == [TOPIC] for alarm in alarms)


def test_alarms_of_silence_of_failure_and_of_what_a_person_must_look_at(base: Resources) -> None:
    function, topic = (
        {"Ref": next(iter(of_type(base, kind)))} for kind in ("AWS::Lambda::Function", "AWS::SNS::Topic")
    )
    found = {
        name.removeprefix("Base")[:-8]: {
            key: alarm["Properties"][key]
            for key in (
                "Namespace",
                "MetricName",
                "ComparisonOperator",
                "Threshold",
                "EvaluationPeriods",
                "Period",
                "TreatMissingData",
            )
        }
        for name, alarm in of_type(base, "AWS::CloudWatch::Alarm").items()
    }
    more = {"ComparisonOperator": "GreaterThanOrEqualToThreshold", "EvaluationPeriods": 1}
    shared = {"Threshold": 1, "Period": 900, "TreatMissingData": "notBreaching"}
    assert found == {
        "Silence": {
            **shared,
            "Namespace": "HTCondorAnnex",
            "MetricName": "SweeperRan",
            "ComparisonOperator": "LessThanThreshold",
            "EvaluationPeriods": 2,
            "TreatMissingData": "breaching",
        },
        "Aborted": {**shared, **more, "Namespace": "HTCondorAnnex", "MetricName": "SweeperAborted"},
        "Reported": {
            **shared,
            **more,
            "EvaluationPeriods": 4,
            "Namespace": "HTCondorAnnex",
            "MetricName": "SweeperReports",
        },
        "Failed": {**shared, **more, "Namespace": "AWS/Lambda", "MetricName": "Errors"},
    }
    for alarm in of_type(base, "AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["Dimensions"] == [{"Name": "FunctionName", "Value": function}]
        assert alarm["Properties"]["AlarmActions"] == [topic]
        assert set(alarm["DependsOn"]) >= set(of_type(base, "AWS::Scheduler::Schedule"))
    assert only(base, "AWS::SNS::Subscription")["Endpoint"] == "admin@example.edu"


def test_nothing_of_the_base_looks_like_an_annex(base: Resources) -> None:
    assert "annex:name" not in json.dumps([each["Properties"].get("Tags") for each in base.values()])
    assert {each.get("DeletionPolicy", "Delete") for each in base.values()} == {"Delete"}


def test_no_checker_finds_anything_that_was_not_decided(app: App) -> None:
    made = AnnexBaseStack(app, base=BaseSpec(alarm_email="admin@example.edu"), region="us-east-1")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()  # fails on a finding without an acknowledgement
    config = ManualArgs(regions=["us-east-1"], include_checks=["I"])
    found = lint(json.dumps(Template.from_stack(made).to_json()), config=config)
    assert [match for match in found if match.rule.id != "I1022"] == []


def test_two_syntheses_agree(flags: dict[str, Any]) -> None:
    assert base_template(flags) == base_template(flags)


def test_one_base_for_each_region_and_account(app: App) -> None:
    places = [("us-east-1", None), ("us-east-1", None), ("eu-west-1", "123456789012"), ("eu-west-1", None)]
    annexes = [
        AnnexSpec.model_validate({**OWN_NETWORK, "name": f"n{n}", "region": region, "account": account})
        for n, (region, account) in enumerate(places)
    ]
    made = base_stacks(app, BaseSpec(), annexes)
    assert [(each.node.id, each.stack_name, each.environment) for each in made] == [
        ("AnnexBase-eu-west-1-default", "AnnexBase-eu-west-1", "aws://unknown-account/eu-west-1"),
        ("AnnexBase-eu-west-1-123456789012", "AnnexBase-eu-west-1", "aws://123456789012/eu-west-1"),
        ("AnnexBase-us-east-1", "AnnexBase-us-east-1", "aws://unknown-account/us-east-1"),
    ]


@pytest.mark.parametrize(
    ("sizes", "declared", "most"),
    [
        ({"us-east-1": [2, 51], "eu-west-1": [10_000]}, None, "51"),
        ({"us-east-1": [2, 49], "eu-west-1": [200]}, None, "50"),
        ({"us-east-1": [10_000]}, None, "10000"),
        ({"us-east-1": [200]}, 3, "3"),
        ({"us-east-1": [200]}, 0, "0"),
    ],
)
def test_one_annex_of_the_region_may_be_removed_at_once(
    app: App, sizes: dict[str, list[int]], declared: int | None, most: str
) -> None:
    annexes = [
        AnnexSpec.model_validate({**OWN_NETWORK, "name": f"n{n}", "region": region, "size": size})
        for region, some in sizes.items()
        for n, size in enumerate(some)
    ]
    made = base_stacks(app, BaseSpec(max_removals=declared), annexes)
    (here,) = (each for each in made if each.region == "us-east-1")
    function = only(dict(Template.from_stack(here).to_json()["Resources"]), "AWS::Lambda::Function")
    assert function["Environment"]["Variables"]["SWEEP_MAX_REMOVALS"] == most


def test_two_stacks_of_what_may_be_one_account_are_alike(app: App) -> None:
    """An account that is not stated is that of the credentials, which may be the one that is stated elsewhere."""
    places = [(None, 60), ("123456789012", 200), ("210987654321", 70)]
    annexes = [
        AnnexSpec.model_validate(
            {**OWN_NETWORK, "name": f"n{n}", "region": "eu-west-1", "account": account, "size": size}
        )
        for n, (account, size) in enumerate(places)
    ]
    made = base_stacks(app, BaseSpec(), annexes)
    functions = [only(dict(Template.from_stack(each).to_json()["Resources"]), "AWS::Lambda::Function") for each in made]
    most = [each["Environment"]["Variables"]["SWEEP_MAX_REMOVALS"] for each in functions]
    assert most == ["200", "200", "200"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"max_removals": -1}, "AnnexBase max_removals: received -1, allowed a whole number from 0 to 10000"),
        (
            {"interval": Duration.minutes(4)},
            "AnnexBase interval: received '4 minutes', allowed whole seconds from 5m to 1h",
        ),
        ({"interval": Duration.minutes(61)}, "AnnexBase interval: received"),
        ({"interval": Duration.seconds(330)}, "allowed whole minutes from 5 to 60"),
    ],
)
def test_invalid_values_are_refused(stack: Stack, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=r"received .*, allowed .*; fix: ") as refused:
        AnnexBase(stack, "Base", **changes)
    assert complaint in str(refused.value)


def test_a_topic_and_an_address_are_one_too_many(stack: Stack) -> None:
    topic = sns.Topic(stack, "Topic")
    with pytest.raises(ValueError, match="received 'both of them', allowed at most one"):
        AnnexBase(stack, "Base", alarm_topic=topic, alarm_email="a@example.edu")


def test_what_a_user_sees(stack: Stack) -> None:
    made = AnnexBase(stack, "Base", interval=Duration.minutes(5))
    assert sorted(made.alarms) == ["Aborted", "Failed", "Reported", "Silence"]
    seen = {made.alarm_topic.node.id, made.function.node.id, made.schedule.node.id, made.dead_letter_queue.node.id}
    assert seen == {"AlarmTopic", "Function", "Schedule", "FailedRuns"}
    schedule = only(dict(Template.from_stack(stack).to_json()["Resources"]), "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(5 minutes)"
