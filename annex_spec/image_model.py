"""The table `[image.NAME]` of a spec file as a validated object, and its rules together with those of an annex."""

from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from annex_lease import built_rules, built_terms, instance_rules, terms
from annex_lease.image_rules import default_root_device
from annex_lease.rules import Conflict
from annex_spec import field, image_field
from annex_spec.model import AnnexSpec
from annex_spec.problem import ContradictionError, Problem, problem_of


def _default_root(validated: dict[str, Any]) -> str:
    return default_root_device(str(validated.get("parent", "")))


@field.documented(built_terms.IMAGE_NAME, *built_terms.IMAGE_KEYS)
class ImageSpec(BaseModel):
    """An image that EC2 Image Builder builds. The attributes are `annex_lease.built_terms.IMAGE_KEYS`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: image_field.ImageName
    region: field.Region
    account: field.Account = None
    parent: image_field.Parent = built_terms.PARENT.default_value
    htcondor: image_field.Series = built_terms.IMAGE_HTCONDOR.default_value
    components: field.Components = ()
    script: field.Script = None
    test_script: image_field.TestScript = None
    htcondor_mirror: field.HTCondorMirror = None
    package_mirror: field.PackageMirror = None
    instance_types: image_field.BuildTypes = built_terms.DEFAULT_BUILD_TYPES
    volume_gib: image_field.ImageVolumeGib = built_terms.IMAGE_VOLUME_GIB.default_value
    root_device: field.RootDevice = Field(default_factory=_default_root)
    regions: image_field.Copies = ()
    accounts: image_field.Accounts = ()
    share_with: image_field.Accounts = ()
    volume_keys: image_field.VolumeKeys = ()
    subnet: image_field.BuildSubnet = None
    security_group: image_field.BuildSecurityGroup = None
    schedule: image_field.Schedule = built_terms.SCHEDULE.default_value
    build_unchanged: image_field.BuildUnchanged = built_terms.BUILD_UNCHANGED.default_value
    keep: image_field.Keep = built_terms.KEEP.default_value
    keep_launched: image_field.KeepLaunched = built_terms.KEEP_LAUNCHED.default_value
    results_topic: image_field.ResultsTopic = None
    tags: field.Tags = Field(default_factory=dict)
    permissions_boundary: field.PermissionsBoundary = None
    role_path: field.RolePath = None

    @property
    def places(self) -> tuple[str, ...]:
        """All Regions of the image, its own first."""
        return (self.region, *self.regions)

    @model_validator(mode="after")
    def _values_go_together(self) -> Self:
        for conflict in self._conflicts():
            if conflict is not None:
                raise ContradictionError(problem_of(conflict, getattr(self, conflict.name)))
        return self

    def _conflicts(self) -> Iterable[Conflict | None]:
        yield from built_rules.parent_conflicts(
            self.parent, self.region, self.instance_types, self.components, self.package_mirror
        )
        yield built_rules.script_conflict(self.script, self.test_script)
        yield built_rules.copies_conflict(self.region, self.regions)
        yield from self._account_conflicts()
        yield built_rules.volume_keys_conflict(self.places, self.volume_keys)
        yield built_rules.sharing_conflict(self.places, self.volume_keys, self.share_with)
        yield built_rules.build_network_conflict(self.subnet, self.security_group)
        yield built_rules.schedule_conflict(self.schedule, self.build_unchanged)
        yield built_rules.results_topic_conflict(self.results_topic, self.region)
        topic = built_terms.RESULTS_TOPIC.name
        yield instance_rules.partition_conflict(topic, self.results_topic, self.region)
        for key in self.volume_keys:
            yield instance_rules.partition_conflict(built_terms.VOLUME_KEYS.name, key, self.region)
        yield instance_rules.boundary_conflict(self.permissions_boundary, self.account)
        boundary = terms.PERMISSIONS_BOUNDARY.name
        yield instance_rules.partition_conflict(boundary, self.permissions_boundary, self.region)

    def _account_conflicts(self) -> Iterable[Conflict | None]:
        for name in (built_terms.COPY_ACCOUNTS.name, built_terms.SHARE_WITH.name):
            yield built_rules.own_account_conflict(name, self.account, getattr(self, name))

    def account_problems(self) -> list[Problem]:
        """The problems with the image's account, which can be that of the credentials in use, under its table."""
        found = [conflict for conflict in self._account_conflicts() if conflict is not None]
        return [problem_of(each, getattr(self, each.name), table=f"[image.{self.name}]") for each in found]

    def annex_problem(self, annex: AnnexSpec) -> Problem | None:
        """The first problem of an annex that boots this image, under the annex's table; None if there is none.

        Args:
            annex: the annex, with the image's root device where its own table names none.
        """
        conflicts = (
            built_rules.built_region_conflict(annex.region, self.places, self.name),
            built_rules.built_account_conflict(annex.account, (self.account, *self.accounts), self.name),
            built_rules.built_architecture_conflict(annex.instance_types, self.instance_types, self.name),
            built_rules.built_volume_conflict(annex.volume_gib, self.volume_gib, self.name),
            built_rules.built_root_conflict(annex.root_device, self.root_device, self.name),
        )
        for conflict in conflicts:
            if conflict is not None:
                return problem_of(conflict, getattr(annex, conflict.name), table=f"[annex.{annex.name}]")
        return None
