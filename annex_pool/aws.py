"""The AWS clients of one Region, and AWS's refusals as errors an operator can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.aws import Clients
from annex_pool.error import AnnexError, InputError

# Standard mode retries throttling and broken connections with jitter; what is left after that is an error.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=10, read_timeout=30)
# The lease checker's function answers when its check is done; to give up earlier would say nothing about it.
_CHECK_CONFIG = _CONFIG.merge(Config(read_timeout=260))


class Aws(Clients):
    """AWS clients for one Region with the operator's own credentials."""

    def __init__(self, region: str) -> None:
        """Name the Region; nothing is asked of AWS yet.

        Args:
            region: the Region's code, such as us-east-1.
        """
        super().__init__(boto3.Session(region_name=region), config=_CONFIG, invoke_config=_CHECK_CONFIG)

    def account(self) -> str:
        """Id of the account that the credentials in use belong to."""
        with asking(f"whose credentials these are, in {self.region}"):
            return str(self.client("sts").get_caller_identity()["Account"])


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Report a refusal or a failure of AWS as an error that says what was asked.

    Args:
        what: what AWS was asked for; completes "AWS was asked ...".

    Raises:
        AnnexError: instead of any error of botocore.
    """
    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        text = f"{answer.get('Code', 'error')}: {answer.get('Message', 'no message')}"
        raise AnnexError(f"AWS was asked {what} and refused: {text}") from error
    except BotoCoreError as error:
        raise AnnexError(f"AWS was asked {what} and could not answer: {error}") from error


def check_account(aws: Aws, declared: str | None) -> None:
    """Make sure that the credentials in use belong to the account that the spec declares, if it declares one.

    Raises:
        InputError: they belong to another one: an annex would be looked for where it cannot be.
    """
    if declared is None:
        return
    used = aws.account()
    if used != declared:
        raise InputError(
            f"the credentials in use belong to account {used}, the spec declares account {declared}: "
            "use that account's credentials (AWS_PROFILE), or correct the spec"
        )
