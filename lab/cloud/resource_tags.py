"""Resources that the Resource Groups Tagging API lists, beyond MiniStack's own list.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html (Auto Scaling groups are
not among them.)
"""

from collections.abc import Iterator, Mapping

from lab.cloud.emulator import (
    account,
    cloudformation,
    cloudwatch,
    cloudwatch_logs,
    ec2,
    region,
    secretsmanager,
    tagging,
)

Found = tuple[str, list[dict[str, str]]]


def _ec2() -> Iterator[Found]:
    for resource_id, listed in ec2._tags.items():
        kind = ec2._guess_resource_type(resource_id)
        if listed and kind and _lives(resource_id):
            yield f"arn:aws:ec2:{region()}:{account()}:{kind}/{resource_id}", list(listed)


def _lives(resource_id: str) -> bool:
    record = ec2._instances.get(resource_id)
    return record is None or record["State"]["Name"] != "terminated"


def _secrets() -> Iterator[Found]:
    for secret in secretsmanager._secrets.values():
        yield secret["ARN"], list(secret.get("Tags") or [])


def _log_groups() -> Iterator[Found]:
    for group in cloudwatch_logs._log_groups.values():
        yield str(group["arn"]).removesuffix(":*"), _listed(group.get("tags") or {})


def _alarms() -> Iterator[Found]:
    for arn, found in cloudwatch._resource_tags.items():
        if f":{region()}:" in arn:
            yield arn, _listed(found)


def _stacks() -> Iterator[Found]:
    for stack in cloudformation._stacks.values():
        if stack["StackStatus"] != "DELETE_COMPLETE":
            yield stack["StackId"], list(stack.get("Tags") or [])


def _listed(found: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in found.items()]


def install() -> None:
    """Add these collectors."""
    for collectors in (tagging._COLLECTORS, tagging._RESOURCE_TAG_COLLECTORS):
        collectors.update(ec2=_ec2, secretsmanager=_secrets)
    tagging._COLLECTORS.update(logs=_log_groups, cloudwatch=_alarms, cloudformation=_stacks)
