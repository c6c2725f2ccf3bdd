"""What the Resource Groups Tagging API can find besides MiniStack's own list.

https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html (Auto Scaling groups are
not among them.)
"""

from collections.abc import Iterator

from lab.cloud.emulator import account, ec2, region, secretsmanager, tagging

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


def install() -> None:
    """Add these collectors."""
    for collectors in (tagging._COLLECTORS, tagging._RESOURCE_TAG_COLLECTORS):
        collectors.update(ec2=_ec2, secretsmanager=_secrets)
