"""CloudFormation's network resources that MiniStack lacks or answers differently.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/AWS_EC2.html
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from lab.cloud import instances, world
from lab.cloud.emulator import ec2, iam, provisioners

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]


def install() -> None:
    """Complete these resource types."""
    handlers = provisioners._RESOURCE_HANDLERS
    _add_attributes(
        "AWS::EC2::VPC", lambda pid: {"CidrBlock": ec2._vpcs[pid]["CidrBlock"], "CidrBlockAssociations": []}
    )
    _add_attributes("AWS::EC2::SecurityGroup", lambda pid: {"Id": pid})
    handlers["AWS::EC2::SecurityGroupIngress"] = _rule("IpPermissions")
    handlers["AWS::EC2::SecurityGroupEgress"] = _rule("IpPermissionsEgress")
    for kind, used in (("AWS::EC2::SecurityGroup", _group_is_used), ("AWS::EC2::Subnet", _subnet_is_used)):
        _refuse_while_used(kind, used)
    _guard_deletion("AWS::EC2::VPCGatewayAttachment", _refuse_detachment)
    _guard_deletion("AWS::EC2::RouteTable", _refuse_associated)
    _name_instance_profiles()


def _add_attributes(kind: str, attributes: Callable[[str], dict[str, Any]]) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[kind]

    def wrap(original: Callable[..., Created]) -> Callable[..., Created]:
        def run(*arguments: Any) -> Created:
            physical_id, found = original(*arguments)
            return physical_id, {**found, **attributes(physical_id)}

        return run

    handlers.update(create=wrap(handlers["create"]), update=wrap(handlers["update"]))


def _rule(permissions: str) -> dict[str, Any]:
    """A security group rule as a resource; Ref and GetAtt Id return its id."""

    def create(_: str, declared: Properties, __: str) -> Created:
        group = ec2._security_groups.get(str(declared.get("GroupId") or ""))
        if group is None:
            raise ValueError(f"The security group '{declared.get('GroupId')}' does not exist")
        group[permissions].extend(provisioners._ec2_sg_permissions([declared]))
        rule_id = f"sgr-{uuid4().hex[:17]}"
        return rule_id, {"Id": rule_id}

    def delete(_: str, declared: Properties) -> None:
        group = ec2._security_groups.get(str(declared.get("GroupId") or ""))
        for rule in provisioners._ec2_sg_permissions([declared]) if group else []:
            if rule in group[permissions]:
                group[permissions].remove(rule)

    def update(rule_id: str, old: Properties, new: Properties, stack_name: str) -> Created:
        delete(rule_id, old)
        return create("", new, stack_name)

    return {"create": create, "update": update, "delete": delete}


def _guard_deletion(kind: str, check: Callable[[str, Properties], None]) -> None:
    """Delete resources of the kind only if a check, called with the lock held, does not raise."""
    handlers = provisioners._RESOURCE_HANDLERS[kind]
    delete = handlers["delete"]

    def run(physical_id: str, declared: Properties) -> None:
        with world.lock:
            check(physical_id, declared)
        delete(physical_id, declared)

    handlers["delete"] = run


def _refuse_detachment(_: str, declared: Properties) -> None:
    """DetachInternetGateway fails while "Network vpc-... has some mapped public address(es)".

    "The VPC must not contain any running instances with Elastic IP addresses or public IPv4 addresses" (EC2 API
    Reference, DetachInternetGateway). The address of an instance is released when it is terminated, not when that
    begins (https://github.com/buildkite/elastic-ci-stack-for-aws/issues/934). The lab's instances have no public
    address, so the subnets count that would give them one.
    """
    vpc = str(declared.get("VpcId") or "")
    public = {key for key, each in ec2._subnets.items() if each["VpcId"] == vpc and each["MapPublicIpOnLaunch"]}
    if declared.get("InternetGatewayId") and any(
        record["SubnetId"] in public and instances.state(record) not in ("terminated", "stopped")
        for record in instances.everywhere()
    ):
        raise ValueError(
            f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching "
            "the gateway. (DependencyViolation)"
        )


def _refuse_associated(table: str, _: Properties) -> None:
    """DeleteRouteTable fails while a subnet is associated with the table (EC2 API Reference)."""
    found = ec2._route_tables.get(table) or {}
    if any(each.get("SubnetId") for each in found.get("Associations", [])):
        raise ValueError(f"The routeTable '{table}' has dependencies and cannot be deleted. (DependencyViolation)")


def _refuse_while_used(kind: str, is_used: Callable[[str, instances.Record], bool]) -> None:
    """ "DependencyViolation": a resource that an instance or network interface uses cannot be deleted."""

    def check(physical_id: str, _: Properties) -> None:
        users = [
            record["InstanceId"]
            for record in instances.everywhere()
            if instances.state(record) != "terminated" and is_used(physical_id, record)
        ]
        users += [
            interface["NetworkInterfaceId"]
            for interface in ec2._network_interfaces.values()
            if is_used(physical_id, interface)
        ]
        if users:
            raise ValueError(f"{physical_id} has dependencies and cannot be deleted: {users} (DependencyViolation)")

    _guard_deletion(kind, check)


def _group_is_used(group_id: str, user: instances.Record) -> bool:
    listed = user.get("SecurityGroups") or user.get("Groups") or []
    return any(one["GroupId"] == group_id for one in listed)


def _subnet_is_used(subnet_id: str, user: instances.Record) -> bool:
    return bool(user["SubnetId"] == subnet_id)


def _name_instance_profiles() -> None:
    """Ref of an instance profile returns its name.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-iam-instanceprofile.html
    """
    handlers = provisioners._RESOURCE_HANDLERS["AWS::IAM::InstanceProfile"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def arn(name: str) -> str:
        return str((iam._instance_profiles.get(name) or {}).get("Arn", name))

    def named(made: Created) -> Created:
        return made[0].rsplit("/", 1)[-1], made[1]

    handlers.update(
        create=lambda *arguments: named(create(*arguments)),
        update=lambda name, *arguments: named(update(arn(name), *arguments)),
        delete=lambda name, declared: delete(arn(name), declared),
    )
