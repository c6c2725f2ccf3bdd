"""The policy that `annex plan --deployed` expects of a template is the one that the template declares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from annex_lease.policy import policy_tags
from annex_lease.tags import TAG_ID, TAG_NAME
from annex_pool.redeploy import declared_policy
from annex_spec import AnnexSpec
from tests.synth.templates import OWN_NETWORK, SPECS, feature_flags, only, template_of

ABSOLUTE = {"lease_ends_at": datetime(2030, 6, 1, 8, tzinfo=UTC), "max_lifetime": "30d"}
OTHERS = {
    "absolute end": {key: value for key, value in (OWN_NETWORK | ABSOLUTE).items() if key != "lease"},
    "no warning": {**OWN_NETWORK, "warn_before_end": "0s"},
    "short lease": {**OWN_NETWORK, "lease": "20m", "grace": "1m"},
}


@pytest.mark.parametrize("spec", [*SPECS.values(), *OTHERS.values()], ids=[*SPECS, *OTHERS])
def test_the_group_declares_what_the_command_expects(spec: dict[str, Any]) -> None:
    group = only(template_of(feature_flags(), spec)["Resources"], "AWS::AutoScaling::AutoScalingGroup")
    expected = {tag.key: tag.value for tag in policy_tags(declared_policy(AnnexSpec.model_validate(spec)))}
    assert TAG_NAME in expected
    written = {tag["Key"]: tag["Value"] for tag in group["Tags"] if tag["Key"] not in (TAG_ID, "Name")}
    assert written == expected
    assert int(group["MaxSize"]) == spec["size"]
