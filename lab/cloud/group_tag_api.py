"""The API's actions on tags of groups.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
"""

from typing import Any

from lab.cloud import groups
from lab.cloud.group_api import Result, page
from lab.cloud.group_record import set_tag
from lab.cloud.group_view import tag_view
from lab.cloud.groups import Group, Tag
from lab.cloud.query import ApiError

_BATCH = 25


def create_tags(request: dict[str, Any]) -> Result:
    for group, tag in _tagged(request):
        set_tag(group, tag)
    return {}


def delete_tags(request: dict[str, Any]) -> Result:
    for group, tag in _tagged(request):
        group.tags.pop(str(tag["Key"]), None)
    return {}


def _tagged(request: dict[str, Any]) -> list[tuple[Group, dict[str, Any]]]:
    """The groups and tags of a call. Raises ``ApiError`` before any change.

    "The maximum number of tags that you can add or remove using a single call is 25."
    """
    declared = request.get("Tags") or []
    if not 1 <= len(declared) <= _BATCH:
        raise ApiError("ValidationError", f"a call takes 1 to {_BATCH} tags, received {len(declared)}")
    for tag in declared:
        kind = str(tag.get("ResourceType") or "auto-scaling-group")
        if kind != "auto-scaling-group":
            raise ApiError("ValidationError", f"ResourceType must be auto-scaling-group, received {kind}")
    return [(groups.get(str(tag.get("ResourceId") or "")), tag) for tag in declared]


def describe_tags(request: dict[str, Any]) -> Result:
    filters = {
        str(one["Name"]): [str(value) for value in one.get("Values") or []] for one in request.get("Filters") or []
    }
    unknown = set(filters) - {"auto-scaling-group", "key", "value", "propagate-at-launch"}
    if unknown:
        raise ApiError("ValidationError", f"Filter types {sorted(unknown)} are not correct")

    def chosen(group: Group, tag: Tag) -> bool:
        values = {
            "auto-scaling-group": group.name,
            "key": tag.key,
            "value": tag.value,
            "propagate-at-launch": str(tag.propagate).lower(),
        }
        return all(values[name] in allowed for name, allowed in filters.items())

    found = [(group, tag) for group in groups.here() for tag in group.tags.values() if chosen(group, tag)]
    return page(found, request, "Tags", lambda pair: tag_view(*pair), default=50, most=100)
