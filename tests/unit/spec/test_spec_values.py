"""Every rule about one value, from both sides."""

from datetime import UTC, datetime, timedelta

import pytest

from annex_lease.regions import KNOWN_REGIONS
from annex_spec import SpecError
from tests.unit.spec.spec_texts import POOL, Read, ReadAnnex

TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
KEY = "arn:aws:kms:us-east-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef"
BOUNDARY = "arn:aws:iam::123456789012:policy/team/hpc/Boundary"
VPC, SUBNET = '"vpc-0123456789abcdef0"', "subnet-0123456789abcdef0"

ACCEPTED = [
    ("size", "1", 1),
    ("size", "10000", 10_000),
    ("lease", '"366d"', timedelta(days=366)),
    ("max_lifetime", '"8h"', timedelta(hours=8)),
    ("max_lifetime", '"366d"', timedelta(days=366)),
    ("grace", '"0s"', timedelta(0)),
    ("grace", '"2h"', timedelta(hours=2)),
    ("drain_before_end", '"10s"', timedelta(seconds=10)),
    ("drain_before_end", '"1h"', timedelta(hours=1)),
    ("idle_timeout", '"30s"', timedelta(seconds=30)),
    ("idle_timeout", '"7d"', timedelta(days=7)),
    ("join_timeout", '"1m"', timedelta(minutes=1)),
    ("join_timeout", '"2h"', timedelta(hours=2)),
    ("renew_while_busy", '"10m"', timedelta(minutes=10)),
    ("renew_while_busy", '"366d"', timedelta(days=366)),
    ("max_instance_hours", "1", 1),
    ("max_instance_hours", "100000000", 100_000_000),
    ("price_per_hour", "0.085", 0.085),
    ("price_per_hour", "10000", 10_000),
    ("warn_before_end", '"1m"', timedelta(minutes=1)),
    ("warn_before_end", '"0s"', timedelta(0)),
    ("warn_before_end", '"7h59m59s"', timedelta(hours=8) - timedelta(seconds=1)),
    ("alarm_email", '"a.b+annex@cs.example.edu"', "a.b+annex@cs.example.edu"),
    ("alarm_topic", f'"{TOPIC}"', TOPIC),
    ("region", '"us-gov-west-1"', "us-gov-west-1"),
    ("region", '"eusc-de-east-1"', "eusc-de-east-1"),
    *[("region", f'"{region}"', region) for region in ("ap-southeast-2", *KNOWN_REGIONS)],
    *[
        ("region", f'"{region}"', region)
        for region in ("us-south-1", "ap-southeast-12", "nz-north-1", "us-isog-west-1")
    ],
    ("account", '"012345678901"', "012345678901"),
    ("image", '"ami-01234567"', "ami-01234567"),
    *[
        ("image", f'"{image}"', image)
        for image in (
            "ssm:/aws/service/debian/release/13/latest/amd64",
            "ssm:/images/annex",
            "ssm:annex-image",
            "ssm:/images/annex:12",
            "ssm:annex-image:1",
            "ssm:/" + "/".join("abcdefghijklmno"),
            "ssm:arn:aws:ssm:us-east-1:123456789012:parameter/images/annex",
            "ssm:arn:aws:ssm:us-east-1::parameter/aws/service/debian/release/13/latest/amd64",
        )
    ],
    ("instance_types", '["m7i-flex.large", "u7i-12tb.224xlarge"]', ("m7i-flex.large", "u7i-12tb.224xlarge")),
    ("instance_types", '["p6-b200.48xlarge", "u-6tb1.metal"]', ("p6-b200.48xlarge", "u-6tb1.metal")),
    ("instance_types", '["p6e-gb200.36xlarge", "x8g.large"]', ("p6e-gb200.36xlarge", "x8g.large")),
    ("instance_types", '["i3.metal"]', ("i3.metal",)),
    ("ipv6", "true", True),
    ("protect_busy", "true", True),
    ("volume_key", f'"{KEY}"', KEY),
    ("credential_key", f'"{KEY}"', KEY),
    ("permissions_boundary", '"arn:aws:iam::aws:policy/PowerUserAccess"', "arn:aws:iam::aws:policy/PowerUserAccess"),
    ("permissions_boundary", f'"{BOUNDARY}"', BOUNDARY),
    ("role_path", '"/"', "/"),
    ("role_path", '"/team/hpc/"', "/team/hpc/"),
    ("role_path", f'"/{"a" * 510}/"', f"/{'a' * 510}/"),
    ("instance_types", '["c6a.metal", "c7i.metal-24xl", "t3.nano"]', ("c6a.metal", "c7i.metal-24xl", "t3.nano")),
    ("on_demand_base", "0", 0),
    ("on_demand_base", "2", 2),
    ("on_demand_percentage", "100", 100),
    ("volume_gib", "1", 1),
    ("volume_gib", "16384", 16_384),
    ("root_device", '"/dev/sda1"', "/dev/sda1"),
]
REFUSED = [
    *[("size", value) for value in ("0", "-1", "10001", '"2"', "2.0", "true", "[2]")],
    *[("lease", value) for value in ('"59s"', '"366d1s"', '"8"', "8", "8.5", '""', "true", "08:00:00")],
    *[("max_lifetime", value) for value in ('"0s"', '"366d1s"', '"8"')],
    *[("grace", value) for value in ('"2h1s"', '"15"', "0")],
    *[("drain_before_end", value) for value in ('"9s"', '"1h1s"', '"0s"', '"30"', "30")],
    *[("idle_timeout", value) for value in ('"29s"', '"7d1s"')],
    *[("join_timeout", value) for value in ('"59s"', '"2h1s"')],
    *[("renew_while_busy", value) for value in ('"9m59s"', '"366d1s"', '"1"', "60", "true")],
    *[("max_instance_hours", value) for value in ("0", "-1", "100000001", "1.5", '"100"', "true")],
    *[("price_per_hour", value) for value in ("0", "-0.1", "10000.01", "nan", "inf", '"0.085"', "true")],
    *[("warn_before_end", value) for value in ('"59s"', '"1s"', '"366d1s"', '"15"', "15", "0")],
    *[("alarm_email", value) for value in ('""', '"admin"', '"a@b"', '"a b@example.edu"', '"a@b.edu, c@d.edu"', "1")],
    *[("alarm_email", f'"{"a" * 65}@example.edu"'), ("alarm_email", r'"a@example.edu\n"')],
    *[("alarm_topic", value) for value in ('"alarms"', f'"{TOPIC}.fifo"', f'"{TOPIC}:sub"', f'"{TOPIC[:-7]}"')],
    ("alarm_topic", '"arn:aws:sqs:us-east-1:123456789012:alarms"'),
    *[("region", value) for value in ('"us-east"', '"us-east-100"', '"US-EAST-1"', '"us-east-1a"', '""', "1")],
    *[("account", value) for value in ('"12345678901"', '"1234567890123"', "123456789012", '"12345678901a"')],
    *[("image", value) for value in ('"ami-1"', '"ami-0123456789abcdeg0"', '"ssm:"', '"ssm:/a b"', '"debian"')],
    *[("image", f'"ssm:{value}"') for value in ("a/b", "/a/", "/" + "/".join("abcdefghijklmnop"), "a" * 1011, "/a:0")],
    *[(key, value) for key in ("ipv6", "protect_busy") for value in ('"true"', "1")],
    *[("volume_key", f'"{KEY.rpartition("/")[0]}/{value}"') for value in ("mrk-0123", "0123", "*", "01234567" * 4)],
    *[("volume_key", value) for value in ('"alias/annex"', f'"{KEY.replace("key/", "alias/")}"', '""')],
    *[("credential_key", value) for value in ('"alias/annex"', f'"{KEY}!"', "true")],
    *[("permissions_boundary", value) for value in ('"Boundary"', '"arn:aws:iam::123456789012:role/r"', "1")],
    *[("role_path", value) for value in ('""', '"team"', '"/team"', '"team/"', '"//"', '"/a b/"', f'"/{"a" * 511}/"')],
    *[("instance_types", value) for value in ("[]", '"c6a.large"', '["c6a"]', '["c6a.large", "c6a.large"]', "[1]")],
    ("instance_types", str([f"c{number}.large" for number in range(41)])),
    *[("on_demand_base", value) for value in ("-1", "3", "true")],
    *[("on_demand_percentage", value) for value in ("-1", "101", "50.0")],
    *[("volume_gib", value) for value in ("0", "16385", '"20G"')],
    *[("root_device", value) for value in ('"xvda"', '"/dev/../etc"')],
    *[("vpc", value) for value in ('"vpc-1"', '"demo"', '"Shared"', '"shared "', '"own"', '""', "true")],
    *[("subnets", value) for value in ("[]", '["subnet-1"]', f'["{SUBNET}", "{SUBNET}"]')],
]


