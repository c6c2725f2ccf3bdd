"""Place of an annex: its name and Region, declared by the spec file or, after it was removed from the file, not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annex_lease.forms import ANNEX_NAME
from annex_lease.ownership import by_key_from_api
from annex_lease.tags import TAG_NAME, shown
from annex_lease.terms import REGION
from annex_pool.command_error import AnnexError, InputError
from annex_pool.deployed import find_annex
from annex_pool.environment import Environment
from annex_pool.region import RegionClients, asking
from annex_pool.ungrouped import list_ungrouped
from annex_spec import AnnexSpec, Spec, SpecError


@dataclass(frozen=True)
class Place:
    """An annex by its name, in one Region.

    Attributes:
        name: the annex's name.
        region: code of its Region.
        account: its account. Default: None - that of the credentials in use.
        price_per_hour: price of one instance-hour. Default: None - not declared.
        declared: the spec file declares it in this Region. Default: True.
    """

    name: str
    region: str
    account: str | None = None
    price_per_hour: float | None = None
    declared: bool = True

    @classmethod
    def of(cls, spec: AnnexSpec) -> Place:
        """The place that the spec declares."""
        return cls(spec.name, spec.region, spec.account, spec.price_per_hour)


def check_region(region: str | None) -> str | None:
    """Return the value of --region.

    Raises:
        InputError: it is no Region's code.
    """
    if region is not None and not REGION.form.matches(region):
        raise InputError(f"--region: received {shown(region)}, allowed is {REGION.form.allowed}")
    return region


def check_name(spec: Spec, name: str) -> str:
    """Return a name that an annex can have, declared or not.

    Raises:
        SpecError: no annex can have this name; the text lists those that the file declares.
    """
    return name if ANNEX_NAME.matches(name) else spec.annex(name).name


def find_place(environment: Environment, spec: Spec, name: str, region: str | None) -> Place:
    """Find an annex that the spec declares, or one that is deployed although the spec does not declare it any more.

    Args:
        environment: external dependencies.
        spec: the spec file.
        name: the annex's name.
        region: its Region. Default: None - the declared one, or the one Region of the spec file where AWS lists it.

    Raises:
        SpecError: no annex can have this name.
        InputError: the Region is no Region's code; the file declares no annex of this name, and AWS lists none in the
            Regions of the file, or in several of them.
        AnnexError: AWS could not be asked.
    """
    declared = spec.annexes.get(check_name(spec, name))
    if check_region(region) is None and declared is None:
        region = _one_region(environment, spec, name)
    if declared is not None and region in (None, declared.region):
        return Place.of(declared)
    return Place(name, str(region), declared.account if declared else None, declared=False)


def undeclared(environment: Environment, spec: Spec) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """Find the annexes in the Regions of the spec that have a group and that the spec does not declare there.

    Args:
        environment: external dependencies.
        spec: the spec file.

    Returns:
        the annexes, and the Regions that could not be asked, with the reason.
    """
    declared = {(annex.name, annex.region) for annex in spec.annexes.values()}
    places, errors = list[Place](), list[str]()
    for region in regions_of(spec):
        try:
            names = _deployed_names(environment.connect(region))
        except AnnexError as error:
            errors.append(str(error))
            continue
        places += [Place(name, region, declared=False) for name in names if (name, region) not in declared]
    return tuple(places), tuple(errors)


def unknown_name(spec: Spec, name: str) -> InputError:
    """The error about a name that the spec file does not declare, and that AWS does not list in its Regions.

    Args:
        spec: the spec file.
        name: the name; the file does not declare it.
    """
    try:
        fix = spec.annex(name).name
    except SpecError as error:
        fix = error.problems[0].fix
    return InputError(
        f"annex {name} is not declared in {spec.path} (allowed: {', '.join(spec.annexes)}), and AWS lists none of this "
        f"name in {', '.join(regions_of(spec))}: {fix}; for an annex in another Region give --region"
    )


def regions_of(spec: Spec, *more: str | None) -> tuple[str, ...]:
    """The Regions of the spec file and these, sorted."""
    return tuple(sorted({annex.region for annex in spec.annexes.values()} | {each for each in more if each}))


def _one_region(environment: Environment, spec: Spec, name: str) -> str:
    regions, undeclared_name = regions_of(spec), f"annex {name} is not declared in {spec.path}"
    try:
        found = [region for region in regions if _is_there(environment.connect(region), name)]
    except AnnexError as error:
        raise AnnexError(f"{undeclared_name}, and it is not known whether it is deployed: {error}") from error
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{undeclared_name}, and AWS lists it in {', '.join(found)}: name one of them with --region")
    raise unknown_name(spec, name)


def _is_there(aws: RegionClients, name: str) -> bool:
    return find_annex(aws, name) is not None or bool(list_ungrouped(aws, name))


def _deployed_names(aws: RegionClients) -> Sequence[str]:
    with asking(f"for the Auto Scaling groups of all annexes in {aws.region}"):
        pages = aws.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
            Filters=[{"Name": "tag-key", "Values": [TAG_NAME]}]
        )
        tags = [by_key_from_api(group.get("Tags", [])) for page in pages for group in page["AutoScalingGroups"]]
    # Another tool can write any text; no annex has such a name.
    return sorted({each[TAG_NAME] for each in tags if ANNEX_NAME.matches(each.get(TAG_NAME, ""))})
