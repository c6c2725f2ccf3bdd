"""Each rule that a construct checks is checked by the spec first, and what the spec accepts is synthesised.

The checks are found in the source of the constructs. A new one fails here until its way through the spec is known.
"""

from __future__ import annotations

import ast
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from annex_lease.forms import ANNEX_NAME, EMAIL, SUBNET
from annex_lease.image_rules import image_region_conflict
from annex_lease.instance_types import architecture, architectures, unusable
from annex_lease.regions import KNOWN_REGIONS, partition
from annex_lease.stock_images import IMAGE_FAMILIES
from annex_lease.terms import INSTANCE_TYPES, SUBNETS
from annex_spec import AnnexSpec, BaseSpec, PoolSpec
from stacks import AnnexStack
from tests.synth.templates import OWN_NETWORK, of_type
from tests.unit.aws_names import instance_type_names
from tests.unit.project_files import sources

CHECKS = {"invalid_value", "check_form", "check_whole_number", "seconds", "_check", "_span"}
CHECKS |= {"check_texts", "check_types", "check_conflicts"}
POOL = {"collector": "cm.example.edu", "trust_domain": "example.edu"}
ABSOLUTE = {"lease": None, "lease_ends_at": "2030-06-01T08:00:00Z"}
TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"

Keys = dict[str, Any]
# Values that break a rule, and the key that the spec names; or why no spec can break it.
Reach = tuple[Keys, str] | str
NO_KEY = "the stacks pass no such parameter"
ONE_OF_ONE = "a stack of the app has one annex, with one lease and one fleet"
NO_TOKEN = "the spec has names of types, which are known"
CALLED = "a part of other checks, which are listed"
TWO_ARCHITECTURES: Reach = ({"instance_types": ("c6a.large", "c6g.large")}, "instance_types")
PROJECT, START = ({"project_id": "a b"}, "project_id"), ({"start": "true)"}, "start")
BY_SPEC: dict[str, list[Reach]] = {
    "alarm_topic.py invalid_value(parameter)": [
        ({"alarm_email": "a@example.edu", "alarm_topic": TOPIC}, "alarm_email"),
        ({"alarm_topic": f"{TOPIC}.fifo"}, "alarm_topic"),
    ],
    "annex_credential.py invalid_value('AnnexFleet credential')": [ONE_OF_ONE],
    "annex_credential.py invalid_value(parameter)": [
        ({"credential_key": "arn:aws:kms:us-east-1:123456789012:alias/annex"}, "credential_key"),
    ],
    "alarm_topic.py check_form('AlarmTopic email')": [({"alarm_email": "admin"}, "alarm_email")],
    "annex.py check_form('Annex credential_arn')": [NO_KEY],
    "multipart_user_data.py invalid_value('ExecutionPointUserData part')": [NO_KEY],
    "annex_base.py check_whole_number('AnnexBase max_removals')": [({"max_removals": -1}, "max_removals")],
    "annex_base.py invalid_value('AnnexBase interval')": [NO_KEY],
    "annex_base.py seconds('AnnexBase interval')": [NO_KEY],
    "execution_point.py check_whole_number('ExecutionPoint volume_gib')": [({"volume_gib": 0}, "volume_gib")],
    "execution_point.py check_form('ExecutionPoint root_device')": [({"root_device": "xvda"}, "root_device")],
    "execution_point.py seconds(f'ExecutionPoint {span.name}')": [({"idle_timeout": "29s"}, "idle_timeout")],
    "execution_point.py check_form(f'ExecutionPoint {term.name}')": [({"proxy": "proxy"}, "proxy"), PROJECT],
    "declared_values.py invalid_value(parameter)": [CALLED, CALLED, CALLED, TWO_ARCHITECTURES],
    "declared_values.py invalid_value(f'{type(given).__name__} {conflict.name}')": [CALLED],
    "execution_point.py check_texts('ExecutionPoint components')": [({"components": ("gpu",)}, "components")],
    "execution_point.py check_conflicts(self)": [({"components": ("apptainer",)}, "components"), START],
    "execution_point.py check_texts(f'ExecutionPoint {names.name}')": [({"owners": ("a b",)}, "owners")],
    "execution_point.py invalid_value('ExecutionPoint dns_servers')": [({"dns_servers": ("dns",)}, "dns_servers")],
    "fleet_group.py check_whole_number('AnnexFleet max_size')": [({"size": 0}, "size")],
    "fleet_group.py check_whole_number('AnnexFleet on_demand_base')": [({"on_demand_base": 3}, "on_demand_base")],
    "fleet_group.py check_whole_number('AnnexFleet on_demand_percentage')": [
        ({"on_demand_percentage": 101}, "on_demand_percentage"),
    ],
    "annex_fleet.py check_types('AnnexFleet instance_types')": [({"instance_types": ()}, "instance_types")],
    "launch_template.py invalid_value('ExecutionPoint machine_image')": [
        ({"image": "ssm:/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base"}, "image"),
        ({"image": "ssm:/aws/service/debian/release/13/latest/arm64"}, "image"),
    ],
    "stock_image.py invalid_value('StockImage')": [({"image": "debian-12"}, "image")],
    "stock_image.py invalid_value('AnnexFleet instance_types')": [NO_TOKEN],
    "stock_image.py invalid_value(_PARAMETER)": [
        ({"image": "debian-13", "instance_types": ("c6g.large",)}, "image"),
        "the account of the credentials is looked for before, see stacks/places.py",
        ({"image": "rocky-9", "region": "us-gov-west-1"}, "image"),
    ],
    "identity.py invalid_value(f'{owner} annex_name')": [({"name": "Demo"}, "name")],
    "identity.py invalid_value(f'{kind.__name__} {parameter}')": ["the tables of a file have different names"],
    "instance_permissions.py invalid_value('Annex protect_busy')": [
        ({"renew_while_busy": "1h", "protect_busy": False}, "protect_busy"),
    ],
    "instance_permissions.py invalid_value('AnnexFleet role')": [NO_KEY],
    "lease_checker.py invalid_value('LeaseChecker fleet')": [ONE_OF_ONE],
    "lease_declaration.py _check(fleet)": [CALLED],
    "lease_declaration.py check_whole_number('LeaseChecker size')": [({"size": 10_001}, "size")],
    "lease_declaration.py invalid_value('LeaseChecker lease')": ["`Annex` checks protect_busy itself"],
    "lease_declaration.py invalid_value('LeaseChecker fleet')": [ONE_OF_ONE],
    "lease_metrics.py seconds(CHECK_PERIOD)": ["the seconds of a term, no check"],
    "network.py invalid_value('Annex vpc_subnets')": [({"subnets": ("subnet-01234567",)}, "vpc")],
    "lease_terms.py _span('duration')": [({"lease": "59s"}, "lease")],
    "lease_terms.py _span('warn_before_end')": [({"warn_before_end": "59s"}, "warn_before_end")],
    "lease_terms.py _span('grace')": [({"grace": "3h"}, "grace")],
    "lease_terms.py _span('max_lifetime')": [({"max_lifetime": "367d"}, "max_lifetime")],
    "lease_terms.py _span('renew_while_busy')": [({"renew_while_busy": "9m"}, "renew_while_busy")],
    "lease_terms.py _check('max_lifetime')": [(ABSOLUTE, "max_lifetime"), ({"max_lifetime": "1h"}, "max_lifetime")],
    "lease_terms.py _check('warn_before_end')": [({"warn_before_end": "8h"}, "warn_before_end")],
    "lease_terms.py _check('drain_before_end')": [({"lease": "2m"}, "drain_before_end")],
    "lease_terms.py _check('renew_while_busy')": [
        ({"renew_while_busy": "10m", "drain_before_end": "1h"}, "renew_while_busy"),
    ],
    "lease_terms.py check_whole_number('LeaseTerms max_instance_hours')": [
        ({"max_instance_hours": 0}, "max_instance_hours"),
    ],
    "lease_terms.py invalid_value('LeaseTerms duration, ends_at')": [({"lease": None}, "lease")],
    "lease_terms.py invalid_value('LeaseTerms ends_at')": [
        ({**ABSOLUTE, "lease_ends_at": "2030-06-01T08:00:00", "max_lifetime": "1d"}, "lease_ends_at"),
    ],
    "lease_terms.py invalid_value(f'{owner} {name}')": [CALLED],
    "lease_terms.py seconds(f'LeaseTerms {name}')": [CALLED],
    "pool.py check_form('Pool trust_domain')": [({"trust_domain": "a b"}, "trust_domain")],
    "pool.py invalid_value('Pool access_point_ports')": [({"access_point_ports": (0,)}, "access_point_ports")],
    "pool.py invalid_value('Pool collector')": [
        ({"collector": "cm:0"}, "collector"),
        ({"collector": "127.0.0.1"}, "collector"),
    ],
    "role_settings.py check_form('RoleSettings permissions_boundary')": [
        ({"permissions_boundary": "Boundary"}, "permissions_boundary"),
    ],
    "role_settings.py check_form('RoleSettings role_path')": [({"role_path": "team"}, "role_path")],
}
REACHED = [(rule, *each) for rule, reaches in BY_SPEC.items() for each in reaches if not isinstance(each, str)]


