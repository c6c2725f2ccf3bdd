"""The app of `scripts/verify-account`: annexes as the product makes them, and a probe on each."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from stacks import AnnexStack
from verify import console
from verify.app import ROLE_OUTPUT, add_stacks
from verify.options import Options
from verify.run import LETTERS, MARK, STACK_MARK, Run
from verify.spec_text import spec_text

RUN = Run("0a1b2c3d", "eu-west-1")


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, AnnexStack]:
    """The stacks by their letters."""
    file = tmp_path_factory.mktemp("spec") / "annexes.toml"
    file.write_text(spec_text(RUN, LETTERS, Options(()), {}))
    app = App(context={"annexes": str(file), "reporting": RUN.annex("a")})
    return dict(zip(LETTERS, add_stacks(app), strict=True))


@pytest.fixture(scope="module")
def templates(stacks: dict[str, AnnexStack]) -> dict[str, dict[str, Any]]:
    return {letter: dict(Template.from_stack(stack).to_json()) for letter, stack in stacks.items()}


def of_kind(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["Properties"] for each in template["Resources"].values() if each["Type"] == kind]


def test_instances_of_annex_a_alone_report_on_their_console(templates: dict[str, dict[str, Any]]) -> None:
    first = console.commands()[0]
    reporting = {letter: first in json.dumps(template) for letter, template in templates.items()}
    assert reporting == {"a": True, "b": False, "c": False}


@pytest.mark.parametrize("letter", LETTERS)
def test_no_key_is_on_the_stack_and_on_its_resources(
    stacks: dict[str, AnnexStack], templates: dict[str, dict[str, Any]], letter: str
) -> None:
    assert stacks[letter].stack_name == RUN.stack(letter)
    assert stacks[letter].tags.tag_values() == {STACK_MARK: RUN.id}
    text = json.dumps(templates[letter])
    assert STACK_MARK not in text
    (group,) = of_kind(templates[letter], "AWS::AutoScaling::AutoScalingGroup")
    assert {each["Key"]: each["Value"] for each in group["Tags"]}[MARK] == RUN.id


def statements_to_terminate(value: Any) -> list[dict[str, Any]]:
    """All statements in any policy that allow to terminate instances, in a stable order."""
    if isinstance(value, dict):
        found = [value] if value.get("Action") == "ec2:TerminateInstances" else []
        return sorted(found + [each for inner in value.values() for each in statements_to_terminate(inner)], key=str)
    return [each for inner in value for each in statements_to_terminate(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("letter", LETTERS)
def test_the_probe_may_do_to_instances_what_the_checker_may(templates: dict[str, dict[str, Any]], letter: str) -> None:
    resources = templates[letter]["Resources"]
    (probe,) = (each for name, each in resources.items() if name.startswith("Probe"))
    (policy,) = probe["Properties"]["Policies"]
    own = statements_to_terminate(probe)
    assert len(own) == len(policy["PolicyDocument"]["Statement"]) == 2
    assert all(each["Condition"] for each in own), "instances of this annex only"
    checker = [each for name, each in resources.items() if "CheckerFunctionRole" in name]
    assert statements_to_terminate(checker) == own
    assert ROLE_OUTPUT in templates[letter]["Outputs"]
