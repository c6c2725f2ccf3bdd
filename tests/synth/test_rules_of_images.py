"""Each rule that the constructs of an image check is checked by the spec first."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from annex_spec import ImageSpec
from tests.synth.image_template import SMALLEST

# By rule: keys that break it, and the key that the spec names; or why no spec can break it.
OF_IMAGES: dict[str, list[tuple[dict[str, Any], str] | str]] = {
    "annex_image.py check_form('AnnexImage image_name')": [({"name": "Base"}, "name")],
    "annex_image.py invalid_value('AnnexImage image_tags')": [({"tags": {"annex:image": "other"}}, "tags")],
    "build_place.py invalid_value('BuildPlace instance_types')": [
        (
            {
                "instance_types": (
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                    "c6a.large",
                )
            },
            "instance_types",
        )
    ],
    "build_place.py invalid_value(f'BuildPlace {conflict.name}')": [({"subnet": "subnet-01234567"}, "security_group")],
    "image_content.py check_whole_number('ImageContent volume_gib')": [({"volume_gib": 0}, "volume_gib")],
    "image_content.py check_form(f'ImageContent {term.name}')": [({"htcondor": "24.0"}, "htcondor")],
    "image_content.py check_form('ImageContent root_device')": [({"root_device": "xvda"}, "root_device")],
    "image_content.py invalid_value('ImageContent components')": [({"components": ("gpu",)}, "components")],
    "image_content.py invalid_value(f'ImageContent {name}')": ["a script's length is checked when its file is read"],
    "image_content.py invalid_value(f'ImageContent {conflict.name}')": [({"components": ("osg",)}, "components")],
    "image_distribution.py check_form('ImageDistribution copies')": [({"regions": ("eu-wst-1",)}, "regions")],
    "image_distribution.py invalid_value('ImageDistribution share_with')": [
        ({"share_with": ("210987654321",)}, "share_with")
    ],
    "image_distribution.py invalid_value('ImageDistribution copies')": [({"regions": ("us-east-1",)}, "regions")],
    "image_distribution.py check_form(f'ImageDistribution {name}')": [({"accounts": ("12345",)}, "accounts")],
    "image_recipe.py invalid_value('ImageContent parent')": [({"instance_types": ("c7g.large",)}, "parent")],
    "image_upkeep.py check_form('ImageUpkeep schedule')": [({"schedule": "daily"}, "schedule")],
    "image_upkeep.py check_whole_number('ImageUpkeep keep')": [({"keep": 0}, "keep")],
    "image_upkeep.py invalid_value(name)": [({"schedule": "never", "build_unchanged": True}, "build_unchanged")],
    "image_upkeep.py invalid_value('ImageUpkeep keep_launched')": [({"keep_launched": "170h"}, "keep_launched")],
    "image_upkeep.py seconds('ImageUpkeep keep_launched')": [({"keep_launched": "6d"}, "keep_launched")],
}
REACHED = [(rule, *each) for rule, reaches in OF_IMAGES.items() for each in reaches if not isinstance(each, str)]


@pytest.mark.parametrize(("rule", "keys", "named"), REACHED)
def test_the_spec_refuses_what_the_constructs_of_an_image_would(rule: str, keys: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ImageSpec.model_validate({**SMALLEST, **keys})
    assert named in str(refused.value), rule
