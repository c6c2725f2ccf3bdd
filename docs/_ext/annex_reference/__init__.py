"""Sphinx extension: reference pages generated from the code.

Each directive makes Markdown from the code at build time, so that a page cannot differ from it.
"""

import inspect
from dataclasses import is_dataclass
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import PycodeError
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.inspect import stringify_signature

import annex_constructs

from .command_pages import CommandLine
from .constant_tables import MetricTable, TagTable
from .spec_tables import LiveChanges, SpecKeys


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.connect("builder-inited", skip_sources_of_the_cdk)
    app.connect("autodoc-process-signature", own_signature)
    app.add_directive("command-line", CommandLine)
    app.add_directive("live-changes", LiveChanges)
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
    if not documented.__init__.__module__.startswith("annex_") and not is_dataclass(documented):
        return "", ""  # an interface: it is not made by its name
    signature = inspect.signature(documented.__init__)
    own = signature.replace(
        parameters=[each for each in signature.parameters.values() if each.name != "self"],
        return_annotation=inspect.Signature.empty,
    )
    return stringify_signature(own, unqualified_typehints=True), ""


def skip_sources_of_the_cdk(_app: Sphinx) -> None:
    """Keep autodoc from analysing the source of each base class: those of the CDK take 20 s, and no page shows them."""
    public = (getattr(annex_constructs, name) for name in annex_constructs.__all__)
    for module in {base.__module__ for each in public if isinstance(each, type) for base in each.__mro__}:
        if module.startswith("aws_cdk"):
            ModuleAnalyzer.cache["module", module] = PycodeError("a module of the CDK")
