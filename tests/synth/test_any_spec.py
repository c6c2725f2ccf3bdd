"""Properties of the template of any annex that a spec file can declare."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.synth.templates import GIVEN_NETWORK, OWN_NETWORK, of_type, only, template_of
from tests.synth.test_template_rules import LARGEST_TEMPLATE_BYTES

TYPES = ("c6a.large", "c6i.large", "m6a.4xlarge", "r6i.24xlarge")


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    size = draw(st.integers(1, 10_000))
    lease = draw(st.integers(3, 10_000))
    network = draw(st.sampled_from([OWN_NETWORK, GIVEN_NETWORK]))
    email = st.none() if "alarm_topic" in network else st.none() | st.just("admin@example.edu")
    optional = {
        "renew_while_busy": draw(st.none() | st.integers(10, 10_000).map(lambda minutes: f"{minutes}m")),
        "max_instance_hours": draw(st.none() | st.integers(1, 100_000_000)),
        "alarm_email": draw(email),
    }
    return {
        **network,
        **{key: value for key, value in optional.items() if value is not None},
        "name": draw(st.from_regex(r"[a-z](-?[a-z0-9]){0,15}", fullmatch=True)),
        "size": size,
        "lease": f"{lease}m",
        "grace": f"{draw(st.integers(0, 7200))}s",
        "instance_types": tuple(draw(st.sets(st.sampled_from(TYPES), min_size=1))),
        "on_demand_base": draw(st.integers(0, size)),
        "on_demand_percentage": draw(st.integers(0, 100)),
        "volume_gib": draw(st.integers(1, 16_384)),
    }


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(spec=specs())
def test_no_spec_declares_capacity_or_what_stays(flags: dict[str, Any], spec: dict[str, Any]) -> None:
    template = template_of(flags, spec)
    resources = template["Resources"]
    group = only(resources, "AWS::AutoScaling::AutoScalingGroup")
    assert (group["MinSize"], group["MaxSize"], group.get("DesiredCapacity")) == ("0", str(spec["size"]), None)
    tags = {tag["Key"]: tag["Value"] for tag in group["Tags"]}
    assert (tags["annex:name"], tags["annex:size"]) == (spec["name"], str(spec["size"]))
    assert ("annex:lease-renew" in tags) is ("renew_while_busy" in spec)
    assert ("annex:max-instance-hours" in tags) is ("max_instance_hours" in spec)
    data = only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert [mapping["Ebs"]["DeleteOnTermination"] for mapping in data["BlockDeviceMappings"]] == [True]
    assert {each.get("DeletionPolicy", "Delete") for each in resources.values()} == {"Delete"}
    assert len(of_type(resources, "AWS::SNS::Subscription")) == ("alarm_email" in spec)
    assert len(json.dumps(template, separators=(",", ":"))) <= LARGEST_TEMPLATE_BYTES
