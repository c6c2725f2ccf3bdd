"""The forms of the texts that an annex is declared with: names, hosts, identifiers of AWS.

Each form stands here once. The spec, the constructs, the user data and the settings of an execution point use it.
The patterns are extended regular expressions as POSIX and Python both read them: the boot files give them to `grep -E`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from annex_lease.components import COMPONENTS
from annex_lease.stock_images import DEFAULT_IMAGE, HTCONDOR_IN_IMAGE, HTCONDOR_SERIES, IMAGE_FAMILIES

DEFAULT_PORT = 9618
"""The port that every HTCondor daemon shares by default (HTCondor manual, COLLECTOR_PORT)."""
MAX_HOST_LENGTH = 253
"""Characters of a DNS name (RFC 1035)."""


@dataclass(frozen=True)
class Form:
    """The form of a text.

    Attributes:
        pattern: extended regular expression that the whole text matches.
        allowed: the form in words, as errors show it.
        example: a text of this form.
        max_length: most characters. Default: None - as many as the pattern allows.
    """

    pattern: str
    allowed: str
    example: str
    max_length: int | None = None

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.ASCII)

    def matches(self, text: str) -> bool:
        """True if the whole text has this form."""
        return (self.max_length is None or len(text) <= self.max_length) and self._compiled.fullmatch(text) is not None


_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Names of containers and of some hosts have underscores, and resolve all the same.
_HOST_LABEL = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = rf"{_HOST_LABEL}(\.{_HOST_LABEL})*"
_PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_EC2_ID = "([0-9a-f]{8}|[0-9a-f]{17})"

ANNEX_NAME = Form(
    "[a-z](-?[a-z0-9]){0,31}",
    "lower-case letters, digits and single inner hyphens, a letter first, at most 32 characters",
    "demo",
    max_length=32,
)
# A collector as HTCondor writes one: a host name, an IPv4 address or an IPv6 address, a port, and what follows `?` in a
# sinful string, such as the name of a shared port's socket (HTCondor manual, "Networking").
_IPV6 = r"\[[0-9A-Fa-f:.]{2,45}\]"
_SINFUL = r"(\?[][A-Za-z0-9_.%+=&~:#/-]*)?"
_ADDRESS = rf"({_HOST}\.?|{_IPV6}):{_PORT}{_SINFUL}"
_COLLECTOR = rf"({_ADDRESS}|<{_ADDRESS}>)"
_NAKED_IPV6 = "[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f.]{0,15}){2,8}"
_GIVEN = rf"(({_HOST}\.?|{_IPV6})(:{_PORT})?{_SINFUL}|<{_ADDRESS}>|{_NAKED_IPV6})"
# White space of any kind: a list can stand in several lines.
_BETWEEN = "[ \t\r\n,]"
MAX_COLLECTORS_LENGTH = 1000
"""Characters of all collectors: they are in the user data, which has a limit."""
COLLECTOR = Form(
    rf"{_BETWEEN}*{_GIVEN}({_BETWEEN}+{_GIVEN})*{_BETWEEN}*",
    f"one collector or several, separated by commas or spaces: host, host:port, [IPv6]:port, host:port?sock=name or "
    f"<host:port?...> (DNS name or address; port 1 to 65535, default {DEFAULT_PORT})",
    "cm.example.edu",
    max_length=MAX_COLLECTORS_LENGTH,
)
COLLECTOR_ADDRESS = Form(
    rf"{_COLLECTOR}(,{_COLLECTOR})*",
    "host:port, [IPv6]:port, host:port?sock=name or <host:port?...>, or several of them separated by commas (DNS name "
    "or address; port 1 to 65535)",
    f"cm.example.edu:{DEFAULT_PORT}",
    max_length=MAX_COLLECTORS_LENGTH,
)
# "An arbitrary string" (HTCondor manual, TRUST_DOMAIN), but HTCondor signs no token for one with a blank or a comma
# (condor_auth_passwd.cpp). The others that are missing would mean something in its configuration, or end the name of a
# user in its lists: $ \ " ' ` @ / *.
TRUST_DOMAIN = Form(
    "[]A-Za-z0-9._:;+=~!#%&()<>?{}|^[-]+",
    "the pool's TRUST_DOMAIN: 1 to 253 letters, digits and ._:;+-=~!#%&()<>?[]{}|^",
    "example.edu",
    max_length=MAX_HOST_LENGTH,
)
IDTOKEN = Form(
    r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
    "one IDTOKEN: three parts of base64url text joined by dots",
    "aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl",
)
# Every Region is named `<area>-<point of the compass>-<number>` (AWS General Reference, "AWS service endpoints"); the
# form refuses a misspelt point, and takes Regions that AWS adds later.
REGION = Form(
    "([a-z]{2}(-gov|-iso[a-z]?)?|[a-z]{2}sc-[a-z]{2})-((north|south)(east|west)?|east|west|central)-[1-9][0-9]?",
    "an AWS Region's code",
    "us-east-1",
)
ACCOUNT = Form("[0-9]{12}", "12 digits in quotes (a bare number would lose leading zeros)", "123456789012")
# A name in a hierarchy begins with a slash (Systems Manager User Guide, "Requirements and constraints for parameter
# names"): a path of 15 levels at most, or a name alone.
_PARAMETER = "([A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+){1,15})"
BUILT = "built:"
"""Before the name of an image of the spec file, in place of the image's id."""
_STOCK = "|".join(re.escape(each) for each in IMAGE_FAMILIES)
_EXISTING = (
    rf"ami-{_EC2_ID}|ssm:{_PARAMETER}(:[1-9][0-9]{{0,9}})?"
    rf"|ssm:arn:aws[a-z-]*:ssm:[a-z0-9-]+:([0-9]{{12}})?:parameter/?{_PARAMETER}"
)
_STOCK_ALLOWED = f"a stock image: {', '.join(IMAGE_FAMILIES)}; "
_EXISTING_ALLOWED = (
    '"ami-" and 8 or 17 hexadecimal digits; or "ssm:" and an SSM parameter: its path, which begins with "/", or its '
    'name without any "/", with ":" and a version number or without; or the ARN of one that another account shares'
)
_IMAGE_LENGTH = 1011  # of a parameter's name with its ARN (Systems Manager API Reference, PutParameter)
IMAGE = Form(
    rf"{_STOCK}|{BUILT}{ANNEX_NAME.pattern}|{_EXISTING}",
    f'{_STOCK_ALLOWED}"{BUILT}" and the name of an image of the file; {_EXISTING_ALLOWED}',
    DEFAULT_IMAGE,
    max_length=_IMAGE_LENGTH,
)
PARENT_IMAGE = Form(
    rf"{_STOCK}|{_EXISTING}", f"{_STOCK_ALLOWED}{_EXISTING_ALLOWED}", DEFAULT_IMAGE, max_length=_IMAGE_LENGTH
)
SERIES = Form(
    "|".join(map(re.escape, HTCONDOR_SERIES)), " or ".join(f'"{each}"' for each in HTCONDOR_SERIES), HTCONDOR_SERIES[0]
)
HTCONDOR = Form(
    f"{SERIES.pattern}|{re.escape(HTCONDOR_IN_IMAGE)}",
    f'the series to install, {SERIES.allowed}; or "{HTCONDOR_IN_IMAGE}" for the HTCondor of the image',
    SERIES.example,
)
_COMPONENT = "|".join(COMPONENTS)
COMPONENT = Form(_COMPONENT, f"one of {', '.join(COMPONENTS)}", "docker")
COMPONENT_LIST = Form(
    f"(({_COMPONENT})(,({_COMPONENT}))*)?",
    f"names of {', '.join(COMPONENTS)}, separated by commas; or nothing",
    "osg,apptainer",
    max_length=len(",".join(COMPONENTS)),
)
# A host and a path without what the shell, apt or dnf would read as more than text. No IPv6 address: its brackets
# begin the options in a line of an apt source (sources.list(5)).
_MIRROR = rf"https?://{_HOST}(:{_PORT})?(/[A-Za-z0-9._~+-]+)*/?"
MIRROR = Form(
    _MIRROR,
    "https:// or http://, host, port and path of a mirror, of letters, digits and ._~+-; without a user: the user data "
    "is no place for a password",
    "https://mirror.example.edu/htcondor",
    max_length=400,
)
MIRROR_OR_NONE = Form(f"({_MIRROR})?", f"{MIRROR.allowed}; or nothing", MIRROR.example, max_length=MIRROR.max_length)
S3_OBJECT = Form(
    "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9._/-]+",
    "a bucket of Amazon S3, a slash and the key of an object",
    "example-bucket/boot.tar.gz",
    max_length=320,
)
SHA256 = Form("[0-9a-f]{64}", "64 hexadecimal digits", "0" * 64)
INSTANCE_TYPE = Form(
    r"[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|([1-9][0-9]{0,2})?xlarge|metal(-[0-9]{1,3}xl)?)",
    "an EC2 instance type",
    "c6a.large",
)
PORTS = Form(
    rf"{_PORT}(-{_PORT})?", "a port, or two of them as a range: 1 to 65535, the smaller one first", "20000-20100"
)
_BYTE = "(25[0-5]|(2[0-4]|1[0-9]|[1-9])?[0-9])"
DNS_SERVER = Form(
    rf"({_BYTE}\.){{3}}{_BYTE}|{_NAKED_IPV6}",
    "an IPv4 or IPv6 address",
    "192.0.2.53",
)
_PROXY = rf"https?://({_HOST}|{_IPV6})(:{_PORT})?/?"
PROXY = Form(
    _PROXY,
    "http:// or https://, host and port of a proxy, without a user: the user data is no place for a password",
    "http://proxy.example.edu:3128",
    max_length=MAX_HOST_LENGTH + len("https://:65535/"),
)
PROXY_OR_NONE = Form(f"({_PROXY})?", f"{PROXY.allowed}; or nothing", PROXY.example, max_length=PROXY.max_length)
SHARED_NETWORK = "shared"
"""In place of a VPC's id: the one network of all annexes of a Region and account that say so."""
VPC = Form(
    f"{SHARED_NETWORK}|vpc-{_EC2_ID}",
    f'"{SHARED_NETWORK}", or "vpc-" and 8 or 17 hexadecimal digits',
    "vpc-0123456789abcdef0",
)
SUBNET = Form(f"subnet-{_EC2_ID}", '"subnet-" and 8 or 17 hexadecimal digits', "subnet-0123456789abcdef0")
ROOT_DEVICE = Form(
    "/dev/(sd[a-z][0-9]{0,2}|xvd[a-z]{1,2}[0-9]{0,2})",
    'the name the image gives its root volume, such as "/dev/xvda" or "/dev/sda1"',
    "/dev/xvda",
)
EMAIL = Form(rf"[A-Za-z0-9._%+-]{{1,64}}@{_LABEL}(\.{_LABEL})+", "one e-mail address", "admin@example.edu")
# Not a FIFO topic, whose name ends in `.fifo`: it sends no e-mail (Amazon SNS Developer Guide, "Message delivery for
# FIFO topics").
TOPIC_ARN = Form(
    "arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}",
    "the ARN of a standard Amazon SNS topic in the same Region",
    "arn:aws:sns:us-east-1:123456789012:alarms",
)
SECRET_ARN = Form(
    "arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+",
    "the ARN of a Secrets Manager secret",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:annex-demo-AbCdEf",
)
KEY_ARN = Form(
    "arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})",
    "the ARN of a KMS key in the annex's Region (of an alias: `aws kms describe-key` shows the key's ARN)",
    "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef",
)
POLICY_ARN = Form(
    r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/([!-.0-~]+/)*[A-Za-z0-9+=,.@_-]{1,128}",
    "the ARN of an IAM managed policy",
    "arn:aws:iam::123456789012:policy/boundary",
    max_length=2048,  # (IAM API Reference, PutRolePermissionsBoundary)
)
ROLE_PATH = Form(
    "/([!-.0-~]+/)*",
    "a path that begins and ends with /, at most 512 characters without blanks",
    "/htcondor/",
    max_length=512,  # (IAM API Reference, CreateRole)
)
SECONDS = Form("[1-9][0-9]{0,7}", "whole seconds from 1 to 99999999", "120")
FLAG = Form("[01]", "0 or 1", "1")


def arn_region(arn: str) -> str:
    """The Region in an ARN of a resource that has one."""
    return arn.split(":")[3]


def topic_region(arn: str) -> str:
    """The Region in the ARN of an Amazon SNS topic.

    Raises:
        ValueError: it is no such ARN.
    """
    if not TOPIC_ARN.matches(arn):
        raise ValueError(f"{arn!r} is not {TOPIC_ARN.allowed}")
    return arn_region(arn)
