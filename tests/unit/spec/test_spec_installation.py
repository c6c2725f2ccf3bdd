"""Stock images and what is installed on them: defaults, and every mistake that is known when the file is loaded."""

from __future__ import annotations

import pytest

from annex_lease.components import COMPONENTS
from annex_lease.stock_images import IMAGE_FAMILIES
from annex_spec import SpecError
from annex_spec.problem import Problem
from tests.unit.spec.spec_texts import ANNEX, POOL, Read, ReadAnnex

AMI = '"ami-0123456789abcdef0"'
MIRROR = '"https://mirror.example.edu/htcondor"'


def problem_of(read_annex: ReadAnnex, **keys: str | None) -> Problem:
    with pytest.raises(SpecError) as caught:
        read_annex(**keys)
    (problem,) = caught.value.problems
    assert problem.table == "[annex.demo]"
    return problem


def test_without_an_image_it_is_debian(read_annex: ReadAnnex) -> None:
    annex = read_annex(image=None).annexes["demo"]
    assert (annex.image, annex.htcondor, annex.components) == ("debian-13", "25.0", ())
    assert (annex.htcondor_mirror, annex.package_mirror, annex.root_device) == (None, None, "/dev/xvda")


@pytest.mark.parametrize("name", IMAGE_FAMILIES)
def test_a_stock_image_has_its_root_device_and_installs_htcondor(read_annex: ReadAnnex, name: str) -> None:
    annex = read_annex(image=f'"{name}"').annexes["demo"]
    assert (annex.image, annex.htcondor) == (name, "25.0")
    assert annex.root_device == IMAGE_FAMILIES[name].root_device
    other = read_annex(image=f'"{name}"', htcondor='"25.x"', root_device='"/dev/sdb"').annexes["demo"]
    assert (other.htcondor, other.root_device) == ("25.x", "/dev/sdb")


@pytest.mark.parametrize("image", [AMI, '"ssm:/images/annex"', '"built:debian"'])
def test_another_image_is_as_it_is(read: Read, image: str) -> None:
    lines = [f"{key} = {value}" for key, value in {**ANNEX, "image": image}.items()]
    annex = read("\n".join([POOL, '[image.debian]\nregion = "us-east-1"', "[annex.demo]", *lines])).annexes["demo"]
    assert (annex.htcondor, annex.root_device) == ("image", "/dev/xvda")


@pytest.mark.parametrize("image", [AMI, '"ssm:/images/annex"'])
def test_on_another_image_everything_can_be_installed(read_annex: ReadAnnex, image: str) -> None:
    wanted = str(list(COMPONENTS))
    annex = read_annex(
        image=image, htcondor='"25.x"', components=wanted, htcondor_mirror=MIRROR, package_mirror=MIRROR
    ).annexes["demo"]
    assert annex.components == tuple(COMPONENTS)
    assert annex.htcondor_mirror == annex.package_mirror == MIRROR.strip('"')


@pytest.mark.parametrize(
    ("image", "fix"),
    [
        ("debian-12", 'did you mean "debian-13"?'),
        ("ubuntu", 'did you mean "ubuntu-24.04"?'),
        ("rhel-9", 'did you mean "almalinux-9" or "rocky-9"?'),
        ("windows-2022", 'image = "debian-13"'),
        ("built:", 'image = "debian-13"'),
        ("built:Debian", 'image = "built:debian"'),
        ("BUILT:debian", 'image = "built:debian"'),
        ("built:debian ", 'image = "built:debian"'),
        (" debian-13", 'image = "debian-13"'),
        ("Debian-13", 'image = "debian-13"'),
        ("SSM:/Images/Annex", 'image = "ssm:/Images/Annex"'),
        ("AMI-0123456789ABCDEF0", 'image = "ami-0123456789abcdef0"'),
        ("Built:-x", 'image = "debian-13"'),
        ("debian-13:3", 'image = "debian-13"'),
        ("ami-1", 'image = "debian-13"'),
    ],
)
def test_an_image_that_does_not_exist(read_annex: ReadAnnex, image: str, fix: str) -> None:
    problem = problem_of(read_annex, image=f'"{image}"')
    assert (problem.key, problem.received, problem.fix) == ("image", f'"{image}"', fix)
    assert problem.allowed.startswith("a stock image: debian-13, ubuntu-24.04, amazon-linux-2023, almalinux-9, rocky-9")


