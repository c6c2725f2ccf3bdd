"""Place of an annex as the spec file and the command line state it, and the Regions in which it can be."""

from __future__ import annotations

from dataclasses import dataclass

from annex_lease.forms import ANNEX_NAME
from annex_lease.ownership import stack_name
from annex_lease.tags import shown
from annex_pool.account_regions import FIRST_REGION, ask_each, grouped
from annex_pool.command_error import AnnexError, InputError
from annex_pool.deployed import Deployed, find_annex
from annex_pool.environment import Environment
from annex_pool.region import check_account, not_allowed
from annex_pool.ungrouped import check_none_left
from annex_spec import AnnexSpec, PartialSpec


@dataclass(frozen=True)
class Where:
    """Place of an annex as the command line states it.

    Attributes:
        regions: values of --region. Default: () - none is given.
        everywhere: every enabled Region is meant (`--region all`). Default: False.
        stack: value of --stack. Default: None.
        id: value of --id. Default: None.
    """

    regions: tuple[str, ...] = ()
    everywhere: bool = False
    stack: str | None = None
    id: str | None = None

    @property
    def stated(self) -> bool:
        """True if the command line says anything about the place: then the spec file's place does not count."""
        return self != Where()

    def fits(self, annex: Deployed) -> bool:
        """True if the annex has this stack and this id, as far as they are given."""
        return self.stack in (None, annex.stack) and self.id in (None, annex.id)


@dataclass(frozen=True)
class Place:
    """An annex by its name, in one Region.

    Attributes:
        name: the annex's name.
        region: code of its Region.
        account: its account. Default: None - that of the credentials in use.
        price_per_hour: price of one instance-hour. Default: None - not declared.
        collector: the pool's collector as the spec file names it. Default: None - the file names none.
        declared: the spec file declares it in this Region. Default: True.
        group: its group, as found. Default: "" - no group was found, or none was looked for.
        id: the id that the command line names. Default: "" - any.
        notes: what an operator should know about the place. Default: ().
        failure: why its Region could not be asked. Default: "" - it was asked, or will be.
    """

    name: str
    region: str
    account: str | None = None
    price_per_hour: float | None = None
    collector: str | None = None
    declared: bool = True
    group: str = ""
    id: str = ""
    notes: tuple[str, ...] = ()
    failure: str = ""

    @classmethod
    def of(cls, spec: AnnexSpec) -> Place:
        """The place that a declaration names."""
        return cls(spec.name, spec.region, spec.account, spec.price_per_hour)


@dataclass(frozen=True)
class Scope:
    """Regions to ask, and what prevents that they are all of them.

    Attributes:
        regions: the Regions, sorted.
        errors: why the enabled Regions are not known. Default: ().
        chosen: the command line names the Regions. Default: False.
    """

    regions: tuple[str, ...]
    errors: tuple[str, ...] = ()
    chosen: bool = False


def check_name(spec: PartialSpec, name: str) -> str:
    """Return a name that an annex can have, declared or not.

    Raises:
        InputError: no annex can have this name.
    """
    if ANNEX_NAME.matches(name):
        return name
    declared = f"; {spec.path} declares {', '.join(spec.places)}" if spec.places else ""
    raise InputError(f"name of the annex: received {shown(name)}, allowed is {ANNEX_NAME.allowed}{declared}")


def declared_place(spec: PartialSpec, name: str) -> Place | None:
    """The place that the spec file declares; None if it declares no annex of this name in a Region."""
    place, annex = spec.places.get(name), spec.annexes.get(name)
    if place is None or place.region is None:
        return None
    price = None if annex is None else annex.price_per_hour
    return Place(name, place.region, place.account, price, collector_of(spec))


def collector_of(spec: PartialSpec) -> str | None:
    """The pool's collector as the spec file names it."""
    return spec.pool.collector if spec.pool else None


def regions_of(spec: PartialSpec) -> tuple[str, ...]:
    """The Regions that the spec file names, sorted."""
    return tuple(sorted({place.region for place in spec.places.values() if place.region}))


def scope(environment: Environment, spec: PartialSpec, where: Where) -> Scope:
    """The Regions to ask: those of the command line, or all that the account has enabled.

    Args:
        environment: external dependencies.
        spec: the spec file. Its Regions are asked which Regions are enabled, and count if none can say that.
        where: the command line.

    Raises:
        AnnexError: the settings or credentials of the environment cannot be used; AWS does not answer.
    """
    if where.regions:
        return Scope(where.regions, chosen=True)
    named, usual = regions_of(spec), environment.default_region() or FIRST_REGION
    known = named or (usual,)
    # Not in a thread: the settings and credentials are read here, and a program may ask for a code.
    environment.connect(known[0])
    # A Region of the file may be none, or be disturbed: another one answers for it.
    start = tuple(dict.fromkeys((*named, usual)))
    answers = ask_each(start, lambda region: environment.enabled_regions(environment.connect(region)), first=True)
    for enabled in answers.given.values():
        return Scope(tuple(sorted(enabled)))
    reasons = tuple(f"the enabled Regions are not known: {each}" for each in grouped(answers.errors))
    if not any(not_allowed(error) for error in answers.failures.values()):
        # No answer at all, or the credentials are refused: every other request would fail alike.
        raise AnnexError("; ".join(reasons))
    return Scope(known, reasons)


def deployed_annex(environment: Environment, place: Place) -> Deployed:
    """The annex at this place.

    Raises:
        AnnexError: it is not deployed, with or without instances that its group left behind; AWS could not be asked;
            the credentials belong to another account.
    """
    aws = environment.connect(place.region)
    check_account(aws, place.account)
    found = find_annex(aws, place.name, group=place.group, annex_id=place.id)
    if found is None:
        none_left = check_none_left(aws, place.name)
        raise AnnexError(
            f"annex {place.name} is not deployed in {place.region}: run `cdk deploy {stack_name(place.name)}` first; "
            f"{none_left}"
        )
    return found
