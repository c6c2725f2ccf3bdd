"""Each rule that a construct of an image checks is checked by the table `[image.NAME]` first.

The checks are found in the source of the constructs. A new one fails here until its way through the spec is known.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from annex_spec import ImageSpec
from tests.synth.image_template import EU_KEY, SMALLEST
from tests.synth.test_rules_of_constructs import Reach, checks

BY_SPEC: dict[str, list[Reach]] = {
    "annex_image.py check_form('AnnexImage image_name')": [({"name": "Base"}, "name")],
    "annex_image.py invalid_value('AnnexImage image_tags')": [({"tags": {"aws:a": "b"}}, "tags")],
    "build_place.py check_types('BuildPlace instance_types')": [
        ({"instance_types": tuple(f"c{n}a.large" for n in range(1, 22))}, "instance_types"),
    ],
    "build_place.py invalid_value('BuildPlace instance_types')": ["a file has no tokens"],
    "build_place.py check_conflicts(self)": [({"subnet": "subnet-01234567"}, "security_group")],
    "image_content.py check_form('ImageContent root_device')": [({"root_device": "xvda"}, "root_device")],
    "image_content.py check_form(f'ImageContent {term.name}')": [({"htcondor": "24.0"}, "htcondor")],
    "image_content.py check_whole_number('ImageContent volume_gib')": [({"volume_gib": 0}, "volume_gib")],
    "image_content.py check_texts('ImageContent components')": [({"components": ("gpu",)}, "components")],
    "image_content.py check_conflicts(self)": [({"components": ("osg",)}, "components")],
    "image_distribution.py check_texts(f'ImageDistribution {term.name}')": [({"accounts": ("12",)}, "accounts")],
    "image_distribution.py invalid_value('ImageDistribution copies')": [
        ({"regions": ("eu-west-1",), "volume_keys": (EU_KEY.replace("eu-west-1", "eu-west-2"),)}, "volume_keys"),
    ],
    "image_distribution.py invalid_value(parameter)": [({"regions": ("us-east-1",)}, "regions")],
    "image_distribution.py invalid_value('ImageDistribution share_with')": [
        ({"share_with": ("210987654321",)}, "share_with"),
    ],
    "image_recipe.py invalid_value('ImageContent parent')": [
        ({"parent": "debian-13", "instance_types": ("c6g.large",)}, "parent"),
    ],
    "image_upkeep.py check_form('ImageUpkeep schedule')": [({"schedule": "hourly"}, "schedule")],
    "image_upkeep.py check_whole_number('ImageUpkeep keep')": [({"keep": 0}, "keep")],
    "image_upkeep.py invalid_value('ImageUpkeep keep_launched')": [({"keep_launched": "181h"}, "keep_launched")],
    "image_upkeep.py invalid_value(name)": [({"schedule": "never", "build_unchanged": True}, "build_unchanged")],
    "image_upkeep.py seconds('ImageUpkeep keep_launched')": [({"keep_launched": "6d"}, "keep_launched")],
}
REACHED = [(rule, *each) for rule, reaches in BY_SPEC.items() for each in reaches if not isinstance(each, str)]


def test_every_check_of_the_constructs_of_an_image_is_known() -> None:
    assert checks(of_images=True) == Counter({rule: len(reaches) for rule, reaches in BY_SPEC.items()})


@pytest.mark.parametrize(("rule", "keys", "named"), REACHED)
def test_the_spec_refuses_what_the_constructs_of_an_image_would(rule: str, keys: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ImageSpec.model_validate({**SMALLEST, **keys})
    assert named in str(refused.value), rule


def test_what_is_right_is_taken() -> None:
    assert ImageSpec.model_validate(SMALLEST).places == ("us-east-1",)
    with pytest.raises(ValidationError, match="volume_keys"):
        ImageSpec.model_validate({**SMALLEST, "volume_keys": (EU_KEY,)})
