"""An annex with roles for its operators and an alarm of the app's own on one of its metrics.

`Operators` may run every verb of `annex` for this annex and no other. `CentralManager` may only push the credential.
"""

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from annex_constructs import Annex, ExecutionPoint, LeaseTerms, Pool

app = App()
stack = Stack(app, "Operated")
operators = iam.Role(stack, "Operators", assumed_by=iam.AccountRootPrincipal())
central_manager = iam.Role(stack, "CentralManager", assumed_by=iam.AccountRootPrincipal())

annex = Annex(
    stack,
    "Muon",
    execution_point=ExecutionPoint(
        pool=Pool(collector="cm.example.edu", trust_domain="example.edu"),
        machine_image=ec2.MachineImage.from_ssm_parameter(
            "/example/htcondor/debian-image", os=ec2.OperatingSystemType.LINUX
        ),
    ),
    instance_types=[ec2.InstanceType("c6a.large"), ec2.InstanceType("c6i.large")],
    max_size=2,
    lease=LeaseTerms(duration=Duration.hours(8)),
)
annex.grant_operate(operators)  # every verb of `annex`, for this annex alone
annex.grant_push_credential(central_manager)
cloudwatch.Alarm(stack, "Invalid", metric=annex.metric_record_ignored(), threshold=1, evaluation_periods=1)
app.synth()
