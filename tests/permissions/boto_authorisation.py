"""AWS in process (moto) that asks IAM before every call of some clients, with the current tags of resources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from annex_lease.aws import Clients
from tests.permissions.authorisation import Policies, Request, ask
from tests.permissions.deployed import ACCOUNT, REGION
from tests.world.aws_errors import refusal

# The prefix of IAM actions where it is not the name of the client ("Service prefix", Service Authorization Reference).
_PREFIX = {"resourcegroupstaggingapi": "tag"}
_IDS = {"i-": "instance", "vol-": "volume", "eni-": "network-interface"}


class BotoAuthorised:
    """Check of every call that these clients make while `asking`; see `authorisation.Authorised`."""

    def __init__(self, policies: Policies, clients: Clients) -> None:
        self._policies = policies
        self._own = Clients()  # reads tags without a check
        self._asking = False
        self.used: set[tuple[str, str]] = set()
        self.denied: list[Request] = []
        for name in ("autoscaling", "ec2", "secretsmanager", "logs", "cloudformation", "tagging"):
            client = getattr(clients, name)
            client.meta.events.register("provide-client-params.*.*", self._ask)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Check every call that is made in this context."""
        self._asking = True
        yield
        self._asking = False

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if not self._asking:
            return
        service = model.service_model.service_name
        action = f"{_PREFIX.get(service, service)}:{model.name}"
        for request in self._requests(action, service, params):
            answer = ask(self._policies, request)
            if not answer.allowed:
                self.denied.append(request)
                raise refusal("AccessDenied", f"{action} on {request.resource}", model.name)
            self.used.add((answer.statement, request.action))

    def _requests(self, action: str, service: str, params: dict[str, Any]) -> Iterator[Request]:
        name = action.partition(":")[2]
        if name.startswith(("Describe", "List", "Get")):
            yield Request(action)
        elif service == "autoscaling":
            keys = tuple(tag["Key"] for tag in params.get("Tags", ()))
            group = params["Tags"][0]["ResourceId"] if keys else params["AutoScalingGroupName"]
            found = self._own.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
            described = found["AutoScalingGroups"][0]
            yield _request(action, described["AutoScalingGroupARN"], described["Tags"], keys)
        elif service == "ec2":
            keys = tuple(tag["Key"] for tag in params.get("Tags", ()))
            single = [params[key] for key in ("VolumeId", "NetworkInterfaceId") if key in params]
            for each in params.get("InstanceIds") or params.get("Resources") or single:
                kind = next(kind for prefix, kind in _IDS.items() if each.startswith(prefix))
                written = self._own.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [each]}])["Tags"]
                yield _request(action, f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{each}", written, keys)
        elif service == "secretsmanager":
            arn = params["SecretId"]
            keys = tuple(params.get("TagKeys") or [tag["Key"] for tag in params.get("Tags", ())])
            force = {"secretsmanager:ForceDeleteWithoutRecovery": "true"} if "ForceDelete" in str(params) else {}
            tags = self._own.secretsmanager.describe_secret(SecretId=arn).get("Tags", [])
            yield _request(action, arn, tags, keys, force)
        elif service == "logs":
            arn = params.get("resourceArn") or f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{params['logGroupName']}"
            keys = tuple(params.get("tagKeys") or params.get("tags") or ())
            pairs = self._own.logs.list_tags_for_resource(resourceArn=arn)["tags"]
            yield _request(action, arn, [{"Key": key, "Value": value} for key, value in pairs.items()], keys)
        else:
            raise NotImplementedError(f"{action}: look up its resource types and condition keys")


def _request(
    action: str, arn: str, tags: Any, keys: tuple[str, ...] = (), more: dict[str, str] | None = None
) -> Request:
    return Request(action, arn, {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags} | (more or {}), keys)
