"""Secret for the token with which the execution points of an annex join the pool."""

from typing import cast

from aws_cdk import CfnResource, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct, IConstruct

from annex_constructs.errors import KEY, TEXT, check_kind, check_region, invalid_value
from annex_constructs.nag import acknowledge

_USED = "annex:credential-of"


class AnnexCredential(secretsmanager.Secret):
    """An empty secret, removed with its stack.

    It is created without a value, so that no secret is ever in a template: `annex credential push` stores the token
    that the pool issued for this annex. Until then the lease checker grants nothing, and only the secret itself is
    billed. CloudFormation generates the name; the `annex` command finds the secret by its tag.

    Example::

        credential = AnnexCredential(stack, "Credential")

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param description: what the secret holds. Default: - a general description.
    :param encryption_key: KMS key of the annex's Region that encrypts the token. The instances' role may decrypt with
        it through Secrets Manager; who runs `annex credential push` needs `kms:GenerateDataKey` and `kms:Decrypt`.
        Default: - the AWS managed key of Secrets Manager.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        description: str | None = None,
        encryption_key: kms.IKey | None = None,
    ) -> None:
        check_kind("AnnexCredential description", description, TEXT, optional=True)
        check_kind("AnnexCredential encryption_key", encryption_key, KEY, optional=True)
        check_region("AnnexCredential encryption_key", encryption_key, scope)
        super().__init__(
            scope,
            construct_id,
            description=description or "Token with which the execution points of one annex join the HTCondor pool",
            encryption_key=key_of_policies("AnnexCredential encryption_key", encryption_key),
            removal_policy=RemovalPolicy.DESTROY,
        )
        # CDK's Secret always has a value generated. "If you omit both GenerateSecretString and SecretString, you
        # create an empty secret" (CloudFormation reference, AWS::SecretsManager::Secret, SecretString).
        resource = self.node.default_child
        assert isinstance(resource, CfnResource)  # noqa: S101 - what a CDK L2 is made of, not a check of input
        resource.add_property_deletion_override("GenerateSecretString")
        acknowledge(
            self,
            "AwsSolutions-SMG4",
            "The pool issues the token with an expiry bound to the lease and `annex credential push` replaces it; "
            "a rotation function would need the pool's signing key in AWS.",
        )


def only_of_one_fleet(credential: secretsmanager.ISecret) -> secretsmanager.ISecret:
    """The credential of a fleet, which no other fleet has: a token is of one annex.

    :param credential: the secret.
    :raises ValueError: another fleet has it.
    """
    if any(entry.type == _USED for entry in credential.node.metadata):
        raise invalid_value(
            "AnnexFleet credential",
            received=f"{credential.node.path}, which another fleet has",
            allowed="a secret of this fleet alone: the pool drops the ads of instances that have another annex's token",
            fix="leave it out, or make an AnnexCredential for each fleet",
        )
    credential.node.add_metadata(_USED, "a fleet")
    return credential


def key_of_policies(parameter: str, key: kms.IKey | None) -> kms.IKey | None:
    """The key behind an alias: a policy that names an alias as its resource allows nothing.

    So the AWS KMS Developer Guide, "Using aliases to control access to KMS keys".

    :param parameter: class and parameter, for the error.
    :param key: a key or an alias.
    :raises ValueError: the alias was imported, and its key is not known.
    """
    if not hasattr(key, "alias_name"):
        return key
    try:
        return cast("kms.IAlias", key).alias_target_key
    except RuntimeError:  # of an alias that was imported by its name
        pass
    raise invalid_value(
        parameter,
        received="an imported alias",
        allowed="the key itself: a policy of IAM cannot name an alias, so the instances could not decrypt their token",
        fix="pass kms.Key.from_key_arn(...) or kms.Key.from_lookup(...)",
    )


def policy_arn(credential: secretsmanager.ISecret) -> str:
    """The ARN of a secret as a policy must name it.

    A secret that is imported by its name alone lacks the six characters that Secrets Manager appends (AWS Secrets
    Manager User Guide, "Identity-based policies").

    :param credential: the secret.
    """
    return credential.secret_full_arn or f"{credential.secret_arn}-??????"


def through_secrets_manager(scope: IConstruct) -> dict[str, dict[str, str]]:
    """The condition of a permission to use a KMS key only through Secrets Manager.

    :param scope: a construct in the Region of the secret.
    """
    return {"StringEquals": {"kms:ViaService": f"secretsmanager.{Stack.of(scope).region}.amazonaws.com"}}
