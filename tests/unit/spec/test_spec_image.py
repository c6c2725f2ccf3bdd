"""Tables `[image.NAME]`, and annexes that boot a built image."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from annex_lease import terms
from annex_lease.built_forms import built_name, image_parameter
from annex_lease.built_terms import DEFAULT_BUILD_TYPES, IMAGE_KEYS, IMAGE_NAME, PARENT
from annex_lease.duration import format_duration
from annex_lease.kinds import REQUIRED, Number, Span, Term, written
from annex_spec import ImageSpec, SpecError, load_partly
from tests.unit.spec.spec_texts import ANNEX, POOL, Read

US_KEY = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
EU_KEY = US_KEY.replace("us-east-1", "eu-west-1")
CN_KEY = US_KEY.replace("arn:aws:", "arn:aws-cn:")
CN_TOPIC = "arn:aws-cn:sns:us-east-1:123456789012:images"
SHARED = "arn:aws:ssm:eu-west-1:210987654321:parameter/p"
ARM = 'instance_types = ["c7g.large"]'
KEYS = [(term, ImageSpec.model_fields[term.name]) for term in (IMAGE_NAME, *IMAGE_KEYS)]
SMALLEST: dict[str, Any] = {"name": "base", "region": "us-east-1"}


def text_of(image: str, annex: dict[str, str] | None = None, name: str = "base") -> str:
    table = {**ANNEX, **(annex or {})}
    lines = [f"{key} = {value}" for key, value in table.items()]
    return "\n".join([POOL, f"[image.{name}]", 'region = "us-east-1"', image, "[annex.demo]", *lines])


def refusal(read: Read, text: str) -> str:
    with pytest.raises(SpecError) as refused:
        read(text)
    assert len(refused.value.problems) == 1, refused.value
    return str(refused.value)


def test_the_model_has_the_keys_of_the_terms_in_their_order() -> None:
    assert list(ImageSpec.model_fields) == [term.name for term, _ in KEYS]


@pytest.mark.parametrize(("term", "field"), KEYS, ids=lambda each: getattr(each, "name", ""))
def test_words_and_defaults_are_those_of_the_terms(term: Term, field: Any) -> None:
    assert field.description == term.allowed
    assert (field.examples or [])[0] == ("[image.base]" if term is IMAGE_NAME else written(term))
    assert field.is_required() == (term.default_text == REQUIRED)
    if term.default is not None:
        assert getattr(ImageSpec(**SMALLEST), term.name) == term.default


def test_the_smallest_image(read: Read) -> None:
    spec = read(text_of(""))
    (image,) = spec.images.values()
    assert (image.name, image.places, image.parent) == ("base", ("us-east-1",), "debian-13")
    assert (image.instance_types, image.root_device) == (DEFAULT_BUILD_TYPES, "/dev/xvda")
    assert read("\n".join([POOL, "[annex.demo]", *(f"{key} = {value}" for key, value in ANNEX.items())])).images == {}


@pytest.mark.parametrize(
    ("parent", "device"),
    [("ubuntu-24.04", "/dev/sda1"), ("rocky-9", "/dev/sda1"), ("ami-0123456789abcdef0", "/dev/xvda")],
)
def test_the_root_device_is_that_of_the_parent(read: Read, parent: str, device: str) -> None:
    assert read(text_of(f'parent = "{parent}"')).images["base"].root_device == device
    assert read(text_of(f'parent = "{parent}"\nroot_device = "/dev/sdb"')).images["base"].root_device == "/dev/sdb"


@pytest.mark.parametrize("term", [each for each in IMAGE_KEYS if isinstance(each, Span | Number)], ids=lambda t: t.name)
def test_a_value_is_accepted_at_its_bounds_and_refused_beyond(read: Read, term: Span | Number) -> None:
    def line(value: timedelta | int) -> str:
        return f'{term.name} = "{format_duration(value)}"' if isinstance(value, timedelta) else f"{term.name} = {value}"

    annex = {"volume_gib": "16384"}
    for value in (term.minimum, term.maximum):
        assert getattr(read(text_of(line(value), annex)).images["base"], term.name) == value
    one: Any = timedelta(days=1) if isinstance(term, Span) else 1
    for beyond in (term.minimum - one, term.maximum + one):
        assert f"allowed:  {term.allowed}" in refusal(read, text_of(line(beyond), annex))


@pytest.mark.parametrize(
    ("image", "key", "allowed", "fix"),
    [
        ('parent = "debian-14"', "parent", "a stock image: debian-13, ubuntu-24.04", 'did you mean "debian-13"?'),
        ('parent = "built:other"', "parent", "a stock image: debian-13", 'parent = "debian-13"'),
        ('parent = "/my/image"', "parent", "a stock image: debian-13", 'parent = "ssm:/my/image"'),
        (
            f'parent = "ssm:{SHARED}"',
            "parent",
            "a parameter in the Region of the instances, us-east-1",
            "share one in us-east-1",
        ),
        (ARM, "parent", "an image for arm64", 'name "ubuntu-24.04" or'),
        ('parent = "ssm:/aws/service/x/amd64"\n' + ARM, "parent", "an image for arm64", "or types for x86_64"),
        ('instance_types = ["c6a.large", "c7g.large"]', "instance_types", "one processor architecture", "second image"),
        ('components = ["osg"]', "components", "components of Debian 13: cvmfs", "remove osg"),
        ('components = ["osgg"]', "components", "different names of osg", 'did you mean "osg"?'),
        ('components = ["conda"]', "components", "different names of osg", 'components = ["docker"]'),
        ('parent = " Rocky-9"', "parent", "a stock image: debian-13", 'parent = "rocky-9"'),
        ('regions = ["cn-north-1"]', "regions", "the image's partition of AWS, aws", "remove cn-north-1"),
        (
            'regions = ["eu-west-1", "us-gov-west-1", "cn-north-1"]',
            *("regions", "the image's partition of AWS, aws", "remove us-gov-west-1, cn-north-1"),
        ),
        (f'volume_keys = ["{CN_KEY}"]', "volume_keys", "arn:aws: as all of us-east-1", "name one that exists in"),
        (f'results_topic = "{CN_TOPIC}"', "results_topic", "arn:aws: as all of us-east-1", "name one that exists in"),
        ('account = "210987654321"\naccounts = ["210987654321"]', "accounts", "besides the image's own", "remove 2109"),
        (
            f'account = "210987654321"\nshare_with = ["210987654321"]\nvolume_keys = ["{US_KEY}"]',
            *("share_with", "besides the image's own, 210987654321", "remove 210987654321"),
        ),
        ('htcondor = "image"', "htcondor", '"25.0" or "25.x"', 'htcondor = "25.0"'),
        ('regions = ["us-east-1"]', "regions", "besides the image's own, us-east-1", "remove us-east-1"),
        ('regions = ["ue-west-1"]', "regions", "different AWS Regions", 'did you mean "eu-west-1"?'),
        (f'volume_keys = ["{EU_KEY}"]', "volume_keys", "at most one key in each Region", "remove a key of eu-west-1"),
        ('share_with = ["210987654321"]', "share_with", "there is none in us-east-1", "add the keys to volume_keys"),
        ('subnet = "subnet-01234567"', "security_group", "together", 'security_group = "sg-0123456789abcdef0"'),
        ('security_group = "sg-01234567"', "subnet", "together", "or remove security_group"),
        ('schedule = "never"\nbuild_unchanged = true', "build_unchanged", "false with schedule", "remove it"),
        ('schedule = "daily"', "schedule", "monthly, weekly, or never", 'schedule = "monthly"'),
        ('keep_launched = "170h"', "keep_launched", "whole days", 'keep_launched = "7d"'),
        ('test_script = "t.sh"', "test_script", "only with script", "add script"),
        ('script = "../t.sh"', "script", "the path of a file beside the spec file", 'script = "image/tools.sh"'),
        ('script = "/etc/passwd"', "script", "the path of a file beside the spec file", 'script = "image/tools.sh"'),
        ('script = "none.sh"', "script", "a file of 1 to 10000 bytes", "name an existing file"),
        ('results_topic = "arn:aws:sns:eu-west-1:123456789012:t"', "results_topic", "Region, us-east-1", "use a topic"),
        ('package_mirror = "ftp://a"', "package_mirror", "https:// or http://", "package_mirror = "),
        ('parent = "amazon-linux-2023"\npackage_mirror = "https://a"', "package_mirror", "no mirror", "remove"),
        ('permissions_boundary = "arn:aws-cn:iam::aws:policy/b"', "permissions_boundary", "arn:aws:", "us-east-1"),
        ("shedule = 1", "shedule", "the keys region, account", "did you mean schedule?"),
    ],
)
def test_a_wrong_table_is_one_problem(read: Read, image: str, key: str, allowed: str, fix: str) -> None:
    text = refusal(read, text_of(image))
    assert f"  [image.base] {key}\n" in text
    assert allowed in text
    assert fix in text


def test_the_words_about_a_parent_are_not_those_about_an_image(read: Read) -> None:
    assert f"allowed:  {PARENT.allowed}" in refusal(read, text_of('parent = "/my/image"'))


def test_an_image_without_a_schedule_is_built_by_deployments_only(read: Read) -> None:
    image = read(text_of('schedule = "never"')).images["base"]
    assert (image.schedule, image.build_unchanged) == ("never", False)


def test_keys_of_every_region_let_accounts_launch_it(read: Read) -> None:
    keys = f'regions = ["eu-west-1"]\nshare_with = ["210987654321"]\nvolume_keys = ["{US_KEY}"'
    assert "there is none in eu-west-1" in refusal(read, text_of(f"{keys}]"))
    image = read(text_of(f'{keys}, "{EU_KEY}"]')).images["base"]
    assert (image.places, image.share_with) == (("us-east-1", "eu-west-1"), ("210987654321",))
    twice = US_KEY.replace("01234567", "11234567")
    assert "at most one key" in refusal(read, text_of(f'volume_keys = ["{US_KEY}", "{twice}"]'))


@pytest.mark.parametrize("name", ["Base", "a--b", "1a", '"a.b"', "a" * 33])
def test_a_name_has_the_form_of_an_annex(read: Read, name: str) -> None:
    text = refusal(read, text_of("", name=name))
    assert IMAGE_NAME.allowed in text
    assert "rename the table, for example [image.base]" in text


def test_a_table_that_is_none(read: Read) -> None:
    annex = "\n".join(["[annex.demo]", *(f"{key} = {value}" for key, value in ANNEX.items())])
    assert "write [image] and its keys" in refusal(read, f"image = 1\n{POOL}{annex}")
    assert "write [image.base] and its keys" in refusal(read, f"{POOL}{annex}\n[image]\nbase = 1")
    unnamed = refusal(read, f'{POOL}{annex}\n[image]\nregion = "us-east-1"\nparent = "debian-13"')
    assert "received: the keys region, parent\n    allowed:  tables with a name: [image.NAME]" in unnamed
    boots = annex.replace('"ami-', '"built:debian" # ')
    assert "[image.debian]" in refusal(read, f'{POOL}{boots}\n[image]\ndebian = "debian-13"')
    assert "[image.base] name" in refusal(read, text_of('name = "base"'))


def test_an_annex_boots_a_built_image(read: Read) -> None:
    spec = read(text_of('parent = "ubuntu-24.04"', {"image": '"built:base"'}))
    annex = spec.annexes["demo"]
    assert (annex.image, annex.htcondor, annex.root_device) == ("built:base", "image", "/dev/sda1")
    assert built_name(annex.image) == "base"
    assert image_parameter("base") == "/annex/image/base"
    assert [built_name(each) for each in ("debian-13", "built:", "built:A", "ssm:built:a")] == [None] * 4


@pytest.mark.parametrize(
    ("annex", "key", "allowed", "fix"),
    [
        ({"image": '"built:bsae"'}, "image", '"built:base"', 'did you mean "built:base"?'),
        ({"image": '"built:xyzzy"'}, "image", '"built:base"', "add a table [image.xyzzy]"),
        ({"region": '"eu-west-1"'}, "image", "an image of eu-west-1", 'add "eu-west-1" to regions of [image.base]'),
        ({"instance_types": '["c7g.large"]'}, "image", "an image for arm64", "image base is for x86_64"),
        ({"volume_gib": "19"}, "volume_gib", "20 GiB or more", "volume_gib = 20"),
        ({"root_device": '"/dev/sda1"'}, "root_device", "/dev/xvda, that of image base", "remove it"),
        ({"htcondor": '"25.0"'}, "htcondor", "the image is built with HTCondor", 'htcondor = "image"'),
    ],
)
def test_an_annex_that_does_not_go_with_its_image(
    read: Read, annex: dict[str, str], key: str, allowed: str, fix: str
) -> None:
    text = refusal(read, text_of("", {"image": '"built:base"', **annex}))
    assert f"  [annex.demo] {key}\n" in text
    assert allowed in text
    assert fix in text


def test_the_account_of_an_annex_and_that_of_its_image(read: Read) -> None:
    other = {"image": '"built:base"', "account": '"210987654321"'}
    wrong = refusal(read, text_of('account = "123456789012"', other))
    assert 'add "210987654321" to accounts of [image.base]' in wrong
    for right in ('account = "210987654321"', "", 'account = "123456789012"\naccounts = ["210987654321"]'):
        assert read(text_of(right, other)).annexes["demo"].account == "210987654321"
    assert read(text_of('account = "123456789012"', {"image": '"built:base"'})).annexes["demo"].account is None


def test_a_copy_is_enough_for_an_annex_of_its_region(read: Read) -> None:
    text = text_of('regions = ["eu-west-1"]', {"image": '"built:base"', "region": '"eu-west-1"'})
    assert read(text).annexes["demo"].region == "eu-west-1"


def test_a_mistake_in_an_image_is_reported_there_alone(tmp_path: Path) -> None:
    file = tmp_path / "annexes.toml"
    file.write_text(text_of("keep = 0", {"image": '"built:base"'}))
    found = load_partly(file)
    assert [(each.table, each.key) for each in found.problems] == [("[image.base]", "keep")]
    assert (list(found.annexes), dict(found.images)) == (["demo"], {})


def test_every_key_has_its_meaning_in_the_docstring() -> None:
    text = re.sub(r"\s+", " ", ImageSpec.__doc__ or "")
    assert all(f"{term.name}: {term.meaning}." in text for term in (terms.REGION, *IMAGE_KEYS))
