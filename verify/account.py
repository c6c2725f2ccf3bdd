"""The account to verify: its credentials, its Region, its bootstrap, and who answers for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from annex_lease.terms import REGION
from annex_pool.command_error import InputError
from annex_pool.region import Connections, RegionClients, asking, configured_region

# What the CDK CLI itself reads: AWS CDK Developer Guide, "AWS CDK bootstrapping", "Bootstrap template versions".
BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_SMALL = timedelta(seconds=3)
_EMULATED_ACCOUNT = "000000000000"  # of emulators; AWS gives it to no account


@dataclass(frozen=True)
class Account:
    """An account in one Region.

    Attributes:
        aws: its clients.
        id: its id.
        caller: ARN of whose credentials are used.
        emulated: an emulator answers in place of AWS.
        ahead: how far the clock of AWS is ahead of this machine's. Default: not at all.
    """

    aws: RegionClients
    id: str
    caller: str
    emulated: bool
    ahead: timedelta = timedelta(0)

    @property
    def region(self) -> str:
        """Code of the Region."""
        return self.aws.region


def emulated(environ: Mapping[str, str], account: str) -> bool:
    """True if an emulator answers in place of AWS.

    The environment then names an endpoint (AWS SDKs and Tools Reference Guide, "Service-specific endpoints"), or the
    account is the one that AWS gives to no customer.

    Args:
        environ: environment variables.
        account: the account that the credentials belong to.
    """
    endpoints = (key for key, value in environ.items() if value and key.startswith("AWS_ENDPOINT_URL"))
    return any(endpoints) or account == _EMULATED_ACCOUNT


def clock_ahead(date: str | None, now: datetime) -> timedelta:
    """Time by which the clock of AWS is ahead of this machine, whose times are compared with those of AWS.

    Args:
        date: header Date of an answer (RFC 9110, 5.6.7); None: there is none.
        now: time of this machine at the answer, aware.
    """
    try:
        ahead = parsedate_to_datetime(date or "") - now
    except ValueError:
        return timedelta(0)
    # The header has whole seconds, and the answer took a moment.
    return ahead if abs(ahead) > _SMALL else timedelta(0)


def find_account(region: str | None) -> Account:
    """The account of the credentials in use.

    Args:
        region: the Region that the command line names; None: that of the environment.

    Raises:
        InputError: no Region is named, or one that cannot exist.
        AnnexError: there are no credentials, or AWS refuses them.
    """
    named = region or configured_region()
    if named is None:
        raise InputError("no Region is named: give --region, or set AWS_REGION or the profile's region")
    if not REGION.form.matches(named):
        raise InputError(f"--region {named}: allowed is {REGION.form.allowed}")
    aws = Connections()(named)
    with asking(f"whose credentials these are, in {named}"):
        identity = aws.client("sts").get_caller_identity()
    account = str(identity["Account"])
    ahead = clock_ahead(identity["ResponseMetadata"].get("HTTPHeaders", {}).get("date"), datetime.now(UTC))
    return Account(aws, account, str(identity["Arn"]), emulated(os.environ, account), ahead)


def check_bootstrap(account: Account) -> None:
    """Check that the account is prepared for the CDK in this Region.

    Raises:
        InputError: it is not.
        AnnexError: AWS refused to say so.
    """
    with asking(f"for the CDK's bootstrap version in {account.region}"):
        try:
            account.aws.client("ssm").get_parameter(Name=BOOTSTRAP_PARAMETER)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            place = f"aws://{account.id}/{account.region}"
            raise InputError(
                f"the account is not prepared for the CDK in this Region: run `cdk bootstrap {place}`"
            ) from error
