"""Places of the annexes of a spec file: an account and a Region, each with stacks that its annexes share."""

from collections.abc import Iterable
from dataclasses import dataclass

from annex_spec import AnnexSpec


@dataclass(frozen=True)
class StackPlace:
    """An account and a Region in which a spec file has annexes.

    :param region: the Region.
    :param account: the account. None: that of the credentials in use.
    :param annexes: annexes that are there, or may be there. An account that is not stated may be any of the others:
        then two places are one, and their stacks must have the same template.
    :param only_one: whether the Region has no other place.
    """

    region: str
    account: str | None
    annexes: tuple[AnnexSpec, ...]
    only_one: bool

    def construct_id(self, prefix: str) -> str:
        """The id of a stack: `<prefix>-<region>`, with the account only where a Region has more than one place."""
        name = f"{prefix}-{self.region}"
        return name if self.only_one else f"{name}-{self.account or 'default'}"


def stack_places(annexes: Iterable[AnnexSpec]) -> list[StackPlace]:
    """The places of these annexes, sorted.

    :param annexes: annexes of the spec file.
    """
    known = list(annexes)
    places = sorted({(annex.region, annex.account or "") for annex in known})
    regions = [region for region, _ in places]
    return [
        StackPlace(
            region=region,
            account=account or None,
            annexes=tuple(
                annex
                for annex in known
                if annex.region == region and (not (annex.account and account) or annex.account == account)
            ),
            only_one=regions.count(region) == 1,
        )
        for region, account in places
    ]