@pytest.mark.parametrize(("key", "written", "value"), ACCEPTED)
def test_accepted(read_annex: ReadAnnex, key: str, written: str, value: object) -> None:
    assert getattr(read_annex(**{key: written}).annexes["demo"], key) == value


def test_the_shortest_lease_is_accepted(read_annex: ReadAnnex) -> None:
    assert read_annex(lease='"1m"', drain_before_end='"59s"').annexes["demo"].lease == timedelta(minutes=1)


@pytest.mark.parametrize(("key", "written"), REFUSED)
def test_refused(read_annex: ReadAnnex, key: str, written: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_annex(**{key: written})
    (problem,) = caught.value.problems
    assert (problem.table, problem.key) == ("[annex.demo]", key)
    assert problem.received
    assert problem.allowed
    assert problem.fix


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2030-06-01T08:00:00Z", datetime(2030, 6, 1, 8, tzinfo=UTC)),
        ("2030-06-01T08:00:00+02:00", datetime(2030, 6, 1, 6, tzinfo=UTC)),
        ("2030-06-01 08:00:00-07:30", datetime(2030, 6, 1, 15, 30, tzinfo=UTC)),
    ],
)
def test_an_absolute_end_is_kept_in_utc(read_annex: ReadAnnex, written: str, value: datetime) -> None:
    annex = read_annex(lease=None, lease_ends_at=written, max_lifetime='"30d"').annexes["demo"]
    assert annex.lease_ends_at == value
    assert annex.lease_ends_at.tzinfo is UTC
    assert annex.lease is None


