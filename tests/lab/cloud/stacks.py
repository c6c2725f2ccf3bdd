"""CloudFormation stacks of the tests."""

import itertools
import json
from typing import Any

from .driving import Cloud

_names = itertools.count(1)
FAST = {"Delay": 0.2, "MaxAttempts": 300}


class Stack:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.name = cloud, f"Stack{next(_names)}"
        self.client = cloud.client("cloudformation")

    def _send(self, verb: str, resources: dict[str, Any], outputs: dict[str, Any] | None) -> None:
        """Send a template; an output whose name begins with `Export` is exported by its name and the stack's."""
        shown: dict[str, Any] = {name: {"Value": value} for name, value in (outputs or {}).items()}
        for name in [one for one in shown if one.startswith("Export")]:
            shown[name]["Export"] = {"Name": self.export(name)}
        template = {"Resources": resources, **({"Outputs": shown} if shown else {})}
        send = getattr(self.client, f"{verb}_stack")
        send(StackName=self.name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"])
        self.client.get_waiter(f"stack_{verb}_complete").wait(StackName=self.name, WaiterConfig=FAST)

    def create(self, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, str]:
        self._send("create", resources, outputs)
        return self.outputs()

    def update(self, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> dict[str, str]:
        self._send("update", resources, outputs)
        return self.outputs()

    def export(self, output: str) -> str:
        """The name under which an output is exported."""
        return f"{self.name}:{output}"

    def outputs(self) -> dict[str, str]:
        shown = self.client.describe_stacks(StackName=self.name)["Stacks"][0]
        return {one["OutputKey"]: one["OutputValue"] for one in shown.get("Outputs", [])}

    def delete(self) -> None:
        self.client.delete_stack(StackName=self.name)
        self.client.get_waiter("stack_delete_complete").wait(StackName=self.name, WaiterConfig=FAST)

    def reasons(self) -> str:
        events = self.client.describe_stack_events(StackName=self.name)["StackEvents"]
        return "\n".join(one.get("ResourceStatusReason", "") for one in events)


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}
