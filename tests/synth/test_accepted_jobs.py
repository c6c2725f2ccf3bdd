"""Which jobs an annex accepts: parameters of the constructs, and the condition in the user data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from annex_constructs import AnnexFleet
from annex_lease.job_rules import JobPolicy
from tests.synth.templates import only
from tests.synth.test_parameters import point_with, refused

GOOD_JOBS: list[dict[str, Any]] = [
    {},
    {"opt_in": False},
    {"owners": ["ada", "bob@example.edu"], "groups": ("group_physics",)},
    {"project_id": "muon-2026", "start": "TARGET.RequestMemory < 8192"},
]
BAD_JOBS: list[tuple[str, Any]] = [
    *(("opt_in", value) for value in (None, 1, "true")),
    *(("owners", value) for value in ("ada", ["ada,bob"], ["ada", "ada"], ['a"'], [1], [f"u{n}" for n in range(51)])),
    *(("owners", [f"user-with-a-long-name-{n}" for n in range(50)]), ("groups", ["group physics"]), ("groups", None)),
    *(("project_id", value) for value in ("", "a b", 'a"', 5)),
    *(("start", value) for value in ("", "true)", "$(A)", "eval(A)", "a\nb", 5)),
]


@pytest.mark.parametrize("given", GOOD_JOBS)
def test_the_condition_on_jobs_is_in_the_user_data(flags: dict[str, Any], given: dict[str, Any]) -> None:
    stack = Stack(App(context=flags), "Other")
    types = [ec2.InstanceType("c6a.large")]
    vpc = ec2.Vpc(stack, "Vpc")
    AnnexFleet(
        stack,
        "Fleet",
        vpc=vpc,
        instance_types=types,
        execution_point=point_with(**given),
        max_size=2,
        annex_name="demo",
    )
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    user_data = json.dumps(only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"])
    policy = JobPolicy(**given)
    for line in (f"ANNEX_JOBS={policy.condition}\n", f"ANNEX_PROJECT_ID={policy.project}\n"):
        assert json.dumps(line)[1:-1] in user_data


@pytest.mark.parametrize(("name", "value"), BAD_JOBS)
def test_a_condition_on_jobs_that_is_not_allowed_is_refused(name: str, value: Any) -> None:
    with refused(f"ExecutionPoint {name}"):
        point_with(**{name: value})
