"""Tags and metrics, from the modules that define them and the docstrings below each constant."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

from sphinx.pycode import ModuleAnalyzer

from .generated import Generated, table


def documented(module: str, prefix: str = "") -> dict[str, tuple[str, str]]:
    """The documented text constants of a module: name, value, docstring.

    Args:
        module: dotted name.
        prefix: only names that begin so.
    """
    namespace = vars(importlib.import_module(module))
    documents = ModuleAnalyzer.for_module(module).find_attr_docs()
    return {
        name: (namespace[name], " ".join(" ".join(lines).split()))
        for (scope, name), lines in documents.items()
        if not scope and name.startswith(prefix) and isinstance(namespace[name], str)
    }


class TagTable(Generated):
    """Table of the tags: key, meaning, copied to instances or not."""

    def lines(self) -> Iterator[str]:
        """One row for each tag."""
        propagated = importlib.import_module("annex_lease.tags").PROPAGATED_TAGS
        tags = documented("annex_lease.tags", "TAG_")

        def key_of(name: re.Match[str]) -> str:
            return f"`{tags[name[1]][0]}`"

        rows = [
            [f"`{key}`", re.sub(r"`(TAG_\w+)`", key_of, meaning), "yes" if key in propagated else ""]
            for key, meaning in tags.values()
        ]
        yield from table(["tag", "meaning", "on instances"], rows)


class MetricTable(Generated):
    """The metrics that the module in the argument defines: their dimension, and a table."""

    required_arguments, optional_arguments = 1, 0

    def lines(self) -> Iterator[str]:
        """The dimension, and one row for each metric."""
        found = documented(self.arguments[0])
        found.pop("NAMESPACE", None)
        dimension, meaning = found.pop("DIMENSION")
        yield from (f"Dimension: `{dimension}`. {meaning}", "")
        yield from table(["metric", "meaning"], [[f"`{value}`", meaning] for value, meaning in found.values()])