@pytest.mark.parametrize("image", ["debian-13", "amazon-linux-2023"])
def test_types_for_which_htcondor_has_no_packages(read_annex: ReadAnnex, image: str) -> None:
    problem = problem_of(read_annex, image=f'"{image}"', instance_types='["c6g.large"]')
    assert (problem.key, problem.received) == ("image", f'"{image}"')
    assert problem.allowed == (
        "an image for arm64, the architecture of the instance types; HTCondor has packages for "
        f"{IMAGE_FAMILIES[image].title} on x86_64 only"
    )
    assert problem.fix == 'name "ubuntu-24.04" or "almalinux-9" or "rocky-9", or types for x86_64'


@pytest.mark.parametrize("image", ["ubuntu-24.04", "almalinux-9", "rocky-9"])
@pytest.mark.parametrize("types", ['["c6g.large"]', '["c6a.large"]'])
def test_types_of_both_architectures(read_annex: ReadAnnex, image: str, types: str) -> None:
    assert read_annex(image=f'"{image}"', instance_types=types)


@pytest.mark.parametrize("image", ["almalinux-9", "rocky-9"])
@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_an_image_that_is_published_in_another_partition(read_annex: ReadAnnex, image: str, region: str) -> None:
    problem = problem_of(read_annex, image=f'"{image}"', region=f'"{region}"')
    assert problem.key == "image"
    assert problem.allowed.endswith(f": {IMAGE_FAMILIES[image].title} is published from an account of another")
    assert problem.fix == f"name the id of an image in {region}"
    assert read_annex(image=f'"{image}"', region='"nz-north-1"')
    assert read_annex(image='"debian-13"', region=f'"{region}"')


@pytest.mark.parametrize(
    ("keys", "key", "received", "allowed", "fix"),
    [
        (
            {"image": '"debian-13"', "htcondor": '"image"'},
            *("htcondor", '"image"', '"25.0" or "25.x": the stock image of Debian 13 has no HTCondor'),
            "remove htcondor, or name an image with HTCondor",
        ),
        (
            {"image": '"built:debian"', "htcondor": '"25.0"'},
            *("htcondor", '"25.0"', '"image", because the image is built with HTCondor'),
            'htcondor = "image"; the table of the image has the series',
        ),
        (
            {"image": AMI, "components": '["osg"]'},
            *("components", '["osg"]', 'no components with htcondor = "image", which installs nothing'),
            "remove components, build an image with it, or name a stock image",
        ),
        (
            {"image": '"built:debian"', "components": '["osg"]'},
            *("components", '["osg"]', 'no components with htcondor = "image", which installs nothing'),
            "write components in the table of the image, and components = [] here",
        ),
        (
            {"image": AMI, "htcondor_mirror": MIRROR},
            *("htcondor_mirror", MIRROR, 'no htcondor_mirror with htcondor = "image", which installs nothing'),
            "remove htcondor_mirror, build an image with it, or name a stock image",
        ),
        (
            {"image": AMI, "package_mirror": MIRROR},
            *("package_mirror", MIRROR, 'no package_mirror with htcondor = "image", which installs nothing'),
            "remove package_mirror, build an image with it, or name a stock image",
        ),
        (
            {"image": '"debian-13"', "components": '["apptainer", "osg"]'},
            *(
                "components",
                '["apptainer", "osg"]',
                "components of Debian 13: cvmfs, docker, nvidia, pelican",
            ),
            "remove apptainer, osg, or name the image almalinux-9 or rocky-9",
        ),
        (
            {"image": '"amazon-linux-2023"', "package_mirror": MIRROR},
            *("package_mirror", MIRROR, "no mirror for Amazon Linux 2023, whose packages are in Amazon S3"),
            "remove package_mirror; an endpoint for S3 is enough",
        ),
    ],
)
def test_an_installation_that_cannot_work(
    read_annex: ReadAnnex, keys: dict[str, str], key: str, received: str, allowed: str, fix: str
) -> None:
    problem = problem_of(read_annex, **keys)
    assert (problem.key, problem.received, problem.fix) == (key, received, fix)
    assert problem.allowed.startswith(allowed)


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("image", IMAGE_FAMILIES)
def test_a_component_is_refused_exactly_where_the_system_lacks_it(
    read_annex: ReadAnnex, component: str, image: str
) -> None:
    keys = {"image": f'"{image}"', "components": f'["{component}"]'}
    if image in COMPONENTS[component]:
        assert read_annex(**keys).annexes["demo"].components == (component,)
    else:
        problem = problem_of(read_annex, **keys)
        assert (problem.key, problem.received) == ("components", keys["components"])
        assert problem.fix == f"remove {component}, or name the image {' or '.join(COMPONENTS[component])}"


