"""Descriptions of CloudFormation's stacks.

MiniStack gives a stack the description of its template only if the stack is created directly. The CDK deploys by change
sets. "A user-defined description associated with the stack":
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html
"""

from typing import Any

from lab.cloud import world
from lab.cloud.emulator import Response, cloudformation


def install() -> None:
    """Take over the description of stacks."""
    describe = cloudformation._ACTION_HANDLERS["DescribeStacks"]

    def described(params: dict[str, Any]) -> Response:
        with world.lock:
            for stack in cloudformation._stacks.values():
                stack["Description"] = str((stack.get("_template") or {}).get("Description") or "")
        answer: Response = describe(params)
        return answer

    cloudformation._ACTION_HANDLERS["DescribeStacks"] = described
