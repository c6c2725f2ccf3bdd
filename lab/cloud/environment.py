"""Process environment of the cloud: without variables of the operator, with MiniStack's settings."""

import os
from pathlib import Path

ACCOUNT = "000000000000"
REGION = "us-east-1"
ADMIN_ACCESS_KEY = "test"

_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "VIRTUAL_ENV")
_KEPT_FOR_THE_LAB = ("ANNEX_LAB_DIRECTORY", "XDG_CACHE_HOME", "LAB_GROUP_DELETE_SECONDS")


def prepare(state: Path, internal_port: int, certificate: Path, key: Path) -> None:
    """Replace the process environment. Must run before MiniStack is imported.

    Lambda functions are subprocesses of the cloud and inherit its environment. A proxy, an AWS profile or another CA
    bundle would change their behaviour. So only ``PATH``, the locale, Python's variables and those of the machine
    host and the tests are kept.

    Args:
        state: Directory for all files of the cloud; created.
        internal_port: Loopback port where functions and custom resource answers reach the API with TLS.
        certificate: Certificate (PEM) of that loopback listener.
        key: Private key (PEM) of that loopback listener.
    """
    kept = {name: os.environ[name] for name in (*_KEPT, *_KEPT_FOR_THE_LAB) if name in os.environ}
    directories = {name: state / name for name in ("tmp", "s3", "ministack", "home")}
    for directory in directories.values():
        directory.mkdir(parents=True, exist_ok=True)
    os.environ.clear()
    os.environ.update(
        kept,
        HOME=str(directories["home"]),
        TMPDIR=str(directories["tmp"]),
        S3_DATA_DIR=str(directories["s3"]),
        STATE_DIR=str(directories["ministack"]),
        AUTH="true",
        USE_SSL="1",
        MINISTACK_SSL_CERT=str(certificate),
        MINISTACK_SSL_KEY=str(key),
        MINISTACK_HOST="localhost",
        MINISTACK_REGION=REGION,
        MINISTACK_ACCOUNT_ID=ACCOUNT,
        MINISTACK_AUTOCREATE_AWS_MANAGED="1",
        GATEWAY_PORT=str(internal_port),
        BIND_HOST="127.0.0.1",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        # Lambda waits one minute before the first and two before the second retry of an asynchronous invocation:
        # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
        LAMBDA_ASYNC_RETRY_BASE_SECONDS="60",
        LAMBDA_ASYNC_RETRY_MAX_SECONDS="120",
        # No container engine is used: an image found on the operator's machine must not run.
        DOCKER_HOST="unix:///nonexistent/docker.sock",
        LOG_LEVEL="WARNING",
        NO_PROXY="*",
    )
