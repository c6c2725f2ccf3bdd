"""Finding the one annex that a command is about, among all that are deployed.

The spec file, the command line and AWS each know a part. The file's Region counts if the annex is deployed there. If it
is not, or the file names none, every Region that the account has enabled is asked. A mistake in the file never hides an
annex that is deployed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from annex_pool.account_regions import ask_each, grouped
from annex_pool.command_error import AnnexError, InputError
from annex_pool.deployed import Deployed, list_annexes, several
from annex_pool.environment import Environment
from annex_pool.place import Place, Scope, Where, check_name, collector_of, declared_place, regions_of, scope
from annex_pool.region import check_account
from annex_pool.ungrouped import list_ungrouped
from annex_spec import PartialSpec

_CLOSE = 0.6
"""Similarity above which a name counts as a misspelling of another (difflib)."""


@dataclass(frozen=True)
class _Seen:
    """Answers of the Regions about a name.

    Attributes:
        annexes: all annexes that have a group there; with the name alone if no other was asked for.
        meant: those that are meant.
        ungrouped: Regions with instances of the name without a group, if no annex is meant.
        errors: Regions that could not be asked, with the reason.
    """

    annexes: tuple[Deployed, ...]
    meant: tuple[Deployed, ...]
    ungrouped: tuple[str, ...]
    errors: Mapping[str, str]


def find_place(environment: Environment, spec: PartialSpec, name: str, where: Where) -> Place:
    """Find the one annex that is meant, declared or not.

    Args:
        environment: external dependencies.
        spec: the spec file.
        name: the annex's name.
        where: the command line.

    Returns:
        The place of a deployed annex, or of one whose group is gone while instances run; or a place where no annex is,
        if the spec file or --region names it.

    Raises:
        InputError: no annex can have this name; several annexes fit; none fits, and nothing else names the place; the
            credentials belong to another account than the file declares.
        AnnexError: AWS could not be asked.
    """
    declared = declared_place(spec, check_name(spec, name))
    if declared is not None and not where.stated:
        check_account(environment.connect(declared.region), declared.account)
        found = _found(spec, _look(environment, (declared.region,), name, where, all_names=False), name)
        if found is not None:
            return replace(declared, group=found.group)
    asked = scope(environment, spec, where)
    seen = _look(environment, asked.regions, name, where)
    found = _found(spec, seen, name)
    if found is None:
        return _nowhere(spec, name, where, asked, seen)
    if declared is not None and found.region == declared.region:
        found = replace(declared, group=found.group, account=None)
    return replace(found, id=where.id or "", notes=(*asked.errors, *grouped(seen.errors)))


def all_places(
    environment: Environment, spec: PartialSpec, where: Where, *, everything: bool
) -> tuple[list[Place], tuple[str, ...]]:
    """The annexes of the spec file, each as often as it is deployed in its Region; with `everything` all that exist.

    Args:
        environment: external dependencies.
        spec: the spec file.
        where: the command line.
        everything: also the annexes in any Region that the file does not declare there.

    Returns:
        the places, and the Regions that could not be asked, with the reason.

    Raises:
        AnnexError: the settings or credentials of the environment cannot be used, or their account is not known.
    """
    declared = {name: declared_place(spec, name) for name in spec.places}
    # An annex whose table names no Region can be in any.
    anywhere = everything or None in declared.values()
    asked = scope(environment, spec, where) if anywhere else Scope(regions_of(spec))
    answers = ask_each(asked.regions, lambda region: list_annexes(environment.connect(region)))
    found = [each for listed in answers.given.values() for each in listed]
    used = _account(environment, list(answers.given), declared.values())
    places: list[Place] = []
    for name, place in declared.items():
        if place is None:
            places += [_place(spec, each) for each in found if each.name == name and not everything]
            continue
        if where.regions and place.region not in where.regions:
            continue
        own = [each for each in found if (each.name, each.aws.region) == (name, place.region)]
        own = own if place.account in (None, used) else []
        failure = answers.errors.get(place.region, "")
        places += [replace(place, group=each.group.name) for each in own] or [replace(place, failure=failure)]
    if everything:
        known = {(each.region, each.group) for each in places}
        places += [_place(spec, each) for each in found if (each.aws.region, each.group.name) not in known]
    other = {each: text for each, text in answers.errors.items() if each not in {place.region for place in places}}
    return places, (*asked.errors, *grouped(other))


def found_elsewhere(environment: Environment, spec: PartialSpec, place: Place) -> tuple[str, ...]:
    """Other annexes of the same name, one line each, and the Regions that could not be asked for them.

    Args:
        environment: external dependencies.
        spec: the spec file.
        place: the annex.
    """
    try:
        asked = scope(environment, spec, Where())
    except AnnexError as error:
        return (str(error),)
    seen = _look(environment, asked.regions, place.name, Where())
    fix = "nothing was done to it: name it with --region, --stack or --id"
    others = [
        f"another annex {place.name} is deployed: {each.described()}; {fix}"
        for each in seen.meant
        if (each.aws.region, each.group.name) != (place.region, place.group)
    ]
    lone = [
        f"instances of an annex {place.name} without a group are in {region}; {fix}"
        for region in seen.ungrouped
        if region != place.region
    ]
    return (*others, *lone, *asked.errors, *grouped(seen.errors))


def unknown_name(
    spec: PartialSpec, name: str, regions: Iterable[str], deployed: Iterable[tuple[str, str]] = ()
) -> InputError:
    """The error about a name that the spec file does not declare, and that AWS does not list.

    Args:
        spec: the spec file.
        name: the name.
        regions: Regions that were asked.
        deployed: names of annexes that are deployed there, each with its place in words. Default: () - none is known.
    """
    others = {other: where for other, where in deployed if other not in spec.places}
    close = [
        *difflib.get_close_matches(name, sorted(spec.places), n=1, cutoff=_CLOSE),
        *(f"{each} ({others[each]})" for each in difflib.get_close_matches(name, sorted(others), n=1, cutoff=_CLOSE)),
    ]
    there = f"; deployed there: {', '.join(sorted(others))}" if others else ""
    fix = f"did you mean {' or '.join(close)}?" if close else f"add a table [annex.{name}], or name one of these"
    return InputError(
        f"annex {name} is not declared in {spec.path} (allowed: {', '.join(spec.places) or 'none is declared'}), and "
        f"AWS lists none of this name in {', '.join(regions)}{there}: {fix}; if it is meant, give --region"
    )


def deployed_names(environment: Environment, asked: Scope) -> list[tuple[str, str]]:
    """Names of the annexes that have a group in these Regions, each with its place in words.

    Args:
        environment: external dependencies.
        asked: the Regions. One that does not answer adds no name.
    """
    answers = ask_each(asked.regions, lambda region: list_annexes(environment.connect(region)))
    return _named(each for listed in answers.given.values() for each in listed)


def _named(annexes: Iterable[Deployed]) -> list[tuple[str, str]]:
    return [(each.name, f"deployed in {each.aws.region}, stack {each.stack}") for each in annexes]


def _look(
    environment: Environment, regions: tuple[str, ...], name: str, where: Where, *, all_names: bool = True
) -> _Seen:
    listed = None if all_names else name
    answers = ask_each(regions, lambda region: list_annexes(environment.connect(region), listed))
    annexes = tuple(each for found in answers.given.values() for each in found)
    meant = tuple(each for each in annexes if each.name == name and where.fits(each))
    # An instance without a group does not carry the name of its stack.
    if meant or where.stack is not None:
        return _Seen(annexes, meant, (), answers.errors)
    lone = ask_each(
        tuple(answers.given), lambda region: list_ungrouped(environment.connect(region), name, where.id or "")
    )
    ungrouped = tuple(region for region, instances in lone.given.items() if instances)
    return _Seen(annexes, meant, ungrouped, {**answers.errors, **lone.errors})


def _found(spec: PartialSpec, seen: _Seen, name: str) -> Place | None:
    if len(seen.meant) > 1:
        raise several(name, seen.meant)
    if seen.meant:
        return _place(spec, seen.meant[0])
    if len(seen.ungrouped) > 1:
        raise InputError(
            f"annex {name} has no Auto Scaling group, but instances carry its name in {', '.join(seen.ungrouped)}: "
            "name one of them with --region"
        )
    return _empty(spec, name, seen.ungrouped[0]) if seen.ungrouped else None


def _nowhere(spec: PartialSpec, name: str, where: Where, asked: Scope, seen: _Seen) -> Place:
    declared, refused = declared_place(spec, name), (*asked.errors, *grouped(seen.errors))
    same = [each for each in seen.annexes if each.name == name]
    if same:
        listed = "; ".join(each.described() for each in same)
        raise InputError(f"no annex {name} fits --stack or --id; deployed under this name: {listed}")
    if declared is not None and not where.regions:
        others = {region: reason for region, reason in seen.errors.items() if region != declared.region}
        return replace(declared, notes=(*asked.errors, *grouped(others)))
    if refused:
        what = "" if declared else f"annex {name} is not declared in {spec.path}, and "
        raise AnnexError(f"{what}it is not known whether it is deployed: {'; '.join(refused)}")
    if len(where.regions) == 1:
        here = declared is not None and declared.region == where.regions[0]
        return replace(declared, account=None) if declared and here else _empty(spec, name, where.regions[0])
    raise unknown_name(spec, name, asked.regions, _named(seen.annexes))


def _empty(spec: PartialSpec, name: str, region: str) -> Place:
    return Place(name, region, collector=collector_of(spec), declared=False)


def _place(spec: PartialSpec, annex: Deployed) -> Place:
    return Place(annex.name, annex.aws.region, collector=collector_of(spec), declared=False, group=annex.group.name)


def _account(environment: Environment, regions: Sequence[str], places: Iterable[Place | None]) -> str | None:
    if not regions or all(place is None or place.account is None for place in places):
        return None
    return environment.connect(regions[0]).account()
