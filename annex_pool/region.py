"""AWS in one Region: clients with the operator's credentials, and error texts for refusals."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound
from botocore.session import Session

from annex_lease.aws import Clients
from annex_lease.invocation import RUN_SECONDS
from annex_lease.terms import REGION
from annex_pool.command_error import AnnexError, InputError

# Standard mode retries throttling and broken connections with jitter; a failure after that is an error.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=10, read_timeout=30)
# The lease checker's function replies when its check is done. A shorter timeout would report nothing about the check,
# and would begin it again.
_CHECK_CONFIG = _CONFIG.merge(Config(read_timeout=RUN_SECONDS + 20))
# What botocore raises besides its own errors: ValueError for an endpoint that is no URL (AWS_ENDPOINT_URL) or a number
# that is none, OSError for a file that cannot be read, RuntimeError for credentials that have expired when they come.
_FAILURES = (BotoCoreError, ValueError, OSError, RuntimeError)
# And for a key of a configuration file that holds a table instead of a value.
_UNUSABLE = (*_FAILURES, TypeError, KeyError, AttributeError)
_HEADER_VALUE = re.compile(r"(Invalid header value) b?['\"].*", re.DOTALL)
# Codes by which AWS refuses one action, and not the credentials themselves.
_NOT_ALLOWED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")

PAUSE_SECONDS = 10.0
"""Pause before a second look counts as proof that something is absent: AWS's listings are eventually consistent."""


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
        raise AnnexError(f"AWS was asked {what} and refused: {_reason(error)}") from error
    except _FAILURES as error:
        raise AnnexError(f"AWS was asked {what} and could not answer: {one_line(str(error))}") from error


def one_line(text: str) -> str:
    """A text of AWS or of a library on one line: white space of any kind becomes one space.

    The value of a header that the library refuses is left out: it is a credential of the environment.
    """
    return " ".join(_HEADER_VALUE.sub(r"\1, is there a line end in a credential?", text).split())


def _reason(error: ClientError) -> str:
    answer = error.response.get("Error", {})
    return one_line(f"{answer.get('Code', 'error')}: {answer.get('Message', 'no message')}")


class SettingsError(AnnexError):
    """The AWS settings or credentials of the environment cannot be used for any request."""


def not_allowed(error: AnnexError) -> bool:
    """True if AWS refused this one action: another one may still be allowed."""
    cause = error.__cause__
    return isinstance(cause, ClientError) and cause.response.get("Error", {}).get("Code") in _NOT_ALLOWED


@contextmanager
def _using_settings() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        # The credentials of a role are asked for here.
        raise SettingsError(f"the AWS credentials of this environment were refused: {_reason(error)}") from error
    except _UNUSABLE as error:
        reason = one_line(str(error)) or type(error).__name__
        if isinstance(error, ProfileNotFound):
            reason += f"; {_profiles()}"
        raise SettingsError(f"the AWS settings of this environment cannot be used: {reason}") from error


def _profiles() -> str:
    """The profiles of this environment, and the fix if the one that is named is not among them."""
    found = one_line(", ".join(sorted(Session().available_profiles)))
    if not found:
        return "there is none; fix: unset AWS_PROFILE, or make the profile (`aws configure --profile NAME`)"
    return f"there are: {found}; fix: set AWS_PROFILE to one of them"


def configured_region() -> str | None:
    """Region that the environment or the profile names; None if neither does.

    Raises:
        SettingsError: the settings of the environment cannot be used.
    """
    with _using_settings():
        # boto3 reads AWS_DEFAULT_REGION only; other tools of AWS read AWS_REGION too.
        named = boto3.Session().region_name or os.environ.get("AWS_REGION")
    return named if isinstance(named, str) and REGION.form.matches(named) else None


class Settings:
    """The AWS settings and credentials of this environment, read once for all Regions.

    The credentials are asked for at the first use: a program or a device that asks for a code asks once.
    """

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._lock = threading.RLock()
        self._session: boto3.Session | None = None

    def session(self) -> boto3.Session:
        """The one session, with credentials that are there.

        Raises:
            SettingsError: the settings cannot be used, or there are no credentials.
        """
        with self._lock, _using_settings():
            if self._session is None:
                session = boto3.Session()
                found = session.get_credentials()
                if found is None:
                    raise SettingsError(
                        "there are no AWS credentials in this environment: name a profile (AWS_PROFILE), or sign in "
                        "(`aws sso login`, `aws configure`)"
                    )
                found.get_frozen_credentials()
                self._session = session
            return self._session

    def client(self, service: str, region: str, config: Config) -> Any:
        """A client of a service in a Region. Clients are made one after another: a session is not safe for threads.

        Raises:
            SettingsError: the settings cannot be used.
        """
        with self._lock, _using_settings():
            return self.session().client(cast("Any", service), region_name=region, config=config)


class _OneRegion:
    """The part of a session that `Clients` uses, for one Region."""

    def __init__(self, settings: Settings, region: str) -> None:
        self._settings = settings
        self.region_name = region

    def client(self, service: str, *, config: Config) -> Any:
        return self._settings.client(service, self.region_name, config)


class RegionClients(Clients):
    """AWS clients of one Region with the operator's credentials."""

    def __init__(self, region: str, settings: Settings | None = None) -> None:
        """Set the Region; no call is made yet.

        Args:
            region: the Region's code, such as us-east-1.
            settings: the settings of the environment. Default: None - read them for this Region alone.
        """
        session = cast("boto3.Session", _OneRegion(settings or Settings(), region))
        super().__init__(session, config=_CONFIG, invoke_config=_CHECK_CONFIG)

    def account(self) -> str:
        """Account of the credentials in use."""
        with asking(f"whose credentials these are, in {self.region}"):
            return str(self.client("sts").get_caller_identity()["Account"])


class Connections:
    """AWS clients of any Region, made once for each."""

    def __init__(self) -> None:
        """Keep nothing yet; nothing is asked of AWS."""
        self.settings = Settings()
        self._lock = threading.Lock()
        self._clients: dict[str, RegionClients] = {}

    def __call__(self, region: str) -> RegionClients:
        """The clients of a Region.

        Raises:
            SettingsError: the settings cannot be used, or there are no credentials.
        """
        with self._lock:
            self.settings.session()
            if region not in self._clients:
                self._clients[region] = RegionClients(region, self.settings)
            return self._clients[region]


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
            "use that account's credentials (AWS_PROFILE), or correct the spec; to mean the annex in account "
            f"{used} give --region, --stack or --id"
        )
