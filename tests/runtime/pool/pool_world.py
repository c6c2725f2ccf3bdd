"""An account with annexes (moto), a pool with given answers, and a lease checker that really decides."""

from __future__ import annotations

import base64
import json
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from annex_lease.aws import AnnexAccess
from annex_lease.checker import check
from annex_lease.ownership import STACK_NAME_TAG
from annex_lease.policy import LeasePolicy, policy_tags
from annex_lease.tags import Tag
from annex_pool.account_regions import enabled_regions
from annex_pool.check import Answer, read_answer
from annex_pool.cli import app
from annex_pool.collector import Slot
from annex_pool.command_error import AnnexError
from annex_pool.deployed import Deployed
from annex_pool.environment import Environment
from annex_pool.own_resources import SECRET, find_arn
from annex_pool.region import RegionClients

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import TagSpecificationTypeDef, TagTypeDef

REGION = "us-east-1"
SPEC = """
[pool]
collector = "cm.example.edu"
trust_domain = "example.edu"
[defaults]
region = "us-east-1"
image = "ami-0123456789abcdef0"
instance_types = ["c6a.large"]
[annex.demo]
size = 3
lease = "8h"
[annex.demo2]
size = 1
lease = "8h"
"""
USUAL = "usual"
"""In the place of a spec file: `SPEC`, also if a test puts another one there."""
ISSUER = """#!{python}
import base64, json, sys, time
pathlib = __import__("pathlib")
pathlib.Path({argv!r}).write_text(json.dumps(sys.argv[1:]))
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
scopes = [value for key, value in zip(sys.argv[1::2], sys.argv[2::2]) if key == "-authz"]
claims = {{"sub": given["-identity"], "iss": "example.edu", "exp": int(time.time()) + int(given["-lifetime"]),
    "scope": " ".join("condor:/" + scope for scope in scopes)}}
claims.update(json.loads({changes!r}))
claims = {{key: value for key, value in claims.items() if value is not None}}
part = lambda data: base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()
print(".".join([part({{"alg": "HS256"}}), part(claims), "c2VjcmV0LXNpZ25hdHVyZQ"]))
"""


@cache
def aws(region: str = REGION) -> RegionClients:
    """One set of clients for all tests, since making them takes longer than using them; moto serves any client."""
    return RegionClients(region)


@dataclass
class Result:
    """Result of a command line."""

    exit_code: int
    out: str
    err: str


@dataclass
class World:
    """Environment of the command; a test may change its fields."""

    folder: Path
    slots: Sequence[Slot] | AnnexError = ()
    checker_fails: bool = False
    shift: timedelta = timedelta(0)
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None
    checks: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    enabled: tuple[str, ...] = ("eu-west-1", REGION, "us-west-2")
    region: str | None = REGION
    spec: str | None = USUAL

    def annex(self, *words: str, stdin: str | bytes | None = None, env: Mapping[str, str] | None = None) -> Result:
        """Run the command. `env` replaces ANNEX_SPEC, which names the spec file; `spec` None removes the file."""
        file = self.folder / "annexes.toml"
        if self.spec is None:
            file.unlink(missing_ok=True)
        else:
            file.write_bytes((SPEC if self.spec is USUAL else self.spec).encode("utf-8", "surrogateescape"))
        given = {"ANNEX_SPEC": str(file)} if env is None else env
        done = CliRunner().invoke(app, list(words), obj=self.environment(), env=given, input=stdin)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Result(done.exit_code, done.stdout, done.stderr)

    def environment(self) -> Environment:
        return Environment(self.now, self.sleep, aws, self._check, self._slots, self._enabled, lambda: self.region)

    def _enabled(self, client: RegionClients) -> Sequence[str]:
        """Those of the Regions that AWS lists which this account has; moto lists all, and to ask all takes long."""
        return [region for region in enabled_regions(client) if region in self.enabled]

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift

    def issuer(self, **changes: object) -> str:
        """A program like condor_token_create whose tokens hold these claims instead (None: left out)."""
        path = self.folder / "condor_token_create"
        text = ISSUER.format(python=sys.executable, argv=str(self.folder / "argv"), changes=json.dumps(changes))
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    def group(self, name: str, region: str = REGION) -> dict[str, object]:
        client = aws(region).autoscaling
        (group,) = client.describe_auto_scaling_groups(AutoScalingGroupNames=[f"Group-{name}"])["AutoScalingGroups"]
        return dict(group)

    def tag(self, name: str, key: str, region: str = REGION) -> str | None:
        tags = {tag["Key"]: tag["Value"] for tag in self.group(name, region)["Tags"]}  # type: ignore[attr-defined]
        return tags.get(key)

    def secret(self, name: str, region: str = REGION) -> str:
        return str(aws(region).secretsmanager.get_secret_value(SecretId=f"secret-{name}")["SecretString"])

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.shift += timedelta(seconds=seconds)
        self.on_sleep()

    def _slots(self, collector: str) -> Sequence[Slot]:
        self.asked.append(collector)
        if isinstance(self.slots, AnnexError):
            raise self.slots
        return self.slots

    def _check(self, found: Deployed, *, dry_run: bool = False) -> Answer:
        """The real checker, run here: to invoke a function, moto would need containers."""
        self.checks.append(found.name)
        if self.checker_fails:
            raise AnnexError(f"the lease checker of annex {found.name} failed: boom; see its log")
        annex = AnnexAccess(found.group.name, find_arn(found, SECRET, None), found.aws, name=found.name, id=found.id)
        report = check(annex, self.now(), dry_run=dry_run)
        return read_answer(found.name, json.dumps(report.as_data()).encode(), failed=False)


