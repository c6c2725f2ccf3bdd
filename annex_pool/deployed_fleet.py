"""The fleet that is deployed: what AWS says of the values that a deployment changes under running instances."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from annex_lease.egress import Opening
from annex_lease.ownership import by_key_from_api
from annex_lease.tags import TAG_ID
from annex_lease.terms import PROTECT_BUSY
from annex_pool.command_error import AnnexError
from annex_pool.deployed import Deployed
from annex_pool.image import launched
from annex_pool.region import asking

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef, InstanceTypeDef
    from mypy_boto3_ec2.type_defs import IpPermissionOutputTypeDef, SubnetTypeDef

_ANYWHERE = ("0.0.0.0/0", "::/0")
# Settings of an execution point are lines of its user data, `ANNEX_<NAME>=<value>` (annex_boot/settings.py).
_PROTECTS = re.compile(rf"^\s*ANNEX_{PROTECT_BUSY.name.upper()}=1\s*$", re.MULTILINE)
_PROFILE_PATH = re.compile(r"arn:[^:]+:iam::[^:]*:instance-profile(/(?:.*/)?)[^/]+")


@dataclass(frozen=True)
class DeployedFleet:
    """The fleet as AWS describes it; None stands for what is not known.

    Attributes:
        on_demand_base: on-demand instances before any is spot.
        on_demand_percentage: percentage of the other instances that is on-demand.
        subnets: ids of the subnets, sorted.
        vpc: id of the VPC of the subnets.
        own_network: the VPC is the annex's own.
        ipv6: a subnet has an IPv6 block.
        role_path: path of the instance profile.
        protecting: ids of the instances that protect themselves while busy, by the launch template that each was
            launched from.
        openings: what the security group opens; None: everything, or it is not known.
        unread: why a part could not be read, one line each. Default: ().
    """

    on_demand_base: int | None = None
    on_demand_percentage: int | None = None
    subnets: tuple[str, ...] = ()
    vpc: str | None = None
    own_network: bool | None = None
    ipv6: bool | None = None
    role_path: str | None = None
    protecting: frozenset[str] | None = None
    openings: frozenset[Opening] | None = None
    unread: tuple[str, ...] = ()


def read_fleet(found: Deployed) -> DeployedFleet:
    """Describe the group, its subnets, its launch template and the security group. A refusal is in `unread`.

    Args:
        found: the annex.
    """
    try:
        described = _group(found)
    except AnnexError as error:
        return DeployedFleet(unread=(str(error),))
    fleet, unread = of_group(described), list[str]()
    try:
        fleet = replace(fleet, **_network(found, _subnets(found, fleet.subnets)))
    except AnnexError as error:
        unread.append(str(error))
    try:
        data = _versions(found, described)
        fleet = replace(fleet, **_launches(data.get(_current(described), {})), **_protection(described, data))
        groups = [str(each) for each in _security_groups(data.get(_current(described), {}))]
        fleet = replace(fleet, openings=_openings(found, groups) if groups else None)
    except AnnexError as error:
        unread.append(str(error))
    return replace(fleet, unread=tuple(unread))


def of_group(described: AutoScalingGroupTypeDef) -> DeployedFleet:
    """The part of the fleet that the description of its group holds."""
    shares = described.get("MixedInstancesPolicy", {}).get("InstancesDistribution")
    subnets = tuple(sorted(each for each in described.get("VPCZoneIdentifier", "").split(",") if each))
    if shares is None:
        return DeployedFleet(subnets=subnets)
    # The defaults of the API (EC2 Auto Scaling API Reference, InstancesDistribution).
    return DeployedFleet(
        shares.get("OnDemandBaseCapacity", 0), shares.get("OnDemandPercentageAboveBaseCapacity", 100), subnets
    )


def _group(found: Deployed) -> AutoScalingGroupTypeDef:
    name = found.group.name
    with asking(f"for group {name}"):
        groups = found.aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    if not groups:
        raise AnnexError(f"group {name} is not listed any more")
    return groups[0]


def _subnets(found: Deployed, ids: Sequence[str]) -> Sequence[SubnetTypeDef]:
    if not ids:
        return ()
    with asking(f"for the subnets of group {found.group.name}"):
        return found.aws.ec2.describe_subnets(SubnetIds=list(ids))["Subnets"]


def _network(found: Deployed, subnets: Sequence[SubnetTypeDef]) -> dict[str, Any]:
    """Facts about the network; only subnets that the annex's own stack made carry its id."""
    for each in subnets:
        blocks = each.get("Ipv6CidrBlockAssociationSet", [])
        return {
            "vpc": each["VpcId"],
            "own_network": by_key_from_api(each.get("Tags", [])).get(TAG_ID) == found.id if found.id else None,
            "ipv6": any(block["Ipv6CidrBlockState"]["State"] in ("associating", "associated") for block in blocks),
        }
    return {}


