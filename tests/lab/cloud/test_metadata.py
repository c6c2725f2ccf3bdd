"""The metadata service, from the instances' own addresses in a network namespace where all of 10/8 is local."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .driving import Inside, await_ready, eventually, start
from .instance_view import SETUP, USER_DATA, Site, instances_of


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    wrapper = ["unshare", "--net", "sh", "-c", SETUP, "sh"]
    cloud = start(tmp_path_factory.mktemp("metadata"), wrapper)
    eventually(lambda: (cloud.state / "authority").exists(), "the namespace")
    inside = Inside(cloud.process.pid)
    try:
        inside(await_ready, cloud)
        yield Site(cloud, inside)
    finally:
        cloud.stop()
        inside.close()


@pytest.fixture(scope="module")
def make_group(site: Site) -> Callable[..., list[str]]:
    """Makes a group with two members that have every kind of metadata; returns their addresses."""
    iam = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [iam]})
    site.call("iam", "create_role", RoleName="ep", AssumeRolePolicyDocument=document)
    own = site.call("secretsmanager", "create_secret", Name="own", SecretString="token")["ARN"]
    site.call("secretsmanager", "create_secret", Name="other", SecretString="token")
    allow = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": own}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    site.call("iam", "put_role_policy", RoleName="ep", PolicyName="p", PolicyDocument=policy)
    site.call("iam", "create_instance_profile", InstanceProfileName="ep")
    site.call("iam", "add_role_to_instance_profile", InstanceProfileName="ep", RoleName="ep")
    vpc = site.call("ec2", "create_vpc", CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    subnet = site.call("ec2", "create_subnet", VpcId=vpc, CidrBlock="10.50.1.0/24")["Subnet"]["SubnetId"]

    def make(name: str, **data: Any) -> list[str]:
        content = {
            "ImageId": "ami-0123456789abcdef0",
            "InstanceType": "c6a.large",
            "IamInstanceProfile": {"Name": "ep"},
            "UserData": base64.b64encode(USER_DATA).decode(),
            "InstanceMarketOptions": {"MarketType": "spot"},
            "MetadataOptions": {"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
            **data,
        }
        template = site.call("ec2", "create_launch_template", LaunchTemplateName=name, LaunchTemplateData=content)
        site.call(
            "autoscaling",
            "create_auto_scaling_group",
            AutoScalingGroupName=name,
            MinSize=2,
            MaxSize=2,
            VPCZoneIdentifier=subnet,
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"]},
            Tags=[{"Key": "annex:name", "Value": "demo", "PropagateAtLaunch": True}],
        )
        return [one["PrivateIpAddress"] for one in instances_of(site, name)]

    return make


@pytest.fixture(scope="module")
def fleet(make_group: Callable[..., list[str]]) -> list[str]:
    return make_group("fleet")


def test_version_two_only(site: Site, fleet: list[str]) -> None:
    address, other = fleet
    path = "/latest/meta-data/instance-id"
    ttl = "X-aws-ec2-metadata-token-ttl-seconds"
    assert site.request(address, "GET", path)[0] == 401
    assert site.request(address, "GET", path, {"X-aws-ec2-metadata-token": "made-up"})[0] == 401
    assert site.request(address, "PUT", "/latest/api/token")[0] == 400
    for wrong in ("0", "21601", "soon"):
        assert site.request(address, "PUT", "/latest/api/token", {ttl: wrong})[0] == 400
    assert site.request(address, "PUT", "/latest/api/token", {ttl: "60", "X-Forwarded-For": "10.0.0.9"})[0] == 403
    assert site.request(address, "GET", "/latest/api/token")[0] == 405
    token = {"X-aws-ec2-metadata-token": site.token(address)}
    assert site.request(address, "GET", path, token)[0] == 200
    assert site.request(other, "GET", path, token)[0] == 401, "a token is good for its own instance only"


def test_token_expires(site: Site, fleet: list[str]) -> None:
    _, token = site.request(fleet[0], "PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    site.cloud.advance(61)
    path, header = "/latest/meta-data/instance-id", {"X-aws-ec2-metadata-token": token.decode()}
    assert site.request(fleet[0], "GET", path, header)[0] == 401


def test_unknown_address_gets_nothing(site: Site, fleet: list[str]) -> None:
    for address in ("10.50.1.200", "127.0.0.1"):
        for method, path in (("PUT", "/latest/api/token"), ("GET", "/latest/meta-data/")):
            header = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
            assert site.request(address, method, path, header)[0] == 404


def test_each_instance_reads_its_own_data(site: Site, fleet: list[str]) -> None:
    for instance in instances_of(site, "fleet"):
        address = instance["PrivateIpAddress"]
        mac = instance["NetworkInterfaces"][0]["MacAddress"]
        expected = {
            "instance-id": instance["InstanceId"],
            "instance-type": "c6a.large",
            "instance-life-cycle": "spot",
            "local-ipv4": address,
            "mac": mac,
            "placement/region": "us-east-1",
            "placement/availability-zone": instance["Placement"]["AvailabilityZone"],
            f"network/interfaces/macs/{mac}/subnet-ipv4-cidr-block": "10.50.1.0/24",
            f"network/interfaces/macs/{mac}/vpc-id": instance["VpcId"],
            f"network/interfaces/macs/{mac}/local-ipv4s": address,
            f"network/interfaces/macs/{mac}/device-number": "0",
            "autoscaling/target-lifecycle-state": "InService",
            "services/domain": "amazonaws.com",
            "tags/instance/annex:name": "demo",
            "tags/instance/aws:autoscaling:groupName": "fleet",
        }
        for path, value in expected.items():
            assert site.text(address, f"/latest/meta-data/{path}") == value
        document = json.loads(site.text(address, "/latest/dynamic/instance-identity/document"))
        assert (document["instanceId"], document["region"]) == (instance["InstanceId"], "us-east-1")
        assert site.get(address, "/latest/user-data") == (200, USER_DATA)


def test_listings_and_absences(site: Site, fleet: list[str]) -> None:
    address = fleet[0]
    names = site.text(address, "/2021-03-23/meta-data/").split("\n")
    assert {"instance-id", "network/", "placement/", "tags/", "iam/"} <= set(names)
    assert not {"public-keys/", "spot/", "events/"} & set(names)
    assert site.text(address, "/latest/dynamic/instance-identity") == "document"
    for absent in ("public-keys/", "spot/instance-action", "events/recommendations/rebalance", "no-such"):
        assert site.get(address, f"/latest/meta-data/{absent}")[0] == 404
    assert site.get(address, "/2000/meta-data/")[0] == 404


def test_tags_are_live(site: Site, fleet: list[str]) -> None:
    instance = instances_of(site, "fleet")[0]
    path = "/latest/meta-data/tags/instance/annex:lease-end"
    assert site.get(instance["PrivateIpAddress"], path)[0] == 404
    tag = {"Key": "annex:lease-end", "Value": "2026-12-01T08:00:00Z"}
    site.call("ec2", "create_tags", Resources=[instance["InstanceId"]], Tags=[tag])
    assert site.text(instance["PrivateIpAddress"], path) == tag["Value"]


def test_role_credentials_are_accepted_and_limited(site: Site, fleet: list[str]) -> None:
    instance = instances_of(site, "fleet")[0]
    address = instance["PrivateIpAddress"]
    info = json.loads(site.text(address, "/latest/meta-data/iam/info"))
    assert info["InstanceProfileArn"] == instance["IamInstanceProfile"]["Arn"]
    assert site.text(address, "/latest/meta-data/iam/security-credentials/") == "ep"
    path = "/latest/meta-data/iam/security-credentials/ep"
    credentials = json.loads(site.text(address, path))
    assert json.loads(site.text(address, path)) == credentials, "the same until shortly before they expire"

    def call(service: str, action: str, **arguments: Any) -> Any:
        return site.inside(lambda: getattr(site.cloud.client(service, credentials), action)(**arguments))

    arn = call("sts", "get_caller_identity")["Arn"]
    assert arn == f"arn:aws:sts::000000000000:assumed-role/ep/{instance['InstanceId']}"
    assert call("secretsmanager", "get_secret_value", SecretId="own")["SecretString"] == "token"
    with pytest.raises(ClientError, match="AccessDenied"):
        call("secretsmanager", "get_secret_value", SecretId="other")
    with pytest.raises(ClientError, match="AccessDenied"):
        call("autoscaling", "set_desired_capacity", AutoScalingGroupName="fleet", DesiredCapacity=1)
    site.cloud.advance(5 * 3600 + 50 * 60)
    assert json.loads(site.text(address, path))["AccessKeyId"] != credentials["AccessKeyId"]


def test_spot_notice(site: Site, make_group: Callable[..., list[str]]) -> None:
    address = make_group("spot")[0]
    instance = next(one for one in instances_of(site, "spot") if one["PrivateIpAddress"] == address)
    path = f"/_lab/instances/{instance['InstanceId']}/interrupt"
    assert site.inside(site.cloud.get, path, "POST").status == 202
    notice = json.loads(site.text(address, "/latest/meta-data/spot/instance-action"))
    assert notice["action"] == "terminate"
    assert notice["time"].endswith("Z")
    assert "noticeTime" in json.loads(site.text(address, "/latest/meta-data/events/recommendations/rebalance"))


def test_target_state_of_a_leaving_member(site: Site, make_group: Callable[..., list[str]]) -> None:
    address = make_group("leaving")[0]
    site.call(
        "autoscaling",
        "put_lifecycle_hook",
        AutoScalingGroupName="leaving",
        LifecycleHookName="wait",
        LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
    )
    instance = next(one for one in instances_of(site, "leaving") if one["PrivateIpAddress"] == address)
    site.call(
        "autoscaling",
        "terminate_instance_in_auto_scaling_group",
        InstanceId=instance["InstanceId"],
        ShouldDecrementDesiredCapacity=False,
    )
    assert site.text(address, "/latest/meta-data/autoscaling/target-lifecycle-state") == "Terminated"


def test_without_tags_role_or_user_data(site: Site, make_group: Callable[..., list[str]]) -> None:
    options = {"HttpTokens": "required"}
    address = make_group("bare", MetadataOptions=options, IamInstanceProfile={}, UserData="")[0]
    for absent in ("meta-data/tags/instance", "meta-data/iam/info", "user-data"):
        assert site.get(address, f"/latest/{absent}")[0] == 404


def test_switched_off_service(site: Site, make_group: Callable[..., list[str]]) -> None:
    address = make_group("closed", MetadataOptions={"HttpEndpoint": "disabled"})[0]
    header = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    assert site.request(address, "PUT", "/latest/api/token", header)[0] == 403
