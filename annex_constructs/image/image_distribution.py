"""Places of an image: Regions, accounts, the keys that encrypt it, and the parameter with its newest id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import Aws, Stack, Token
from aws_cdk import aws_imagebuilder as imagebuilder
from aws_cdk import aws_kms as kms
from constructs import Construct

from annex_constructs.declared_values import check_texts
from annex_constructs.errors import KEY, Kind, check_kind, check_region, invalid_value
from annex_lease.built_forms import builder_name, image_parameter
from annex_lease.built_rules import copies_conflict, own_account_conflict
from annex_lease.built_terms import COPY_ACCOUNTS, SHARE_WITH
from annex_lease.forms import REGION


class _Copies(Kind):
    def includes(self, value: object) -> bool:
        """True for keys, or None, by the codes of Regions, which are known when the app is synthesised."""
        return isinstance(value, Mapping) and all(
            isinstance(region, str) and REGION.matches(region) and (key is None or KEY.includes(key))
            for region, key in value.items()
        )


_COPIES = _Copies("AWS Regions' codes, each with a kms.IKey or None", '{"eu-west-1": None}')
_DATA_TYPE = "aws:ec2:image"  # Parameter Store verifies that the value is an image of the account


@dataclass(frozen=True, kw_only=True)
class ImageDistribution:
    """The Regions and accounts of an image.

    Example, a copy in a second Region, encrypted with a key of that Region::

        ImageDistribution(copies={"eu-west-1": kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:...")})

    :param key: KMS key that encrypts the image in its own Region. The AWSServiceRoleForAutoScaling of every account
        that launches it needs a grant for it. Default: - the account's default key for EBS.
    :param copies: further Regions, each with the key that encrypts the image there. None: the account's default key for
        EBS. Default: - none.
    :param accounts: further accounts that get copies of the image and of its parameter. Each needs the role
        `EC2ImageBuilderDistributionCrossAccountRole` (EC2 Image Builder User Guide, "Set up cross-account AMI
        distribution"). Default: - none.
    :param share_with: accounts that may launch the image without a copy; with a key in every Region only, because
        an image that the account's default key encrypts cannot be shared. Default: - none.
    :raises ValueError: a value is not allowed.
    """

    key: kms.IKey | None = None
    copies: Mapping[str, kms.IKey | None] = field(default_factory=dict)
    accounts: Sequence[str] = ()
    share_with: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what Image Builder could not distribute."""
        check_kind("ImageDistribution key", self.key, KEY, optional=True)
        check_kind("ImageDistribution copies", self.copies, _COPIES)
        for term in (COPY_ACCOUNTS, SHARE_WITH):
            check_texts(f"ImageDistribution {term.name}", getattr(self, term.name), term)
        if self.share_with and None in (self.key, *self.copies.values()):
            raise invalid_value(
                "ImageDistribution share_with",
                received=self.share_with,
                allowed="accounts only with a key in every Region of the image",
                fix="pass key, and a key with each Region of copies",
            )

    def keys_by_region(self, scope: Construct) -> dict[str, kms.IKey | None]:
        """The key of each Region of the image, its own Region first.

        :param scope: a construct of the image's stack.
        :raises ValueError: a key is of another Region than the image that it encrypts; a copy is in the image's own
            Region or in another partition of AWS; or a further account is the image's own.
        """
        stack = Stack.of(scope)
        check_region("ImageDistribution key", self.key, scope)
        for region, key in self.copies.items():
            _check_key(region, key)
        self._check_place(stack.region, stack.account)
        return {stack.region: self.key, **self.copies}

    def _check_place(self, region: str, account: str) -> None:
        """Refuse copies that the stack's own place excludes; a Region or an account that is not known passes."""
        found = [] if Token.is_unresolved(region) else [("copies", copies_conflict(region, self.copies))]
        for term in (COPY_ACCOUNTS, SHARE_WITH):
            found.append((term.name, own_account_conflict(term.name, account, getattr(self, term.name))))
        for name, conflict in found:
            if conflict is not None:
                parameter, received = f"ImageDistribution {name}", list(getattr(self, name))
                raise invalid_value(parameter, received=received, allowed=conflict.allowed, fix=conflict.advice)


def _check_key(region: str, key: kms.IKey | None) -> None:
    of_key = region if key is None else key.env.region
    if key is not None and of_key != region and not Token.is_unresolved(of_key):
        received, allowed = f"{key.node.path}, of {of_key}", f"a key of {region} for the copy there"
        raise invalid_value("ImageDistribution copies", received=received, allowed=allowed, fix=f"use one of {region}")


def distribution_configuration(
    scope: Construct, construct_id: str, *, name: str, distribution: ImageDistribution, tags: Mapping[str, str]
) -> imagebuilder.CfnDistributionConfiguration:
    """The distribution settings: in each Region an image, its launch permissions, and a parameter with its id.

    Image Builder makes the parameter, or changes it, once the tests have passed (CloudFormation Template Reference,
    AWS::ImageBuilder::DistributionConfiguration SsmParameterConfiguration).

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param name: the image's name.
    :param distribution: Regions and accounts.
    :param tags: tags of the images.
    """
    return imagebuilder.CfnDistributionConfiguration(
        scope,
        construct_id,
        name=builder_name(name),
        description=f"Regions and accounts of image {name}",
        distributions=[
            _in_region(region, key, name, distribution, tags)
            for region, key in distribution.keys_by_region(scope).items()
        ],
    )


def _in_region(
    region: str, key: kms.IKey | None, name: str, distribution: ImageDistribution, tags: Mapping[str, str]
) -> imagebuilder.CfnDistributionConfiguration.DistributionProperty:
    properties = imagebuilder.CfnDistributionConfiguration
    # An account must be a target to own a parameter (as above, AmiAccountId), and then the image's own is one too.
    accounts = [Aws.ACCOUNT_ID, *distribution.accounts] if distribution.accounts else []
    # The CDK writes this part as it is given.
    image: dict[str, object] = {
        "Name": f"{builder_name(name)}-{{{{ imagebuilder:buildDate }}}}",
        "Description": f"Execution points of HTCondor annexes: image {name}",
        "AmiTags": dict(tags),
    }
    if key is not None:
        image["KmsKeyId"] = key.key_arn
    if accounts:
        image["TargetAccountIds"] = accounts
    if distribution.share_with:
        image["LaunchPermissionConfiguration"] = {"UserIds": list(distribution.share_with)}
    return properties.DistributionProperty(
        region=region,
        ami_distribution_configuration=image,
        ssm_parameter_configurations=[
            properties.SsmParameterConfigurationProperty(
                parameter_name=image_parameter(name), data_type=_DATA_TYPE, ami_account_id=account
            )
            for account in (*accounts,) or (None,)
        ],
    )
