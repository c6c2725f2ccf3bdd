"""A whole spec file: defaults, keys that go together, missing keys, error texts."""

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from annex_spec import AnnexSpec, SpecError, load
from tests.unit.spec.spec_texts import POOL, Read, ReadAnnex

ROOT = Path(__file__).parents[3]
KEYS = 'size = 2\ninstance_types = ["c6a.large"]\n'
DEFAULTS = '[defaults]\nregion = "us-east-1"\nimage = "ami-01234567"\nlease = "8h"\n'
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"
VPC, SUBNETS = 'vpc = "vpc-01234567"\n', 'subnets = ["subnet-01234567"]\n'


def test_the_example_is_right() -> None:
    spec = load(ROOT / "annexes.toml")
    assert list(spec.annexes) == ["demo", "muon"]
    assert spec.images == {}, "a deployment of all stacks builds no image"
    assert spec.pool.collector == "cm.example.edu:9618"
    assert spec.annexes["demo"].max_lifetime == timedelta(hours=16)
    assert spec.annexes["muon"].lease is None
    assert spec.annexes["muon"].grace == timedelta(minutes=30)
    assert spec.annexes["demo"].grace == timedelta(minutes=15)


def test_the_commented_keys_of_the_example_are_right(read: Read) -> None:
    text = (ROOT / "annexes.toml").read_text(encoding="utf-8")
    spec = read(re.sub(r"^# (?=\w+ = |\[)", "", text, flags=re.MULTILINE))
    assert list(spec.images) == ["base"]
    demo = spec.annexes["demo"]
    assert (demo.account, demo.max_lifetime) == ("123456789012", timedelta(hours=16))
    assert (demo.renew_while_busy, demo.max_instance_hours) == (timedelta(hours=1), 20)
    assert (demo.price_per_hour, demo.warn_before_end) == (0.0765, timedelta(minutes=15))
    assert (demo.alarm_email, demo.alarm_topic) == ("admin@example.edu", None)


def test_every_key_is_in_the_example() -> None:
    text = (ROOT / "annexes.toml").read_text(encoding="utf-8")
    missing = [key for key in AnnexSpec.model_fields if not re.search(rf"\b{key}\b", text)]
    assert missing == []


def test_defaults_of_an_annex(read_annex: ReadAnnex) -> None:
    annex = read_annex().annexes["demo"]
    assert annex.max_lifetime == timedelta(hours=16)
    assert (annex.grace, annex.idle_timeout, annex.join_timeout) == tuple(
        timedelta(minutes=minutes) for minutes in (15, 20, 15)
    )
    assert annex.drain_before_end == timedelta(minutes=2)
    assert (annex.renew_while_busy, annex.max_instance_hours, annex.price_per_hour) == (None, None, None)
    assert (annex.warn_before_end, annex.alarm_email, annex.alarm_topic) == (timedelta(minutes=15), None, None)
    assert (annex.account, annex.vpc, annex.subnets) == (None, None, ())
    assert (annex.on_demand_base, annex.on_demand_percentage) == (0, 0)
    assert (annex.volume_gib, annex.root_device) == (20, "/dev/xvda")


def test_the_default_maximum_lifetime_is_within_the_longest_lease(read_annex: ReadAnnex) -> None:
    assert read_annex(lease='"366d"').annexes["demo"].max_lifetime == timedelta(days=366)


def test_an_annex_cannot_be_changed(read_annex: ReadAnnex) -> None:
    spec = read_annex()
    with pytest.raises(ValidationError, match="frozen"):
        spec.annexes["demo"].size = 3
    with pytest.raises(TypeError):
        spec.annexes["demo"] = spec.annexes["demo"]  # type: ignore[index]


def test_an_annex_overrides_the_defaults(read: Read) -> None:
    spec = read(f'{POOL}{DEFAULTS}[annex.a]\n{KEYS}[annex.b]\n{KEYS}region = "eu-west-1"\nlease = "1h"\n')
    assert [annex.region for annex in spec.annexes.values()] == ["us-east-1", "eu-west-1"]
    assert [annex.max_lifetime for annex in spec.annexes.values()] == [timedelta(hours=16), timedelta(hours=2)]


