"""Sphinx extension: reference pages generated from the code.

Each directive makes Markdown from the code at build time, so that a page cannot differ from it.
"""

import inspect
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.inspect import stringify_signature

from .command_pages import CommandLine
from .constant_tables import MetricTable, TagTable
from .spec_tables import SpecKeys


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.connect("autodoc-process-signature", own_signature)
    app.add_directive("command-line", CommandLine)
    app.add_directive("metric-table", MetricTable)
    app.add_directive("spec-keys", SpecKeys)
    app.add_directive("tag-table", TagTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def own_signature(
    _app: Sphinx, what: str, _name: str, documented: Any, _options: Any, _signature: str | None, _returned: str | None
) -> tuple[str, str] | None:
    """The parameters of a construct's own `__init__`: its metaclass, jsii's, shows `*args: Any, **kwargs` instead."""
    if what != "class":
        return None
    signature = inspect.signature(documented.__init__)
    own = signature.replace(
        parameters=[each for each in signature.parameters.values() if each.name != "self"],
        return_annotation=inspect.Signature.empty,
    )
    return stringify_signature(own, unqualified_typehints=True), ""
