"""Exports that other stacks import: CloudFormation neither deletes nor changes them.

"You can't delete a stack if another stack references one of its outputs. You can't modify or remove an output value
that is referenced by another stack."
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-importvalue.html

MiniStack refuses a deletion in its answer to DeleteStack, in other words. It forgives one if the importing stack is in
a failed or busy state, and every update. Messages: https://repost.aws/articles/ARrtwG71pqTYi3bGme27_3bg
"""

from collections.abc import Mapping
from typing import Any

from lab.cloud import world
from lab.cloud.emulator import Response, cloudformation, stack_handlers, stacks

_WITHOUT_RESOURCES = ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE")


def install() -> None:
    """Take over the deletion of stacks, and the exports of their updates."""
    delete, resolve = cloudformation._ACTION_HANDLERS["DeleteStack"], stacks._resolve_stack_outputs

    def deleted(params: dict[str, Any]) -> Response:
        with world.lock:
            stack = stack_handlers._resolve_stack(stack_handlers._p(params, "StackName"))
            reason = "" if stack is None or _protected(stack) else _refusal(stack)
            if reason:
                _stay(stack, reason)
                return _accepted()
        answer: Response = delete(params)
        return answer

    def resolved(*arguments: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        stack_id = str(arguments[-1])
        outputs, exports = resolve(*arguments)
        with world.lock:
            _check_update(stack_id, exports)
            for name in set(_exports_of(stack_id)) - set(exports):
                cloudformation._exports.pop(name)
        return outputs, exports

    cloudformation._ACTION_HANDLERS["DeleteStack"] = deleted
    stacks._resolve_stack_outputs = resolved


def _protected(stack: Mapping[str, Any]) -> bool:
    """True if MiniStack answers itself: a deleted stack, or one with termination protection."""
    return stack["StackStatus"] == "DELETE_COMPLETE" or bool(stack.get("EnableTerminationProtection"))


def _refusal(stack: Mapping[str, Any]) -> str:
    """Reason why a stack is not deleted, or an empty text."""
    for name in _exports_of(str(stack["StackId"])):
        users = _importers(name)
        if users:
            return f"Delete canceled. Cannot delete export {name} as it is in use by {' and '.join(users)}."
    return ""


def _stay(stack: dict[str, Any], reason: str) -> None:
    """Keep a stack in its status, with the reason.

    DeleteStack succeeds, and the status of the stack stays: https://github.com/aws/aws-cdk/issues/604. No page says
    which events there are.
    """
    stack["StackStatusReason"] = reason
    name = str(stack["StackName"])
    identity = str(stack["StackId"])
    stacks._add_event(identity, name, name, "AWS::CloudFormation::Stack", stack["StackStatus"], reason, identity)


def _accepted() -> Response:
    answer: Response = stack_handlers._xml(200, "DeleteStackResponse", "")
    return answer


def _check_update(stack_id: str, exports: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse exports that another stack has, and changes of those that another stack imports.

    Raises:
        ValueError: the update fails, and is rolled back.
    """
    for name in exports:
        owner = (cloudformation._exports.get(name) or {}).get("StackId", stack_id)
        if owner != stack_id:
            raise ValueError(f"Export with name {name} is already exported by stack {owner.split('/')[1]}.")
    for name, before in _exports_of(stack_id).items():
        users = " and ".join(_importers(name))
        if users and name not in exports:
            raise ValueError(f"Delete canceled. Cannot delete export {name} as it is in use by {users}.")
        if users and exports[name]["Value"] != before["Value"]:
            raise ValueError(f"Cannot update export {name} as it is in use by {users}.")


def _exports_of(stack_id: str) -> dict[str, Mapping[str, Any]]:
    """Exports of a stack by their names."""
    return {name: each for name, each in cloudformation._exports.items() if each["StackId"] == stack_id}


def _importers(export: str) -> list[str]:
    """Names of the stacks that import an export, also those whose last operation failed or is under way."""
    return sorted(
        name
        for name, stack in cloudformation._stacks.items()
        if stack.get("StackStatus") not in _WITHOUT_RESOURCES
        and export in stack_handlers._imported_export_names(stack, name)
    )
