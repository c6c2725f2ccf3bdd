"""Tags of a fleet that would keep its instances from starting, or its lease from being recorded."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsii
from aws_cdk import CfnStack, Stack, Token
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from constructs import IConstruct, IValidation

from annex_constructs.identity import annex_id
from annex_lease.tags import (
    DECLARED_TAGS,
    MAX_TAGS,
    RUNTIME_TAGS,
    TAG_END,
    TAG_ID,
    TAG_NAME,
    TAG_ORPHAN,
    unusable_in_metadata,
)

_RESERVED = "aws:"
_OURS = "annex:"
_IDENTITY = frozenset({TAG_NAME, TAG_ID})
_KEY_LENGTH = 127  # EC2 API reference, Tag
_VALUE_LENGTH = 256  # EC2 API reference, Tag
_INSTANCE_TAGS = frozenset({TAG_END, TAG_ORPHAN})
_GROUP = autoscaling.CfnAutoScalingGroup.CFN_RESOURCE_TYPE_NAME
_TEMPLATE = ec2.CfnLaunchTemplate.CFN_RESOURCE_TYPE_NAME
_NESTED = CfnStack.CFN_RESOURCE_TYPE_NAME
_STACK = "aws:cdk:stack"  # what `Tags` calls a stack as a resource
# Keys of tags by the type of resource that has them, as `exclude_resource_types` knows it.
_Keys = dict[str, frozenset[str]]


@jsii.implements(IValidation)
class TagValidation:
    """Refuses tags at synthesis that EC2 would refuse at every launch, or that leave no room for those of the lease.

    An execution point reads its lease from its tags in instance metadata, and EC2 starts no instance that has tags
    there with certain keys (see `annex_lease.tags.unusable_in_metadata`).

    The tags of the lease are the annex's own: one of an app would be written again by every deployment, over the end
    that an operator or the lease checker wrote. An annex without its name and id is found by no program.

    A grant that cannot be recorded would not be made, and an instance that cannot be tagged would not learn of a new
    end: more tags are refused than leave room for those that are written while the annex exists.

    The tags of a resource come from its construct, from every scope around it, and from the stack, whose tags
    CloudFormation passes on, those of a nested stack included. Without the feature flag
    `@aws-cdk/core:explicitStackTags`, `Tags.of(app)` tags the stacks too.

    :param scope: the fleet.
    :param group: its group.
    :param template: its launch template.
    :param annex_name: the annex's name.
    """

    def __init__(
        self,
        scope: IConstruct,
        group: autoscaling.AutoScalingGroup,
        template: ec2.LaunchTemplate,
        annex_name: str,
    ) -> None:
        self._scope = scope
        self._identity = {TAG_NAME: annex_name, TAG_ID: annex_id(annex_name)}
        self._group = group
        self._template = template

    def validate(self) -> list[str]:
        """The problems found, once every tag of the app has been applied."""
        group_tags, template_tags = self._group_tags(), self._template_tags()
        passed_on = _passed_on(Stack.of(self._scope))
        keys = [tag["key"] for tag in (*group_tags, *template_tags)]
        if not all(isinstance(key, str) for key in keys) or any(map(Token.is_unresolved, _all(passed_on))):
            return [self._unknown_key()]
        of_group, of_template = _values(group_tags), _values(template_tags)
        propagated = frozenset(tag["key"] for tag in group_tags if tag["propagateAtLaunch"])
        # The keys of the instances by the type of resource that brings them.
        launched = {_GROUP: propagated, _TEMPLATE: frozenset(of_template), **passed_on}
        declared = {**launched, _GROUP: frozenset(of_group)}
        on_group = {kind: each for kind, each in declared.items() if kind != _TEMPLATE}
        # The group passes its tags on, so the instances have too many whenever it has. Their volumes and network
        # interfaces have those of the template only.
        return [
            *self._wrong_keys(launched),
            *self._refused(of_template),
            *self._not_of_an_app(declared),
            *self._hidden_identity({"Auto Scaling group": of_group, "launch template": of_template}),
            *(
                self._too_many("the Auto Scaling group", on_group, RUNTIME_TAGS)
                or self._too_many("the instances", launched, _INSTANCE_TAGS)
            ),
        ]

    def _unknown_key(self) -> str:
        return (
            f"a tag of {self._scope.node.path} has a key that only CloudFormation knows, allowed are keys that are "
            "known when the app is synthesised, because they are counted and checked; fix: write the key as a text"
        )

    def _group_tags(self) -> list[dict[str, Any]]:
        group = self._group.node.default_child
        assert isinstance(group, autoscaling.CfnAutoScalingGroup)  # noqa: S101 - what the L2 is made of
        return Stack.of(self._scope).resolve(group.tags.rendered_tags) or []

    def _template_tags(self) -> list[dict[str, Any]]:
        """The tags of what the template launches; a value that only CloudFormation knows is no text."""
        template = self._template.node.default_child
        assert isinstance(template, ec2.CfnLaunchTemplate)  # noqa: S101 - what the L2 is made of
        specifications = Stack.of(self._scope).resolve(template.launch_template_data).get("tagSpecifications", [])
        return [tag for each in specifications for tag in each["tags"]]

    def _not_of_an_app(self, keys: _Keys) -> Iterator[str]:
        """Keys of the lease that the annex itself did not declare there."""
        for kind, each in keys.items():
            allowed = _IDENTITY | DECLARED_TAGS if kind == _GROUP else _IDENTITY
            for key in sorted(key for key in each - allowed if key.lower().startswith(_OURS)):
                yield (
                    f"tag key {key!r} of {self._scope.node.path} has the prefix of the lease's own tags, allowed are "
                    f"keys without {_OURS}; fix: rename the key, or remove the tag"
                )

    def _hidden_identity(self, places: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
        identity = Stack.of(self._scope).resolve(self._identity)
        for place, tags in places.items():
            for key, value in identity.items():
                if tags.get(key) != value:
                    yield (
                        f"the {place} of {self._scope.node.path} does not have the tag {key!r} of the annex, allowed "
                        "is its own value only, by which the annex is found; fix: do not change or remove this tag"
                    )

    def _wrong_keys(self, keys: _Keys) -> Iterator[str]:
        for key in sorted(_all(keys)):
            if unusable_in_metadata(key):
                yield (
                    f"tag key {key!r} reaches the instances of {self._scope.node.path}, allowed are letters, digits "
                    "and +-=.,_:@ (and not '.', '..' or '_index'), because the instances read their tags from instance "
                    f"metadata; fix: rename the key, or {_excluding(keys, frozenset({key}))}"
                )

    def _refused(self, tags: Mapping[str, object]) -> Iterator[str]:
        """Keys and values that no service of AWS takes."""
        for key, value in sorted(tags.items()):
            if key.lower().startswith(_RESERVED):
                yield (
                    f"tag key {key!r} of {self._scope.node.path} has AWS's own prefix, allowed are keys without "
                    f"{_RESERVED}; fix: rename the key"
                )
            if len(key) > _KEY_LENGTH:
                yield (
                    f"tag key {key!r} of {self._scope.node.path} has {len(key)} characters, allowed are {_KEY_LENGTH}; "
                    "fix: shorten it"
                )
            if isinstance(value, str) and len(value) > _VALUE_LENGTH:
                yield (
                    f"tag {key!r} of {self._scope.node.path} has a value of {len(value)} characters, allowed are "
                    f"{_VALUE_LENGTH}; fix: shorten it"
                )

    def _too_many(self, resources: str, keys: _Keys, written: frozenset[str]) -> list[str]:
        given = _all(keys)
        ours, most = len(given - written), MAX_TAGS - len(written)
        if ours <= most:
            return []
        return [
            f"{resources} of {self._scope.node.path} would have {ours} tags, allowed are {most}: AWS takes "
            f"{MAX_TAGS}, and {len(written)} are written while the annex exists; fix: remove {ours - most} of them, "
            f"or {_excluding(keys, given - DECLARED_TAGS)}"
        ]


def _values(tags: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    return {tag["key"]: tag["value"] for tag in tags}


def _all(keys: _Keys) -> frozenset[str]:
    return frozenset[str]().union(*keys.values())


def _passed_on(stack: Stack) -> _Keys:
    """Keys that CloudFormation passes on to the resources of a stack: its own, and those of the stacks around it."""
    of_stacks, of_nested = set(stack.tags.tag_values()), set[str]()
    nested = stack.nested_stack_resource
    while isinstance(nested, CfnStack):
        of_nested |= nested.tags.tag_values().keys()
        outer = Stack.of(nested)
        of_stacks |= outer.tags.tag_values().keys()
        nested = outer.nested_stack_resource
    return {_STACK: frozenset(of_stacks), _NESTED: frozenset(of_nested)}


def _excluding(keys: _Keys, some: frozenset[str]) -> str:
    """The advice to keep some keys off the instances: it names each type of resource by which they come."""
    types = [kind for kind, each in keys.items() if each & some]
    advice = f"add it with exclude_resource_types={types}"
    # A stack has tags from `Tags`, unless the feature flag is set, and those that it was made with.
    return f"{advice}; a tag of Stack(tags=...) must be removed there" if _STACK in types else advice
