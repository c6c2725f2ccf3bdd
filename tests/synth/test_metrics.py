"""Metrics of an annex and of the base, as an app uses them for alarms and dashboards."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from annex_constructs import Annex, AnnexBase, ExecutionPoint, IAnnex, LeaseTerms
from tests.synth.templates import of_type


@pytest.fixture
def annex(stack: Stack, point: ExecutionPoint) -> Annex:
    types, lease = [ec2.InstanceType("c6a.large")], LeaseTerms(duration=Duration.hours(8))
    return Annex(stack, "Muon", execution_point=point, instance_types=types, max_size=3, lease=lease)


@pytest.fixture
def imported(stack: Stack) -> IAnnex:
    return Annex.from_annex_attributes(
        stack,
        "Muon",
        annex_name="muon",
        annex_id="8e1f4ad0.muon",
        auto_scaling_group_name="Annex-muon-Group",
        credential_arn="arn:aws:secretsmanager:us-east-1:123456789012:secret:muon-AbCdEf",
        checker_name="Annex-muon-Checker",
    )


def metric_of(scope: Stack, metric: cloudwatch.Metric) -> dict[str, Any]:
    cloudwatch.Alarm(scope, "Alarm", metric=metric, threshold=1, evaluation_periods=1)
    found = of_type(dict(Template.from_stack(scope).to_json()["Resources"]), "AWS::CloudWatch::Alarm")
    (alarm,) = (each["Properties"] for name, each in found.items() if name.startswith("Alarm"))
    keys = ("Namespace", "MetricName", "Statistic", "Period", "Dimensions")
    return {key: alarm[key] for key in keys if key in alarm}


@pytest.mark.parametrize(
    ("method", "name", "statistic"),
    [
        ("metric_instances_past_lease", "InstancesPastLease", "Maximum"),
        ("metric_record_ignored", "LeaseRecordIgnored", "Maximum"),
    ],
)
def test_the_metrics_of_an_annex(stack: Stack, imported: IAnnex, method: str, name: str, statistic: str) -> None:
    assert metric_of(stack, getattr(imported, method)()) == {
        "Namespace": "HTCondorAnnex",
        "MetricName": name,
        "Statistic": statistic,
        "Period": 60,
        "Dimensions": [{"Name": "Annex", "Value": "8e1f4ad0.muon"}],
    }


@pytest.mark.parametrize(("method", "name"), [("metric_checks", "Invocations"), ("metric_failed_checks", "Errors")])
def test_the_metrics_of_the_function(stack: Stack, imported: IAnnex, method: str, name: str) -> None:
    assert metric_of(stack, getattr(imported, method)()) == {
        "Namespace": "AWS/Lambda",
        "MetricName": name,
        "Statistic": "Sum",
        "Period": 60,
        "Dimensions": [{"Name": "FunctionName", "Value": "Annex-muon-Checker"}],
    }


def test_the_function_is_that_of_the_checker(stack: Stack, annex: Annex) -> None:
    function = stack.resolve(annex.checker.function.function_name)
    dimension = {"Name": "FunctionName", "Value": function}
    assert metric_of(stack, annex.metric_failed_checks())["Dimensions"] == [dimension]
    assert stack.resolve(annex.checker.checker_name) == function


def test_period_statistic_and_label_can_be_chosen(stack: Stack, imported: IAnnex) -> None:
    metric = imported.metric_checks(period=Duration.hours(1), statistic="Average", label="muon")
    assert (metric.period.to_seconds(), metric.statistic, metric.label) == (3600, "Average", "muon")
    base = AnnexBase(stack, "Base")
    sweeper = base.metric_reports(period=Duration.hours(1), statistic="Maximum", label="reports")
    assert (sweeper.period.to_seconds(), sweeper.statistic, sweeper.label) == (3600, "Maximum", "reports")


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("metric_runs", "SweeperRan"),
        ("metric_ended", "SweeperEnded"),
        ("metric_orphans", "SweeperOrphans"),
        ("metric_reports", "SweeperReports"),
        ("metric_aborted", "SweeperAborted"),
    ],
)
def test_the_metrics_of_the_base(stack: Stack, method: str, name: str) -> None:
    base = AnnexBase(stack, "Base", interval=Duration.minutes(10))
    metric: cloudwatch.Metric = getattr(base, method)()
    assert (metric.namespace, metric.metric_name, metric.statistic) == ("HTCondorAnnex", name, "Sum")
    assert metric.period.to_minutes() == 10
    assert dict(metric.dimensions or {}) == {"FunctionName": base.function.function_name}
