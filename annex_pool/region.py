"""AWS in one Region: clients with the operator's credentials, and error texts for refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.aws import Clients
from annex_pool.command_error import AnnexError, InputError

# Standard mode retries throttling and broken connections with jitter; a failure after that is an error.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=10, read_timeout=30)
# The lease checker's function replies when its check is done. A shorter timeout would report nothing about the check.
_CHECK_CONFIG = _CONFIG.merge(Config(read_timeout=260))

PAUSE_SECONDS = 10.0
"""Pause before a second look counts as proof that something is absent: AWS's listings are eventually consistent."""


class RegionClients(Clients):
    """AWS clients of one Region with the operator's credentials."""

    def __init__(self, region: str) -> None:
        """Set the Region; no call is made yet.

        Args:
            region: the Region's code, such as us-east-1.

        Raises:
            AnnexError: the settings in the environment, or in the files of the AWS CLI, cannot be used.
        """
        with asking(f"with the settings of this environment, in {region}"):
            session = boto3.Session(region_name=region)
        super().__init__(session, config=_CONFIG, invoke_config=_CHECK_CONFIG)

    def account(self) -> str:
        """Account of the credentials in use."""
        with asking(f"whose credentials these are, in {self.region}"):
            return str(self.client("sts").get_caller_identity()["Account"])


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Report a refusal or a failure of AWS as an error that names the request.

    Args:
        what: the request; completes "AWS was asked ...".

    Raises:
        AnnexError: instead of any error of botocore.
    """
    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        text = f"{answer.get('Code', 'error')}: {answer.get('Message', 'no message')}"
        raise AnnexError(f"AWS was asked {what} and refused: {text}") from error
    # botocore refuses an endpoint that is no URL (AWS_ENDPOINT_URL) with a ValueError.
    except (BotoCoreError, ValueError) as error:
        raise AnnexError(f"AWS was asked {what} and could not answer: {error}") from error


def check_account(aws: RegionClients, declared: str | None) -> None:
    """Check that the credentials in use belong to the account of the spec, if the spec declares one.

    Raises:
        InputError: they belong to another account, in which the annex cannot be found.
    """
    if declared is None:
        return
    used = aws.account()
    if used != declared:
        raise InputError(
            f"the credentials in use belong to account {used}, the spec declares account {declared}: "
            "use that account's credentials (AWS_PROFILE), or correct the spec"
        )
