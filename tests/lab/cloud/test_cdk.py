"""The real app deployed with the real CDK CLI under AWS's real host names, in a namespace with a name server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annex_lease.tags import TAG_RESPONDER

from .driving import ROOT, Cloud, Inside, await_ready, eventually, start

SETUP = """
set -e
ip link set lo up
printf 'nameserver 127.0.0.1\\n' > "$RESOLVER/resolv.conf"
mount --bind "$RESOLVER/resolv.conf" /etc/resolv.conf
dnsmasq --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --listen-address=127.0.0.1 --user=root \
    --address=/amazonaws.com/127.0.0.1 --address=/#/ --pid-file="$RESOLVER/dnsmasq.pid"
exec "$@"
"""
SPEC = """
[pool]
collector = "cm.pool.lab"
trust_domain = "pool.lab"
[annex.demo]
region = "us-east-1"
image = "ami-0123456789abcdef0"
instance_types = ["c6a.large", "c6i.large"]
size = 2
lease = "1h"
"""


class Deployment:
    def __init__(self, cloud: Cloud, inside: Inside, directory: Path) -> None:
        self.cloud, self.inside, self.directory = cloud, inside, directory
        (directory / "annexes.toml").write_text(SPEC)

    def cdk(self, *words: str) -> str:
        """Run the CLI in the namespace: no endpoint is named, only the authority to trust."""
        programs = Path(sys.executable).parent
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(self.directory),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_CA_BUNDLE": str(self.cloud.authority),
            "NODE_EXTRA_CA_CERTS": str(self.cloud.authority),
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "PYTHONDONTWRITEBYTECODE": "1",
            # What jsii unpacks, by content: to unpack it takes longer than a synthesis.
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(Path.home() / ".cache/aws/jsii/package-cache"),
        }
        enter = ["nsenter", "--net", "--mount", "--target", str(self.cloud.process.pid), f"--wdns={ROOT}"]
        common = ["--no-notices", "--output", str(self.directory / "out")]
        spec = ["--context", f"annexes={self.directory / 'annexes.toml'}"]
        done = subprocess.run(
            [*enter, str(programs / "cdk"), *common, *spec, *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def call(self, service: str, action: str, **arguments: Any) -> Any:
        return self.inside(lambda: getattr(self.cloud.client(service), action)(**arguments))

    def group(self) -> dict[str, Any]:
        mine = [{"Name": "tag:annex:name", "Values": ["demo"]}]
        found: dict[str, Any] = self.call("autoscaling", "describe_auto_scaling_groups", Filters=mine)
        [group] = found["AutoScalingGroups"]
        return dict(group)

    def remains(self) -> dict[str, list[str]]:
        """Resources besides those of `cdk bootstrap` and those of every account."""
        states = [{"Name": "instance-state-name", "Values": ["pending", "running", "shutting-down", "stopped"]}]
        reservations = self.call("ec2", "describe_instances", Filters=states)["Reservations"]
        vpcs = self.call("ec2", "describe_vpcs", Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]
        functions = self.call("lambda", "list_functions")["Functions"]
        groups = self.call("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"]
        roles = [one["RoleName"] for one in self.call("iam", "list_roles")["Roles"]]
        found = {
            "instances": [one["InstanceId"] for part in reservations for one in part["Instances"]],
            "vpcs": [one["VpcId"] for one in vpcs],
            "functions": [one["FunctionName"] for one in functions],
            "groups": [one["AutoScalingGroupName"] for one in groups],
            "roles": [one for one in roles if not one.startswith("cdk-") and "AWSServiceRole" not in one],
            "profiles": [str(one) for one in self.call("iam", "list_instance_profiles")["InstanceProfiles"]],
            "secrets": [one["ARN"] for one in self.call("secretsmanager", "list_secrets")["SecretList"]],
            "schedules": [one["Name"] for one in self.call("scheduler", "list_schedules")["Schedules"]],
            "templates": [str(one) for one in self.call("ec2", "describe_launch_templates")["LaunchTemplates"]],
            "topics": [one["TopicArn"] for one in self.call("sns", "list_topics")["Topics"]],
            "subscriptions": [str(one) for one in self.call("sns", "list_subscriptions")["Subscriptions"]],
            "queues": self.call("sqs", "list_queues").get("QueueUrls", []),
            "alarms": [one["AlarmName"] for one in self.call("cloudwatch", "describe_alarms")["MetricAlarms"]],
            "interfaces": [str(one) for one in self.call("ec2", "describe_network_interfaces")["NetworkInterfaces"]],
            "volumes": [str(one) for one in self.call("ec2", "describe_volumes")["Volumes"]],
            "logs": [one["logGroupName"] for one in self.call("logs", "describe_log_groups")["logGroups"]],
        }
        return {kind: names for kind, names in found.items() if names}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    directory = tmp_path_factory.mktemp("cdk")
    set_up = f"RESOLVER={directory}; {SETUP}"
    cloud = start(directory / "cloud", ["unshare", "--net", "--mount", "sh", "-c", set_up, "sh"], port=443)
    eventually(lambda: cloud.authority.exists(), "the namespace")
    inside = Inside(cloud.process.pid)
    try:
        inside(await_ready, cloud)
        yield Deployment(cloud, inside, directory)
    finally:
        cloud.stop()
        inside.close()
        os.kill(int((directory / "dnsmasq.pid").read_text()), 15)


def test_deploy_grant_and_destroy(deployment: Deployment) -> None:
    deployment.cdk("bootstrap", "aws://000000000000/us-east-1")
    before = deployment.remains()
    deployment.cdk("deploy", "Annex-demo", "--require-approval", "never")
    group = deployment.group()
    assert (group["MinSize"], group["MaxSize"], group["DesiredCapacity"], group["Instances"]) == (0, 2, 0, [])

    tagged = [{"Key": "annex:name", "Values": ["demo"]}]
    found = {
        kind: deployment.call(
            "resourcegroupstaggingapi", "get_resources", ResourceTypeFilters=[kind], TagFilters=tagged
        )["ResourceTagMappingList"]
        for kind in ("lambda:function", "secretsmanager:secret")
    }
    [secret] = found["secretsmanager:secret"]
    [function] = [one for one in found["lambda:function"] if TAG_RESPONDER not in {tag["Key"] for tag in one["Tags"]}]
    answer = invoke(deployment, function["ResourceARN"])
    assert answer["phase"] == "waiting"
    assert deployment.group()["DesiredCapacity"] == 0, "nothing starts before the credential is there"

    deployment.call("secretsmanager", "put_secret_value", SecretId=secret["ResourceARN"], SecretString="token")
    assert invoke(deployment, function["ResourceARN"])["phase"] == "granted"
    assert deployment.group()["DesiredCapacity"] == 2
    in_service = ["InService", "InService"]
    eventually(lambda: [one["LifecycleState"] for one in deployment.group()["Instances"]] == in_service)
    assert invoke(deployment, function["ResourceARN"])["phase"] == "active"

    assert "no differences" in deployment.cdk("diff", "Annex-demo")
    deployment.cdk("destroy", "Annex-demo", "--force")
    assert deployment.remains() == before


def invoke(deployment: Deployment, function: str) -> dict[str, Any]:
    answered = deployment.call("lambda", "invoke", FunctionName=function, Payload=b"{}")
    content: dict[str, Any] = json.loads(answered["Payload"].read())
    assert "FunctionError" not in answered, content
    return content
