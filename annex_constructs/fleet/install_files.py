"""Install files of an execution point in Amazon S3, which an instance fetches if it adds something to its image."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from annex_boot.installation import install_archive
from annex_constructs.fleet.execution_point import ExecutionPoint


@dataclass(frozen=True)
class InstallFiles:
    """The archive of the install files.

    Attributes:
        place: bucket, slash and key; with tokens, because the bucket is that of the CDK's bootstrap.
        digest: SHA-256 of the archive, hexadecimal.
        permission: statement that lets an instance read this object and no other one.
    """

    place: str
    digest: str
    permission: iam.PolicyStatement


def install_files(scope: Construct, construct_id: str, execution_point: ExecutionPoint) -> InstallFiles | None:
    """The install files as an asset, or None if an instance leaves its image as it is.

    User data has no space for them (EC2 User Guide: 16 KB).

    The instance verifies the digest, which is in its user data. `Asset.grant_read` would let it read the whole bucket.
    The policy of a key that `cdk bootstrap --bootstrap-customer-key` makes lets everyone in the account read through
    Amazon S3, so that no statement for the key is needed.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param execution_point: properties of the instances.
    """
    if not execution_point.changes_image:
        return None
    packed = install_archive(execution_point.components, execution_point.script)
    with TemporaryDirectory() as directory:
        file = Path(directory) / "install.tar.gz"
        file.write_bytes(packed)
        asset = assets.Asset(scope, construct_id, path=str(file))  # copies the file
    stack = Stack.of(scope)
    arn = stack.format_arn(
        service="s3", region="", account="", resource=asset.s3_bucket_name, resource_name=asset.s3_object_key
    )
    return InstallFiles(
        place=f"{asset.s3_bucket_name}/{asset.s3_object_key}",
        digest=hashlib.sha256(packed).hexdigest(),
        permission=iam.PolicyStatement(sid="ReadInstallFiles", actions=["s3:GetObject"], resources=[arn]),
    )
