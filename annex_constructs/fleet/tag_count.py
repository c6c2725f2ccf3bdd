"""Number of tags that would keep the lease from being recorded."""

import jsii
from aws_cdk import Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from constructs import IConstruct, IValidation

from annex_lease.tags import RUNTIME_TAGS, TAG_END, TAG_ORPHAN

# Of one resource: EC2 Auto Scaling User Guide, "Tag naming and usage restrictions", and EC2 User Guide, "Tag
# restrictions". Those that AWS itself adds begin with `aws:`: "Tags with this prefix do not count against your tags per
# resource limit" (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html, and other services alike).
_MAX_TAGS = 50
_INSTANCE_TAGS = frozenset({TAG_END, TAG_ORPHAN})


@jsii.implements(IValidation)
class TagCountValidation:
    """Refuses more tags at synthesis than leave room for those that are written while the annex exists.

    A grant that cannot be recorded would be made again at every check, and an instance that cannot be tagged would not
    learn of a new end. The tags of a resource come from its construct, from every scope around it, and from the stack,
    whose tags CloudFormation passes on.
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
        of_group = {*group.tags.tag_values(), *stack.tags.tag_values()}
        specifications = stack.resolve(template.launch_template_data).get("tagSpecifications", [])
        of_instances = {
            tag["key"] for each in specifications if each["resourceType"] == "instance" for tag in each["tags"]
        }
        problem = self._problem("the Auto Scaling group", of_group, RUNTIME_TAGS)
        # The group passes its tags on, so the instances have too many whenever it has.
        return problem or self._problem("the instances", of_group | of_instances, _INSTANCE_TAGS)

    def _problem(self, resources: str, keys: set[str], written: frozenset[str]) -> list[str]:
        given, most = len(keys - written), _MAX_TAGS - len(written)
        if given <= most:
            return []
        return [
            f"{resources} of {self._scope.node.path} would have {given} tags, allowed are {most}: AWS takes "
            f"{_MAX_TAGS}, and {len(written)} are written while the annex exists; fix: remove {given - most} of them, "
            "or exclude AWS::AutoScaling::AutoScalingGroup and AWS::EC2::LaunchTemplate from them"
        ]
