"""Configuration of the documentation site, for Sphinx.

Build it with `sphinx-build -W --keep-going -n docs build/site`. `tests/docs` does that.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).parent
# The extension, and the packages that the reference pages are generated from.
sys.path[:0] = [str(_HERE / "_ext"), str(_HERE.parent)]

from annex_lease.version import __version__  # noqa: E402 - not importable before

project = "HTCondor annexes on EC2"
version = release = __version__
html_title = f"{project} {release}"
html_theme = "furo"

extensions = ["myst_parser", "sphinx.ext.autodoc", "annex_reference"]
exclude_patterns = ["_ext"]

myst_heading_anchors = 3  # links to headings are checked as links to pages are
default_role = "code"  # docstrings of the CDK's style write `name` for code

# The class describes the parameters; the __init__ of a derived class would show those of its base.
autoclass_content = "class"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
maximum_signature_line_length = 80
python_use_unqualified_type_names = True
# References that no page here can hold: the documentation of other projects, and an inventory of it would have to be
# downloaded for every build.
nitpick_ignore_regex = [
    ("py:class", r"annex_(boot|lease)\..*"),  # what the constructs hand to packages that are no public API
    ("py:.*", r"(aws_cdk|constructs|jsii|datetime|collections\.abc)\..*"),
]
# The form of external links is checked by tests/docs: a build that opens them would fail without the internet.
