"""Names of MiniStack that the lab replaces, all checked before the first change."""

import importlib.metadata
import inspect
from dataclasses import dataclass
from typing import Any

from lab import LabError
from lab.cloud import emulator

VERSION = "1.5.33"


class PatchPointError(LabError):
    """Error for another version of MiniStack, or for a name that is missing or has another type or signature."""


@dataclass(frozen=True)
class PatchPoint:
    """A name in a MiniStack module: a function with these parameters, or a value of this type."""

    module: str
    name: str
    shape: tuple[str, ...] | type = ()


def _function(module: str, name: str, *parameters: str) -> PatchPoint:
    return PatchPoint(module, name, parameters)


POINTS = (
    PatchPoint("autoscaling", "_ACTION_MAP", dict),
    PatchPoint("cloudformation", "_ACTION_HANDLERS", dict),
    PatchPoint("cloudformation", "_exports", object),
    PatchPoint("cloudformation", "_stacks", object),
    PatchPoint("ec2", "_ACTION_MAP", dict),
    PatchPoint("provisioners", "_RESOURCE_HANDLERS", dict),
    PatchPoint("ec2", "_STUB_AMIS", list),
    PatchPoint("ssm", "_PUBLIC_AMI_PARAMETERS", dict),
    PatchPoint("tagging", "_COLLECTORS", dict),
    PatchPoint("tagging", "_RESOURCE_TAG_COLLECTORS", dict),
    PatchPoint("scheduler", "_schedule_last_fired", dict),
    PatchPoint("custom_resource", "_pending", dict),
    PatchPoint("cloudwatch", "_metrics", object),
    PatchPoint("cloudwatch", "_alarms", object),
    _function("cloudwatch", "_evaluate_all_alarms"),
    _function("cloudwatch", "_evaluate_alarm", "alarm"),
    _function("cloudwatch", "_evict_old_metrics"),
    _function("cloudwatch", "record_metric", "namespace", "metric_name", "value", "unit", "dimensions"),
    _function("cloudwatch", "_put_metric_alarm", "params", "cbor_data", "is_cbor", "is_json"),
    _function("cloudwatch", "_set_alarm_state", "params", "cbor_data", "is_cbor", "is_json"),
    _function("cloudwatch", "_delete_alarms", "params", "cbor_data", "is_cbor", "is_json"),
    _function("cloudwatch", "cloudformation_delete_metric_alarm", "name", "refuse_dependents"),
    _function("provisioners", "_cw_metric_alarm_put", "name", "props"),
    _function("cloudwatch", "_calc_stats", "points"),
    _function("cloudwatch", "_dims_key", "dims"),
    _function(
        "cloudwatch",
        "_record_history",
        *("alarm_name", "old_state", "new_state", "reason", "alarm_type", "reason_data"),
    ),
    _function("cloudwatch", "_dispatch_alarm_actions", "alarm", "old_state", "new_state", "reason"),
    _function(
        "cloudwatch",
        "_store_datum",
        *("namespace", "name", "dims", "ts", "unit", "value", "values", "counts", "stat_values"),
    ),
    PatchPoint("ec2", "_AWS_REGIONS", list),
    _function("ec2", "_cleanup_terminated"),
    _function(
        "ec2",
        "_launch_instances_internal",
        *("image_id", "instance_type", "subnet_id", "count", "key_name", "user_data", "sg_ids"),
        *("requested_private_ip", "iam_profile"),
    ),
    _function("ec2", "_instance_xml", "inst"),
    _function("ec2", "_resolve_iam_instance_profile", "iam_arn", "iam_name", "allow_missing"),
    _function("ec2", "_create_tags", "p"),
    _function("ec2", "_delete_tags", "p"),
    _function("ec2", "_create_network_interface", "p"),
    _function("ec2", "_attach_volume", "p"),
    _function("ec2", "_detach_volume", "p"),
    _function("ec2", "_delete_volume", "p"),
    _function("ec2", "_eni_fields_xml", "eni", "tag"),
    _function("ec2", "_new_volume_id"),
    _function("ec2", "_resource_matches_tag_filters", "resource_id", "filters"),
    _function("ec2", "_error", "code", "message", "status"),
    _function("ec2", "_xml", "status", "root_tag", "inner"),
    _function("ec2", "_parse_filters", "params"),
    _function("ec2", "_parse_lt_data", "params", "prefix"),
    _function("eventbridge", "_dispatch_to_lambda", "arn", "payload"),
    _function("eventbridge", "_dispatch_to_sqs", "spec", "payload", "sqs_parameters"),
    _function("eventbridge", "_dispatch_event", "event", "view"),
    _function("eventbridge", "_invoke_target", "target", "event", "rule", "view"),
    _function("eventbridge", "_parse_rate_seconds", "expr"),
    _function("eventbridge", "_parse_cron_fields", "expr"),
    _function("eventbridge", "_cron_next_fire", "fields", "after_dt"),
    _function(
        "iam_actions",
        "extract_resource_arn",
        *("service", "method", "path", "headers", "body", "query_params", "region", "account_id"),
    ),
    _function(
        "iam_evaluator",
        "enforce",
        *("access_key_id", "iam_action", "service", "region", "resource_arn", "service_context"),
    ),
    _function("iam_evaluator", "_gather_role_policies", "role_name", "account_id"),
    _function("imds", "handle_request", "method", "path", "headers", "body", "query_params"),
    _function("lambda_svc", "invoke_async_with_retry", "func", "event"),
    _function("lambda_svc", "_execution_record_for_config", "func", "config"),
    _function("lambda_svc", "_execute_function", "func", "event"),
    _function("lambda_svc", "_get_func_record_for_ref", "function_ref"),
    _function("lambda_svc", "_emit_lambda_metrics", "function_name", "duration_ms", "error", "throttle"),
    _function(
        "lambda_svc",
        "_emit_lambda_logs",
        *("func", "request_id", "log_text", "error", "duration_ms", "log_source"),
    ),
    _function(
        "custom_resource",
        "invoke_custom_resource",
        *("request_type", "logical_id", "props", "stack_name", "stack_id", "resource_type", "physical_id", "old_props"),
    ),
    _function("custom_resource", "register_token", "token"),
    _function("custom_resource", "_response_url", "token"),
    _function("custom_resource", "_gateway_url"),
    _function("scheduler", "start_scheduler"),
    _function(
        "secretsmanager",
        "_store_new_secret",
        *("name", "secret_string", "secret_binary", "description", "tags", "kms_key_id"),
        *("rotation_lambda_arn", "rotation_rules"),
    ),
    _function("secretsmanager", "_resolve", "secret_id", "use_arn_scope"),
    _function(
        "sns",
        "_deliver_to_sqs",
        *("endpoint", "envelope", "raw", "raw_message", "message_group_id", "message_dedup_id", "message_attributes"),
        "topic_arn",
    ),
    PatchPoint("sqs", "_HANDLERS", dict),
    _function("sqs", "_act_send_message", "data", "qurl"),
    _function("sqs", "_act_delete_message", "data", "qurl"),
    _function("sqs", "_act_delete_message_batch", "data", "qurl"),
    _function("sqs", "_expire_retained", "q"),
    _function("sqs", "_dlq_sweep", "q"),
    _function("sqs", "_collect_msgs", "q", "max_n", "vis_timeout"),
    _function("sqs", "_receive_messages_for_esm", "queue_url", "max_number"),
    _function("sqs", "_delete_messages_for_esm", "queue_url", "receipt_handles"),
    _function("sqs", "_queue_by_arn", "arn"),
    _function("sqs", "queue_delay", "q"),
    _function("stack_handlers", "_imported_export_names", "stack", "stack_name"),
    _function("stack_handlers", "_p", "params", "key", "default"),
    _function("stack_handlers", "_resolve_stack", "stack_name"),
    _function("stack_handlers", "_xml", "status", "root_tag", "inner"),
    _function(
        "stacks",
        "_add_event",
        *("stack_id", "stack_name", "logical_id", "resource_type", "status", "reason", "physical_id"),
        "detailed_status",
    ),
    _function(
        "stacks",
        "_resolve_stack_outputs",
        *("outputs_defs", "conditions", "resources", "param_values", "mappings", "stack_name", "stack_id"),
    ),
    _function("stacks", "_runs_on_worker_thread", "resource_type"),
    _function("sts", "register_session", "access_key", "session"),
    _function("responses", "request_scope", "account_id", "region"),
)

