"""The AWS clients of the sweeper, for the function's own Region and role."""

from __future__ import annotations

from functools import cache, cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from annex_lease.aws import Clients

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient

# As those of the lease checker: ride out throttling, and let no dead connection eat the whole run.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=3, read_timeout=10)


class SweepClients(Clients):
    """The lease checker's clients, and those for what only the sweeper looks at; each made when first used."""

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """The client for the stacks."""
        return boto3.client("cloudformation", config=_CONFIG)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """The client for the log groups."""
        return boto3.client("logs", config=_CONFIG)

    @cached_property
    def tagging(self) -> ResourceGroupsTaggingAPIClient:
        """The client that lists log groups with their tags: the list of CloudWatch Logs itself has none."""
        return boto3.client("resourcegroupstaggingapi", config=_CONFIG)


@cache
def shared_clients() -> SweepClients:
    """The clients that all runs of one function environment share."""
    return SweepClients()
