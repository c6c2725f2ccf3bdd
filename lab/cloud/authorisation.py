"""Resources and condition keys of a request, for actions that MiniStack's own table lacks.

Every resource of a call is checked by itself, as AWS does. Tables:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
"""

import contextvars
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.cloud import groups, tags
from lab.cloud.emulator import account, ec2, iam, iam_actions, iam_evaluator, region, secretsmanager
from lab.cloud.query import ApiError, nested
from lab.cloud.templates import resolve

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One action on one resource that must be allowed."""

    action: str
    resource: str
    keys: dict[str, Any] = field(default_factory=dict)


_checks: contextvars.ContextVar[tuple[Check, ...]] = contextvars.ContextVar("checks", default=())


def checks(service: str, path: str, body: bytes, parameters: Parameters) -> list[Check]:
    """Permissions to check besides, or instead of, those of MiniStack; empty: MiniStack's check is enough."""
    action = _first(parameters, "Action")
    if service == "autoscaling":
        return _autoscaling(action, parameters)
    if service == "ec2":
        return _ec2(action, parameters)
    if service == "secretsmanager":
        return _secrets(body)
    if service == "logs":
        return _logs(body)
    if service in ("scheduler", "lambda"):
        return _passed_roles(service, path, body)
    return []


def _first(parameters: Parameters, name: str) -> str:
    value = parameters.get(name, "")
    return str(value[0] if isinstance(value, list) else value)


def _autoscaling(action: str, parameters: Parameters) -> list[Check]:
    if action.startswith("Describe"):
        return [Check(f"autoscaling:{action}", "*")]
    request = nested({name: _first(parameters, name) for name in parameters})
    named = [str(one.get("ResourceId") or "") for one in request.get("Tags") or []] if action in _TAG_ACTIONS else []
    name = str(request.get("AutoScalingGroupName") or "")
    instance = str(request.get("InstanceId") or "")
    if not named and not name and instance:
        owner = groups.of_instance(instance)
        name = owner.name if owner else ""
    # "Filters access by the minimum [maximum] size of the Auto Scaling group" in the request, as the examples of the
    # User Guide use it, also of a scheduled action:
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/security_iam_id-based-policy-examples.html
    sizes = {
        f"autoscaling:{key.lower()}": str(request[key])
        for key in ("MinSize", "MaxSize")
        if request.get(key) is not None
    }
    found = [_group_check(action, one, sizes) for one in named or [name]]
    if action in ("CreateAutoScalingGroup", "UpdateAutoScalingGroup"):
        found += _template_roles(request)
    return found


_TAG_ACTIONS = ("CreateOrUpdateTags", "DeleteTags")


def _group_check(action: str, name: str, sizes: dict[str, Any]) -> Check:
    group = groups.find(name)
    if group is None:
        # A group that does not exist has no id yet; policies name the id with a wildcard.
        arn = f"arn:aws:autoscaling:{region()}:{account()}:autoScalingGroup:*:autoScalingGroupName/{name}"
        return Check(f"autoscaling:{action}", arn, sizes)
    values = {tag.key: tag.value for tag in group.tags.values()}
    return Check(f"autoscaling:{action}", group.arn, {**_tag_keys("autoscaling", values), **sizes})


