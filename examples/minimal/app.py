"""The smallest app with an annex: two instances for eight hours, in a small VPC of their own.

Region and account come from your AWS profile. Instances boot Debian 13 and install HTCondor. After `cdk deploy`,
nothing runs until the token of your pool is in the annex's credential: `annex credential push muon`.
"""

from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2

from annex_constructs import Annex, ExecutionPoint, LeaseTerms, Pool

app = App()
stack = Stack(app, "Analysis")
point = ExecutionPoint(pool=Pool(collector="cm.example.edu", trust_domain="example.edu"))
types = [ec2.InstanceType("c6a.large"), ec2.InstanceType("c6i.large")]
lease = LeaseTerms(duration=Duration.hours(8))
Annex(stack, "Muon", execution_point=point, instance_types=types, max_size=2, lease=lease)
app.synth()
