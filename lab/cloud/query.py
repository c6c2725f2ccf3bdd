"""The AWS query protocol of Auto Scaling: parameters in, XML out.

https://docs.aws.amazon.com/AutoScaling/latest/APIReference/making-api-requests.html
"""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from lab.cloud.emulator import Response

_NAMESPACE = "http://autoscaling.amazonaws.com/doc/2011-01-01/"


class ApiError(Exception):
    """Error answer of the API: a code that AWS documents, and a message with the value received."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def nested(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Flat ``Tags.member.1.Key`` parameters as nested dictionaries and lists (``{"Tags": [{"Key": ...}]}``)."""
    tree: dict[str, Any] = {}
    for name, value in parameters.items():
        node = tree
        *path, leaf = name.split(".")
        for step in path:
            child = node.setdefault(step, {})
            node = child if isinstance(child, dict) else node
        node[leaf] = value[0] if isinstance(value, list) else value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"member"} and isinstance(value["member"], dict):
        numbered = value["member"]
        return [_lists(numbered[index]) for index in sorted(numbered, key=int)]
    return {name: _lists(child) for name, child in value.items()}


def xml(value: Any) -> str:
    """A value as the XML the SDKs read: dictionaries become elements, lists become ``member`` elements."""
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{xml(child)}</{name}>" for name, child in value.items() if child is not None)
    if isinstance(value, list | tuple):
        return "".join(f"<member>{xml(child)}</member>" for child in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))


def answer(action: str, result: Mapping[str, Any]) -> Response:
    """A successful answer to an action."""
    body = (
        f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{xml(result)}</{action}Result>'
        f"<ResponseMetadata><RequestId>{uuid4()}</RequestId></ResponseMetadata></{action}Response>"
    )
    return 200, {"Content-Type": "text/xml"}, body.encode()


def failure(error: ApiError) -> Response:
    """An error answer."""
    kind = "Sender" if error.status < 500 else "Receiver"
    body = (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>{kind}</Type><Code>{escape(error.code)}</Code>'
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{uuid4()}</RequestId></ErrorResponse>"
    )
    return error.status, {"Content-Type": "text/xml"}, body.encode()


def flag(value: Any, default: bool = False) -> bool:
    """A boolean of the wire or of a template ("true", "True", true); ``default`` when absent."""
    if value is None or value == "":
        return default
    return str(value).lower() == "true"


def integer(parameters: Mapping[str, Any], name: str, default: int | None = None) -> int | None:
    """An integer parameter; ``default`` when absent. Raises ``ApiError`` (ValidationError) when it is none."""
    value = parameters.get(name)
    if value is None or value == "":
        return default
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ApiError("ValidationError", f"{name} must be an integer, received {value!r}.") from None
