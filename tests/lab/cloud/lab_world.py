"""The lab's cloud as a world of the lease's scenarios: a process of its own, and a clock that the scenario sets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from annex_lease import tags as lease_tags
from annex_lease.policy import policy_tags
from tests.world.aws_conditions import Condition, ConditionedClients
from tests.world.world import Can, Site

from .driving import Cloud

ACCOUNT = {"AccessKeyId": "123456789012", "SecretAccessKey": "test"}
"""An access key of twelve digits is the root of an account of its own; scenarios name that account."""
_STEPS = 4
"""Ticks until every step that is due is done: machine on, in service; machine off, gone, left."""
_PATIENCE = 1000
_ENDED = re.compile(r"\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) GMT\)")


class _Clients:
    def __init__(self, cloud: Cloud) -> None:
        self.autoscaling = cloud.client("autoscaling", ACCOUNT)
        self.ec2 = cloud.client("ec2", ACCOUNT)
        self.secretsmanager = cloud.client("secretsmanager", ACCOUNT)
        self.sns = cloud.client("sns", ACCOUNT)


class LabWorld:
    """See `tests.world.world.World`. `close` removes the annex, so that the next scenario finds nothing of it.

    Args:
        cloud: the cloud.
        subnets: subnets of which groups get the first half; the others are for those that change them.
    """

    lacks: Mapping[Can, str] = {
        Can.ANY_STATE: "lifecycle states are those that its calls lead to",
    }

    def __init__(self, cloud: Cloud, subnets: list[str]) -> None:
        self.cloud, self.subnets = cloud, subnets
        self.operator: Any = _Clients(cloud)
        self.conditions: list[Condition] = []
        self.clients: Any = ConditionedClients(self.operator, self.conditions)
        self._templates: dict[str, str] = {}
        self._queue = ""
        self._sites: list[Site] = []

    def now(self) -> datetime:
        """The time, aware."""
        return datetime.now(UTC) + timedelta(seconds=self.cloud.offset)

    def advance(self, seconds: float) -> None:
        """Advance the time and run every step that is due."""
        self.settle()
        self.cloud.advance(seconds)
        self.settle()

    def settle(self) -> None:
        """Run every step that is due."""
        for _ in range(_PATIENCE):
            self._tick()
            if not self._moving():
                self._tick()  # steps that follow from the last machine's state
                return
        raise TimeoutError(f"the lab's machines do not come to rest after {_PATIENCE} looks")

    def _tick(self) -> None:
        assert self.cloud.get(f"/_lab/tick?count={_STEPS}", "POST").status == 200

    def _moving(self) -> bool:
        """True while a machine is being started or stopped, which happens beside the ticks."""
        found = json.loads(self.cloud.get("/_lab/instances").data)
        mine = [one for one in found if one["tags"].get("aws:ec2launchtemplate:id") in self._templates.values()]
        return any(one["state"] in ("pending", "shutting-down", "stopping") for one in mine)

    def add_annex(self, site: Site) -> None:
        """See `World`."""
        self._sites.append(site)
        tags = [
            {"Key": lease_tags.TAG_NAME, "Value": site.policy.annex},
            {"Key": lease_tags.TAG_ID, "Value": site.annex_id},
        ]
        data: dict[str, Any] = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "c6a.large"}
        data["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags}]
        made = self.operator.ec2.create_launch_template(LaunchTemplateName=site.group, LaunchTemplateData=data)
        self._templates[site.group] = made["LaunchTemplate"]["LaunchTemplateId"]
        self.operator.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=site.group,
            LaunchTemplate={"LaunchTemplateId": self._templates[site.group], "Version": "$Latest"},
            MinSize=0,
            MaxSize=site.max_size,
            VPCZoneIdentifier=",".join(self.subnets[: len(self.subnets) // 2]),
            InstanceMaintenancePolicy={"MinHealthyPercentage": 0, "MaxHealthyPercentage": 100},  # as an annex has it
            NewInstancesProtectedFromScaleIn=site.protect_new,
            Tags=_declared(site),
        )
        if site.credential is not None:
            value = {"SecretString": "value"} if site.credential else {}
            self.operator.secretsmanager.create_secret(Name=site.secret_arn.rsplit(":", 1)[1], **value)
        if site.topic:
            self._make_topic(site)

    def _make_topic(self, site: Site) -> None:
        sqs = self.cloud.client("sqs", ACCOUNT)
        topic = self.operator.sns.create_topic(Name=site.policy.annex)["TopicArn"]
        assert topic == site.topic_arn
        self._queue = sqs.create_queue(QueueName=site.policy.annex)["QueueUrl"]
        queue = sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        may_send = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**may_send, "Resource": queue}]}
        sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": json.dumps(policy)})
        self.operator.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

    def _launched(self, group: str) -> list[dict[str, Any]]:
        """Instances that the group's template made, so that detached ones are found too."""
        filters = [{"Name": "tag:aws:ec2launchtemplate:id", "Values": [self._templates[group]]}]
        pages = self.operator.ec2.get_paginator("describe_instances").paginate(Filters=filters)
        return [one for page in pages for part in page["Reservations"] for one in part["Instances"]]

    def alive(self, group: str) -> set[str]:
        """See `World`."""
        dead = ("shutting-down", "terminated")
        return {one["InstanceId"] for one in self._launched(group) if one["State"]["Name"] not in dead}

    def used(self, group: str, since: float) -> float:
        """See `World`; `since` counts from the group's creation here."""
        [shown] = self.operator.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])[
            "AutoScalingGroups"
        ]
        start = shown["CreatedTime"] + timedelta(seconds=since)
        total = 0.0
        for one in self._launched(group):
            said = _ENDED.search(one["StateTransitionReason"])
            end = datetime.fromisoformat(said[1]).replace(tzinfo=UTC) if said else self.now()
            total += max(0.0, (end - max(start, one["LaunchTime"])).total_seconds())
        return total

    def set_state(self, instance_id: str, state: str) -> None:
        """See `lacks`."""
        raise NotImplementedError(self.lacks[Can.ANY_STATE])

    def fail_launches(self, group: str, reason: str) -> None:
        """See `World`."""
        self._fail(group, reason, dies=False)

    def kill_launches(self, group: str, reason: str) -> None:
        """See `World`."""
        self._fail(group, reason, dies=True)

    def _fail(self, group: str, text: str, *, dies: bool) -> None:
        asked = {"group": group, "text": text, "dies": int(dies)}
        assert self.cloud.get(f"/_lab/launches?{urlencode(asked)}", "POST").status == 200

    def replace_instances(self, group: str) -> None:
        """See `World`."""
        other = ",".join(self.subnets[len(self.subnets) // 2 :])
        self.operator.autoscaling.update_auto_scaling_group(AutoScalingGroupName=group, VPCZoneIdentifier=other)

    def published(self) -> list[dict[str, str]]:
        """See `World`; messages are not taken from the queue."""
        sqs = self.cloud.client("sqs", ACCOUNT)
        answer = sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [{"Message": one["Body"]} for one in answer.get("Messages", [])]

    def close(self) -> None:
        """Remove the resources, in any state."""
        for site in self._sites:
            self._fail(site.group, "", dies=False)
            self._remove(site)
        self.settle()

    def _remove(self, site: Site) -> None:
        autoscaling, group = self.operator.autoscaling, {"AutoScalingGroupName": site.group}
        if autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[site.group])["AutoScalingGroups"]:
            autoscaling.update_auto_scaling_group(**group, DeletionProtection="none")
            autoscaling.delete_auto_scaling_group(**group, ForceDelete=True)
        for instance in self.alive(site.group):
            self.operator.ec2.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
            self.operator.ec2.terminate_instances(InstanceIds=[instance])
        self.operator.ec2.delete_launch_template(LaunchTemplateId=self._templates[site.group])
        if site.credential is not None:
            self.operator.secretsmanager.delete_secret(SecretId=site.secret_arn, ForceDeleteWithoutRecovery=True)
        if site.topic:
            self.operator.sns.delete_topic(TopicArn=site.topic_arn)
            self.cloud.client("sqs", ACCOUNT).delete_queue(QueueUrl=self._queue)


def _declared(site: Site) -> list[dict[str, Any]]:
    if not site.declared:
        return []
    tags = {tag.key: tag.value for tag in policy_tags(site.policy, annex_id=site.annex_id)}
    return [
        {"ResourceId": site.group, "ResourceType": "auto-scaling-group", "Key": key, "Value": value}
        | {"PropagateAtLaunch": key in lease_tags.PROPAGATED_TAGS}
        for key, value in tags.items()
    ]