def deploy(
    name: str,
    *,
    size: int = 3,
    max_lifetime: timedelta = timedelta(hours=16),
    secret: bool = True,
    annex_id: str | None = None,
    region: str = REGION,
    stack: str | None = None,
    part: str | None = None,
    **lease: Any,
) -> None:
    """Make the resources of an annex's stack that the command uses; `lease` is added to the policy.

    `stack` is the name that CloudFormation tags the group with, `part` the end of the names of all resources (default:
    the annex's name).
    """
    ec2, part = aws(region).ec2, part or name
    (subnet, *_) = ec2.describe_subnets()["Subnets"]
    ec2.create_launch_template(
        LaunchTemplateName=f"template-{part}",
        LaunchTemplateData={
            "ImageId": ec2.register_image(Name=f"image-{part}", RootDeviceName="/dev/xvda")["ImageId"],
            "InstanceType": "t3.micro",
            "SecurityGroupIds": [ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]],
        },
    )
    policy = LeasePolicy(name, size, int(max_lifetime.total_seconds()), 900, duration_seconds=8 * 3600, **lease)
    tags = [_declared(tag) for tag in policy_tags(policy, annex_id=annex_id)]
    if stack is not None:
        tags.append(_declared(Tag(STACK_NAME_TAG, stack, True)))
    aws(region).autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=f"Group-{part}",
        MinSize=0,
        MaxSize=size,
        DesiredCapacity=0,
        LaunchTemplate={"LaunchTemplateName": f"template-{part}", "Version": "$Latest"},
        VPCZoneIdentifier=subnet["SubnetId"],
        Tags=tags,  # type: ignore[arg-type]
    )
    if secret:
        own = {"annex:name": name} | ({} if annex_id is None else {"annex:id": annex_id})
        make_secret(f"secret-{part}", own, region)


def make_secret(name: str, tags: Mapping[str, str], region: str = REGION) -> None:
    """A secret without a value."""
    aws(region).secretsmanager.create_secret(
        Name=name, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
    )


def start(tags: dict[str, str], number: int = 1) -> list[str]:
    """Instances with these tags; those of EC2 Auto Scaling are its own to write, but not here."""
    ec2 = aws().ec2
    image = ec2.register_image(Name=f"image-{len(ec2.describe_images(Owners=['self'])['Images'])}")["ImageId"]
    pairs: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in tags.items()]
    of_instances: TagSpecificationTypeDef = {"ResourceType": "instance", "Tags": pairs}
    made = ec2.run_instances(
        ImageId=image,
        MinCount=number,
        MaxCount=number,
        TagSpecifications=[of_instances],
    )
    return [each["InstanceId"] for each in made["Instances"]]


def _declared(tag: Tag) -> dict[str, object]:
    return {"Key": tag.key, "Value": tag.value, "PropagateAtLaunch": tag.propagate}


def token(**claims: object) -> str:
    """A token with these claims."""
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJIUzI1NiJ9.{part}.c2VjcmV0LXNpZ25hdHVyZQ"
