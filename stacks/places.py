"""Places of the annexes of a spec file: an account and a Region, each with stacks that its annexes share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from annex_lease.image_rules import family_of
from annex_lease.kinds import written
from annex_lease.terms import ACCOUNT
from annex_spec import AnnexSpec, ImageSpec, Problem, Spec, SpecError

T = TypeVar("T", AnnexSpec, ImageSpec)


@dataclass(frozen=True)
class StackPlace:
    """An account and a Region in which a spec file has annexes.

    :param region: the Region.
    :param account: the account. None: that of the credentials in use.
    :param annexes: annexes that are there.
    :param alike: annexes of which a template of the place may be made. An account that is not stated may be any of the
        others: then two places are one, and their stacks must have the same template, or one would be changed to and
        fro. So these are all annexes of the Region if one of them states no account, and else those of the place.
    :param only_one: whether the Region has no other place.
    """

    region: str
    account: str | None
    annexes: tuple[AnnexSpec, ...]
    alike: tuple[AnnexSpec, ...]
    only_one: bool

    def construct_id(self, prefix: str) -> str:
        """The id of a stack: `<prefix>-<region>`, with the account only where a Region has more than one place."""
        name = f"{prefix}-{self.region}"
        return name if self.only_one else f"{name}-{self.account or 'default'}"


def stack_places(annexes: Iterable[AnnexSpec]) -> list[StackPlace]:
    """The places of these annexes, sorted.

    :param annexes: annexes of the spec file.
    """
    in_region: dict[str, list[AnnexSpec]] = {}
    for annex in annexes:
        in_region.setdefault(annex.region, []).append(annex)
    found = []
    for region, known in sorted(in_region.items()):
        accounts = sorted({annex.account or "" for annex in known})
        for account in accounts:
            here = tuple(annex for annex in known if (annex.account or "") == account)
            alike = here if "" not in accounts else tuple(known)
            found.append(StackPlace(region, account or None, here, alike, only_one=len(accounts) == 1))
    return found


def with_accounts(spec: Spec, account: str | None) -> dict[str, AnnexSpec]:
    """The annexes by their names; one whose image is looked up, and that states no account, gets that of credentials.

    A look-up needs an account when the app is synthesised (AWS CDK Developer Guide, "Context values and the AWS CDK").
    No other annex gets one: its template does not depend on the credentials.

    :param spec: the spec file.
    :param account: the account of the credentials in use, `CDK_DEFAULT_ACCOUNT`; None: there are none.
    :raises SpecError: an image is looked up, and there is no account.
    """
    return _with_accounts(spec.path, "annex", spec.annexes, lambda annex: annex.image, account)


def images_with_accounts(spec: Spec, account: str | None) -> dict[str, ImageSpec]:
    """The images by their names; one whose parent is looked up, and that states no account, gets that of credentials.

    :param spec: the spec file.
    :param account: as above.
    :raises SpecError: a parent is looked up, and there is no account; or a further account is that account.
    """
    found = _with_accounts(spec.path, "image", spec.images, lambda image: image.parent, account)
    problems = [problem for image in found.values() for problem in image.account_problems()]
    if problems:
        raise SpecError(spec.path, problems)
    return found


def _with_accounts(
    path: Path, kind: str, declared: Mapping[str, T], image_of: Callable[[T], str], account: str | None
) -> dict[str, T]:
    found, problems = {}, []
    for name, each in declared.items():
        family = family_of(image_of(each))
        if family is None or not family.owner or each.account is not None:
            found[name] = each
        elif account:
            found[name] = each.model_copy(update={ACCOUNT.name: account})
        else:
            allowed = f"the account in which to look for the newest image of {family.title}, or credentials of it"
            fix = f"{ACCOUNT.name} = {written(ACCOUNT)}"
            problems.append(Problem(f"[{kind}.{name}]", ACCOUNT.name, "nothing", allowed, fix))
    if problems:
        raise SpecError(path, problems)
    return found