def checks(*, of_images: bool = False) -> Counter[str]:
    """Every call of a check in the constructs, with its first argument; test_rules_of_images.py has those of images."""
    found: Counter[str] = Counter()
    for path in sources("annex_constructs"):
        if path.name == "errors.py" or (path.parent.name == "image") != of_images:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CHECKS and node.args:
                found[f"{path.name} {node.func.id}({ast.unparse(node.args[0])})"] += 1
    return found


def test_every_check_of_the_constructs_is_known() -> None:
    assert checks() == Counter({rule: len(reaches) for rule, reaches in BY_SPEC.items()})


@pytest.mark.parametrize(("rule", "keys", "named"), REACHED)
def test_the_spec_refuses_what_the_constructs_would(rule: str, keys: Keys, named: str) -> None:
    model: type[PoolSpec | BaseSpec | AnnexSpec] = AnnexSpec
    values = {**OWN_NETWORK, **keys}
    if keys.keys() <= PoolSpec.model_fields.keys():
        model, values = PoolSpec, {**POOL, **keys}
    elif keys.keys() <= BaseSpec.model_fields.keys() - AnnexSpec.model_fields.keys():
        model, values = BaseSpec, keys
    written = {key: value for key, value in values.items() if value is not None}
    if isinstance(written.get("lease_ends_at"), str):
        written["lease_ends_at"] = datetime.fromisoformat(written["lease_ends_at"])
    with pytest.raises(ValidationError) as refused:
        model.model_validate(written)
    assert named in str(refused.value), rule


