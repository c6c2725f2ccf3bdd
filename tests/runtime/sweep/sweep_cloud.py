"""Region in process with stacks, groups and leftovers as the templates make them, and runs of the sweeper on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from annex_lease.aws import Clients
from annex_lease.policy import LeasePolicy, policy_tags
from annex_lease.sweep.sweep_handler import serve
from annex_lease.tags import TAG_GRANTED, TAG_ID, TAG_NAME, group_tag

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
Answer = Any  # an AWSResponse and what botocore would have read from it
READ_ONLY = ("Describe", "List", "Get")


class Context:
    """Lambda context with so many milliseconds left."""

    def __init__(self, milliseconds: int = 240_000) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


class Region:
    def __init__(self, clients: Clients) -> None:
        self.clients = clients
        self._unasked = Clients()  # for the answers of services that moto does not have
        self.ghosts: list[dict[str, Any]] = []  # what GetResources still lists
        self.meanwhile: Callable[[], object] = lambda: None  # once, when a run lists instances: after the groups
        self.born = datetime.now(UTC)
        self._image = ""
        self.changes = self._record_changes()
        self.stacks: dict[str, Any] = {}
        # moto's tagging API does not know log groups, and its CloudFormation needs more libraries than these tests.
        for client, event, answer in (
            (clients.tagging, "resource-groups-tagging-api.GetResources", self._get_resources),
            (clients.cloudformation, "cloudformation.DescribeStacks", self._describe_stacks),
            (clients.ec2, "ec2.DescribeInstances", self._list_instances),
        ):
            client.meta.events.register(f"before-call.{event}", cast("Callable[..., None]", answer))

    def add_stack(self, name: str, description: str = "") -> str:
        """Add a stack and return its uuid."""
        uuid = f"{len(self.stacks) + 1:08x}-0000-4000-8000-000000000000"
        self.stacks[name] = {
            "StackName": name,
            "StackId": f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/{uuid}",
            "StackStatus": "CREATE_COMPLETE",
            "CreationTime": self.born,
            "Description": description,
        }
        return uuid

    def add_annex(self, name: str, uuid: str, *, hours: int = 1, size: int = 2, without: Iterable[str] = ()) -> str:
        """Add the group of an annex, leased from now, with all its instances; return its name."""
        asg = f"asg-{name}-{uuid[:8]}"
        policy = LeasePolicy(name, size, 366 * 86400, 900, duration_seconds=hours * 3600)
        tags = [*policy_tags(policy, annex_id=f"{uuid}.{name}"), group_tag(TAG_GRANTED, str(size))]
        self._add_group(asg, size, [t.to_api(asg) for t in tags if t.key not in without])
        return asg

    def add_foreign_group(self, asg: str = "foreign") -> str:
        self._add_group(asg, 1, [])
        return asg

    def _add_group(self, asg: str, size: int, tags: list[Any]) -> None:
        ec2 = self.clients.ec2
        self._image = self._image or ec2.register_image(Name="image", Architecture="x86_64")["ImageId"]
        autoscaling = self.clients.autoscaling
        autoscaling.create_launch_configuration(
            LaunchConfigurationName=asg, ImageId=self._image, InstanceType="c6a.large"
        )
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=asg,
            LaunchConfigurationName=asg,
            MinSize=0,
            MaxSize=10,
            DesiredCapacity=size,
            AvailabilityZones=["us-east-1a"],
            Tags=tags,
        )

    def add_instance(self, tags: dict[str, str]) -> str:
        self._image = self._image or self.clients.ec2.register_image(Name="image", Architecture="x86_64")["ImageId"]
        listed: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
        made = self.clients.ec2.run_instances(
            ImageId=self._image,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": listed}] if listed else [],
        )
        return made["Instances"][0]["InstanceId"]

    def add_leftovers(self, tags: dict[str, str]) -> dict[str, str]:
        """Add one resource of each kind that can be left of an annex; return the ids by kind."""
        listed: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
        ec2 = self.clients.ec2
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        volume = ec2.create_volume(
            AvailabilityZone="us-east-1a", Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": listed}]
        )
        interface = ec2.create_network_interface(
            SubnetId=subnet, TagSpecifications=[{"ResourceType": "network-interface", "Tags": listed}]
        )["NetworkInterface"]
        name = f"token-{len(self.secrets())}"
        secret = self.clients.secretsmanager.create_secret(Name=name, SecretString="x", Tags=listed)
        log = f"/log/{name}"
        self.clients.logs.create_log_group(logGroupName=log, tags=tags)
        return {
            "instance": self.add_instance(tags),
            "volume": volume["VolumeId"],
            "network-interface": interface["NetworkInterfaceId"],
            "secret": secret["ARN"],
            "log-group": f"arn:aws:logs:us-east-1:123456789012:log-group:{log}",
        }

    def left(self) -> set[str]:
        """Ids of all resources that exist and cost money."""
        ec2 = self.clients.ec2
        ids = self.instances() | {volume["VolumeId"] for volume in ec2.describe_volumes()["Volumes"]}
        ids |= {each["NetworkInterfaceId"] for each in ec2.describe_network_interfaces()["NetworkInterfaces"]}
        return ids | self.secrets() | {each["arn"].removesuffix(":*") for each in self._log_groups()}

    def instances(self) -> set[str]:
        return {
            i["InstanceId"]
            for page in self.clients.ec2.get_paginator("describe_instances").paginate()
            for reservation in page["Reservations"]
            for i in reservation["Instances"]
            if i["State"]["Name"] not in ("terminated", "shutting-down")
        }

    def secrets(self) -> set[str]:
        return {secret["ARN"] for secret in self.clients.secretsmanager.list_secrets()["SecretList"]}

    def _log_groups(self) -> list[Any]:
        return list(self._unasked.logs.describe_log_groups()["logGroups"])

    def group(self, asg: str) -> Any:
        found = self.clients.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[asg])
        return found["AutoScalingGroups"][0]

    def group_tags(self, asg: str) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.group(asg)["Tags"]}

    def tag_group(self, asg: str, key: str, value: str) -> None:
        self._unasked.autoscaling.create_or_update_tags(Tags=[group_tag(key, value).to_api(asg)])  # type: ignore[list-item]

    def members(self, asg: str) -> set[str]:
        return {instance["InstanceId"] for instance in self.group(asg)["Instances"]}

    def sweep(
        self,
        after: timedelta,
        *,
        seconds: int = 240,
        event: object = None,
        environ: dict[str, str] | None = None,
        **also: str,
    ) -> dict[str, Any]:
        """One run, so long after the Region was made; returns the reply."""
        known = {"AWS_LAMBDA_FUNCTION_NAME": "sweeper", **(environ or {}), **also}
        asked: Any = {"sweep": "scheduled"} if event is None else event
        now = self.born + after
        return serve(asked, Context(seconds * 1000), environ=known, now=now, clients=self.clients)

    def _record_changes(self) -> list[str]:
        """Operations that change something, in the order of the calls; clear the list to start again."""
        calls: list[str] = []
        for name in ("autoscaling", "ec2", "secretsmanager", "logs", "cloudformation", "tagging"):
            meta = getattr(self.clients, name).meta

            def listen(model: Any, **_: object) -> None:
                if not model.name.startswith(READ_ONLY):
                    calls.append(model.name)

            meta.events.register(f"before-call.{meta.service_model.service_id.hyphenize()}", listen)
        return calls

    def _list_instances(self, **_: object) -> None:
        happen, self.meanwhile = self.meanwhile, lambda: None
        happen()

    def _describe_stacks(self, params: Any, **_: object) -> Answer:
        page, token = _paged(list(self.stacks.values()), params["body"].get("NextToken"))
        return _answer(Stacks=page, **({"NextToken": token} if token else {}))

    def _get_resources(self, params: Any, **_: object) -> Answer:
        asked = json.loads(params["body"])
        assert asked["ResourceTypeFilters"] == ["logs:log-group"]
        ((key, values),) = [(each["Key"], each.get("Values")) for each in asked["TagFilters"]]
        assert values is None
        found = []
        for each in self._log_groups():
            arn = each["arn"].removesuffix(":*")
            tags = self._unasked.logs.list_tags_for_resource(resourceArn=arn)["tags"]
            found.append({"ResourceARN": arn, "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]})
        found = [each for each in (*found, *self.ghosts) if key in {tag["Key"] for tag in each["Tags"]}]
        page, token = _paged(found, asked.get("PaginationToken"))
        return _answer(ResourceTagMappingList=page, PaginationToken=token)


def _paged(found: list[Any], token: str | None) -> tuple[list[Any], str]:
    """A page of two entries; the first is empty: AWS may return a short page while more exist."""
    start = int(token) if token else -2
    return (found[start : start + 2] if start >= 0 else []), (str(start + 2) if start + 2 < len(found) else "")


def _answer(**parsed: Any) -> Answer:
    return AWSResponse("https://aws", 200, HTTPHeaders(), None), {**parsed, "ResponseMetadata": {}}


def annex_tags(name: str, uuid: str) -> dict[str, str]:
    """Tags of every resource of an annex."""
    return {TAG_NAME: name, TAG_ID: f"{uuid}.{name}"}


def ids(report: dict[str, Any], name: str) -> list[str]:
    """Ids of the entries of a list in a report; the group where there is no id."""
    return [entry.get("id") or entry["group"] for entry in report[name]]


def refuse(client: Any, operation: str, *, where: str = "") -> None:
    """Make AWS deny `operation`, if its parameters contain `where`."""

    def deny(params: Any, **_: object) -> Answer | None:
        if where not in str(params.get("body")):
            return None
        parsed = {"Error": {"Code": "AccessDenied", "Message": "injected"}, "ResponseMetadata": {}}
        return AWSResponse("https://aws", 403, HTTPHeaders(), None), parsed

    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register_first(f"before-call.{service}.{operation}", deny)
