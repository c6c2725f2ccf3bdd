"""Rules of EC2 tags. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions."""

import re
from collections.abc import Iterable, Mapping

from lab.cloud.emulator import ec2
from lab.cloud.query import ApiError

_READABLE = re.compile(r"[0-9a-zA-Z\-_+=,.@:]{1,255}")
_RESERVED_NAMES = {".", "..", "_index"}
_LIMIT = 50
GROUP_NAME = "aws:autoscaling:groupName"


def of(resource_id: str) -> dict[str, str]:
    """The tags of an EC2 resource of the current account and region."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in ec2._tags.get(resource_id) or []}


def name_group(resource_id: str, group: str | None) -> None:
    """Write or remove an instance's tag with the name of its Auto Scaling group.

    Auto Scaling adds it "to all instances it launches" or that are attached, and removes it from detached ones. Other
    tags of the instance stay:
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
    """
    kept = [tag for tag in ec2._tags.get(resource_id) or [] if tag["Key"] != GROUP_NAME]
    ec2._tags[resource_id] = kept if group is None else [*kept, {"Key": GROUP_NAME, "Value": group}]


def check_user_keys(keys: Iterable[str]) -> None:
    """Refuse keys that only AWS may write. Raises ``ApiError``."""
    for key in keys:
        if key.lower().startswith("aws:"):
            raise ApiError("InvalidParameterValue", f"Tag keys starting with 'aws:' are reserved, received '{key}'")


def check_readable(keys: Iterable[str]) -> None:
    """Refuse keys that cannot be paths of the metadata service of an instance that shows its tags there.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html. Raises ``ApiError``.
    """
    for key in keys:
        if not _READABLE.fullmatch(key) or key in _RESERVED_NAMES:
            raise ApiError(
                "InvalidParameterValue",
                f"'{key}' is not a valid tag key. Tag keys must match pattern ({_READABLE.pattern}), and must not be a "
                "reserved name ('.', '..', '_index')",
            )


def check_count(present: Mapping[str, str], added: Mapping[str, str]) -> None:
    """Refuse more than 50 tags on a resource, not counting AWS's own. Raises ``ApiError``."""
    own = [key for key in {**present, **added} if not key.startswith("aws:")]
    if len(own) > _LIMIT:
        raise ApiError("TagLimitExceeded", f"A resource can have at most {_LIMIT} tags, this would be {len(own)}")
