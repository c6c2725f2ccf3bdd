"""One synthesised annex for all tests, because every Node takes seconds to start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.permissions.deployed import Deployed
from tests.synth.templates import EVERYTHING, feature_flags, template_of
from tests.world.cloudformation import answering
from tests.world.stage import Site

SITE = Site(topic=True)


@pytest.fixture(scope="session")
def annex() -> Deployed:
    """The stack of the scenarios' annex, with everything that a spec can ask for."""
    template = template_of(feature_flags(), {**EVERYTHING, "name": SITE.policy.annex})
    uuid = SITE.annex_id.split(".")[0]
    stack_id = f"arn:aws:cloudformation:us-east-1:123456789012:stack/Annex-pa/{uuid}"
    empty = Deployed(template, stack_id, {})
    names = {
        **dict.fromkeys(empty.of_type("AWS::AutoScaling::AutoScalingGroup"), SITE.group),
        **dict.fromkeys(empty.of_type("AWS::SecretsManager::Secret"), SITE.secret_arn),
        **dict.fromkeys(empty.of_type("AWS::SNS::Topic"), SITE.topic_arn),
    }
    return Deployed(template, stack_id, names)


@pytest.fixture(scope="session", autouse=True)
def _cloudformation() -> Iterator[None]:
    with answering():
        yield
