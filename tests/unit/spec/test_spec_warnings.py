"""The warnings about an annex, as the command prints them: each rule has its own test."""

from datetime import UTC, datetime, timedelta

import pytest

from annex_lease.past_end import past_end
from annex_spec import annex_warnings
from tests.unit.spec.spec_texts import ReadAnnex

END = datetime(2030, 6, 1, 8, tzinfo=UTC)
WARNING = (
    "annex demo: the declared end of its lease, 2030-06-01T08:00:00Z, has passed: a new annex starts no instance; "
    "fix: declare a later end, or destroy the annex"
)


@pytest.mark.parametrize(
    ("end", "passed", "said"),
    [
        (END, timedelta(0), WARNING),
        (END, timedelta(days=900), WARNING),
        (END.astimezone(None), timedelta(0), WARNING),
        (END, timedelta(seconds=-1), None),
        (None, timedelta(0), None),
    ],
)
def test_only_an_end_that_has_passed_is_named(end: datetime | None, passed: timedelta, said: str | None) -> None:
    assert past_end("demo", end, END + passed) == said


BARE = (
    "annex demo: its image is that of its publisher, without HTCondor, and nothing is installed: no instance will "
    'join; fix: declare a stock image, or htcondor = "25.0"'
)


@pytest.mark.parametrize(
    ("image", "htcondor", "said"),
    [
        ("ssm:/aws/service/debian/release/13/latest/amd64", None, BARE),
        ("ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "image", BARE),
        ("ssm:/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id", None, BARE),
        ("ssm:/aws/service/debian/release/13/latest/amd64", "25.0", None),
        ("ssm:/aws/service/marketplace/prod-abc/latest", None, None),
        ("ssm:/images/debian", None, None),
        ("ami-0123456789abcdef0", None, None),
        ("debian-13", None, None),
    ],
)
def test_an_image_without_htcondor_on_which_nothing_installs_it(
    read_annex: ReadAnnex, image: str, htcondor: str | None, said: str | None
) -> None:
    annex = read_annex(image=f'"{image}"', htcondor=htcondor and f'"{htcondor}"').annexes["demo"]
    assert annex_warnings(annex, [annex], END) == (() if said is None else (said,))


@pytest.mark.parametrize(
    ("image", "device", "said"),
    [
        ("debian-13", "/dev/sda1", "/dev/sda1, and the root volume of Debian 13 is /dev/xvda"),
        ("rocky-9", "/dev/xvda", "/dev/xvda, and the root volume of Rocky Linux 9 is /dev/sda1"),
        ("rocky-9", "/dev/sda1", None),
        ("debian-13", None, None),
        ("ami-0123456789abcdef0", "/dev/sda1", None),
    ],
)
def test_a_stock_image_with_another_root_volume(
    read_annex: ReadAnnex, image: str, device: str | None, said: str | None
) -> None:
    annex = read_annex(image=f'"{image}"', root_device=device and f'"{device}"').annexes["demo"]
    expected = (
        f"annex demo: root_device is {said}: an instance with another root volume retires; fix: remove root_device"
    )
    assert annex_warnings(annex, [annex], END) == (() if said is None else (expected,))


def test_the_warnings_of_an_annex(read_annex: ReadAnnex) -> None:
    ends = {"lease": None, "lease_ends_at": "2030-06-01T10:00:00+02:00", "max_lifetime": '"30d"'}
    annex = read_annex(**ends).annexes["demo"]
    many = [annex.model_copy(update={"name": f"n{n}"}) for n in range(4)]
    assert annex_warnings(annex, [annex], END) == (WARNING,)
    assert annex_warnings(annex, [annex], END - timedelta(seconds=1)) == ()
    quota, end = annex_warnings(annex, many, END)
    assert "the annexes of this file make 4 VPCs" in quota
    assert end == WARNING
    given = annex.model_copy(update={"vpc": "vpc-0123456789abcdef0"})
    assert annex_warnings(given, [*many, given], END) == (WARNING,), "the quota is the concern of those that make VPCs"