def _current(described: AutoScalingGroupTypeDef) -> str:
    """Version of the launch template for instances that start now."""
    template, _ = launched([described])
    return str(template.get("Version", "$Default"))


def _versions(found: Deployed, described: AutoScalingGroupTypeDef) -> Mapping[str, Mapping[str, Any]]:
    """Data of the launch template by its version: the group's, and those that its instances were launched from."""
    template, _ = launched([described])
    if "LaunchTemplateId" not in template:
        return {}
    current, data = _current(described), dict[str, Mapping[str, Any]]()
    used = [current, *(_version_of(each) for each in described.get("Instances", []))]
    for version in dict.fromkeys(each for each in used if each):
        with asking(f"for the launch template of group {found.group.name}"):
            listed = found.aws.ec2.describe_launch_template_versions(
                LaunchTemplateId=str(template["LaunchTemplateId"]), Versions=[version]
            )["LaunchTemplateVersions"]
        data[version] = listed[0]["LaunchTemplateData"] if listed else {}
    return data


def _version_of(member: InstanceTypeDef) -> str:
    return str(member.get("LaunchTemplate", {}).get("Version", ""))


def _launches(data: Mapping[str, Any]) -> dict[str, Any]:
    profile = _PROFILE_PATH.fullmatch(str(data.get("IamInstanceProfile", {}).get("Arn", "")))
    return {} if profile is None else {"role_path": profile[1]}


def _protection(described: AutoScalingGroupTypeDef, data: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    if not data:
        return {}
    protects = {version for version, launch in data.items() if _PROTECTS.search(_user_data(launch))}
    members = described.get("Instances", [])
    return {"protecting": frozenset(each["InstanceId"] for each in members if _version_of(each) in protects)}


def _user_data(data: Mapping[str, Any]) -> str:
    try:
        return base64.b64decode(str(data.get("UserData", "")), validate=True).decode(errors="replace")
    except (binascii.Error, ValueError):
        return ""


def _security_groups(data: Mapping[str, Any]) -> Iterable[object]:
    interfaces = (group for each in data.get("NetworkInterfaces", []) for group in each.get("Groups", []))
    return dict.fromkeys([*data.get("SecurityGroupIds", []), *interfaces])


def _openings(found: Deployed, groups: list[str]) -> frozenset[Opening] | None:
    with asking(f"for the security group of group {found.group.name}"):
        described = found.aws.ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]
    rules = [rule for each in described for rule in each.get("IpPermissionsEgress", [])]
    if any("FromPort" not in rule for rule in rules):
        return None  # all protocols: no port can be closed
    return frozenset(opening for rule in rules for opening in _opened(rule))


def _opened(rule: IpPermissionOutputTypeDef) -> Iterator[Opening]:
    networks = [(each.get("CidrIp", ""), each.get("Description", "")) for each in rule.get("IpRanges", [])]
    networks += [(each.get("CidrIpv6", ""), each.get("Description", "")) for each in rule.get("Ipv6Ranges", [])]
    for network, use in networks:
        where = "" if network in _ANYWHERE else network
        yield Opening(rule["FromPort"], rule["ToPort"], use, rule["IpProtocol"], where)
