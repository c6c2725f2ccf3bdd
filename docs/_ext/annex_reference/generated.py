"""Base of the directives: Markdown in, document nodes out."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class Generated(SphinxDirective):
    """A directive whose content is Markdown made from the code. Its argument names the code, if it has one."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the generated Markdown where the directive stands."""
        return self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True)

    def lines(self) -> Iterable[str]:
        """The Markdown."""
        raise NotImplementedError

    def named(self, separator: str) -> object:
        """The object that the argument names, such as `package.Class` or `package.module:attribute`."""
        module, _, attribute = self.arguments[0].rpartition(separator)
        found: object = getattr(importlib.import_module(module), attribute)
        return found


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    cells = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in cells]
