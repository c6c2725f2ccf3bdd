"""Tags of a fleet that would keep its instances from starting, or its lease from being recorded."""

import re
from dataclasses import dataclass

import jsii
from aws_cdk import Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from constructs import IConstruct, IValidation

from annex_lease.tags import RUNTIME_TAGS, TAG_END, TAG_ORPHAN

_ALLOWED = re.compile(r"[A-Za-z0-9+\-=.,_:@]+")
_RESERVED = {".", "..", "_index"}
# Of one resource: EC2 Auto Scaling User Guide, "Tag naming and usage restrictions", and EC2 User Guide, "Tag
# restrictions". Those that AWS itself adds begin with `aws:`: "Tags with this prefix do not count against your tags per
# resource limit" (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html, and other services alike).
_MAX_TAGS = 50
_INSTANCE_TAGS = frozenset({TAG_END, TAG_ORPHAN})
_EXCLUDE = "exclude AWS::AutoScaling::AutoScalingGroup and AWS::EC2::LaunchTemplate from"


@dataclass(frozen=True)
class _Keys:
    """Tag keys of the group, which passes its tags on, and those of the template by type of resource."""

    of_group: frozenset[str]
    of_template: dict[str, frozenset[str]]


@jsii.implements(IValidation)
class TagValidation:
    """Refuses tags at synthesis that EC2 would refuse at every launch, or that leave no room for those of the lease.

    An execution point reads its lease from its tags in instance metadata, and EC2 starts no instance that has tags
    there with a key of other characters than letters, digits and `+-=.,_:@`, or with the key `.`, `..` or `_index`
    (EC2 User Guide, "View tags for your EC2 instances using instance metadata").

    A grant that cannot be recorded would not be made, and an instance that cannot be tagged would not learn of a new
    end: more tags are refused than leave room for those that are written while the annex exists.

    The tags of a resource come from its construct, from every scope around it, and from the stack, whose tags
    CloudFormation passes on.
    """

    def __init__(self, scope: IConstruct, group: autoscaling.AutoScalingGroup, template: ec2.LaunchTemplate) -> None:
        self._scope = scope
        self._group = group
        self._template = template

    def validate(self) -> list[str]:
        """The problems found, once every tag of the app has been applied."""
        keys = self._keys()
        of_instances = keys.of_group | keys.of_template.get("instance", frozenset())
        # The group passes its tags on, so the instances have too many whenever it has.
        return [
            *self._wrong_keys(keys.of_group.union(*keys.of_template.values())),
            *(
                self._too_many("the Auto Scaling group", keys.of_group, RUNTIME_TAGS)
                or self._too_many("the instances", of_instances, _INSTANCE_TAGS)
            ),
        ]

    def _keys(self) -> _Keys:
        stack = Stack.of(self._scope)
        group, template = self._group.node.default_child, self._template.node.default_child
        assert isinstance(group, autoscaling.CfnAutoScalingGroup)  # noqa: S101 - what the L2 is made of
        assert isinstance(template, ec2.CfnLaunchTemplate)  # noqa: S101 - likewise
        specifications = stack.resolve(template.launch_template_data).get("tagSpecifications", [])
        return _Keys(
            frozenset({*group.tags.tag_values(), *stack.tags.tag_values()}),
            {each["resourceType"]: frozenset(tag["key"] for tag in each["tags"]) for each in specifications},
        )

    def _wrong_keys(self, keys: frozenset[str]) -> list[str]:
        wrong = sorted(key for key in keys if _ALLOWED.fullmatch(key) is None or key in _RESERVED)
        return [
            f"tag key {key!r} reaches the instances of {self._scope.node.path}, allowed are letters, digits and "
            "+-=.,_:@ (and not '.', '..' or '_index'), because the instances read their tags from instance metadata; "
            f"fix: rename the key, or {_EXCLUDE} it"
            for key in wrong
        ]

    def _too_many(self, resources: str, keys: frozenset[str], written: frozenset[str]) -> list[str]:
        given, most = len(keys - written), _MAX_TAGS - len(written)
        if given <= most:
            return []
        return [
            f"{resources} of {self._scope.node.path} would have {given} tags, allowed are {most}: AWS takes "
            f"{_MAX_TAGS}, and {len(written)} are written while the annex exists; fix: remove {given - most} of them, "
            f"or {_EXCLUDE} them"
        ]
