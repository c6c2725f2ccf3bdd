"""EC2 Image Builder, which moto lacks: the listings of what an image's stack makes there, with pages of one item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
_LISTS = {
    "ListImagePipelines": ("imagePipelineList", "image-pipeline"),
    "ListImageRecipes": ("imageRecipeSummaryList", "image-recipe"),
    "ListInfrastructureConfigurations": ("infrastructureConfigurationSummaryList", "infrastructure-configuration"),
    "ListDistributionConfigurations": ("distributionConfigurationSummaryList", "distribution-configuration"),
    "ListLifecyclePolicies": ("lifecyclePolicySummaryList", "lifecycle-policy"),
    "ListComponents": ("componentVersionList", "component"),
    "ListImages": ("imageVersionList", "image"),
}
_VERSIONS = {
    "ListComponentBuildVersions": ("componentSummaryList", "componentVersionArn"),
    "ListImageBuildVersions": ("imageSummaryList", "imageVersionArn"),
}
_OWNED = {"ListImageRecipes", "ListComponents", "ListImages"}
"""Operations that list the resources of others too, if no owner is given."""


class ImageBuilder:
    """Answers the calls of botocore's clients of Image Builder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.resources: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.refused: set[str] = set()
        real = BaseClient._make_api_call  # type: ignore[attr-defined]

        def call(client: BaseClient, operation: str, params: Mapping[str, Any]) -> Any:
            if client.meta.service_model.service_name == "imagebuilder":
                return self.answer(client.meta.region_name, operation, params)
            return real(client, operation, params)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def add(self, region: str, kind: str, name: str, version: str = "") -> str:
        """A resource; its ARN, with the build version where it has one."""
        arn = f"arn:aws:imagebuilder:{region}:{ACCOUNT}:{kind}/{name}{version and f'/{version}'}"
        self.resources.setdefault((region, kind), []).append({"arn": arn, "name": name})
        return f"{arn}/1" if kind in ("component", "image") else arn

    def made(self, region: str, image: str) -> list[str]:
        """Everything that the stack of an image makes; the ARNs."""
        name = f"annex-{image}"
        found = [self.add(region, "image-pipeline", name)]
        found += [self.add(region, "image-recipe", name, f"1.{n}.0") for n in (1, 2)]
        found += [
            self.add(region, kind, name) for kind in ("infrastructure-configuration", "distribution-configuration")
        ]
        found += [self.add(region, "lifecycle-policy", f"{name}-{part}") for part in ("newest", "superseded")]
        found += [
            self.add(region, "component", f"{name}-{part}", "1.2.3")
            for part in ("files-1", "htcondor", "apptainer", "end")
        ]
        return [*found, self.add(region, "image", name, "1.1.0")]

    def answer(self, region: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of one call."""
        if operation in self.refused:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)
        if operation in _VERSIONS:
            key, arn = _VERSIONS[operation]
            return {key: [{"arn": f"{params[arn]}/1", "state": {"status": "AVAILABLE"}}]}
        key, kind = _LISTS[operation]
        items = list(self.resources.get((region, kind), ()))
        if operation in _OWNED and params.get("owner") != "Self":
            name = "annex-base-end" if kind == "component" else "annex-base"
            items += [{"arn": f"arn:aws:imagebuilder:{region}:aws:{kind}/x", "name": name}]
        start = int(params.get("nextToken", 0))
        more = {"nextToken": str(start + 1)} if start + 1 < len(items) else {}
        return {key: items[start : start + 1], **more}
