"""`annex leftovers` for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from annex_lease.tags import shown
from annex_pool.leftover import STACK_TAG, Leftover
from annex_pool.leftovers import KINDS, Leftovers

_COLUMNS = ("annex", "region", "kind", "id", "state", "stack", "known by")


def show_leftovers(found: Leftovers, out: Console) -> None:
    """Print what is left, one row each; or that nothing is, only if that is known."""
    if found.found:
        table = Table(box=None, header_style="bold", pad_edge=False)
        for column in _COLUMNS:
            table.add_column(column, overflow="fold")
        for left in found.found:
            table.add_row(*(Text(cell) for cell in _row(left)))
        # As wide as it is: an id that is broken to fit a terminal cannot be copied.
        out.print(table, soft_wrap=True)
    where = ", ".join(found.regions)
    whose = "of any annex" if found.annexes is None else f"of annex {', '.join(found.annexes)}"
    number = len(found.found)
    if found.nothing:
        out.print(
            f"nothing is left {whose}: looked twice for {len(KINDS)} kinds of resource, and for whatever carries the "
            f"annex's tag, in {where}",
            soft_wrap=True,
        )
    elif number:
        out.print(f"{number} resource{' is' if number == 1 else 's are'} left {whose} in {where}", soft_wrap=True)
    else:
        out.print(f"it is not known whether anything is left {whose} in {where}", soft_wrap=True)


def _row(left: Leftover) -> tuple[str, ...]:
    resource = left.resource
    by = "the tagging service only" if resource.tagging_only else left.by
    stack = resource.tags.get(STACK_TAG, "")
    return (
        left.annex,
        left.region,
        resource.kind,
        _plain(resource.id),
        resource.state or "-",
        _plain(stack) or "-",
        by,
    )


def _plain(text: str) -> str:
    return text if text.isprintable() else shown(text)
