"""A run of the function: what it remembers, refuses, reports and leaves to the next."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError

from annex_lease.actions import TerminateInstances
from annex_lease.actuator import perform
from annex_lease.aws import AnnexAccess, list_instances
from annex_lease.batches import RefusedError
from annex_lease.checker import CheckError, check
from annex_lease.memory import Memory
from annex_lease.policy import LeasePolicy
from annex_lease.tags import TAG_ID, TAG_NAME, format_time
from tests.runtime.lease.lease_cloud import HOUR, MINUTE, Cloud, fail, record

if TYPE_CHECKING:
    pass

READS = ["DescribeAutoScalingGroups"]


def calls_of(cloud: Cloud) -> list[tuple[str, dict[str, Any]]]:
    """Every call of the function from here on."""
    made: list[tuple[str, dict[str, Any]]] = []
    for client in (cloud.clients.autoscaling, cloud.clients.ec2, cloud.clients.sns, cloud.clients.secretsmanager):
        name = client.meta.service_model.service_name
        client.meta.events.register(
            f"provide-client-params.{name}", lambda params, model, **_: made.append((model.name, params))
        )
    return made


def test_an_annex_costs_one_call_a_minute_while_it_runs_and_once_it_has_ended(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    cloud.check(group, created + MINUTE)
    made = calls_of(cloud)
    cloud.check(group, created + 2 * MINUTE)
    assert [name for name, _ in made] == READS
    made.clear()
    cloud.check(group, created + 11 * MINUTE)
    looked = [*READS, "DescribeInstances", "DescribeScheduledActions"]
    assert [name for name, _ in made] == looked, "tags and scheduled actions are looked at every ten minutes"
    end = created + HOUR
    cloud.check(group, end - MINUTE)
    made.clear()
    cloud.check(group, end)
    assert [name for name, _ in made] == [*READS, "UpdateAutoScalingGroup", "SuspendProcesses"]
    cloud.check(group, end + MINUTE)
    assert [name for name, _ in made[3:]] == [*READS, "DescribeInstances"], "seen empty, with five calls in all"
    assert cloud.check(group, end + 2 * MINUTE)["phase"] == "ended"
    assert [name for name, _ in made[5:]] == [*READS, "DescribeInstances"], "seen empty once more"
    made.clear()
    assert cloud.check(group, end + 3 * MINUTE)["phase"] == "ended"
    assert [name for name, _ in made] == READS
    assert cloud.check(group, end + 12 * MINUTE)["phase"] == "ended"
    assert [name for name, _ in made] == [*READS, *READS, "DescribeInstances"], "looked for again after ten minutes"


def test_what_comes_back_after_the_end_starts_the_two_looks_again(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    assert [cloud.check(group, created + HOUR + minute * MINUTE)["phase"] for minute in (0, 1)] == ["draining", "ended"]
    cloud.clients.autoscaling.resume_processes(AutoScalingGroupName=group, ScalingProcesses=["Launch"])
    cloud.clients.autoscaling.set_desired_capacity(AutoScalingGroupName=group, DesiredCapacity=1)
    found = cloud.check(group, created + HOUR + 3 * MINUTE)
    assert found["phase"] == "draining"
    assert cloud.running(group) == []
    assert cloud.check(group, created + HOUR + 4 * MINUTE - MINUTE / 60)["phase"] == "draining"
    assert cloud.check(group, created + HOUR + 4 * MINUTE)["phase"] == "ended"


def test_a_dry_run_says_what_a_run_does_and_does_nothing(cloud: Cloud) -> None:
    cloud.add_group("pa", LeasePolicy("pa", 3, 7200, 0, duration_seconds=3600), protected=True)
    created = cloud.created("pa")
    cloud.check("pa", created)
    before = cloud.describe("pa")
    dry = cloud.check("pa", created + HOUR, check="dry-run")
    assert cloud.describe("pa") == before
    assert dry["dry_run"] is True
    real = cloud.check("pa", created + HOUR)
    assert dry["actions"] == real["actions"]
    assert [a["action"] for a in dry["actions"]] == [  # type: ignore[attr-defined]
        "EmptyGroup",
        "SuspendLaunch",
        "ClearProtection",
        "TerminateInstances",
    ]


def test_a_dry_run_sends_no_metric_and_a_check_does(
    cloud: Cloud, group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.environ["ANNEX_NAME"] = "pa"
    cloud.write(group, "annex:lease-until", "tomorrow")
    cloud.check(group, cloud.created(group), check="dry-run")
    assert "LeaseRecordIgnored" not in json.loads(capsys.readouterr().out)
    cloud.check(group, cloud.created(group))
    line = json.loads(capsys.readouterr().out)
    assert (line["LeaseRecordIgnored"], line["Annex"]) == (1, "pa")


def test_tags_that_are_replaced_in_two_calls_do_not_end_an_annex(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)

    def delete(key: str) -> None:
        cloud.clients.autoscaling.delete_tags(
            Tags=[{"ResourceId": group, "ResourceType": "auto-scaling-group", "Key": key}]
        )

    delete("annex:lease-duration")
    result = cloud.check(group, created + MINUTE)
    assert (result["phase"], result["end"]) == ("active", format_time(created + HOUR))
    assert cloud.describe(group)["DesiredCapacity"] == 2
    # The deployment is slow, and continues nine minutes later.
    assert cloud.check(group, created + 10 * MINUTE)["phase"] == "active"
    cloud.write(group, "annex:lease-ends-at", format_time(created + HOUR))
    assert cloud.check(group, created + 11 * MINUTE)["record_problems"] == []
    delete("annex:lease-ends-at")
    for minute in range(12, 22):
        cloud.check(group, created + minute * MINUTE)
    assert len(cloud.running(group)) == 2, "it is missing again since the twelfth minute"
    cloud.check(group, created + 22 * MINUTE)
    assert cloud.running(group) == [], "a policy that stays away ends the annex"
    assert cloud.tags(group)["annex:lease-end"] == format_time(created + 22 * MINUTE)


def test_a_second_look_that_is_refused_keeps_the_report(cloud: Cloud, group: str) -> None:
    """After the actions the group is read again: a refusal then must not hide what was done."""
    created = cloud.created(group)
    cloud.check(group, created)
    reads: list[int] = []

    def second(**_: object) -> None:
        reads.append(1)
        if len(reads) == 2:
            raise EndpointConnectionError(endpoint_url="x")

    events = cloud.clients.autoscaling.meta.events
    events.register("before-call.autoscaling.DescribeAutoScalingGroups", second)
    with pytest.raises(CheckError, match="group unknown: ") as raised:
        cloud.check(group, created + HOUR + 15 * MINUTE)
    events.unregister("before-call.autoscaling.DescribeAutoScalingGroups", second)
    assert "TerminateInstances" in [type(action).__name__ for action in raised.value.report.actions]
    assert cloud.running(group) == []


def test_a_dry_run_is_no_evidence(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    cloud.check(group, created)
    cloud.check(group, created + HOUR)
    annex, memory = AnnexAccess(group, "", cloud.clients), Memory()
    for minute in range(3):
        report = check(annex, created + HOUR + minute * MINUTE, dry_run=True, memory=memory)
        assert (report.decision.phase.value, report.decision.empty) == ("draining", True)
    assert memory == Memory()
    looks = [check(annex, created + HOUR + minute * MINUTE, memory=memory) for minute in (3, 4)]
    assert [each.decision.phase.value for each in looks] == ["draining", "ended"]


def test_a_detached_instance_is_known_by_the_id_of_the_annex(cloud: Cloud) -> None:
    cloud.environ.update(ANNEX_NAME="pa", ANNEX_ID="uuid.pa")
    cloud.add_group("pa", LeasePolicy("pa", 2, 7200, 900, duration_seconds=3600))
    created = cloud.created("pa")
    cloud.check("pa", created)
    ids = [instance["InstanceId"] for instance in cloud.running("pa")]
    theirs = [{"Key": TAG_NAME, "Value": "pa"}, {"Key": TAG_ID, "Value": "uuid.pa"}]
    cloud.clients.ec2.create_tags(Resources=ids[:1], Tags=theirs)  # type: ignore[arg-type]
    foreign = [{"Key": TAG_NAME, "Value": "pa"}, {"Key": TAG_ID, "Value": "other.pa"}]
    cloud.clients.ec2.create_tags(Resources=ids[1:], Tags=foreign)  # type: ignore[arg-type]
    cloud.clients.ec2.delete_tags(Resources=ids, Tags=[{"Key": "aws:autoscaling:groupName"}])
    annex = AnnexAccess("pa", "", cloud.clients, name="pa", id="uuid.pa")
    assert [(found.id, found.member) for found in list_instances(annex)] == [(ids[0], False)]
    assert list_instances(replace(annex, id="")) == ()


def test_a_run_without_time_leaves_the_rest_to_the_next(cloud: Cloud) -> None:
    cloud.add_group("pa", LeasePolicy("pa", 230, 7200, 0, duration_seconds=3600), protected=True)
    created = cloud.created("pa")
    cloud.check("pa", created)
    fail(cloud.clients.autoscaling, "SetInstanceProtection", "AccessDenied", times=500)
    left = iter([100.0] * 4 + [1.0] * 1000)
    annex = AnnexAccess("pa", "", cloud.clients, seconds_left=lambda: next(left))
    report = check(annex, created + HOUR)
    assert "out of time; the next run continues" in str(report.errors)
    assert len(cloud.running("pa")) == 230
    ids = tuple(instance["InstanceId"] for instance in cloud.running("pa"))
    two = iter([100.0, 100.0, 1.0])
    with pytest.raises(RefusedError, match="30 instances: out of time"):
        perform(TerminateInstances(ids, "test"), AnnexAccess("pa", "", cloud.clients, seconds_left=lambda: next(two)))
    assert len(cloud.running("pa")) == 30
    with pytest.raises(CheckError, match="AccessDenied"):
        cloud.check("pa", created + HOUR + MINUTE)
    assert cloud.running("pa") == []


def test_a_warning_reaches_the_topic_before_the_end_and_once(cloud: Cloud) -> None:
    topic = cloud.clients.sns.create_topic(Name="alarms")["TopicArn"]
    cloud.environ.update(ANNEX_NAME="pa", ANNEX_TOPIC=topic)
    cloud.add_group("pa", LeasePolicy("pa", 2, 7200, 900, duration_seconds=3600, warn_before_end_seconds=600))
    created = cloud.created("pa")
    cloud.check("pa", created)
    sent = record(cloud.clients.sns, ["Publish"])
    cloud.check("pa", created + HOUR - 11 * MINUTE)
    assert sent == []
    cloud.check("pa", created + HOUR - 10 * MINUTE)
    cloud.check("pa", created + HOUR - 9 * MINUTE)
    ((_, message),) = sent
    assert message["TopicArn"] == topic
    warning = json.loads(message["Message"])
    assert (warning["annex"], warning["end"], warning["instances"]) == ("pa", format_time(created + HOUR), 2)
    assert len(message["Subject"]) <= 100


def test_a_grant_that_was_refused_leaves_the_annex_waiting(cloud: Cloud, group: str) -> None:
    created = cloud.created(group)
    fail(cloud.clients.autoscaling, "UpdateAutoScalingGroup", "ServiceUnavailable")
    with pytest.raises(CheckError) as raised:
        cloud.check(group, created)
    decision = raised.value.report.decision
    assert (decision.phase.value, "a call was refused" in decision.reason) == ("waiting", True)


def test_a_grant_that_was_carried_out_is_granted(cloud: Cloud, group: str) -> None:
    done = cloud.check(group, cloud.created(group))
    assert (done["phase"], "refused" in str(done["reason"])) == ("granted", False)
