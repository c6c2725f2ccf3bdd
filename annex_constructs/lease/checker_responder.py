"""Who answers CloudFormation when the lease checker's code cannot."""

from pathlib import Path

from aws_cdk import Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from annex_constructs.nag import GROUP_ARN_REASON, RUNTIME_REASON, acknowledge, acknowledge_wildcard
from annex_lease.tags import TAG_ID, TAG_NAME, TAG_RESPONDER

_CODE = Path(__file__).with_name("responder") / "index.py"
# With the 4 minutes of a checker that times out, still within the 10 that CloudFormation waits for an answer.
_TIMEOUT = Duration.minutes(5)


class CheckerResponder(Construct):
    """The on-failure destination of the lease checker's function: it answers CloudFormation in the checker's place.

    A stack's custom resource is an asynchronous invocation. A function that cannot be imported, times out or is
    throttled away never answers, and CloudFormation would wait until its time limit and end in `DELETE_FAILED`. Lambda
    hands such an event to this function instead. A creation or an update fails at once, with the reason; a deletion
    empties the group in the plainest way and succeeds. Scheduled checks that failed are none of its business.

    Its code stands in the template and shares nothing with the checker's; its role may stop this annex and start
    nothing. It must exist before the checker's custom resource and be removed after it, and the checker's role must be
    allowed `lambda:InvokeFunction` on it. It costs nothing while it does not run.

    :param group: the annex's Auto Scaling group.
    :param annex_name: the annex's name.
    :param annex_id: what the annex's resources carry in the tag `annex:id`.
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
            role=self._make_role(group, annex_id, log_group),
            log_group=log_group,
            environment={
                "ANNEX_GROUP": group.auto_scaling_group_name,
                "ANNEX_NAME": annex_name,
                "ANNEX_ID": annex_id,
            },
        )
        acknowledge(self._function, "AwsSolutions-L1", RUNTIME_REASON)
        Tags.of(self).add(TAG_NAME, annex_name)
        Tags.of(self).add(TAG_ID, annex_id)
        Tags.of(self._function).add(TAG_RESPONDER, "lease-checker")

    def _make_role(self, group: autoscaling.IAutoScalingGroup, annex_id: str, log_group: logs.ILogGroup) -> iam.Role:
        instances = Stack.of(self).format_arn(service="ec2", resource="instance", resource_name="*")
        statements = _statements(group, annex_id, log_group, instances)
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="Stand-in of the lease checker of one HTCondor annex",
            # In the role itself, so that there is no moment at which the role exists without them.
            inline_policies={"Stop": iam.PolicyDocument(statements=statements)},
        )
        reason = "The calls that describe groups, lifecycle hooks and instances know no resources."
        acknowledge_wildcard(role, "*", reason)
        acknowledge_wildcard(role, group.auto_scaling_group_arn, GROUP_ARN_REASON)
        reason = "The ids of instances are not known beforehand; a condition holds the calls to those of this annex."
        acknowledge_wildcard(role, instances, reason)
        return role

    @property
    def function(self) -> lambda_.Function:
        """The function, for the checker's `on_failure`."""
        return self._function


def _statements(
    group: autoscaling.IAutoScalingGroup, annex_id: str, log_group: logs.ILogGroup, instances: str
) -> list[iam.PolicyStatement]:
    of_group = {"StringEquals": {"ec2:ResourceTag/aws:autoscaling:groupName": group.auto_scaling_group_name}}
    # AWS takes the group's tag from an instance that is detached from it; ours stays.
    of_annex = {"StringEquals": {f"ec2:ResourceTag/{TAG_ID}": annex_id}}
    terminate = ["ec2:TerminateInstances"]
    return [
        iam.PolicyStatement(
            sid="Look",
            actions=[
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeLifecycleHooks",
                "ec2:DescribeInstances",
            ],
            resources=["*"],
        ),
        iam.PolicyStatement(
            sid="OwnGroup",
            actions=[
                "autoscaling:CompleteLifecycleAction",
                "autoscaling:ResumeProcesses",
                "autoscaling:SetInstanceProtection",
                "autoscaling:SuspendProcesses",
                "autoscaling:UpdateAutoScalingGroup",
            ],
            resources=[group.auto_scaling_group_arn],
        ),
        iam.PolicyStatement(sid="TerminateOwnInstances", actions=terminate, resources=[instances], conditions=of_group),
        iam.PolicyStatement(
            sid="TerminateDetachedInstances", actions=terminate, resources=[instances], conditions=of_annex
        ),
        iam.PolicyStatement(
            sid="OwnLog", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
        ),
    ]