USABLE = [name for name in instance_type_names() if not unusable(name)]

LOOKED_UP = {each.name for each in IMAGE_FAMILIES.values() if each.owner}


@st.composite
def types(draw: st.DrawFn) -> tuple[str, ...]:
    wanted = draw(st.sampled_from(["arm64", "x86_64"]))
    names = [name for name in USABLE if architecture(name) == wanted]
    return tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=INSTANCE_TYPES.maximum, unique=True)))


NAMES = st.from_regex(r"[A-Za-z0-9_.-]{1,20}", fullmatch=True).filter(
    lambda each: each[:3].lower() not in ("aws", "ssm")
)
PATHS = st.lists(NAMES, min_size=1, max_size=15).map(lambda parts: "/" + "/".join(parts))
VERSIONS = st.just("") | st.integers(1, 999).map(":{}".format)
HOSTS = st.sampled_from(
    ["cm", "cm.example.edu:1", "10.0.0.1", "[2001:db8::1]:9618", "cm?sock=a_b", "<[2001:db8::2]:9?noUDP>"]
)
POOLS = st.builds(
    lambda hosts, domain: {"collector": ", ".join(hosts), "trust_domain": domain},
    st.lists(HOSTS, min_size=1, max_size=9),
    st.from_regex("[]A-Za-z0-9._:;+=~!#%&()<>?{}|^[-]{1,253}", fullmatch=True),
)
TAG_TEXTS = st.from_regex("[A-Za-z0-9+=._:@-]{1,30}", fullmatch=True).filter(lambda each: each.strip("._") != "")
NETWORKS: st.SearchStrategy[Keys] = st.just({}) | st.lists(
    st.from_regex(SUBNET.pattern, fullmatch=True), min_size=1, max_size=SUBNETS.maximum, unique=True
).map(lambda subnets: {"vpc": "vpc-01234567", "subnets": tuple(subnets)})