RESOURCE_TYPES = (
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::AutoScaling::LifecycleHook",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::IAM::InstanceProfile",
    "AWS::Lambda::Function",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::Secret",
)


def verify(points: tuple[PatchPoint, ...] = POINTS, version: str | None = None) -> None:
    """Check the version and every patch point.

    Raises:
        PatchPointError: lists every mismatch, and the fix.
    """
    found = version or importlib.metadata.version("ministack")
    wrong = [] if found == VERSION else [f"ministack is {found}, the lab extends exactly {VERSION}"]
    wrong += [problem for point in points if (problem := _problem(point))]
    handlers = emulator.provisioners._RESOURCE_HANDLERS
    for kind in RESOURCE_TYPES:
        missing = {"create", "update", "delete"} - set(handlers.get(kind, {}))
        # MiniStack updates a subnet itself; the lab only wraps its deletion.
        if missing - ({"update"} if kind == "AWS::EC2::Subnet" else set()):
            wrong.append(f"CloudFormation type {kind} lacks {sorted(missing)}")
    if wrong:
        raise PatchPointError(
            "the lab's cloud cannot extend this MiniStack:\n  " + "\n  ".join(wrong) + "\n"
            f"Fix: pip install ministack=={VERSION} (pinned in requirements-dev.txt), or adapt lab/cloud and VERSION."
        )


def _problem(point: PatchPoint) -> str | None:
    module: Any = getattr(emulator, point.module)
    where = f"{module.__name__}.{point.name}"
    value = getattr(module, point.name, None)
    if isinstance(point.shape, type):
        return None if isinstance(value, point.shape) else f"{where} is {value!r:.60}, not a {point.shape.__name__}"
    if not callable(value):
        return f"{where} is not a function"
    parameters = tuple(inspect.signature(value).parameters)
    return None if parameters == point.shape else f"{where} takes {parameters}, not {point.shape}"
