"""AWS CDK constructs for annexes: leased fleets of HTCondor execution points on EC2.

`Annex` is the whole thing; the others are its parts, for apps that wire them in their own way.

The names are loaded on first use, so that `annex_constructs.user_data` can be imported where neither the CDK nor
Node is wanted: importing aws_cdk starts a Node process and takes seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from annex_constructs.alarm_topic import AlarmTopic
    from annex_constructs.annex import Annex
    from annex_constructs.annex_base import AnnexBase
    from annex_constructs.credential import AnnexCredential
    from annex_constructs.execution_point import ExecutionPoint
    from annex_constructs.fleet import AnnexFleet
    from annex_constructs.instance_role import AnnexInstanceRole
    from annex_constructs.lease import Lease
    from annex_constructs.lease_alarms import LeaseAlarms
    from annex_constructs.lease_checker import LeaseChecker
    from annex_constructs.network import AnnexNetwork
    from annex_constructs.pool import Pool
    from annex_constructs.security_group import AnnexSecurityGroup

__all__ = [
    "AlarmTopic",
    "Annex",
    "AnnexBase",
    "AnnexCredential",
    "AnnexFleet",
    "AnnexInstanceRole",
    "AnnexNetwork",
    "AnnexSecurityGroup",
    "ExecutionPoint",
    "Lease",
    "LeaseAlarms",
    "LeaseChecker",
    "Pool",
]

_HOMES = {
    "AlarmTopic": "alarm_topic",
    "Annex": "annex",
    "AnnexBase": "annex_base",
    "AnnexCredential": "credential",
    "AnnexFleet": "fleet",
    "AnnexInstanceRole": "instance_role",
    "AnnexNetwork": "network",
    "AnnexSecurityGroup": "security_group",
    "ExecutionPoint": "execution_point",
    "Lease": "lease",
    "LeaseAlarms": "lease_alarms",
    "LeaseChecker": "lease_checker",
    "Pool": "pool",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
