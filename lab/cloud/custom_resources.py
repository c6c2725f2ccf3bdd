"""Custom resources as CloudFormation runs them: an asynchronous invocation, then an answer or a timeout.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

from typing import Any
from uuid import uuid4

from lab.cloud.emulator import custom_resource, lambda_svc

_DEFAULT_TIMEOUT = 3600

Answer = dict[str, Any]


def install(endpoint: str) -> None:
    """Take over the requests; answers are sent to ``endpoint``."""
    custom_resource._gateway_url = lambda: endpoint
    custom_resource.invoke_custom_resource = invoke


def invoke(
    request_type: str,
    logical_id: str,
    props: dict[str, Any],
    stack_name: str,
    stack_id: str,
    resource_type: str,
    physical_id: str | None = None,
    old_props: dict[str, Any] | None = None,
) -> tuple[str, dict[str, Any]]:
    """Send a custom resource its request and wait for the answer; returns its physical id and its attributes.

    Raises:
        ValueError: there is no such function.
        TimeoutError: no answer within ServiceTimeout.
        RuntimeError: the answer was FAILED.
    """
    token, request_id = str(uuid4()), str(uuid4())
    event = {
        "RequestType": request_type,
        "ServiceToken": str(props.get("ServiceToken") or ""),
        "ResponseURL": custom_resource._response_url(token),
        "StackId": stack_id,
        "RequestId": request_id,
        "LogicalResourceId": logical_id,
        "ResourceType": resource_type,
        "ResourceProperties": custom_resource._normalise_resource_properties(props),
    }
    if physical_id is not None:
        event["PhysicalResourceId"] = physical_id
    if old_props is not None:
        event["OldResourceProperties"] = custom_resource._normalise_resource_properties(old_props)
    answer = _exchange(event, token, int(props.get("ServiceTimeout") or _DEFAULT_TIMEOUT))
    if answer.get("Status") != "SUCCESS":
        if request_type == "Create" and answer.get("PhysicalResourceId"):
            # The first step of the rollback: a resource whose creation failed is deleted by its physical id.
            # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-create.html
            named = str(answer["PhysicalResourceId"])
            invoke("Delete", logical_id, props, stack_name, stack_id, resource_type, physical_id=named)
        raise RuntimeError(
            f"Received response status [{answer.get('Status')}] from custom resource. Message returned: "
            f"{answer.get('Reason', 'no reason given')} (RequestId: {request_id})"
        )
    return str(answer.get("PhysicalResourceId") or physical_id or request_id), answer.get("Data") or {}


def _exchange(event: dict[str, Any], token: str, timeout: int) -> Answer:
    """Invoke the function and wait for its answer at the ResponseURL.

    A function that crashes before it answers is retried by Lambda. Then Lambda sends the event to its destination,
    which may answer instead. CloudFormation waits for ServiceTimeout (seconds, 3600 by default):
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudformation-customresource.html
    """
    function, configuration, name = lambda_svc._get_func_record_for_ref(event["ServiceToken"])
    if not function or not configuration:
        raise ValueError(f"the ServiceToken of {event['LogicalResourceId']} names no Lambda function: {name!r}")
    answered = custom_resource.register_token(token)
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, configuration), event)
    answered.wait(timeout=timeout)
    with custom_resource._lock:
        entry = custom_resource._pending.pop(token, None)
    answer: Answer | None = entry["result"] if entry else None
    if answer is None:
        raise TimeoutError(
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
            f"requestId [{event['RequestId']}]. (no answer within the {timeout} seconds of its ServiceTimeout)"
        )
    return answer
