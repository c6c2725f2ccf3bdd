"""The EC2 API's actions on instances and on tags.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Operations.html
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from lab.cloud import instances, tags, templates, world
from lab.cloud.emulator import Response, account, ec2
from lab.cloud.instance_view import instance, matches, reservations
from lab.cloud.query import ApiError, flag, nested
from lab.cloud.templates import LaunchSpec, MetadataOptions

Parameters = Mapping[str, Any]
Action = Callable[[Parameters], Response]

BATCH = 1000
"""Maximum number of resources in TerminateInstances or CreateTags (their API pages)."""


def guarded(action: Action) -> Action:
    """An action that runs with the lock held and answers an ``ApiError`` as EC2 does."""

    def run(parameters: Parameters) -> Response:
        with world.lock:
            try:
                return action(parameters)
            except ApiError as error:
                answer: Response = ec2._error(error.code, escape(error.message), error.status)
                return answer

    return run


def xml(action: str, body: str) -> Response:
    """A successful answer."""
    answer: Response = ec2._xml(200, f"{action}Response", body)
    return answer


def listed(parameters: Parameters, name: str) -> list[str]:
    """The values of a numbered parameter."""
    found: list[str] = ec2._parse_member_list(parameters, name)
    return found


def value(parameters: Parameters, name: str) -> str:
    """A parameter's text, empty when absent."""
    return str(ec2._p(parameters, name) or "")


def run_instances(parameters: Parameters) -> Response:
    specification = {
        name: value(parameters, f"LaunchTemplate.{name}")
        for name in ("LaunchTemplateId", "LaunchTemplateName", "Version")
    }
    template = templates.resolve(specification) if any(specification.values()) else None
    spec = _overridden(templates.launch_spec(template.data if template else {}), parameters)
    tags.check_user_keys(spec.tags)
    if template:
        spec = spec.with_tags(
            {"aws:ec2launchtemplate:id": template.template_id, "aws:ec2launchtemplate:version": str(template.version)}
        )
    if flag(value(parameters, "DryRun")):
        raise ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
    reservation = f"r-{uuid4().hex[:17]}"
    made = [instances.launch(spec, reservation) for _ in range(int(value(parameters, "MaxCount") or 1))]
    return xml(
        "RunInstances",
        f"<reservationId>{reservation}</reservationId><ownerId>{account()}</ownerId><groupSet/>"
        f"<instancesSet>{''.join(map(instance, made))}</instancesSet>",
    )


def _overridden(spec: LaunchSpec, parameters: Parameters) -> LaunchSpec:
    """Apply the request's own values over those of the template."""
    tree = nested(parameters)
    options = tree.get("MetadataOptions") or {}
    declared: dict[str, dict[str, str]] = {"instance": {}, "volume": {}, "network-interface": {}}
    for part in (tree.get("TagSpecification") or {}).values():
        found = {one["Key"]: one.get("Value", "") for one in (part.get("Tag") or {}).values()}
        declared.setdefault(part.get("ResourceType", ""), {}).update(found)
    groups = tuple(listed(parameters, "SecurityGroupId"))
    user_data = value(parameters, "UserData")
    return replace(
        spec,
        image_id=value(parameters, "ImageId") or spec.image_id,
        instance_type=value(parameters, "InstanceType") or spec.instance_type or "m1.small",
        subnet_id=value(parameters, "SubnetId") or spec.subnet_id,
        key_name=value(parameters, "KeyName") or spec.key_name,
        security_groups=groups or spec.security_groups,
        profile=tree.get("IamInstanceProfile") or spec.profile,
        user_data=templates.decode_user_data(user_data) if user_data else spec.user_data,
        shutdown_behavior=value(parameters, "InstanceInitiatedShutdownBehavior") or spec.shutdown_behavior,
        metadata=MetadataOptions(
            enabled=options.get("HttpEndpoint", "enabled" if spec.metadata.enabled else "disabled") == "enabled",
            tags=options.get("InstanceMetadataTags", "enabled" if spec.metadata.tags else "disabled") == "enabled",
            hop_limit=int(options.get("HttpPutResponseHopLimit", spec.metadata.hop_limit)),
        ),
        tags={**spec.tags, **declared["instance"]},
        volume_tags={**spec.volume_tags, **declared["volume"]},
        interface_tags={**spec.interface_tags, **declared["network-interface"]},
        api_termination_disabled=flag(value(parameters, "DisableApiTermination"), spec.api_termination_disabled),
        spot=spec.spot or (tree.get("InstanceMarketOptions") or {}).get("MarketType") == "spot",
    )


def describe_instances(parameters: Parameters) -> Response:
    ids = listed(parameters, "InstanceId")
    found = existing(ids) if ids else list(ec2._instances.values())
    filters = ec2._parse_filters(parameters)
    found = [record for record in found if matches(record, filters)]
    size = value(parameters, "MaxResults")
    if not size:
        return xml("DescribeInstances", f"<reservationSet>{reservations(found)}</reservationSet>")
    if ids or not 5 <= int(size) <= 1000:
        raise ApiError(
            "InvalidParameterValue", f"MaxResults must be 5 to 1000 and without instance IDs, received {size}"
        )
    start = int(value(parameters, "NextToken") or 0)
    shown, end = found[start : start + int(size)], start + int(size)
    token = f"<nextToken>{end}</nextToken>" if end < len(found) else ""
    return xml("DescribeInstances", f"<reservationSet>{reservations(shown)}</reservationSet>{token}")


