"""An annex beside other resources: an existing VPC, a bucket its instances may read, and a lease until a deadline.

The VPC is imported by its ids, so `cdk synth` needs no credentials; its subnets need a way to the Internet (a NAT
gateway), because execution points connect to the pool and to AWS by themselves.
"""

from datetime import UTC, datetime

from aws_cdk import App, Duration, Environment, RemovalPolicy, Stack, Tags
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_s3 as s3

from annex_constructs import Annex, ExecutionPoint, LeaseTerms, Pool

app = App()
stack = Stack(
    app, "Campaign", env=Environment(region="us-east-1"), description="Spring campaign: data and an annex to analyse it"
)
vpc = ec2.Vpc.from_vpc_attributes(
    stack,
    "Vpc",
    vpc_id="vpc-0123456789abcdef0",
    availability_zones=["us-east-1a", "us-east-1b"],
    private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"],
    private_subnet_route_table_ids=["rtb-0123456789abcdef0", "rtb-0fedcba9876543210"],
)
data = s3.Bucket(stack, "Data", removal_policy=RemovalPolicy.RETAIN, enforce_ssl=True)

annex = Annex(
    stack,
    "Annex",
    annex_name="spring-campaign",
    execution_point=ExecutionPoint(
        pool=Pool(collector="cm.example.edu:9618", trust_domain="example.edu"),
        machine_image=ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"}),
        volume_gib=100,
        idle_timeout=Duration.minutes(10),
    ),
    instance_types=[ec2.InstanceType(name) for name in ("c6a.4xlarge", "c6i.4xlarge", "m6a.4xlarge")],
    max_size=50,
    on_demand_base=5,
    # Until the deadline, and while jobs run up to two hours more at a time; at most three weeks from the deployment,
    # and at most so many instance-hours, in any case.
    lease=LeaseTerms(
        ends_at=datetime(2030, 6, 1, 8, tzinfo=UTC),
        max_lifetime=Duration.days(21),
        grace=Duration.minutes(30),
        renew_while_busy=Duration.hours(2),
        max_instance_hours=10_000,
        warn_before_end=Duration.hours(4),
    ),
    alarm_email="campaign@example.edu",  # AWS asks the address to confirm before it sends anything else
    vpc=vpc,
)
# What the execution points' own software may read. Jobs cannot: the instance closes the metadata service to them.
data.grant_read(annex.fleet)
# Jobs read from an XRootD server of the lab.
annex.fleet.connections.allow_to(ec2.Peer.ipv4("192.0.2.0/24"), ec2.Port.tcp(1094), "XRootD")
# Before the execution point is installed and started; and at the end of the boot, while it joins the pool.
annex.fleet.user_data.add_commands_before_start("sysctl -w vm.max_map_count=262144")
annex.fleet.user_data.add_commands("logger 'cloud-init has finished'")
# On every resource that takes tags, and on instances, volumes and network interfaces.
Tags.of(app).add("cost-centre", "4711")
app.synth()