def _tag_keys(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    keys = {}
    for name, value in values.items():
        keys[f"{prefix}:ResourceTag/{name}"] = value
        keys[f"aws:ResourceTag/{name}"] = value
    return keys


def _ec2(action: str, parameters: Parameters) -> list[Check]:
    if action.startswith("Describe") and action != "DescribeInstanceAttribute":
        return [Check(f"ec2:{action}", "*")]
    if action == "RunInstances":
        return _run_instances(parameters)
    ids = ec2._parse_member_list(parameters, "ResourceId") if action in ("CreateTags", "DeleteTags") else []
    ids = ids or ec2._parse_member_list(parameters, "InstanceId")
    ids = ids or [one for one in (_first(parameters, name) for name in _SINGLE) if one]
    return [Check(f"ec2:{action}", _ec2_arn(one), _tag_keys("ec2", tags.of(one))) for one in ids]


_SINGLE = ("VolumeId", "NetworkInterfaceId", "InstanceId")
"""Parameters with the only resource of DeleteVolume, DeleteNetworkInterface and ModifyInstanceAttribute."""


def _ec2_arn(resource_id: str) -> str:
    kind = ec2._guess_resource_type(resource_id)
    return f"arn:aws:ec2:{region()}:{account()}:{kind}/{resource_id}"


def _run_instances(parameters: Parameters) -> list[Check]:
    request = nested({name: _first(parameters, name) for name in parameters})
    base = f"arn:aws:ec2:{region()}:{account()}"
    resources = [f"{base}:instance/*", f"{base}:network-interface/*", f"{base}:volume/*"]
    template = request.get("LaunchTemplate") or {}
    data: Mapping[str, Any] = {}
    if template:
        try:
            found = resolve(template)
        except ApiError:
            return []  # the call itself answers that there is no such template
        data = found.data
        resources.append(f"{base}:launch-template/{found.template_id}")
    image = request.get("ImageId") or data.get("ImageId")
    subnet = request.get("SubnetId")
    if image:
        resources.append(f"arn:aws:ec2:{region()}::image/{image}")
    if subnet:
        resources.append(f"{base}:subnet/{subnet}")
    listed = [Check("ec2:RunInstances", one) for one in resources]
    for part in (request.get("TagSpecification") or {}).values():
        kind = part.get("ResourceType") or "instance"
        listed.append(Check("ec2:CreateTags", f"{base}:{kind}/*", {"ec2:CreateAction": "RunInstances"}))
    return listed + _profile_roles(request.get("IamInstanceProfile") or data.get("IamInstanceProfile") or {})


def _template_roles(request: Mapping[str, Any]) -> list[Check]:
    """Permissions of a caller that sets a group's template: to launch from it, and to pass its role.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html
    """
    mixed = (request.get("MixedInstancesPolicy") or {}).get("LaunchTemplate") or {}
    specification = request.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification")
    if not specification:
        return []
    try:
        data = resolve(specification).data
    except ApiError:
        return []
    launch = Check("ec2:RunInstances", f"arn:aws:ec2:{region()}:{account()}:instance/*")
    return [launch, *_profile_roles(data.get("IamInstanceProfile") or {})]


def _profile_roles(profile: Mapping[str, Any]) -> list[Check]:
    name = str(profile.get("Name") or str(profile.get("Arn") or "").rsplit("/", 1)[-1])
    record = iam._instance_profiles.get(name) if name else None
    names = [one if isinstance(one, str) else one["RoleName"] for one in (record or {}).get("Roles", [])]
    arns = [iam._roles[one]["Arn"] for one in names if one in iam._roles]
    return [Check("iam:PassRole", arn, {"iam:PassedToService": "ec2.amazonaws.com"}) for arn in arns]


def _secrets(body: bytes) -> list[Check]:
    request = _json(body)
    name = str(request.get("SecretId") or "")
    _, secret = secretsmanager._resolve(name) if name else (None, None)
    if not secret:
        return []
    values = {str(tag["Key"]): str(tag.get("Value", "")) for tag in secret.get("Tags") or []}
    return [Check("", secret["ARN"], {**_tag_keys("secretsmanager", values), "secretsmanager:SecretId": secret["ARN"]})]


def _logs(body: bytes) -> list[Check]:
    """Actions on a log group cover its streams, so a policy has the ARN "with the trailing :*"; not those on tags.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    name = str(_json(body).get("logGroupName") or "")
    return [Check("", f"arn:aws:logs:{region()}:{account()}:log-group:{name}:log-stream:")] if name else []


def _passed_roles(service: str, path: str, body: bytes) -> list[Check]:
    request = _json(body)
    role = str((request.get("Target") or {}).get("RoleArn") or request.get("Role") or "")
    if not role or ("/schedules/" not in path and "/functions" not in path):
        return []
    return [Check("", ""), Check("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})]


def _json(body: bytes) -> dict[str, Any]:
    if body[:1] != b"{":
        return {}
    try:
        request = json.loads(body)
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


def install() -> None:
    """Put these checks before MiniStack's handlers."""
    extract, enforce = iam_actions.extract_resource_arn, iam_evaluator.enforce

    def extract_resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query_params: Parameters, *where: str
    ) -> str:
        arn = str(extract(service, method, path, headers, body, query_params, *where))
        found = tuple(checks(service, path, body, query_params))
        _checks.set(found)
        # MiniStack looks up a log group's tags by this.
        return found[0].resource or arn if found and service != "logs" else arn

    def enforce_all(
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> Any:
        pending = _checks.get() or (Check("", ""),)
        _checks.set(())
        for check in pending:
            denied = enforce(
                access_key_id,
                check.action or iam_action,
                service,
                region,
                resource_arn=check.resource or resource_arn,
                service_context={**(service_context or {}), **check.keys},
            )
            if denied is not None:
                return denied
        return None

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce_all
