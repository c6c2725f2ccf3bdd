"""`annex plan --deployed`: instances that were launched from an older version of the launch template."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from botocore.client import BaseClient

from annex_pool.deployed import find_annex
from annex_pool.deployed_fleet import read_fleet
from tests.runtime.pool.pool_world import World, aws
from tests.runtime.pool.test_pool_plan_running import GROUP, REAL_CALL, fleet


def test_an_instance_protects_its_job_if_its_own_version_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet()
    user_data = base64.b64encode(b"--=annex=\n      ANNEX_PROTECT_BUSY=0\n").decode()
    made: Any = {"LaunchTemplateName": "template", "LaunchTemplateData": {"UserData": user_data}}
    newest = str(aws().ec2.create_launch_template_version(**made)["LaunchTemplateVersion"]["VersionNumber"])
    ids = list[str]()

    def call(client: BaseClient, name: str, params: Any) -> Any:
        """The group has the newest version; the first two of its instances were launched before."""
        answer = REAL_CALL(client, name, params)
        if name == "DescribeAutoScalingGroups":
            (group,) = answer["AutoScalingGroups"]
            assert group["AutoScalingGroupName"] == GROUP
            template = group["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]
            template["Version"] = newest
            ids[:] = [each["InstanceId"] for each in group["Instances"]]
            for each, version in zip(group["Instances"], ("1", "1", newest), strict=True):
                each["LaunchTemplate"] = {**template, "Version": version}
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    found = find_annex(aws(), "demo")
    assert found is not None
    seen = read_fleet(found)
    assert (seen.unread, seen.protecting) == ((), frozenset(ids[:2]))
