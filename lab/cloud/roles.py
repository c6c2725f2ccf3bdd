"""Permissions of a service that acts with a role: the identity policies decide, as in a request."""

from lab.cloud.emulator import account, iam_evaluator, region


def allows(role_arn: str, action: str, resource: str) -> bool:
    """True if the policies of a role of the current account allow an action on a resource (without conditions)."""
    context = iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account(),
        action=action,
        resource_arn=resource,
        region=region(),
    )
    policies = iam_evaluator._gather_role_policies(role_arn.rsplit("/", 1)[-1], account())
    return bool(iam_evaluator.evaluate(context, policies).decision == "Allow")
