"""Refusals of AWS, as botocore raises them: each service has codes of its own for the same error."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

# "Common errors" / "Error codes" of each service's API reference.
THROTTLED = {
    "autoscaling": "Throttling",
    "ec2": "RequestLimitExceeded",
    "secretsmanager": "ThrottlingException",
    "sns": "Throttling",
}
DENIED = {
    "autoscaling": "AccessDenied",
    "ec2": "UnauthorizedOperation",
    "secretsmanager": "AccessDeniedException",
    "sns": "AuthorizationError",
}
INTERNAL = {
    "autoscaling": "InternalFailure",
    "ec2": "InternalError",
    "secretsmanager": "InternalServiceError",
    "sns": "InternalError",
}


def refusal(code: str, message: str, operation: str) -> ClientError:
    """A refusal of AWS with this code."""
    details: Any = {"RequestId": "model", "HTTPStatusCode": 400, "HTTPHeaders": {}, "RetryAttempts": 0, "HostId": ""}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": details}, operation)


def validation_error(operation: str, message: str, code: str = "ValidationError") -> ClientError:
    """Answer of EC2 Auto Scaling to a request that it will not carry out."""
    return refusal(code, message, operation)
