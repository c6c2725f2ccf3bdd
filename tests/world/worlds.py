"""The model of AWS, and an AWS in process (moto), as worlds to play scenarios in.

What each cannot express, and the model therefore decides:

===================  =====================================================================================
world                lacks
===================  =====================================================================================
model                nothing of `Can`; it has what AWS documents, and no capacity errors, no spot market
moto                 see `MotoWorld.lacks`: each capability with its reason
===================  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from annex_lease import tags as lease_tags
from annex_lease.policy import policy_tags
from tests.world import aws_replacement
from tests.world.aws_conditions import Condition, ConditionedClients
from tests.world.aws_model import Aws
from tests.world.aws_state import START, ScalingGroup, Secret
from tests.world.stage import Can, Site


def declared_tags(site: Site) -> list[dict[str, Any]]:
    """The tags that the annex's template gives its group."""
    if not site.declared:
        return []
    tags = {tag.key: tag.value for tag in policy_tags(site.policy)} | {lease_tags.TAG_ID: site.annex_id}
    return [
        {"ResourceId": site.group, "ResourceType": "auto-scaling-group", "Key": key, "Value": value}
        | {"PropagateAtLaunch": key in lease_tags.PROPAGATED_TAGS}
        for key, value in tags.items()
    ]


class ModelWorld:
    """The model of the AWS that AWS documents; it lacks nothing that scenarios ask for."""

    lacks: Mapping[Can, str] = {}

    def __init__(self, aws: Aws | None = None) -> None:
        self.aws = aws or Aws()
        self.clients: Any = self.aws.clients
        self.operator: Any = self.aws.operator
        self.conditions = self.aws.conditions

    def now(self) -> datetime:
        """The time, aware."""
        return START + timedelta(seconds=self.aws.account.now)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.aws.advance(seconds)

    def add_annex(self, site: Site) -> None:
        """See `World`."""
        account = self.aws.account
        group = ScalingGroup(site.group, account.moment, site.max_size, protect_new=site.protect_new)
        group.template_tags = {lease_tags.TAG_NAME: site.policy.annex, lease_tags.TAG_ID: site.annex_id}
        account.groups[site.group] = group
        if site.declared:
            self.operator.autoscaling.create_or_update_tags(Tags=declared_tags(site))
        if site.credential is not None:
            stages = {"v1": ["AWSCURRENT"]} if site.credential else {}
            account.secrets[site.secret_arn] = Secret(site.secret_arn, stages)
        if site.topic:
            account.topics[site.topic_arn] = []

    def alive(self, group: str) -> set[str]:
        """See `World`."""
        return {one.id for one in self.aws.account.alive(group)}

    def used(self, group: str, since: float) -> float:
        """See `World`."""
        return self.aws.account.instance_seconds(group, since)

    def set_state(self, instance_id: str, state: str) -> None:
        """See `World`."""
        instance = self.aws.account.instances[instance_id]
        instance.lifecycle, instance.warm = state, state.startswith("Warmed:")
        self.aws.account.wake(instance, None)

    def fail_launches(self, group: str, reason: str) -> None:
        """See `World`."""
        found = self.aws.account.groups[group]
        found.launch_error = reason
        self.aws.account.touch(found, 0.0)

    def kill_launches(self, group: str, reason: str) -> None:
        """See `World`."""
        found = self.aws.account.groups[group]
        found.launch_death = reason
        self.aws.account.touch(found, 0.0)

    def replace_instances(self, group: str) -> None:
        """See `World`."""
        aws_replacement.begin(self.aws.account, self.aws.account.groups[group])

    def published(self) -> list[dict[str, str]]:
        """See `World`."""
        return [message for topic in self.aws.account.topics.values() for message in topic]


