"""Where failed checks are kept until somebody has looked."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_KEPT = Duration.days(14)
"""The longest that Amazon SQS keeps a message (Amazon SQS Developer Guide, "message quotas")."""


def dead_letter_queue(scope: Construct, construct_id: str) -> sqs.Queue:
    """A queue for events that could not be delivered or served: encrypted, over TLS only, removed with its stack.

    Its policy lets nobody in. Lambda and EventBridge Scheduler send with the roles they are given, and those of the
    lease checker may send here; a service principal would have to be allowed for whatever account it acts for.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    """
    return sqs.Queue(
        scope,
        construct_id,
        retention_period=_KEPT,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        removal_policy=RemovalPolicy.DESTROY,
    )
