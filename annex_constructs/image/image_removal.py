"""Removal of old images: which of them Image Builder deletes together with their snapshots."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_imagebuilder as imagebuilder
from constructs import Construct

from annex_lease.built_forms import builder_name
from annex_lease.tags import TAG_IMAGE, TAG_RECIPE


def removal_policies(
    scope: Construct, *, name: str, recipe_version: str, role: iam.IRole, keep: int, keep_launched_days: int
) -> None:
    """Two policies, which Image Builder runs once a day.

    It counts the images to keep for each version of a recipe (EC2 Image Builder User Guide, "How retention is
    calculated"), and this project gives a changed image another version. So one policy keeps the newest images of the
    present version, and another one removes those of earlier versions. Both keep an image that was built or launched
    lately: EC2 reports a launch a day later ("AMI lifecycle exclusion rules"), and an annex may boot an image for which
    there was no launch yet.

    :param scope: parent construct.
    :param name: the image's name.
    :param recipe_version: the present version of its recipe.
    :param role: role that may delete.
    :param keep: number of newest images of the present version to keep.
    :param keep_launched_days: days within which an image was built or launched that is kept.
    """
    properties = imagebuilder.CfnLifecyclePolicy
    present = properties.RecipeSelectionProperty(name=builder_name(name), semantic_version=recipe_version)
    policies = {
        "Newest": (
            properties.ResourceSelectionProperty(recipes=[present]),
            _delete(keep_launched_days, keep=keep, exclude={}),
        ),
        "Superseded": (
            properties.ResourceSelectionProperty(tag_map={TAG_IMAGE: name}),
            _delete(keep_launched_days, keep=None, exclude={TAG_RECIPE: recipe_version}),
        ),
    }
    for construct_id, (selection, rule) in policies.items():
        properties(
            scope,
            construct_id,
            name=f"{builder_name(name)}-{construct_id.lower()}",
            description=f"Removes old images {name} of HTCondor annexes and their snapshots",
            execution_role=role.role_arn,
            resource_type="AMI_IMAGE",
            policy_details=[rule],
            resource_selection=selection,
        )


def _delete(
    days: int, *, keep: int | None, exclude: dict[str, str]
) -> imagebuilder.CfnLifecyclePolicy.PolicyDetailProperty:
    """The rule that deletes images which were neither built nor launched within these days."""
    properties = imagebuilder.CfnLifecyclePolicy
    launched = properties.LastLaunchedProperty(unit="DAYS", value=days)
    return properties.PolicyDetailProperty(
        action=properties.ActionProperty(
            type="DELETE", include_resources=properties.IncludeResourcesProperty(amis=True, snapshots=True)
        ),
        filter=properties.FilterProperty(type="AGE", value=days, unit="DAYS", retain_at_least=keep),
        exclusion_rules=properties.ExclusionRulesProperty(
            amis=properties.AmiExclusionRulesProperty(last_launched=launched), tag_map=exclude or None
        ),
    )
