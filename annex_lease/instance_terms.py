"""The declared values of an annex's instances, network, tags, keys and roles; `annex_lease.terms` has the others.

Each stands here once. Users import them from `annex_lease.terms`.
"""

from __future__ import annotations

from annex_lease import forms
from annex_lease.kinds import Flag, Number, Table, Text, Texts
from annex_lease.tags import MAX_OWN_TAGS

_MAX_TYPES = 40  # overrides of a mixed instances policy (EC2 Auto Scaling quotas)
# VPCZoneIdentifier takes 5,000 characters (EC2 Auto Scaling API Reference, CreateAutoScalingGroup): ids and commas.
_MAX_SUBNETS = 5000 // len("subnet-0123456789abcdef0,")

_MAX_PORTS = 16  # each is two of the 60 rules that a security group may have (VPC User Guide, "Amazon VPC quotas")

ACCESS_POINT_PORTS = Texts(
    "access_point_ports",
    f"ports of access points that do not use {forms.DEFAULT_PORT} or the collectors' ports",
    forms.PORTS,
    f"1 to {_MAX_PORTS} different ports, or ranges of them in quotes, from 1 to 65535",
    '[9700, "20000-20100"]',
    maximum=_MAX_PORTS,
    absent="none",
)
INSTANCE_TYPES = Texts(
    "instance_types",
    "EC2 instance types of one processor architecture that the fleet may use, in order of preference",
    forms.INSTANCE_TYPE,
    f"1 to {_MAX_TYPES} different EC2 instance types",
    '["c6a.large", "c6i.large"]',
    maximum=_MAX_TYPES,
)
VPC = Text(
    "vpc",
    f'VPC of the instances: its id, or `"{forms.SHARED_NETWORK}"` for one small VPC of all annexes of the Region and '
    "account that say so",
    forms.VPC,
    absent="none, the annex makes a small VPC of its own",
)
SUBNETS = Texts(
    "subnets",
    "subnets of that VPC: IPv4, dual-stack or IPv6",
    forms.SUBNET,
    f'1 to {_MAX_SUBNETS} different subnets of the VPC: "subnet-" and 8 or 17 hexadecimal digits',
    '["subnet-0123456789abcdef0"]',
    maximum=_MAX_SUBNETS,
    absent="none, required with the id of a VPC",
)
DNS_SERVERS = Texts(
    "dns_servers",
    "DNS servers that the VPC's DHCP options name in place of Amazon's; the security group lets instances ask them",
    forms.DNS_SERVER,
    # So many can DHCP options name (VPC User Guide, "DHCP option sets").
    "1 to 4 different IPv4 or IPv6 addresses",
    '["192.0.2.53"]',
    maximum=4,
    absent="Amazon's DNS, which needs no rule",
)
PROXY = Text(
    "proxy",
    "proxy for HTTP and HTTPS: instances call AWS through it, and jobs find it in their environment; HTCondor's own "
    "connections do not use it",
    forms.PROXY,
    absent="none",
)
IPV6 = Flag(
    "ipv6",
    "the annex's own VPC is dual-stack, or the shared one; it is so anyway if a collector is an IPv6 address",
    "true",
    default=False,
)
PROTECT_BUSY = Flag(
    "protect_busy",
    "an instance protects itself from scale-in while a job runs on it, so that a smaller `size` ends idle ones only",
    "true",
    absent="`true` with `renew_while_busy`, else `false`",
)
VOLUME_GIB = Number(
    "volume_gib",
    "size of the root volume; encrypted gp3, deleted with the instance",
    "GiB",
    1,
    16_384,  # of a gp3 volume in every Region (EBS User Guide, "General Purpose SSD volumes")
    "20",
    default=20,
)
TAGS = Table(
    "tags",
    "tags of an organisation: on the stack's resources (not on itself), on instances, volumes and network interfaces",
    f'a table of at most {MAX_OWN_TAGS} texts, such as {{ team = "physics" }}',
    '{ team = "physics", cost-centre = "4711" }',
    "none; an annex adds its own to those of `[defaults]`",
)
VOLUME_KEY = Text(
    "volume_key",
    "ARN of the KMS key that encrypts the volumes; the account's AWSServiceRoleForAutoScaling needs a grant for it",
    forms.KEY_ARN,
    absent="the account's default key for EBS",
)
CREDENTIAL_KEY = Text(
    "credential_key",
    "ARN of the KMS key that encrypts the annex's token",
    forms.KEY_ARN,
    absent="the AWS managed key of Secrets Manager",
)
PERMISSIONS_BOUNDARY = Text(
    "permissions_boundary",
    "ARN of the managed policy that bounds every role of the stack",
    forms.POLICY_ARN,
    absent="none",
)
ROLE_PATH = Text(
    "role_path", "path of every role and instance profile of the stack", forms.ROLE_PATH, absent="none, the path `/`"
)