@pytest.mark.parametrize(
    "written",
    ["2030-06-01T08:00:00", "2030-06-01", "08:00:00", '"2030-06-01T08:00:00Z"', "2030-06-01T08:00:00.5Z", "1"],
)
def test_an_absolute_end_needs_its_offset(read_annex: ReadAnnex, written: str) -> None:
    with pytest.raises(SpecError, match="with its offset from UTC"):
        read_annex(lease=None, lease_ends_at=written, max_lifetime='"30d"')


@pytest.mark.parametrize("name", ["a", "a1", "pa-per", "a-1-b", "a" * 32, "a" + "-b" * 15])
def test_a_name_is_accepted(read: Read, name: str) -> None:
    assert read(f"{POOL}[annex.{name}]\n{_keys()}").annexes[name].name == name


@pytest.mark.parametrize(
    "name", ["A", "1a", "-a", "a-", "a--b", "a_b", "a" * 33, "a" + "-b" * 16, '"a b"', '""', '"ä"']
)
def test_a_name_is_refused(read: Read, name: str) -> None:
    with pytest.raises(SpecError, match="lower-case letters, digits and single inner hyphens"):
        read(f"{POOL}[annex.{name}]\n{_keys()}")


SINFUL = "<10.0.0.1:9618?addrs=10.0.0.1-9618+[2001-db8--1]-9618&alias=cm.example.edu&noUDP&sock=collector>"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("cm", "cm:9618"),
        ("cm.example.edu.", "cm.example.edu.:9618"),
        ("cm.example.edu:1", "cm.example.edu:1"),
        ("198.51.100.7:65535", "198.51.100.7:65535"),
        ("cm1.example.edu,cm2.example.edu", "cm1.example.edu:9618,cm2.example.edu:9618"),
        (" cm1:9620 ,  cm2, ", "cm1:9620,cm2:9618"),
        ("cm1 cm2 cm1", "cm1:9618,cm2:9618"),
        (r"cm1\tcm2,\ncm3\n", "cm1:9618,cm2:9618,cm3:9618"),
        ("htcondor_cm_1.example.edu", "htcondor_cm_1.example.edu:9618"),
        ("cm:9618?sock=collector", "cm:9618?sock=collector"),
        ("cm?sock=collector", "cm:9618?sock=collector"),
        (SINFUL, SINFUL),
        (f"{SINFUL}, cm2", f"{SINFUL},cm2:9618"),
        ("[2001:db8::1]:9618", "[2001:db8::1]:9618"),
        ("[2001:db8::1]", "[2001:db8::1]:9618"),
        ("2001:db8::1", "[2001:db8::1]:9618"),
        ("<[2001:db8::1]:9618?sock=collector>", "<[2001:db8::1]:9618?sock=collector>"),
    ],
)
def test_a_collector_is_accepted(read: Read, written: str, value: str) -> None:
    assert read(_pool(written, "example.edu")).pool.collector == value


@pytest.mark.parametrize(
    "written",
    [
        *("", " , ", "cm:", "cm:0", "cm:65536", "cm:x", "cm1,cm2:0", "<cm", "a..b", "-cm", ":1", "http://cm", "cm/a"),
        *("[2001:db8::1", "[::::]:9618", "2001:db8::1::2", "fe80::1%eth0", "$(CONDOR_HOST)", "cm;cm2"),
        ".".join(["a" * 63] * 4),
        ",".join(f"cm{number}.example.edu" for number in range(60)),
    ],
)
def test_a_collector_is_refused(read: Read, written: str) -> None:
    with pytest.raises(SpecError, match=r"\[pool\] collector"):
        read(_pool(written, "example.edu"))


@pytest.mark.parametrize(
    "written",
    [
        "example.edu",
        "Pool-1",
        "a." * 96 + "a",
        "LOCAL_POOL",
        "cm.example.edu:9618",
        "[2001:db8::1]:9618",
        "a" * 253,
        "a..b",
    ],
)
def test_a_trust_domain_is_accepted(read: Read, written: str) -> None:
    assert read(_pool("cm", written)).pool.trust_domain == written


# HTCondor signs no token for the first three ("Issuer namespace may not contain spaces or commas").
@pytest.mark.parametrize("written", ["a b", "cm1,cm2", "cm1, cm2", "", "a@b", "a/b", "$(UID_DOMAIN)", "a" * 254, "ü"])
def test_a_trust_domain_is_refused(read: Read, written: str) -> None:
    with pytest.raises(SpecError, match=r"\[pool\] trust_domain"):
        read(_pool("cm", written))


def _keys() -> str:
    return 'region="us-east-1"\nimage="ami-01234567"\nsize=1\nlease="8h"\ninstance_types=["c6a.large"]\n'


def _pool(collector: str, trust_domain: str) -> str:
    return f'[pool]\ncollector = "{collector}"\ntrust_domain = "{trust_domain}"\n[annex.demo]\n{_keys()}'
