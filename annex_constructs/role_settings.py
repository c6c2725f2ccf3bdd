"""Permissions boundary and path of every role below a construct."""

import jsii
from aws_cdk import Aspects, IAspect
from aws_cdk import aws_iam as iam
from constructs import IConstruct

from annex_constructs.errors import check_form
from annex_lease.forms import POLICY_ARN, ROLE_PATH


@jsii.implements(IAspect)
class RoleSettings:
    """Gives every role below a construct a permissions boundary and a path, as organisations demand them.

    It reaches the roles of instances, lease checker, responder, schedules and sweeper, and those that the CDK makes. A
    role that has a boundary or a path of its own keeps it. A role that is imported is not of the app, and is not
    changed. Without a path to set, the CDK's own `iam.PermissionsBoundary.of(scope).apply(policy)` does the same.

    Example, every role of a stack::

        RoleSettings.apply(stack, role_path="/htcondor/")

    :param permissions_boundary: ARN of the managed policy that bounds the roles. Default: - none.
    :param role_path: path of the roles and instance profiles, such as `/htcondor/`. Default: - none, which is `/`.
    :raises ValueError: a value has another form.
    """

    def __init__(self, *, permissions_boundary: str | None = None, role_path: str | None = None) -> None:
        if permissions_boundary is not None:
            check_form("RoleSettings permissions_boundary", permissions_boundary, POLICY_ARN)
        if role_path is not None:
            check_form("RoleSettings role_path", role_path, ROLE_PATH)
        self._permissions_boundary = permissions_boundary
        self._role_path = role_path

    @staticmethod
    def apply(scope: IConstruct, *, permissions_boundary: str | None = None, role_path: str | None = None) -> None:
        """Give every role below a construct these settings.

        :param scope: the construct, such as a stack or an annex.
        :param permissions_boundary: ARN of the managed policy that bounds the roles. Default: - none.
        :param role_path: path of the roles and instance profiles. Default: - none, which is `/`.
        :raises ValueError: a value has another form.
        """
        Aspects.of(scope).add(RoleSettings(permissions_boundary=permissions_boundary, role_path=role_path))

    def visit(self, node: IConstruct) -> None:
        """Set what the resource has not set itself.

        :param node: any construct.
        """
        if isinstance(node, iam.CfnRole):
            node.permissions_boundary = node.permissions_boundary or self._permissions_boundary
        if isinstance(node, iam.CfnRole | iam.CfnInstanceProfile):
            node.path = node.path or self._role_path
