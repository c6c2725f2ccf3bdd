"""An annex as other parts of an app see it, in its own stack or in another one."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from annex_constructs.fleet.annex_credential import through_secrets_manager
from annex_constructs.lease.lease_metrics import LeaseMetrics
from annex_constructs.operator_grants import OperatedAnnex, grant_rights
from annex_lease import operator_policy


class IAnnex(LeaseMetrics, Construct):
    """An annex: names, grants for its operators, metrics. `Annex` and `Annex.from_annex_attributes` make one.

    Example, a role that may operate this annex and no other::

        annex.grant_operate(iam.Role(stack, "Operator", assumed_by=iam.AccountRootPrincipal()))

    Grants are for the `annex` command. Actions that look, such as `autoscaling:DescribeAutoScalingGroups`, know no
    resources and are granted on all. Actions that change something are limited to the exact group, secret, function
    and instances of this annex.
    """

    @property
    def annex_name(self) -> str:
        """The annex's name."""
        raise NotImplementedError

    @property
    def auto_scaling_group_name(self) -> str:
        """Name of the Auto Scaling group."""
        raise NotImplementedError

    @property
    def credential_arn(self) -> str:
        """ARN of the secret for the token by which the instances join."""
        raise NotImplementedError

    @property
    def credential_key(self) -> kms.IKey | None:
        """KMS key of the app's that encrypts the secret; None: the AWS managed key, or one that is not known here."""
        return None

    @property
    def checker_arn(self) -> str:
        """ARN of the lease checker's function."""
        raise NotImplementedError

    def grant_operate(self, grantee: iam.IGrantable) -> iam.Grant:
        """Grant every verb of the `annex` command for this annex.

        :param grantee: the principal.
        """
        self._grant_key(grantee)
        return self._grant(grantee, operator_policy.OPERATE)

    def grant_read_status(self, grantee: iam.IGrantable) -> iam.Grant:
        """Grant `annex status` for this annex.

        :param grantee: the principal.
        """
        return self._grant(grantee, operator_policy.READ_STATUS)

    def grant_push_credential(self, grantee: iam.IGrantable) -> iam.Grant:
        """Grant `annex credential push` for this annex: for a host of the pool that issues tokens.

        The stored token can be replaced, and not read.

        :param grantee: the principal.
        """
        self._grant_key(grantee)
        return self._grant(grantee, operator_policy.PUSH_CREDENTIAL)

    def grant_extend(self, grantee: iam.IGrantable) -> iam.Grant:
        """Grant `annex extend`, `annex shorten`, `annex renew` and `annex check` for this annex.

        :param grantee: the principal.
        """
        return self._grant(grantee, operator_policy.EXTEND)

    def grant_stop(self, grantee: iam.IGrantable) -> iam.Grant:
        """Grant `annex stop` for this annex.

        :param grantee: the principal.
        """
        return self._grant(grantee, operator_policy.STOP)

    def _grant_key(self, grantee: iam.IGrantable) -> None:
        """Let a principal store a value that a key of the annex's own encrypts.

        "To use the secret, the caller needs kms:GenerateDataKey and kms:Decrypt" (Secrets Manager User Guide, "Secret
        encryption and decryption").
        """
        if self.credential_key is not None:
            iam.Grant.add_to_principal(
                grantee=grantee,
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resource_arns=[self.credential_key.key_arn],
                conditions=through_secrets_manager(self),
            )

    def _grant(self, grantee: iam.IGrantable, rights: tuple[operator_policy.Right, ...]) -> iam.Grant:
        annex = OperatedAnnex(
            group=self.auto_scaling_group_name,
            annex_id=self.annex_id,
            credential_arn=self.credential_arn,
            checker_arn=self.checker_arn,
        )
        return grant_rights(self, grantee, rights, annex)


class ImportedAnnex(IAnnex):
    """An annex of another stack or app, by its attributes; see `Annex.from_annex_attributes`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        annex_name: str,
        annex_id: str,
        auto_scaling_group_name: str,
        credential_arn: str,
        checker_arn: str,
        checker_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._annex_name = annex_name
        self._annex_id = annex_id
        self._auto_scaling_group_name = auto_scaling_group_name
        self._credential_arn = credential_arn
        self._checker_arn = checker_arn
        self._checker_name = checker_name

    @property
    def annex_name(self) -> str:
        """The annex's name."""
        return self._annex_name

    @property
    def annex_id(self) -> str:
        """Unique id of the annex: `<stack UUID>.<name>`."""
        return self._annex_id

    @property
    def auto_scaling_group_name(self) -> str:
        """Name of the Auto Scaling group."""
        return self._auto_scaling_group_name

    @property
    def credential_arn(self) -> str:
        """ARN of the secret for the token by which the instances join."""
        return self._credential_arn

    @property
    def checker_arn(self) -> str:
        """ARN of the lease checker's function."""
        return self._checker_arn

    @property
    def checker_name(self) -> str:
        """Name of the lease checker's function."""
        return self._checker_name
