"""The forms of the texts that an annex is declared with: names, hosts, identifiers of AWS.

Each form stands here once. The spec, the constructs, the user data and the settings of an execution point use it.
The patterns are extended regular expressions as POSIX and Python both read them: the boot files give them to `grep -E`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

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
_HOST = rf"{_LABEL}(\.{_LABEL})*"
_PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_EC2_ID = "([0-9a-f]{8}|[0-9a-f]{17})"

ANNEX_NAME = Form(
    "[a-z](-?[a-z0-9]){0,31}",
    "lower-case letters, digits and single inner hyphens, a letter first, at most 32 characters",
    "demo",
    max_length=32,
)
COLLECTOR = Form(
    rf"{_HOST}(:{_PORT})?",
    f"host or host:port (DNS name or IPv4 address; port 1 to 65535, default {DEFAULT_PORT})",
    "cm.example.edu",
    max_length=MAX_HOST_LENGTH + len(":65535"),
)
COLLECTOR_ADDRESS = Form(
    rf"{_HOST}:{_PORT}",
    "host:port (DNS name or IPv4 address; port 1 to 65535)",
    f"cm.example.edu:{DEFAULT_PORT}",
    max_length=COLLECTOR.max_length,
)
# An execution point is called i-<17 hex digits>.annex-<name>.<trust domain>: a host name of 253 characters at most.
_MAX_TRUST_DOMAIN = MAX_HOST_LENGTH - len("i-0123456789abcdef0.annex-.") - (ANNEX_NAME.max_length or 0)
TRUST_DOMAIN = Form(
    _HOST,
    f"a domain name of at most {_MAX_TRUST_DOMAIN} characters: the pool's TRUST_DOMAIN",
    "example.edu",
    max_length=_MAX_TRUST_DOMAIN,
)
IDTOKEN = Form(
    r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+",
    "one IDTOKEN: three parts of base64url text joined by dots",
    "aGVhZGVy.cGF5bG9hZA.c2lnbmF0dXJl",
)
REGION = Form("[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", "an AWS Region's code", "us-east-1")
ACCOUNT = Form("[0-9]{12}", "12 digits in quotes (a bare number would lose leading zeros)", "123456789012")
IMAGE = Form(
    rf"ami-{_EC2_ID}|ssm:/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*",
    '"ami-" and 8 or 17 hexadecimal digits, or "ssm:/" and a parameter\'s path',
    "ami-0123456789abcdef0",
)
INSTANCE_TYPE = Form(
    r"[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|[0-9]{0,3}xlarge|metal(-[0-9]{1,3}xl)?)",
    "an EC2 instance type",
    "c6a.large",
)
VPC = Form(f"vpc-{_EC2_ID}", '"vpc-" and 8 or 17 hexadecimal digits', "vpc-0123456789abcdef0")
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
    "the ARN of a standard Amazon SNS topic in the annex's Region",
    "arn:aws:sns:us-east-1:123456789012:alarms",
)
SECRET_ARN = Form(
    "arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+",
    "the ARN of a Secrets Manager secret",
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:annex-demo-AbCdEf",
)
SECONDS = Form("[1-9][0-9]{0,7}", "whole seconds from 1 to 99999999", "120")
FLAG = Form("[01]", "0 or 1", "1")


def collector_address(text: str) -> str:
    """The collector as host:port; `DEFAULT_PORT` where `text` has no port.

    Raises:
        ValueError: it is no collector, or its host is longer than a DNS name may be.
    """
    host, colon, _ = text.partition(":")
    if not COLLECTOR.matches(text) or len(host) > MAX_HOST_LENGTH:
        raise ValueError(f"{text!r} is not {COLLECTOR.allowed}")
    return text if colon else f"{host}:{DEFAULT_PORT}"


def topic_region(arn: str) -> str:
    """The Region in the ARN of an Amazon SNS topic.

    Raises:
        ValueError: it is no such ARN.
    """
    if not TOPIC_ARN.matches(arn):
        raise ValueError(f"{arn!r} is not {TOPIC_ARN.allowed}")
    return arn.split(":")[3]