def test_an_absolute_end_replaces_the_lease_of_the_defaults(read: Read) -> None:
    end = 'lease_ends_at = 2030-06-01T08:00:00Z\nmax_lifetime = "30d"\n'
    assert read(f"{POOL}{DEFAULTS}[annex.a]\n{KEYS}{end}").annexes["a"].lease is None


def test_a_vpc_is_never_mixed_with_the_subnets_of_the_defaults(read: Read) -> None:
    assert read(f"{POOL}{DEFAULTS}{VPC}{SUBNETS}[annex.a]\n{KEYS}").annexes["a"].subnets == ("subnet-01234567",)
    with pytest.raises(SpecError, match="vpc and subnets together"):
        read(f'{POOL}{DEFAULTS}{VPC}{SUBNETS}[annex.a]\n{KEYS}vpc = "vpc-76543210"\n')


@pytest.mark.parametrize(
    ("keys", "key", "allowed"),
    [
        ({"lease": None}, "lease", "exactly one of lease and lease_ends_at"),
        ({"lease_ends_at": "2030-06-01T08:00:00Z"}, "lease", "exactly one of lease and lease_ends_at"),
        ({"lease": None, "lease_ends_at": "2030-06-01T08:00:00Z"}, "max_lifetime", "required with lease_ends_at"),
        ({"max_lifetime": '"7h59m59s"'}, "max_lifetime", "the lease, 8h, or more"),
        ({"lease": '"1h"', "drain_before_end": '"1h"'}, "drain_before_end", "less than the lease, 1h"),
        (
            {"renew_while_busy": '"10m"', "drain_before_end": '"121s"'},
            "renew_while_busy",
            "10m2s or more: twice drain_before_end, 2m1s",
        ),
        (
            {"renew_while_busy": '"2h"', "drain_before_end": '"1h"'},
            "renew_while_busy",
            "2h6m or more: twice drain_before_end, 1h",
        ),
        ({"warn_before_end": '"8h"'}, "warn_before_end", "less than the lease, 8h"),
        ({"alarm_email": '"a@example.edu"', "alarm_topic": f'"{TOPIC}"'}, "alarm_email", "at most one of"),
        ({"alarm_topic": f'"{TOPIC}"', "region": '"eu-west-1"'}, "alarm_topic", "in the annex's Region, eu-west-1"),
        ({"on_demand_base": "3"}, "on_demand_base", "from 0 to the size, 2"),
        ({"vpc": '"vpc-01234567"'}, "subnets", "vpc and subnets together"),
        ({"subnets": '["subnet-01234567"]'}, "vpc", "vpc and subnets together"),
        ({"vpc": '"shared"', "subnets": '["subnet-01234567"]'}, "subnets", 'no subnets with vpc = "shared"'),
    ],
)
def test_keys_that_do_not_go_together(
    read_annex: ReadAnnex, keys: dict[str, str | None], key: str, allowed: str
) -> None:
    with pytest.raises(SpecError) as caught:
        read_annex(**keys)
    (problem,) = caught.value.problems
    assert problem.key == key
    assert allowed in problem.allowed


@pytest.mark.parametrize("key", ["region", "size", "instance_types"])
def test_a_required_key_is_missing(read_annex: ReadAnnex, key: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_annex(**{key: None})
    (problem,) = caught.value.problems
    assert (problem.key, problem.received) == (key, "nothing")
    assert problem.fix.startswith(f"{key} = ")


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        (f"{POOL}[default]\n[annex.a]\n", "did you mean defaults?"),
        (f"{POOL}[zzz]\n[annex.a]\n", "remove zzz"),
        (f"{POOL}port = 1\n", "remove port"),
        (f"{POOL}[annex.a]\ninstance_type = []\n", "did you mean instance_types?"),
        (f'{POOL}[annex.a]\nname = "b"\n', "did you mean name?"),
        (f'{POOL}[defaults]\nname = "b"\n', "remove name"),
        (f"{POOL}[defaults]\nleas = 1\n", "did you mean lease?"),
    ],
)
def test_unknown_keys_are_refused_with_the_nearest(read: Read, text: str, fix: str) -> None:
    with pytest.raises(SpecError) as caught:
        read(text)
    assert (fix if "did you mean name?" not in fix else "remove name") in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "[pool] collector"),
        (POOL, "at least one annex"),
        (f"annex = 3\n{POOL}", "a table"),
        (f"{POOL}[annex]\ndemo = 3\n", "write [annex.demo] and its keys below it"),
        (f"defaults = []\n{POOL}", "write [defaults] and its keys below it"),
        ("[pool\n", "line 1"),
        (f"{POOL}[annex.a]\n[annex.a]\n", "Cannot declare"),
    ],
)
def test_a_file_of_another_shape(read: Read, text: str, said: str) -> None:
    with pytest.raises(SpecError, match=re.escape(said)):
        read(text)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="No such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(SpecError, match="Is a directory"):
        load(tmp_path)
    (tmp_path / "latin").write_bytes(b"# caf\xe9\n")
    with pytest.raises(SpecError, match="not UTF-8"):
        load(tmp_path / "latin")