def images(region: str, types: tuple[str, ...]) -> st.SearchStrategy[str]:
    shared = PATHS.map(lambda each: f"ssm:arn:{partition(region)}:ssm:{region}:123456789012:parameter{each}")
    named = st.builds(lambda each, version: f"ssm:{each}{version}", NAMES | PATHS, VERSIONS)
    fitting = [each.name for each in IMAGE_FAMILIES.values() if {*architectures(types)} <= {*each.architectures}]
    stock = [name for name in fitting if not image_region_conflict(name, region)] + ["built:debian"]
    ids = st.from_regex("ami-[0-9a-f]{17}", fullmatch=True)
    found = st.one_of(ids, named, shared, st.sampled_from(stock))
    return found.filter(lambda each: "windows" not in each.lower())


def alarms(region: str) -> st.SearchStrategy[Keys]:
    topics = st.just(f"arn:{partition(region)}:sns:{region}:012345678901")
    names = st.from_regex("[A-Za-z0-9_-]{1,256}", fullmatch=True)
    emails = st.from_regex(EMAIL.pattern.replace("{0,61}", "{0,5}"), fullmatch=True)
    return st.one_of(
        st.just({}),
        emails.map(lambda each: {"alarm_email": each}),
        st.builds(lambda each, name: {"alarm_topic": f"{each}:{name}"}, topics, names),
    )


@st.composite
def accepted(draw: st.DrawFn) -> tuple[PoolSpec, AnnexSpec]:
    """A pool and an annex of any form that the spec accepts."""
    region = draw(st.sampled_from(KNOWN_REGIONS) | st.sampled_from(["nz-north-1", "us-south-12"]))
    key = f"arn:{partition(region)}:kms:{region}:123456789012:key/mrk-{'0a' * 16}"
    optional = {
        "volume_key": st.just(key),
        "credential_key": st.just(key),
        "permissions_boundary": st.just(f"arn:{partition(region)}:iam::012345678901:policy/a/b"),
        "role_path": st.sampled_from(["/", "/a/", "/a/b/"]),
        "ipv6": st.booleans(),
        "tags": st.dictionaries(TAG_TEXTS, TAG_TEXTS, max_size=5),
        "account": st.just("012345678901"),
        "root_device": st.sampled_from(["/dev/sda1", "/dev/xvda", "/dev/xvdaa12"]),
        "name": st.from_regex(ANNEX_NAME.pattern, fullmatch=True).filter(ANNEX_NAME.matches),
    }
    chosen = draw(st.fixed_dictionaries({}, optional=optional)) | draw(alarms(region)) | draw(NETWORKS)
    usable = draw(types())
    image = draw(images(region, usable))
    place = {"account": "012345678901"} if image in LOOKED_UP else {}
    keys = {**OWN_NETWORK, "region": region, "image": image, "instance_types": usable, **chosen, **place}
    return PoolSpec.model_validate(draw(POOLS)), AnnexSpec.model_validate(keys)


# A template takes a second, so an example that fails is not made smaller.
@settings(max_examples=25, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(accepted())
def test_what_the_spec_accepts_is_synthesised(flags: dict[str, Any], spec: tuple[PoolSpec, AnnexSpec]) -> None:
    pool, annex = spec
    template = Template.from_stack(AnnexStack(App(context=flags), pool=pool, annex=annex)).to_json()
    assert len(of_type(template["Resources"], "AWS::AutoScaling::AutoScalingGroup")) == 1
