"""Tag keys that would keep every instance from starting."""

import re

import jsii
from aws_cdk import Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from constructs import IConstruct, IValidation

_ALLOWED = re.compile(r"[A-Za-z0-9+\-=.,_:@]+")
_RESERVED = {".", "..", "_index"}


@jsii.implements(IValidation)
class TagKeyValidation:
    """Refuses tag keys at synthesis that EC2 would refuse at every launch.

    An execution point reads its lease from its tags in instance metadata, and EC2 starts no instance that has tags
    there with a key of other characters than letters, digits and `+-=.,_:@`, or with the key `.`, `..` or `_index`
    (EC2 User Guide, "View tags for your EC2 instances using instance metadata"). Such keys come from a tag on the whole
    app, or on the stack.
    """

    def __init__(self, scope: IConstruct, group: autoscaling.AutoScalingGroup, template: ec2.LaunchTemplate) -> None:
        self._scope = scope
        self._group = group
        self._template = template

    def validate(self) -> list[str]:
        """The problems found, once every tag of the app has been applied."""
        stack = Stack.of(self._scope)
        group, template = self._group.node.default_child, self._template.node.default_child
        assert isinstance(group, autoscaling.CfnAutoScalingGroup)  # noqa: S101 - what the L2 is made of
        assert isinstance(template, ec2.CfnLaunchTemplate)  # noqa: S101 - likewise
        specifications = stack.resolve(template.launch_template_data).get("tagSpecifications", [])
        keys = {*group.tags.tag_values(), *stack.tags.tag_values()}
        keys |= {tag["key"] for specification in specifications for tag in specification["tags"]}
        wrong = sorted(key for key in keys if _ALLOWED.fullmatch(key) is None or key in _RESERVED)
        return [
            f"tag key {key!r} reaches the instances of {self._scope.node.path}, allowed are letters, digits and "
            "+-=.,_:@ (and not '.', '..' or '_index'), because the instances read their tags from instance metadata; "
            "fix: rename the key, or exclude AWS::AutoScaling::AutoScalingGroup and AWS::EC2::LaunchTemplate from it"
            for key in wrong
        ]
