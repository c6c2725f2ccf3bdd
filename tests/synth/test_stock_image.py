"""Stock images in templates: the parameter or the look-up, the root device, what is installed, and the ports for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from annex_constructs import AnnexSecurityGroup, ExecutionPoint, Pool, StockImage
from annex_lease.stock_images import ARM64, IMAGE_FAMILIES, X86_64
from annex_spec import AnnexSpec
from stacks import warn
from tests.synth.templates import OWN_NETWORK, Resources, annex_stack, feature_flags, only
from tests.synth.test_egress import USUAL, egress_of
from tests.synth.test_fleet_terms import POOL, fleet_with

HERE = Environment(account="123456789012", region="us-east-1")
TYPES = {X86_64: "c6a.large", ARM64: "c6g.large"}
EACH = [(image, architecture) for image in StockImage for architecture in image.family.architectures]
PUBLIC = [each for each in EACH if each[0].family.parameters]
LOOKED_UP = [each for each in EACH if each[0].family.owner]
FOUND = "ami-0fedcba9876543210"


def point_of(image: StockImage, **changes: Any) -> ExecutionPoint:
    return ExecutionPoint(pool=Pool(**POOL), machine_image=image, **changes)


def stack_of(point: ExecutionPoint, architecture: str = X86_64, app: App | None = None, **more: Any) -> Stack:
    stack = Stack(app or App(), "Other", **{"env": HERE, **more})
    types = [ec2.InstanceType(TYPES[architecture])]
    fleet_with(stack, ec2.Vpc(stack, "Vpc", max_azs=2), execution_point=point, instance_types=types)
    return stack


def launch_data(resources: Resources) -> dict[str, Any]:
    return dict(only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"])


def test_the_members_are_the_table() -> None:
    assert [each.value for each in StockImage] == list(IMAGE_FAMILIES)
    for each in StockImage:
        assert each.name == each.value.upper().replace("-", "_").replace(".", "_")
        assert each.family is IMAGE_FAMILIES[each.value]


def test_without_an_image_it_is_debian() -> None:
    point = ExecutionPoint(pool=Pool(**POOL))
    assert point.machine_image is StockImage.DEBIAN_13
    assert (point.image_name, point.htcondor_series, point.image_root_device) == ("debian-13", "25.0", "/dev/xvda")


@pytest.mark.parametrize(("image", "architecture"), PUBLIC)
def test_cloudformation_reads_the_public_parameter_of_the_architecture(image: StockImage, architecture: str) -> None:
    # No account and no Region are needed.
    template = Template.from_stack(stack_of(point_of(image), architecture, env=None)).to_json()
    data = launch_data(template["Resources"])
    parameter = template["Parameters"][data["ImageId"]["Ref"]]
    assert parameter["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    assert parameter["Default"] == image.family.parameters[architecture]


@pytest.mark.parametrize(("image", "architecture"), EACH)
def test_root_device_and_series_follow_from_the_image(image: StockImage, architecture: str) -> None:
    data = launch_data(Template.from_stack(stack_of(point_of(image), architecture)).to_json()["Resources"])
    (volume,) = data["BlockDeviceMappings"]
    assert volume["DeviceName"] == image.family.root_device
    user_data = json.dumps(data["UserData"])
    for line in (f"ANNEX_ROOT_DEVICE={image.family.root_device}", "ANNEX_HTCONDOR=25.0", "ANNEX_COMPONENTS="):
        assert f"{line}\\n" in user_data


def test_what_is_declared_reaches_the_instance() -> None:
    point = point_of(
        StockImage.ROCKY_9,
        htcondor="25.x",
        components=["apptainer"],
        htcondor_mirror="https://mirror.example.edu/htcondor/",
        package_mirror="http://mirror.example.edu",
        root_device="/dev/sdb",
    )
    data = launch_data(Template.from_stack(stack_of(point)).to_json()["Resources"])
    user_data = json.dumps(data["UserData"])
    for line in (
        *("ANNEX_HTCONDOR=25.x", "ANNEX_COMPONENTS=apptainer", "ANNEX_ROOT_DEVICE=/dev/sdb"),
        "ANNEX_HTCONDOR_MIRROR=https://mirror.example.edu/htcondor/",
        "ANNEX_PACKAGE_MIRROR=http://mirror.example.edu",
    ):
        assert f"{line}\\n" in user_data


def assembly(
    directory: Path, image: StockImage, architecture: str, context: dict[str, Any]
) -> tuple[list[dict[str, Any]], str]:
    """The look-ups that are missing, and the template."""
    app = App(outdir=str(directory), context={**feature_flags(), **context})
    stack_of(point_of(image), architecture, app)
    app.synth()
    manifest = json.loads((directory / "manifest.json").read_text())
    return manifest.get("missing", []), (directory / "Other.template.json").read_text()


@pytest.mark.parametrize(("image", "architecture"), LOOKED_UP)
def test_the_newest_image_of_the_publisher_is_looked_up(image: StockImage, architecture: str, tmp_path: Path) -> None:
    missing, _ = assembly(tmp_path / "first", image, architecture, {})
    asked = {each["provider"]: each for each in missing}["ami"]
    props = asked["props"]
    assert (props["account"], props["region"]) == (HERE.account, HERE.region)
    assert props["owners"] == [image.family.owner]
    assert props["filters"] == {
        "name": [image.family.image_name],
        "architecture": [architecture],
        "root-device-type": ["ebs"],
        "virtualization-type": ["hvm"],
        "image-type": ["machine"],
        "state": ["available"],
    }
    # The check of the template, which the project's app has on, does not come before the answer.
    # The answer is in cdk.context.json, and then every synthesis gives the same bytes.
    given = {asked["key"]: FOUND}
    templates = [assembly(tmp_path / name, image, architecture, given) for name in ("second", "third")]
    assert not [each for missing, _ in templates for each in missing if each["provider"] == "ami"]
    assert templates[0][1] == templates[1][1]
    assert launch_data(json.loads(templates[0][1])["Resources"])["ImageId"] == FOUND


@pytest.mark.parametrize("env", [None, Environment(region="us-east-1"), Environment(account="123456789012")])
def test_a_look_up_needs_an_account_and_a_region(env: Environment | None) -> None:
    with pytest.raises(ValueError, match=r"machine_image: received 'StockImage.ROCKY_9 in the stack") as no:
        stack_of(point_of(StockImage.ROCKY_9), env=env)
    assert "allowed a stack whose account and Region are known" in str(no.value)
    others = "StockImage.DEBIAN_13, StockImage.UBUNTU_24_04, StockImage.AMAZON_LINUX_2023"
    assert str(no.value).endswith(f"fix: pass env=Environment(account=..., region=...) to the stack, or use {others}")


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1"])
def test_a_look_up_in_another_partition(region: str) -> None:
    env = Environment(account="123456789012", region=region)
    with pytest.raises(ValueError, match=r"ExecutionPoint machine_image: received .*ALMALINUX_9.* another"):
        stack_of(point_of(StockImage.ALMALINUX_9), env=env)
    assert stack_of(point_of(StockImage.DEBIAN_13), env=env)


@pytest.mark.parametrize("image", [StockImage.DEBIAN_13, StockImage.AMAZON_LINUX_2023])
def test_types_for_which_htcondor_has_no_packages(image: StockImage) -> None:
    with pytest.raises(ValueError, match=r"ExecutionPoint machine_image: received .* an image for arm64"):
        stack_of(point_of(image), ARM64)


def test_a_type_that_only_cloudformation_knows() -> None:
    stack = Stack(App(), "Other", env=HERE)
    types = [ec2.InstanceType(CfnParameter(stack, "Type").value_as_string)]
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    with pytest.raises(ValueError, match=r"AnnexFleet instance_types: received .* a StockImage is of its architecture"):
        fleet_with(stack, vpc, execution_point=point_of(StockImage.UBUNTU_24_04), instance_types=types)
    known = [*types, ec2.InstanceType("c6g.large")]
    fleet_with(stack, vpc, execution_point=point_of(StockImage.UBUNTU_24_04), instance_types=known)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"htcondor": "image"}, "htcondor"),
        ({"htcondor": "24.0"}, "htcondor"),
        ({"components": ["osg"]}, "components"),
        ({"components": ["apptainer", "apptainer"]}, "components"),
        ({"htcondor_mirror": "mirror"}, "htcondor_mirror"),
        ({"package_mirror": "http://user@mirror"}, "package_mirror"),
    ],
)
def test_an_installation_that_cannot_work(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"ExecutionPoint {name}: received .*, allowed .*; fix: "):
        point_of(StockImage.DEBIAN_13, **changes)


def test_with_the_htcondor_of_the_image_nothing_is_installed() -> None:
    image = ec2.MachineImage.generic_linux({"us-east-1": FOUND})
    assert ExecutionPoint(pool=Pool(**POOL), machine_image=image).htcondor_series == "image"
    with pytest.raises(ValueError, match='no components with htcondor = "image"'):
        ExecutionPoint(pool=Pool(**POOL), machine_image=image, components=["osg"])
    point = ExecutionPoint(pool=Pool(**POOL), machine_image=image, htcondor="25.x", components=["osg"])
    assert point.htcondor_series == "25.x"


@pytest.mark.parametrize(
    ("changes", "ports"),
    [
        ({"machine_image": StockImage.DEBIAN_13}, set()),
        ({"machine_image": StockImage.UBUNTU_24_04}, set()),
        ({"htcondor_mirror": "https://mirror.example.edu:8443"}, {8443}),
        ({"htcondor_mirror": "https://mirror:8443", "package_mirror": "http://mirror:8080"}, {8080, 8443}),
        ({"package_mirror": "http://mirror:8080", "proxy": "http://proxy:3128"}, {3128}),
    ],
)
def test_the_own_security_group_lets_instances_install(changes: dict[str, Any], ports: set[int]) -> None:
    point = ExecutionPoint(**{"pool": Pool(**POOL), **changes})
    expected = USUAL | {("tcp", port, port) for port in ports}
    stack = stack_of(point)
    assert egress_of(stack) == {"0.0.0.0/0": expected, "::/0": expected}
    rules = only(Template.from_stack(stack).to_json()["Resources"], "AWS::EC2::SecurityGroup")["SecurityGroupEgress"]
    opened = [(rule.get("CidrIp") or rule["CidrIpv6"], rule["IpProtocol"], rule["FromPort"]) for rule in rules]
    assert len(opened) == len({*opened}), "no port has two rules"


@pytest.mark.parametrize(
    ("image", "plain"), [(StockImage.DEBIAN_13, False), (StockImage.UBUNTU_24_04, True), (StockImage.ROCKY_9, True)]
)
def test_a_group_without_job_ports_is_open_to_plain_mirrors_only_where_the_system_needs_them(
    image: StockImage, plain: bool
) -> None:
    stack = Stack()
    openings = point_of(image).package_openings
    AnnexSecurityGroup(stack, "Group", vpc=ec2.Vpc(stack, "Vpc"), job_ports=[], package_openings=openings)
    without = USUAL - {("tcp", 80, 80)}
    expected = USUAL if plain else without
    assert egress_of(stack) == {"0.0.0.0/0": expected, "::/0": expected}


@pytest.mark.parametrize(("htcondor", "count"), [("image", 1), ("25.0", 0)])
def test_an_image_on_which_nothing_installs_htcondor_is_a_warning(app: App, htcondor: str, count: int) -> None:
    image = "ssm:/aws/service/debian/release/13/latest/amd64"
    spec = {**OWN_NETWORK, "image": image, "htcondor": htcondor}
    warn({"demo": annex_stack(app, spec)}, [AnnexSpec.model_validate(spec)])
    messages = [str(each.entry.data) for each in app.synth().get_stack_artifact("Annex-demo").messages]
    assert len(messages) == count
    assert all("without HTCondor, and nothing is installed" in each for each in messages)


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        ("debian-12", 'StockImage("debian-13")'),
        ("al2023", 'StockImage("amazon-linux-2023")'),
        ("windows", 'StockImage("debian-13")'),
        (None, 'StockImage("debian-13")'),
    ],
)
def test_a_value_of_no_stock_image(value: object, fix: str) -> None:
    with pytest.raises(ValueError, match=r"^StockImage: received ") as refused:
        StockImage(value)
    assert str(refused.value) == f"StockImage: received {value!r}, allowed {', '.join(IMAGE_FAMILIES)}; fix: {fix}"
