"""The lab refuses a MiniStack of another version or shape."""

import pytest

from lab.cloud import patching
from lab.cloud.patching import PatchPoint, PatchPointError


def test_the_pinned_version_fits() -> None:
    patching.verify()


def test_another_version_is_refused_with_the_fix() -> None:
    with pytest.raises(PatchPointError, match=r"ministack is 9\.9.*(?s:.*)pip install ministack==1\.5\.33"):
        patching.verify(version="9.9")


@pytest.mark.parametrize(
    ("point", "problem"),
    [
        (PatchPoint("ec2", "_no_such_name", ()), "_no_such_name is not a function"),
        (PatchPoint("ec2", "_instance_xml", ("other",)), r"_instance_xml takes \('inst',\), not \('other',\)"),
        (PatchPoint("ec2", "_ACTION_MAP", list), "_ACTION_MAP is .* not a list"),
    ],
)
def test_a_changed_patch_point_is_named(point: PatchPoint, problem: str) -> None:
    with pytest.raises(PatchPointError, match=problem):
        patching.verify((*patching.POINTS, point))
