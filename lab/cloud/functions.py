"""Lambda: a clean environment for functions, asynchronous retries, logs by the function's own role, and metrics."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lab.cloud import embedded_metrics, roles, world
from lab.cloud.emulator import (
    account,
    cloudwatch,
    cloudwatch_logs,
    eventbridge,
    lambda_runtime,
    lambda_svc,
    region,
)

# A function gets only these of the cloud's environment. The others are the variables that Lambda defines and the
# function's own, which its runtime sets from the function's configuration:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
_FROM_THE_CLOUD = ("PATH", "LANG", "TZ", "TMPDIR")
_FROM_LAMBDA = ("AWS_", "LAMBDA_TASK_ROOT", "_LAMBDA_", "_X_AMZN_", "NODE_PATH")


def environment(spawned: Mapping[str, str], endpoint: str, authority: Path) -> dict[str, str]:
    """The environment of a function's process, which finds the API at ``endpoint`` and trusts ``authority``."""
    kept = {name: spawned[name] for name in _FROM_THE_CLOUD if name in spawned}
    kept.update({name: value for name, value in spawned.items() if name.startswith(_FROM_LAMBDA)})
    trust = dict.fromkeys(("AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"), str(authority))
    return {**kept, **trust, "AWS_ENDPOINT_URL": endpoint}


def install(endpoint: str, authority: Path) -> None:
    """Take over the start of functions, their invocation by events, and the writing of their logs."""

    def popen(command: Sequence[str], *, env: Mapping[str, str], **options: Any) -> "subprocess.Popen[str]":
        return subprocess.Popen(list(command), env=environment(env, endpoint, authority), **options)

    # Replaced in the runtime's namespace only, so that no other module's subprocess changes.
    lambda_runtime.subprocess = SimpleNamespace(
        **{name: getattr(subprocess, name) for name in ("PIPE", "DEVNULL", "STDOUT", "TimeoutExpired", "run")},
        Popen=popen,
    )
    eventbridge._dispatch_to_lambda = dispatch
    _write_logs_as_the_function()
    _count_invocations()


def _write_logs_as_the_function() -> None:
    """Write a function's log with its own role, so that no log group is created again after the stack is removed.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    """
    emit = lambda_svc._emit_lambda_logs

    def emit_lambda_logs(
        func: Mapping[str, Any], request_id: str, log_text: str, *arguments: Any, **named: Any
    ) -> None:
        configuration = func.get("config") or func
        name = (configuration.get("LoggingConfig") or {}).get("LogGroup")
        name = name or f"/aws/lambda/{configuration['FunctionName']}"
        group = f"arn:aws:logs:{region()}:{account()}:log-group:{name}"
        needed = ["logs:CreateLogStream", "logs:PutLogEvents"]
        needed += [] if name in cloudwatch_logs._log_groups else ["logs:CreateLogGroup"]
        if all(roles.allows(str(configuration["Role"]), action, f"{group}:log-stream:") for action in needed):
            emit(func, request_id, log_text, *arguments, **named)
            embedded_metrics.take(log_text)

    lambda_svc._emit_lambda_logs = emit_lambda_logs


def _count_invocations() -> None:
    """Send Lambda's own metrics of each run, `Errors` with the value 0 too.

    MiniStack sends them by itself for requests only: once more for each, before an asynchronous run, and for throttled
    requests. "Invocations aren't recorded if the invocation request is throttled or otherwise results in an invocation
    error": https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html. `Duration` is not modelled.
    """
    execute = lambda_svc._execute_function

    def execute_function(function: Mapping[str, Any], event: Any, *arguments: Any, **named: Any) -> Any:
        began = world.now()
        result = execute(function, event, *arguments, **named)
        ended = result if isinstance(result, Mapping) else {}
        run = {"Invocations": 1, "Errors": int(bool(ended.get("error")))}
        counted = {"Throttles": 1} if ended.get("throttle") else run
        dimensions = {"FunctionName": str(function["config"]["FunctionName"])}
        for metric, value in counted.items():
            cloudwatch._store_datum("AWS/Lambda", metric, dimensions, began, "Count", value, None, None, None)
        return result

    lambda_svc._execute_function = execute_function
    lambda_svc._emit_lambda_metrics = lambda *_, **__: None


def dispatch(arn: str, payload: str) -> None:
    """Invoke a function asynchronously with a JSON text: two retries, then its dead-letter queue or destination."""
    function, configuration, name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not configuration:
        raise LookupError(f"there is no Lambda function {name}")
    event = decoded(payload)
    lambda_svc.invoke_async_with_retry(lambda_svc._execution_record_for_config(function, configuration), event)


def decoded(payload: str) -> Any:
    """A payload as the function receives it: JSON, or the text itself."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload
