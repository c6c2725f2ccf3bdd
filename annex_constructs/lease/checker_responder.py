"""Responder: it answers CloudFormation when the lease checker's code cannot."""

from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Tags
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from annex_constructs.function_role import function_role
from annex_constructs.identity import tag_annex
from annex_constructs.lease.checker_permissions import OwnAnnex, responder_permissions
from annex_constructs.nag import RUNTIME_REASON, acknowledge
from annex_lease.invocation import CheckerSettings
from annex_lease.tags import TAG_RESPONDER

_CODE = Path(__file__).with_name("responder") / "index.py"
# With a minute of waiting and the 4 of a checker that times out, within the 15 that CloudFormation waits for an answer.
_TIMEOUT = Duration.minutes(5)


class CheckerResponder(Construct):
    """The on-failure destination of the lease checker's function: it answers CloudFormation in the checker's place.

    A stack's custom resource is an asynchronous invocation. A function that cannot be imported, times out or is
    throttled never answers, and CloudFormation would wait until its time limit and end in `DELETE_FAILED`. Lambda hands
    such an event to this function instead. A creation or an update fails at once, with the reason. A deletion empties
    the group in the plainest way, and removes its warm pool and its deletion protection. It succeeds when nothing keeps
    the group any more, and fails with the reason if something does until the time is over. The function ignores
    scheduled checks that failed.

    Its code stands in the template and shares nothing with the checker's; its role may stop this annex and start
    nothing. It must exist before the checker's custom resource and be removed after it, and the checker's role must be
    allowed `lambda:InvokeFunction` on it. It costs nothing while it does not run.

    :param group: the annex's Auto Scaling group.
    :param annex_name: the annex's name.
    :param annex_id: the annex's id, which its resources carry in the tag `annex:id`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group: autoscaling.IAutoScalingGroup,
        annex_name: str,
        annex_id: str,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self, "Log", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        settings = CheckerSettings(group=group.auto_scaling_group_name, id=annex_id)
        self._function = lambda_.Function(
            self,
            "Function",
            description=f"Answers CloudFormation if the lease checker of annex {annex_name} cannot",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            # In the template: CloudFormation once took 4,096 characters; now what its own size allows.
            code=lambda_.Code.from_inline(_CODE.read_text(encoding="utf-8")),
            handler="index.handler",
            timeout=_TIMEOUT,
            memory_size=256,
            role=function_role(
                self,
                "Role",
                description=f"Responder of the lease checker of annex {annex_name}",
                permissions=responder_permissions(OwnAnnex.of(self, group, annex_id)),
                log_group=log_group,
            ),
            log_group=log_group,
            # The settings that it does not read stay out.
            environment={key: value for key, value in settings.to_environ().items() if value},
        )
        acknowledge(self._function, "AwsSolutions-L1", RUNTIME_REASON)
        tag_annex(self, annex_name, annex_id)
        Tags.of(self._function).add(TAG_RESPONDER, "lease-checker")

    @property
    def function(self) -> lambda_.Function:
        """The function, for the checker's `on_failure`."""
        return self._function
