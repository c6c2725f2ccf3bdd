"""Boot archive of an execution point in Amazon S3, which an instance fetches when it boots for the first time."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from annex_boot.archive import boot_archive
from annex_constructs.fleet.execution_point import ExecutionPoint


@dataclass(frozen=True)
class BootArchive:
    """The archive of the boot and install files.

    Attributes:
        place: bucket, slash and key; with tokens, because the bucket is that of the CDK's bootstrap.
        digest: SHA-256 of the archive, hexadecimal.
        permission: statement that lets an instance read this object and no other one.
    """

    place: str
    digest: str
    permission: iam.PolicyStatement


def boot_archive_asset(scope: Construct, construct_id: str, execution_point: ExecutionPoint) -> BootArchive:
    """The boot archive as an asset.

    User data has no space for these files (EC2 User Guide: 16 KB).

    The instance verifies the digest, which is in its user data. `Asset.grant_read` would let it read the whole bucket.
    The policy of a key that `cdk bootstrap --bootstrap-customer-key` makes lets everyone in the account read through
    Amazon S3, so that no statement for the key is needed.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param execution_point: properties of the instances.
    """
    packed = boot_archive(execution_point.components, execution_point.script)
    with TemporaryDirectory() as directory:
        file = Path(directory) / "boot.tar.gz"
        file.write_bytes(packed)
        asset = assets.Asset(scope, construct_id, path=str(file))  # copies the file
    stack = Stack.of(scope)
    arn = stack.format_arn(
        service="s3", region="", account="", resource=asset.s3_bucket_name, resource_name=asset.s3_object_key
    )
    return BootArchive(
        place=f"{asset.s3_bucket_name}/{asset.s3_object_key}",
        digest=hashlib.sha256(packed).hexdigest(),
        permission=iam.PolicyStatement(sid="ReadBootArchive", actions=["s3:GetObject"], resources=[arn]),
    )
