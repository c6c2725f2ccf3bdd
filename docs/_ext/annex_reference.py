"""Sphinx extension: reference pages generated from the code.

Each directive makes Markdown from the code at build time, so that a page cannot differ from it.
"""

from sphinx.application import Sphinx

from command_pages import CommandLine
from constant_tables import MetricTable, TagTable
from spec_tables import SpecKeys


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("command-line", CommandLine)
    app.add_directive("metric-table", MetricTable)
    app.add_directive("spec-keys", SpecKeys)
    app.add_directive("tag-table", TagTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
