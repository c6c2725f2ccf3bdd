"""A parameter of another kind is one clear error of ours, and never one of the CDK's own language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2

from annex_constructs import (
    AlarmTopic,
    Annex,
    AnnexBase,
    AnnexCredential,
    AnnexFleet,
    AnnexImage,
    AnnexNetwork,
    AnnexSecurityGroup,
    BuildPlace,
    ExecutionPoint,
    ImageContent,
    ImageDistribution,
    ImageUpkeep,
    LeaseAlarms,
    LeaseChecker,
    LeaseTerms,
    Pool,
)

WRONG: dict[str, Any] = {
    "None": None,
    "zero": 0,
    "half": 0.5,
    "not a number": float("nan"),
    "infinite": float("inf"),
    "huge": 10**30,
    "true": True,
    "empty": "",
    "text": "x",
    "bytes": b"x",
    "list": [],
    "list of None": [None],
    "list of texts": ["c6a.large"],
    "dictionary": {},
    "object": object(),
    "class": App,
    "Duration": Duration.hours(1),
    "timedelta": timedelta(hours=1),
    "datetime": datetime(2030, 1, 1),  # noqa: DTZ001 - without a time zone
}
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:muon-AbCdEf"
POINT = ExecutionPoint(
    pool=Pool(collector="cm.example.edu", trust_domain="example.edu"),
    machine_image=ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"}),
)
LEASE = LeaseTerms(duration=Duration.hours(8))
FLEET: dict[str, Any] = {
    "execution_point": POINT,
    "instance_types": [ec2.InstanceType("c6a.large")],
    "max_size": 2,
}
ATTRIBUTES = {
    "annex_name": "a",
    "annex_id": "8e1f4ad0-c7d2-11f0-8d6a-0affc1b2d3e4.a",
    "auto_scaling_group_name": "group",
    "credential_arn": SECRET,
    "checker_name": "function",
}


def new_vpc() -> ec2.IVpc:
    return ec2.Vpc(Stack(App(), "Network"), "Vpc", nat_gateways=0)


def stack() -> Stack:
    return Stack(App(), "Other")


def checker(**given: Any) -> object:
    here = stack()
    fleet = AnnexFleet(here, "Fleet", vpc=ec2.Vpc(here, "Vpc", nat_gateways=0), **FLEET)
    return LeaseChecker(here, "Lease", **{"fleet": fleet, "lease": LEASE, **given})


MAKERS: dict[str, Callable[..., object]] = {
    "ExecutionPoint": lambda **given: ExecutionPoint(
        **{"pool": POINT.pool, "machine_image": POINT.machine_image, **given}
    ),
    "LeaseTerms": lambda **given: LeaseTerms(
        **{"duration": None if "ends_at" in given else Duration.hours(8), "max_lifetime": Duration.days(2), **given}
    ),
    "Annex": lambda **given: Annex(stack(), "Muon", **{**FLEET, "lease": LEASE, **given}),
    "AnnexFleet": lambda **given: AnnexFleet(stack(), "Muon", **{**FLEET, "vpc": new_vpc(), **given}),
    "LeaseChecker": checker,
    "LeaseAlarms": lambda **given: LeaseAlarms(stack(), "Alarms", **given),
    "AlarmTopic": lambda **given: AlarmTopic(stack(), "Topic", **{"display_name": "annexes", **given}),
    "AnnexSecurityGroup": lambda **given: AnnexSecurityGroup(stack(), "Group", **{"vpc": new_vpc(), **given}),
    "Pool": lambda **given: Pool(**{"collector": "cm.example.edu", "trust_domain": "example.edu", **given}),
    "AnnexNetwork": lambda **given: AnnexNetwork(stack(), "Network", **given),
    "AnnexCredential": lambda **given: AnnexCredential(stack(), "Credential", **given),
    "AnnexBase": lambda **given: AnnexBase(stack(), "Base", **given),
    "AnnexImage": lambda **given: AnnexImage(stack(), "Image", **given),
    "ImageContent": lambda **given: ImageContent(**given),
    "BuildPlace": lambda **given: BuildPlace(**given),
    "ImageDistribution": lambda **given: ImageDistribution(**given),
    "ImageUpkeep": lambda **given: ImageUpkeep(**given),
    "Annex.from_annex_attributes": lambda **given: Annex.from_annex_attributes(
        stack(), "Annex", **{**ATTRIBUTES, **given}
    ),
}
TEXTS = {"empty", "text"}
SPAN = {"None", "Duration"}
COUNT = {"None", "zero"}
# What a parameter takes of these values.
RIGHT: dict[str, dict[str, set[str]]] = {
    "ExecutionPoint": {
        "pool": set(),
        "machine_image": set(),
        "volume_gib": set(),
        "htcondor": {"None"},
        "components": {"list"},
        "htcondor_mirror": {"None"},
        "package_mirror": {"None"},
        "root_device": {"None"},
        "volume_key": {"None"},
        "drain_before_end": SPAN,
        "idle_timeout": SPAN,
        "join_timeout": SPAN,
        "shutdown_after_end": SPAN,
    },
    "LeaseTerms": {
        "duration": {"Duration"},
        "ends_at": set(),
        "max_lifetime": {"None"},
        "grace": SPAN,
        "renew_while_busy": SPAN,
        "max_instance_hours": {"None"},
        "warn_before_end": SPAN,
    },
    "Annex": {
        "execution_point": set(),
        "instance_types": set(),
        "max_size": set(),
        "lease": set(),
        "size": COUNT,
        "annex_name": {"None", "text"},
        "vpc": {"None"},
        "vpc_subnets": {"None"},
        "ipv6": {"true"},
        "credential_key": {"None"},
        "associate_public_ip_address": {"None", "true"},
        "on_demand_base": {"zero"},
        "on_demand_percentage": {"zero"},
        "role": {"None"},
        "alarm_topic": {"None"},
        "alarm_email": {"None"},
        "protect_busy": {"None", "true"},
    },
    "AnnexFleet": {
        "vpc": set(),
        "credential": {"None"},
        "security_group": {"None"},
        "role": {"None"},
        "protect_busy": {"true"},
    },
    "LeaseChecker": {
        "fleet": set(),
        "lease": set(),
        "size": COUNT,
        "credential": {"None"},
        "alarm_topic": {"None"},
        "alarm_email": {"None"},
        "log_retention": set(),
    },
    "LeaseAlarms": {"checker": set()},
    "Pool": {"collector": {"text"}, "trust_domain": {"text"}},
    "AlarmTopic": {"display_name": TEXTS, "email": {"None"}},
    "AnnexSecurityGroup": {
        "vpc": set(),
        "pool": {"None"},
        "job_ports": {"None", "list"},
        "package_openings": {"list"},
        "allow_all_outbound": {"true"},
    },
    "AnnexCredential": {"description": {"None"} | TEXTS, "encryption_key": {"None"}},
    "AnnexNetwork": {"ipv6": {"true"}},
    "AnnexBase": {
        "alarm_topic": {"None"},
        "alarm_email": {"None"},
        "max_removals": COUNT,
        "dry_run": {"true"},
        "interval": SPAN,
        "log_retention": set(),
    },
    "AnnexImage": {
        "image_name": {"None", "text"},
        **{name: {"None"} for name in ("content", "place", "distribution", "upkeep")},
        "image_tags": {"None", "dictionary"},
        "log_retention": set(),
    },
    "ImageContent": {
        **{name: set() for name in ("parent", "htcondor", "volume_gib")},
        **{name: {"None"} for name in ("test_script", "htcondor_mirror", "package_mirror", "root_device")},
        "components": {"list"},
        "script": {"None", "text"},
    },
    "BuildPlace": {
        "instance_types": {"list"},
        **{name: {"None"} for name in ("subnet", "security_group", "results_topic")},
    },
    "ImageDistribution": {"key": {"None"}, "copies": {"dictionary"}, "accounts": {"list"}, "share_with": {"list"}},
    "ImageUpkeep": {"schedule": set(), "build_unchanged": {"true"}, "keep": set(), "keep_launched": {"None"}},
    "Annex.from_annex_attributes": {
        "annex_name": {"None", "text"},
        "annex_id": TEXTS,
        "auto_scaling_group_name": TEXTS,
        "credential_arn": set(),
        "checker_name": TEXTS,
    },
}
PARAMETERS = [(kind, name) for kind, names in RIGHT.items() for name in names]


@pytest.mark.parametrize(("kind", "name"), PARAMETERS)
def test_each_value_is_taken_or_refused_with_the_way_out(kind: str, name: str) -> None:
    taken = set()
    for label, value in WRONG.items():
        try:
            MAKERS[kind](**{name: value})
        except ValueError as error:
            text = str(error)
            assert ": received " in text and ", allowed " in text and "; fix: " in text, f"{label}: {text}"
            assert "\n" not in text.replace("\\n", ""), text
        else:
            taken.add(label)
    assert taken == RIGHT[kind][name]


def test_every_kind_of_time_is_known() -> None:
    aware = LeaseTerms(ends_at=datetime(2030, 1, 1, tzinfo=UTC), max_lifetime=Duration.days(2))
    assert aware.ends_at == datetime(2030, 1, 1, tzinfo=UTC)
