"""Tags that an app may not add: those of the lease, and those that hide which annex it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Aws, Stack, Tags

from annex_constructs import AnnexFleet
from annex_lease.tags import TAG_ID, TAG_NAME

GROUP, TEMPLATE = "AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::LaunchTemplate"
LATEST = 500
"""Priority above that of the annex's own tags."""


def refusal(app: App) -> str:
    with pytest.raises(RuntimeError) as refused:
        app.synth()
    return str(refused.value)


@pytest.mark.parametrize("key", ["annex:granted", "annex:lease-until", "annex:lease-renew", "Annex:Size", "annex:team"])
@pytest.mark.parametrize("options", [{}, {"include_resource_types": [TEMPLATE]}], ids=["everything", "template"])
def test_a_tag_with_the_prefix_of_the_lease(app: App, fleet: AnnexFleet, key: str, options: dict[str, Any]) -> None:
    Tags.of(app).add(key, "2030-01-01T00:00:00Z", **options)
    assert f"tag key '{key}' of Other/Muon has the prefix of the lease's own tags" in refusal(app)


@pytest.mark.parametrize("key", ["annex:granted", "annex:closed"])
def test_a_record_that_every_deployment_would_write_again(app: App, fleet: AnnexFleet, key: str) -> None:
    Tags.of(app).add(key, "2", include_resource_types=[GROUP], apply_to_launched_instances=False)
    assert f"tag key '{key}' of Other/Muon has the prefix of the lease's own tags" in refusal(app)


CHANGES: dict[str, Callable[[App, str, str], None]] = {
    "another value": lambda app, key, kind: Tags.of(app).add(
        key, "another", priority=LATEST, include_resource_types=[kind]
    ),
    "removed": lambda app, key, kind: Tags.of(app).remove(key, priority=LATEST, include_resource_types=[kind]),
}


@pytest.mark.parametrize("key", [TAG_NAME, TAG_ID])
@pytest.mark.parametrize(("kind", "place"), [(GROUP, "Auto Scaling group"), (TEMPLATE, "launch template")])
@pytest.mark.parametrize("change", CHANGES)
def test_an_annex_that_no_program_would_find(
    app: App, fleet: AnnexFleet, change: str, kind: str, place: str, key: str
) -> None:
    CHANGES[change](app, key, kind)
    assert f"the {place} of Other/Muon does not have the tag '{key}' of the annex" in refusal(app)


def test_the_tags_of_an_annex_in_their_place(app: App, stack: Stack, fleet: AnnexFleet) -> None:
    Tags.of(app).add(TAG_NAME, "another")  # the annex's own is nearer to the group
    Tags.of(app).add("annexes", "mine")
    app.synth()


def test_a_key_that_is_known_at_deployment_only(app: App, fleet: AnnexFleet) -> None:
    Tags.of(app).add(Aws.STACK_NAME, "physics")
    assert "a tag of Other/Muon has a key that only CloudFormation knows" in refusal(app)


@pytest.mark.parametrize("length", [127, 128])
def test_the_longest_key(app: App, fleet: AnnexFleet, length: int) -> None:
    Tags.of(app).add("k" * length, "physics")
    if length == 127:
        app.synth()
    else:
        assert "of Other/Muon has 128 characters, allowed are 127" in refusal(app)
