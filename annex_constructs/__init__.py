"""AWS CDK constructs for annexes: leased fleets of HTCondor execution points on EC2.

`Annex` is a complete annex, `AnnexBase` the account-wide sweeper, and `AnnexImage` builds an image of execution points.
The others are parts of these, for apps that combine them in their own way.
"""

import importlib.util

if importlib.util.find_spec("aws_cdk") is None:
    raise ModuleNotFoundError(
        "annex_constructs needs the AWS CDK; fix: pip install 'htcondor-annex-cdk[cdk]'", name="aws_cdk"
    )

from annex_constructs.alarm_topic import AlarmTopic
from annex_constructs.annex import Annex
from annex_constructs.annex_interface import IAnnex
from annex_constructs.base.annex_base import AnnexBase
from annex_constructs.fleet.annex_credential import AnnexCredential
from annex_constructs.fleet.annex_fleet import AnnexFleet
from annex_constructs.fleet.execution_point import ExecutionPoint
from annex_constructs.fleet.multipart_user_data import ExecutionPointUserData
from annex_constructs.fleet.network import AnnexNetwork
from annex_constructs.fleet.security_group import AnnexSecurityGroup
from annex_constructs.image.annex_image import AnnexImage
from annex_constructs.image.build_place import BuildPlace
from annex_constructs.image.image_content import ImageContent
from annex_constructs.image.image_distribution import ImageDistribution
from annex_constructs.image.image_upkeep import ImageUpkeep
from annex_constructs.lease.lease_alarms import LeaseAlarms
from annex_constructs.lease.lease_checker import LeaseChecker
from annex_constructs.lease.lease_terms import LeaseTerms
from annex_constructs.pool import Pool
from annex_constructs.role_settings import RoleSettings
from annex_constructs.stock_image import StockImage
from annex_lease.version import __version__

__all__ = [
    "AlarmTopic",
    "Annex",
    "AnnexBase",
    "AnnexCredential",
    "AnnexFleet",
    "AnnexImage",
    "AnnexNetwork",
    "AnnexSecurityGroup",
    "BuildPlace",
    "ExecutionPoint",
    "ExecutionPointUserData",
    "IAnnex",
    "ImageContent",
    "ImageDistribution",
    "ImageUpkeep",
    "LeaseAlarms",
    "LeaseChecker",
    "LeaseTerms",
    "Pool",
    "RoleSettings",
    "StockImage",
    "__version__",
]
