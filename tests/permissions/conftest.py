"""One synthesised annex and one base stack for all tests: each start of Node takes seconds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from annex_spec import BaseSpec
from stacks.base_stack import AnnexBaseStack
from tests.permissions.deployed import ACCOUNT, REGION, SITE, Deployed
from tests.synth.templates import EVERYTHING, feature_flags, template_of
from tests.world.cloudformation import answering

STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack"


@pytest.fixture(scope="session")
def annex() -> Deployed:
    """Stack of the scenarios' annex, with every option that a spec has."""
    template = template_of(feature_flags(), {**EVERYTHING, "name": SITE.policy.annex})
    stack_id = f"{STACK}/Annex-pa/{SITE.annex_id.split('.')[0]}"
    empty = Deployed(template, stack_id, {})
    names = {
        **dict.fromkeys(empty.of_type("AWS::AutoScaling::AutoScalingGroup"), SITE.group),
        **dict.fromkeys(empty.of_type("AWS::SecretsManager::Secret"), SITE.secret_arn),
        **dict.fromkeys(empty.of_type("AWS::SNS::Topic"), SITE.topic_arn),
    }
    return Deployed(template, stack_id, names)


@pytest.fixture(scope="session")
def base() -> Deployed:
    """Base stack with the defaults."""
    stack = AnnexBaseStack(App(context=feature_flags()), base=BaseSpec(), region=REGION)
    return Deployed(Template.from_stack(stack).to_json(), f"{STACK}/AnnexBase-{REGION}/0", {})


@pytest.fixture(scope="session", autouse=True)
def _cloudformation() -> Iterator[None]:
    with answering():
        yield
