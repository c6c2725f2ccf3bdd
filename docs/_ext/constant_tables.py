"""Tags and metrics, from the modules that define them and the docstrings below each constant."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from sphinx.pycode import ModuleAnalyzer

from generated import Generated, table


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
        propagated = importlib.import_module("annex_lease.contract").PROPAGATED_TAGS
        tags = documented("annex_lease.contract", "TAG_") | documented("annex_lease.sweep.marks", "TAG_")
        rows = [[f"`{key}`", meaning, "yes" if key in propagated else ""] for key, meaning in tags.values()]
        yield from table(["tag", "meaning", "on instances"], rows)


class MetricTable(Generated):
    """Table of the metrics that the module in the argument defines."""

    required_arguments, optional_arguments = 1, 0

    def lines(self) -> Iterator[str]:
        """One row for each metric."""
        found = documented(self.arguments[0])
        rows = [[f"`{value}`", meaning] for value, meaning in found.values()]
        yield from table(["name", "meaning"], rows)