class MotoWorld:
    """An AWS in process. It is inside `mock_aws()`; its time is that of its making, moved on by `advance`."""

    lacks: Mapping[Can, str] = {
        Can.BOOT: "instances run at once and are terminated at once",
        Can.HOOKS: "hooks hold nothing, CompleteLifecycleAction does not exist",
        Can.RETAIN: "there are no instance lifecycle policies",
        Can.SUSPENDED_TERMINATE: "a suspended Terminate terminates all the same",
        Can.RESUMED_SCALE_IN: "taking protection away does not go on with the scale-in",
        Can.WARM_POOL: "a warm pool is a record without instances",
        Can.STANDBY: "a scale-in takes instances on standby too, or one of them in place of one in service",
        Can.DETACH: "a detached instance keeps the group's tag",
        Can.ANY_STATE: "lifecycle states are those that its calls lead to",
        Can.DELETION_PROTECTION: "there is none",
        Can.STOPPED: "a stopped instance stays a healthy member",
        Can.METER: "no time passes in it",
        Can.TOPIC: "what was published cannot be read back",
        Can.TAG_LIMIT: "a group takes any number of tags",
        Can.FAILED_LAUNCHES: "every launch succeeds, and there are no scaling activities",
        Can.REPLACEMENT: "a change of subnets leaves running instances alone",
    }

    def __init__(self, clients: Any) -> None:
        self.conditions: list[Condition] = []
        self.clients: Any = ConditionedClients(clients, self.conditions) if clients else None
        self.operator: Any = clients
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        """The time, aware; groups get their CreatedTime from the real clock, some moments later than this."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass, and run the scheduled actions that are due, which moto only keeps."""
        self._now += timedelta(seconds=seconds)
        autoscaling = self.operator.autoscaling
        found = autoscaling.describe_scheduled_actions()["ScheduledUpdateGroupActions"]
        for one in sorted(found, key=lambda each: each["StartTime"]):
            if one["StartTime"] <= self._now:
                self._run_scheduled(one)

    def _run_scheduled(self, action: dict[str, Any]) -> None:
        group = {"AutoScalingGroupName": action["AutoScalingGroupName"]}
        autoscaling = self.operator.autoscaling
        autoscaling.delete_scheduled_action(**group, ScheduledActionName=action["ScheduledActionName"])
        found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=list(group.values()))
        for one in found["AutoScalingGroups"]:
            if "ScheduledActions" not in {each["ProcessName"] for each in one["SuspendedProcesses"]}:
                sizes = {key: action[key] for key in ("MinSize", "MaxSize", "DesiredCapacity") if key in action}
                autoscaling.update_auto_scaling_group(**group, **sizes)

    def add_annex(self, site: Site) -> None:
        """See `World`."""
        image = self.operator.ec2.register_image(Name=f"image-{site.group}", Architecture="x86_64")["ImageId"]
        tags = [{"Key": lease_tags.TAG_NAME, "Value": site.policy.annex}]
        tags.append({"Key": lease_tags.TAG_ID, "Value": site.annex_id})
        template = {"ImageId": image, "InstanceType": "c6a.large"}
        template["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags}]
        self.operator.ec2.create_launch_template(LaunchTemplateName=f"t-{site.group}", LaunchTemplateData=template)
        self.operator.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=site.group,
            LaunchTemplate={"LaunchTemplateName": f"t-{site.group}", "Version": "$Latest"},
            MinSize=0,
            MaxSize=site.max_size,
            AvailabilityZones=["us-east-1a"],
            NewInstancesProtectedFromScaleIn=site.protect_new,
            Tags=declared_tags(site),
        )
        if site.credential is not None:
            self._add_secret(site)
        if site.topic:
            self.operator.sns.create_topic(Name=site.policy.annex)

    def _add_secret(self, site: Site) -> None:
        value = {"SecretString": "value"} if site.credential else {}
        self.operator.secretsmanager.create_secret(Name=site.secret_arn.rsplit(":", 1)[1], **value)

    def alive(self, group: str) -> set[str]:
        """See `World`."""
        pages = self.operator.ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "tag:aws:autoscaling:groupName", "Values": [group]}]
        )
        found = [one for page in pages for part in page["Reservations"] for one in part["Instances"]]
        return {one["InstanceId"] for one in found if one["State"]["Name"] not in ("shutting-down", "terminated")}

    def used(self, group: str, since: float) -> float:
        """See `lacks`."""
        raise NotImplementedError(self.lacks[Can.METER])

    def set_state(self, instance_id: str, state: str) -> None:
        """See `lacks`."""
        raise NotImplementedError(self.lacks[Can.ANY_STATE])

    def fail_launches(self, group: str, reason: str) -> None:
        """See `lacks`."""
        raise NotImplementedError(self.lacks[Can.FAILED_LAUNCHES])

    def kill_launches(self, group: str, reason: str) -> None:
        """See `lacks`."""
        raise NotImplementedError(self.lacks[Can.FAILED_LAUNCHES])

    def replace_instances(self, group: str) -> None:
        """See `lacks`."""
        raise NotImplementedError(self.lacks[Can.REPLACEMENT])

    def published(self) -> list[dict[str, str]]:
        """See `lacks`."""
        raise NotImplementedError(self.lacks[Can.TOPIC])
