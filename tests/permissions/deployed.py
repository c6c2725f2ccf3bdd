"""Synthesised template as CloudFormation would deploy it: names and ARNs in place of references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ministack.core.iam_evaluator import ParsedStatement, parse_policy_document  # type: ignore[import-untyped]

from tests.world.world import Site

ACCOUNT = "123456789012"
REGION = "us-east-1"
SITE = Site(topic=True)
"""The annex of the scenarios, with a topic; its stack is synthesised for it."""
_PSEUDO = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}


class Deployed:
    """Roles of a template.

    Args:
        template: as synthesised.
        stack_id: the stack's ARN.
        names: value of `Ref` by logical id. Default: the logical id itself. `GetAtt` of an `Arn` is an ARN made of it.
    """

    def __init__(self, template: Mapping[str, Any], stack_id: str, names: Mapping[str, str]) -> None:
        self.resources: dict[str, Any] = dict(template["Resources"])
        self._names = {**_PSEUDO, "AWS::StackId": stack_id, **names}

    def of_type(self, kind: str, part: str = "") -> list[str]:
        """Logical ids of the resources of this type with this part in their id."""
        return [name for name, one in self.resources.items() if one["Type"] == kind and part in name]

    def role(self, part: str) -> list[list[ParsedStatement]]:
        """Policies of the one role with this part in its logical id."""
        (name,) = self.of_type("AWS::IAM::Role", part)
        policies = self.resources[name]["Properties"].get("Policies", [])
        attached = [self.resources[each]["Properties"] for each in self.of_type("AWS::IAM::Policy")]
        policies = [*policies, *(each for each in attached if {"Ref": name} in each["Roles"])]
        return [parse_policy_document(self.value(each["PolicyDocument"])) for each in policies]

    def value(self, given: Any) -> Any:
        """Resolve the references in a value as CloudFormation does.

        Raises:
            NotImplementedError: it uses a function that is not known here.
        """
        if isinstance(given, list):
            return [self.value(each) for each in given]
        if not isinstance(given, dict):
            return given
        if len(given) != 1 or not (set(given) & {"Ref"} or next(iter(given)).startswith("Fn::")):
            return {key: self.value(each) for key, each in given.items()}
        ((function, argument),) = given.items()
        return self._call(function, argument)

    def _call(self, function: str, argument: Any) -> Any:
        if function == "Ref":
            return self._names.get(argument, argument)
        if function == "Fn::GetAtt":
            return self._names.get(f"{argument[0]}.{argument[1]}") or self._arn(argument[0])
        if function == "Fn::Join":
            return argument[0].join(str(each) for each in self.value(argument[1]))
        if function == "Fn::Split":
            return str(self.value(argument[1])).split(argument[0])
        if function == "Fn::Select":
            return self.value(argument[1])[int(argument[0])]
        if function == "Fn::Sub" and isinstance(argument, str):
            return re.sub(r"\$\{([^}!]+)\}", lambda found: str(self._names.get(found[1], found[1])), argument)
        raise NotImplementedError(f"{function} is not known here")

    def _arn(self, name: str) -> str:
        service = self.resources[name]["Type"].split("::")[1].lower()
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{self._names.get(name, name)}"