def test_a_wrong_default_is_reported_once_and_where_it_stands(read: Read) -> None:
    with pytest.raises(SpecError) as caught:
        read(f'{POOL}{DEFAULTS}idle_timeout = "20"\n[annex.a]\n{KEYS}[annex.b]\n{KEYS}')
    assert [(problem.table, problem.key) for problem in caught.value.problems] == [("[defaults]", "idle_timeout")]


def test_a_wrong_default_that_every_annex_overrides_is_still_reported(read: Read) -> None:
    with pytest.raises(SpecError, match=r"\[defaults\] size"):
        read(f"{POOL}{DEFAULTS}size = 0\n[annex.a]\n{KEYS}")


def test_every_problem_is_said_at_once(read: Read, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read(f'{POOL}{DEFAULTS}idle_timeout = "20"\n[annex.a]\nsize = "2"\ninstance_type = ["c6a.large"]\n')
    assert (
        str(caught.value)
        == f"""{tmp_path}/annexes.toml: 4 problems
  [defaults] idle_timeout
    received: "20"
    allowed:  a duration with units d, h, m, s, largest first, such as "8h", "15m", "90s", "1h30m" or "2d"; \
from 30s to 7d
    fix:      idle_timeout = "20m"
  [annex.a] size
    received: "2"
    allowed:  a whole number of instances from 1 to 10000
    fix:      size = 2
  [annex.a] instance_types
    received: nothing
    allowed:  1 to 40 different EC2 instance types
    fix:      instance_types = ["c6a.large", "c6i.large"]
  [annex.a] instance_type
    received: ["c6a.large"]
    allowed:  the keys region, account, image, htcondor, components, script, size, lease, lease_ends_at, max_lifetime, \
grace, drain_before_end, idle_timeout, join_timeout, renew_while_busy, protect_busy, max_instance_hours, \
price_per_hour, warn_before_end, alarm_email, alarm_topic, opt_in, owners, groups, project_id, start, \
instance_types, on_demand_base, on_demand_percentage, vpc, subnets, ipv6, dns_servers, proxy, htcondor_mirror, \
package_mirror, volume_gib, root_device, tags, volume_key, credential_key, permissions_boundary, role_path
    fix:      did you mean instance_types?"""
    )


def test_asking_for_an_annex_that_is_not_declared(read_annex: ReadAnnex, tmp_path: Path) -> None:
    spec = read_annex()
    assert spec.annex("demo") is spec.annexes["demo"]
    with pytest.raises(SpecError) as caught:
        spec.annex("dmo")
    assert (
        str(caught.value)
        == f"""{tmp_path}/annexes.toml: 1 problem
  name of the annex
    received: "dmo"
    allowed:  demo
    fix:      did you mean demo?"""
    )
    with pytest.raises(SpecError, match=r"add a table \[annex.zzz\]"):
        spec.annex("zzz")


def test_a_long_value_is_shortened(read_annex: ReadAnnex) -> None:
    with pytest.raises(SpecError) as caught:
        read_annex(region='"' + "x" * 500 + '"')
    assert len(caught.value.problems[0].received) == 100


def test_loading_needs_neither_the_cdk_nor_boto3() -> None:
    code = "import sys, annex_spec; sys.exit(any(m.split('.')[0] in ('aws_cdk', 'jsii', 'boto3') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