def existing(ids: list[str]) -> list[instances.Record]:
    """The records of instance ids. Raises ``ApiError`` if one is malformed or unknown: calls are atomic."""
    for instance_id in ids:
        if not ec2._INSTANCE_ID_RE.match(instance_id):
            raise ApiError("InvalidInstanceID.Malformed", f'Invalid id: "{instance_id}"')
    unknown = [instance_id for instance_id in ids if instances.find(instance_id) is None]
    if len(unknown) == 1:
        raise ApiError("InvalidInstanceID.NotFound", f"The instance ID '{unknown[0]}' does not exist")
    if unknown:
        raise ApiError("InvalidInstanceID.NotFound", f"The instance IDs '{', '.join(unknown)}' do not exist")
    return [ec2._instances[instance_id] for instance_id in dict.fromkeys(ids)]


def not_modelled(name: str) -> Action:
    """Refuse an action that the lab's machines cannot carry out, so that no record is wrong."""

    def refuse(_: Parameters) -> Response:
        raise ApiError("UnsupportedOperation", f"{name} is not modelled by the lab: terminate and launch instead")

    return refuse


def create_tags(parameters: Parameters) -> Response:
    ids = listed(parameters, "ResourceId")
    declared = {str(tag["Key"]): str(tag["Value"]) for tag in ec2._parse_tags(parameters)}
    _check_taggable(ids, declared)
    for resource_id in ids:
        tags.check_count(tags.of(resource_id), declared)
    answer: Response = ec2._create_tags(parameters)
    return answer


def delete_tags(parameters: Parameters) -> Response:
    _check_taggable(listed(parameters, "ResourceId"), {str(tag["Key"]): "" for tag in ec2._parse_tags(parameters)})
    answer: Response = ec2._delete_tags(parameters)
    return answer


def _check_taggable(ids: list[str], declared: Mapping[str, str]) -> None:
    if not ids or len(ids) > BATCH:
        raise ApiError("InvalidParameterValue", f"a call takes 1 to {BATCH} resource IDs, received {len(ids)}")
    tags.check_user_keys(declared)
    for record in existing([one for one in ids if one.startswith("i-")]):
        if instances.details(record).metadata.tags:
            tags.check_readable(declared)


def describe_offerings(parameters: Parameters) -> Response:
    """Every zone of the lab offers every type that is asked for, by `LocationType=availability-zone`.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html
    """
    filters = ec2._parse_filters(parameters)
    if value(parameters, "LocationType") != "availability-zone" or set(filters) != {"instance-type", "location"}:
        raise ApiError("InvalidParameterValue", "the lab lists offerings by instance-type and location, for zones")
    zones = {str(subnet["AvailabilityZone"]) for subnet in ec2._subnets.values()} & set(filters["location"])
    items = "".join(
        f"<item><instanceType>{kind}</instanceType><locationType>availability-zone</locationType>"
        f"<location>{zone}</location></item>"
        for kind in filters["instance-type"]
        for zone in sorted(zones)
    )
    return xml("DescribeInstanceTypeOfferings", f"<instanceTypeOfferingSet>{items}</instanceTypeOfferingSet>")


def install() -> None:
    """Take over these actions from MiniStack."""
    ec2._ACTION_MAP.update(
        RunInstances=guarded(run_instances),
        DescribeInstances=guarded(describe_instances),
        DescribeInstanceTypeOfferings=guarded(describe_offerings),
        CreateTags=guarded(create_tags),
        DeleteTags=guarded(delete_tags),
        **{name: guarded(not_modelled(name)) for name in ("StartInstances", "RebootInstances")},
        CreateFleet=guarded(not_modelled("CreateFleet")),
    )
    parse = ec2._parse_lt_data

    def parse_template(parameters: Parameters, prefix: str = "LaunchTemplateData") -> dict[str, Any]:
        """MiniStack's parser drops these members of a template made through the API."""
        found: dict[str, Any] = parse(parameters, prefix)
        for number, interface in enumerate(found.get("NetworkInterfaces") or [], 1):
            deleted = value(parameters, f"{prefix}.NetworkInterface.{number}.DeleteOnTermination")
            interface.update({"DeleteOnTermination": deleted} if deleted else {})
        market = value(parameters, f"{prefix}.InstanceMarketOptions.MarketType")
        return {**found, "InstanceMarketOptions": {"MarketType": market}} if market else found

    ec2._parse_lt_data = parse_template
    # The lab's account has its own Region enabled and no other: DescribeRegions would list all.
    ec2._AWS_REGIONS[:] = [(ec2.REGION, "opt-in-not-required")]
    # Terminated instances are forgotten by the lab's own clock, after an hour as on AWS.
    ec2._cleanup_terminated = lambda: None
