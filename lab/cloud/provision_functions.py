"""CloudFormation's functions and schedules: the properties that MiniStack's handlers drop.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-function.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-scheduler-schedule.html
"""

from typing import Any

from lab.cloud.emulator import lambda_svc, provisioners
from lab.cloud.scheduling import keep_properties

_FUNCTION_PROPERTIES = ("DeadLetterConfig", "VpcConfig", "KMSKeyArn", "FileSystemConfigs")


def install() -> None:
    """Keep these properties on create and on update."""
    _after("AWS::Lambda::Function", _keep_function)
    _after("AWS::Scheduler::Schedule", _keep_schedule)


def _after(kind: str, keep: Any) -> None:
    handlers = provisioners._RESOURCE_HANDLERS[kind]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, declared: dict[str, Any], stack_name: str) -> Any:
        made = create(logical_id, declared, stack_name)
        keep(made[0], declared)
        return made

    def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], *rest: Any) -> Any:
        made = update(physical_id, old, new, *rest)
        keep(made[0], new)
        return made

    handlers.update(create=created, update=updated)


def _keep_function(name: str, declared: dict[str, Any]) -> None:
    record = lambda_svc._functions[name]
    for key in _FUNCTION_PROPERTIES:
        if declared.get(key):
            record["config"][key] = declared[key]
    reserved = declared.get("ReservedConcurrentExecutions")
    if reserved is not None:
        record["concurrency"] = int(reserved)


def _keep_schedule(name: str, declared: dict[str, Any]) -> None:
    keep_properties(f"{declared.get('GroupName', 'default')}/{name}", declared)
