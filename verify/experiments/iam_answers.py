"""Answers of IAM: what the lease checker's role may do, and what EC2 says about an instance that does not exist."""

from __future__ import annotations

import secrets
from typing import Any

import boto3
from botocore.exceptions import ClientError

from annex_lease.ownership import GROUP_TAG
from annex_lease.tags import TAG_END
from verify.experiment import Experiment
from verify.outcome import NotRunError, Seen
from verify.scene import Scene

_ALLOWED, _DENIED = "allowed", "implicitDeny"
_GROUP_KEY, _TAG_KEYS = f"ec2:ResourceTag/{GROUP_TAG}", "aws:TagKeys"
_NOT_THERE = ("UnauthorizedOperation", "InvalidInstanceID.NotFound")


def simulated_role(scene: Scene) -> Seen:
    """Ask IAM's simulator what the checker's role may do to its own group, and to another one's instances."""
    if scene.account.emulated:
        raise NotRunError("emulators evaluate no context entries, on which the answers depend")
    (role,) = scene.physical_ids("a", "AWS::IAM::Role", "LeaseCheckerFunctionRole")
    iam = scene.account.aws.client("iam")
    arn = iam.get_role(RoleName=role)["Role"]["Arn"]
    partition = arn.split(":")[1]
    instance = f"arn:{partition}:ec2:{scene.run.region}:{scene.account.id}:instance/i-{secrets.token_hex(8)}0"
    group = str(scene.group("a")["AutoScalingGroupARN"])

    def answer(action: str, resource: str, *context: dict[str, object]) -> str:
        """Decision of the simulator about one action on one resource."""
        simulated: dict[str, Any] = iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource], ContextEntries=list(context)
        )
        return str(simulated["EvaluationResults"][0]["EvalDecision"])

    terminate, update, tag = "ec2:TerminateInstances", "autoscaling:UpdateAutoScalingGroup", "ec2:CreateTags"
    own, other = _entry(_GROUP_KEY, scene.group_name("a")), _entry(_GROUP_KEY, "another-group")
    asked = [
        ("terminate an own instance", answer(terminate, instance, own), _ALLOWED),
        ("terminate one of another group", answer(terminate, instance, other), _DENIED),
        ("update the own group", answer(update, group), _ALLOWED),
        ("update another group", answer(update, f"{group}x"), _DENIED),
        ("delete the own group", answer("autoscaling:DeleteAutoScalingGroup", group), _DENIED),
        ("run instances", answer("ec2:RunInstances", instance), _DENIED),
        ("tag an own instance with the end", answer(tag, instance, own, _entry(_TAG_KEYS, TAG_END)), _ALLOWED),
        ("tag it with a name", answer(tag, instance, own, _entry(_TAG_KEYS, "Name")), _DENIED),
    ]
    wrong = [f"{what}: {found}" for what, found, expected in asked if found != expected]
    text = f"{len(asked) - len(wrong)} of {len(asked)} answers as expected" + (f"; {'; '.join(wrong)}" if wrong else "")
    return Seen(not wrong, text, tuple(f"{what}: {found}, expected {expected}" for what, found, expected in asked))


def _entry(key: str, value: str) -> dict[str, object]:
    kind = "stringList" if key == _TAG_KEYS else "string"
    return {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": [value]}


def absent_instance(scene: Scene) -> Seen:
    """Terminate an instance that does not exist, with a role that may do what the checker may."""
    role = scene.output("a", "ProbeRole")

    def assumed() -> dict[str, str]:
        try:
            found = scene.account.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="annex-verify")
        except ClientError as error:
            # IAM is eventually consistent: a role can be assumed some seconds after it was made.
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            return {}
        return dict(found["Credentials"])

    key = scene.wait_for("right to assume the probe's role", 60, assumed)
    ec2 = boto3.client(
        "ec2",
        region_name=scene.run.region,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        aws_session_token=key["SessionToken"],
    )
    # The role may end instances of its own annex only: an id that exists by chance is of another one.
    instance = f"i-{secrets.token_hex(8)}0"
    try:
        ec2.terminate_instances(InstanceIds=[instance])
    except ClientError as error:
        code, text = error.response["Error"]["Code"], error.response["Error"]["Message"]
        # An encoded message is long, and says nothing to a reader.
        return Seen(code in _NOT_THERE, code, (text.split("Encoded authorization failure")[0],))
    return Seen(False, "EC2 accepted the call")


EXPERIMENTS = (
    Experiment(
        7,
        "the checker's role",
        "it may end and tag instances of its own group and change that group, and nothing else",
        "Service Authorization Reference, Amazon EC2 and EC2 Auto Scaling; IAM User Guide, 'Testing IAM policies'",
        1,
        simulated_role,
    ),
    Experiment(
        12,
        "an absent instance",
        f"EC2 answers {' or '.join(_NOT_THERE)}; a lease ends with either, only the text in the log differs",
        "EC2 API Reference, 'Error codes'; docs/explanation/limits.md",
        1,
        absent_instance,
    ),
)
