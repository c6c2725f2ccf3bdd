"""The only module that imports MiniStack, which has no type information: its names are ``Any``."""

# MiniStack 1.5.33 ships no py.typed marker and no stubs: every import of it is untyped.
from ministack import app as gateway  # type: ignore[import-untyped]
from ministack.core import iam_actions, iam_evaluator, lambda_runtime, responses  # type: ignore[import-untyped]
from ministack.services import (  # type: ignore[import-untyped]
    autoscaling,
    cloudformation,
    cloudwatch,
    cloudwatch_logs,
    ec2,
    eventbridge,
    iam,
    imds,
    lambda_svc,
    scheduler,
    secretsmanager,
    sns,
    sqs,
    ssm,
    sts,
    tagging,
)
from ministack.services.cloudformation import (  # type: ignore[import-untyped]
    custom_resource,
    provisioners,
    stacks,
)
from ministack.services.cloudformation import handlers as stack_handlers

Response = tuple[int, dict[str, str], bytes]
"""Answer of a MiniStack handler: status, headers, body."""


def account() -> str:
    """The account the current request belongs to."""
    return str(responses.get_account_id())


def region() -> str:
    """The region the current request is signed for."""
    return str(responses.get_region())


__all__ = [
    "Response",
    "account",
    "autoscaling",
    "cloudformation",
    "cloudwatch",
    "cloudwatch_logs",
    "custom_resource",
    "ec2",
    "eventbridge",
    "gateway",
    "iam",
    "iam_actions",
    "iam_evaluator",
    "imds",
    "lambda_runtime",
    "lambda_svc",
    "provisioners",
    "region",
    "responses",
    "scheduler",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "stack_handlers",
    "stacks",
    "sts",
    "tagging",
]
