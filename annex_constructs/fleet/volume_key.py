"""KMS key of the volumes of a fleet, and what EC2 Auto Scaling needs in its policy."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import IConstruct

from annex_constructs.errors import check_region

_USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


def let_auto_scaling_use(scope: IConstruct, key: kms.IKey | None) -> None:
    """Let EC2 Auto Scaling start instances whose volumes a key encrypts.

    Its service-linked role acts on the account's behalf, so the key's own policy must name it; without that every
    launch fails with `Client.InvalidKMSKey.InvalidState` or `Client.InternalError` (EC2 Auto Scaling User Guide,
    "Required AWS KMS key policy for use with encrypted volumes"). The policy of an imported key cannot be changed:
    its owner adds the two statements, or a grant.

    :param scope: the fleet.
    :param key: the key; None: the account's default key for EBS, about which the app knows nothing.
    :raises ValueError: the key is of another Region.
    """
    if key is None:
        return
    check_region("ExecutionPoint volume_key", key, scope)
    stack = Stack.of(scope)
    role = stack.format_arn(
        service="iam",
        region="",
        resource="role",
        resource_name="aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
    principal = iam.ArnPrincipal(role)
    key.add_to_resource_policy(
        iam.PolicyStatement(sid="AnnexVolumes", principals=[principal], actions=list(_USE), resources=["*"])
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AnnexVolumeGrants",
            principals=[principal],
            actions=["kms:CreateGrant"],
            resources=["*"],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        )
    )