@pytest.mark.parametrize("series", ['"24.0"', '"25"', "25.0", '"25.1"', '"latest"', "25"])
def test_a_series_that_does_not_exist(read_annex: ReadAnnex, series: str) -> None:
    problem = problem_of(read_annex, image=None, htcondor=series)
    assert (problem.key, problem.received, problem.fix) == ("htcondor", series, 'htcondor = "25.0"')
    assert problem.allowed == 'the series to install, "25.0" or "25.x"; or "image" for the HTCondor of the image'


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("nvida", "nvidia"),
        ("Docker", "docker"),
        ("osg ", "osg"),
        ("cuda", "nvidia"),
        ("gpu", "nvidia"),
        ("podman", "docker"),
        ("singularity", "apptainer"),
        ("OSDF", "pelican"),
    ],
)
def test_a_component_that_is_likely_to_be_meant(read_annex: ReadAnnex, wanted: str, meant: str) -> None:
    problem = problem_of(read_annex, components=f'["cvmfs", "{wanted}"]')
    assert (problem.key, problem.received, problem.fix) == ("components", f'"{wanted}"', f'did you mean "{meant}"?')
    assert "different names of osg, cvmfs" in problem.allowed


@pytest.mark.parametrize("wanted", ['["conda"]', '["osg", "osg"]', '"osg"', "[1]"])
def test_components_that_do_not_exist(read_annex: ReadAnnex, wanted: str) -> None:
    problem = problem_of(read_annex, image='"rocky-9"', components=wanted)
    assert (problem.key, problem.fix) == ("components", 'components = ["docker"]')
    assert problem.allowed == "0 to 6 different names of osg, cvmfs, apptainer, docker, nvidia, pelican"


@pytest.mark.parametrize("key", ["htcondor_mirror", "package_mirror"])
@pytest.mark.parametrize(
    "url",
    [
        "mirror.example.edu",
        "ftp://mirror/a",
        "s3://bucket/a",
        "https://user:secret@mirror/a",
        "https://mirror/a b",
        "https://mirror/$(id)",
        "https://mirror/a;b",
        "https://mirror/a'b",
        "https://mirror:0/a",
        "https://mirror/a?b=c",
        "https://mirror/%2e",
        "https://[2001:db8::1]/a",
    ],
)
def test_a_mirror_that_is_no_plain_url(read_annex: ReadAnnex, key: str, url: str) -> None:
    problem = problem_of(read_annex, **{"image": None, key: f'"{url}"'})
    assert (problem.key, problem.fix) == (key, f"{key} = {MIRROR}")
    assert "without a user" in problem.allowed


def test_an_annex_can_drop_the_components_of_the_defaults(read_annex: ReadAnnex) -> None:
    assert read_annex(image='"rocky-9"', components="[]").annexes["demo"].components == ()
