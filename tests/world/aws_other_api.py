"""The calls of EC2, Secrets Manager and SNS on the model, with the checks and the error codes of AWS."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from tests.world.aws_errors import refusal
from tests.world.aws_paging import page_of
from tests.world.aws_scaling import NOTICE, shut_down
from tests.world.aws_state import MAX_TAGS, START, Account, Ec2Instance

Params = dict[str, Any]
FORGET = 3600.0  # "Terminated instances remain visible after termination (for approximately one hour)"
LIMIT = 1000  # of ids: TerminateInstances, CreateTags; of a page: DescribeInstances (API reference)


def describe_instances(account: Account, params: Params, page_size: int | None) -> Params:
    """The instances that pass every filter; one that terminated an hour ago is forgotten.

    A request without MaxResults gets everything in one answer, however long; one with ids takes no MaxResults.
    """
    ids, operation = params.get("InstanceIds"), "DescribeInstances"
    if ids and "MaxResults" in params:
        message = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise refusal("InvalidParameterCombination", message, operation)
    if not 5 <= params.get("MaxResults", 5) <= LIMIT:
        raise refusal("InvalidParameterValue", f"MaxResults must be between 5 and {LIMIT}", operation)
    if ids:
        _known(account, ids, operation)
    found = [
        one
        for one in account.instances.values()
        if (one.terminated is None or account.now < one.terminated + FORGET)
        and (ids is None or one.id in ids)
        and all(_passes(one, wanted) for wanted in params.get("Filters", []))
    ]
    asked = params.get("MaxResults", len(found))
    part, more = page_of(found, params, asked if page_size is None else page_size)
    return {"Reservations": [{"Instances": [_described(one)]} for one in part], **more}


def _described(one: Ec2Instance) -> Params:
    return {
        "InstanceId": one.id,
        "State": {"Code": 0, "Name": one.state},
        "LaunchTime": START + timedelta(seconds=one.launched),
        "Placement": {"AvailabilityZone": one.zone},
        "Tags": [{"Key": key, "Value": value} for key, value in one.tags.items()],
    }


def _passes(one: Ec2Instance, wanted: Params) -> bool:
    name, values = wanted["Name"], wanted["Values"]
    if name == "instance-state-name":
        return any(_like(one.state, value) for value in values)
    if name == "tag-key":
        return any(_like(key, value) for key in one.tags for value in values)
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return key in one.tags and any(_like(one.tags[key], value) for value in values)
    raise refusal("InvalidParameterValue", f"The filter '{name}' is invalid", "DescribeInstances")


def _like(text: str, pattern: str) -> bool:
    """Filter values are case-sensitive and may hold * and ? (EC2 User Guide, "List and filter", wildcards)."""
    parts = {"*": ".*", "?": "."}
    return re.fullmatch("".join(parts.get(one, re.escape(one)) for one in pattern), text, re.DOTALL) is not None


def terminate_instances(account: Account, params: Params) -> Params:
    """End instances: one id that is not there fails all; one that is locked fails all of its zone (API reference)."""
    operation = "TerminateInstances"
    instances = _known(account, params["InstanceIds"], operation)
    locked = {one.zone for one in instances if one.locked and one.alive}
    for one in instances:
        if one.zone not in locked:
            shut_down(account, one)
    if locked:
        first = next(one.id for one in instances if one.locked and one.alive)
        message = f"The instance '{first}' may not be terminated. Modify its 'disableApiTermination' instance attribute"
        raise refusal("OperationNotPermitted", message, operation)
    return {"TerminatingInstances": [{"InstanceId": one.id} for one in instances]}


def stop_instances(account: Account, params: Params) -> Params:
    """Stop instances; a group takes one that is not running for unhealthy ("Health checks")."""
    for one in _known(account, params["InstanceIds"], "StopInstances"):
        if one.state == "running":
            one.state = "stopping"
            account.wake(one, 10.0)
            if one.group in account.groups:
                account.touch(account.groups[one.group or ""], NOTICE)
    return {"StoppingInstances": []}


def create_tags(account: Account, params: Params) -> Params:
    """Write tags on instances, on all or on none; the prefix aws: is reserved."""
    instances, operation = _known(account, params["Resources"], "CreateTags"), "CreateTags"
    written = {tag["Key"]: tag["Value"] for tag in params["Tags"]}
    if any(key.startswith("aws:") for key in written):
        raise refusal("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved", operation)
    # "Each resource can have up to 50 tags", those with the prefix aws: not counted ("Tag your Amazon EC2 resources").
    if any(sum(not key.startswith("aws:") for key in one.tags | written) > MAX_TAGS for one in instances):
        raise refusal("TagLimitExceeded", f"The maximum number of Tags for a resource is {MAX_TAGS}.", operation)
    for one in instances:
        one.tags.update(written)
    return {}


def modify_instance_attribute(account: Account, params: Params) -> Params:
    """Only termination protection is modelled."""
    (instance,) = _known(account, [params["InstanceId"]], "ModifyInstanceAttribute")
    instance.locked = params["DisableApiTermination"]["Value"]
    return {}


def describe_secret(account: Account, params: Params) -> Params:
    """Description of a secret, without its value; versions have staging labels."""
    secret = account.secrets.get(params["SecretId"])
    if secret is None:
        message = "Secrets Manager can't find the specified secret."
        raise refusal("ResourceNotFoundException", message, "DescribeSecret")
    answer: Params = {"ARN": secret.arn, "Name": secret.arn.rsplit(":", 1)[1]}
    if secret.stages:  # a secret that never had a value has no versions at all
        answer["VersionIdsToStages"] = {version: list(labels) for version, labels in secret.stages.items()}
    if secret.deleted:
        answer["DeletedDate"] = account.moment
    return answer


def put_secret_value(account: Account, params: Params) -> Params:
    """Give a secret a new current value."""
    secret = account.secrets[params["SecretId"]]
    if secret.deleted:
        message = "You can't perform this operation on the secret because it was marked for deletion."
        raise refusal("InvalidRequestException", message, "PutSecretValue")
    secret.stages = {version: ["AWSPREVIOUS"] for version in list(secret.stages)[-1:]}
    version = f"v{len(secret.stages) + 1}"
    secret.stages[version] = ["AWSCURRENT"]
    return {"ARN": secret.arn, "VersionId": version}


def delete_secret(account: Account, params: Params) -> Params:
    """Schedule a secret to be deleted; until then it is described, and takes no value."""
    account.secrets[params["SecretId"]].deleted = True
    return {}


def restore_secret(account: Account, params: Params) -> Params:
    """Cancel the deletion of a secret."""
    account.secrets[params["SecretId"]].deleted = False
    return {}


def publish(account: Account, params: Params) -> Params:
    """Publish to a topic; the subject is printable ASCII, no line breaks, at most 100 characters (API reference)."""
    if params.get("TopicArn") not in account.topics:
        raise refusal("NotFound", "Topic does not exist", "Publish")
    subject = params.get("Subject", "x")
    if not re.fullmatch(r"[!-~][ -~]{0,99}", subject) or not params["Message"]:
        raise refusal("InvalidParameter", "Invalid parameter: Subject", "Publish")
    topic = account.topics[params["TopicArn"]]
    topic.append({"Subject": params.get("Subject", ""), "Message": params["Message"]})
    return {"MessageId": f"m-{len(topic)}"}


def _known(account: Account, ids: list[str], operation: str) -> list[Ec2Instance]:
    if len(ids) > LIMIT:
        raise refusal("InvalidParameterValue", f"{len(ids)} ids are more than {LIMIT}", operation)
    for each in ids:
        one = account.instances.get(each)
        if one is None or (one.terminated is not None and account.now >= one.terminated + FORGET):
            raise refusal("InvalidInstanceID.NotFound", f"The instance ID '{each}' does not exist", operation)
    return [account.instances[each] for each in ids]
