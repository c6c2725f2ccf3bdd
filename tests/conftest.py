"""Settings of the property tests: the same examples in every run, or, at night, many new ones.

`scripts/test --explore` searches beyond the repeatable examples, by the profile in `HYPOTHESIS_PROFILE`.
"""

import ast
import os
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants, ConstantVisitor

ROOT = Path(__file__).parents[1]

# On a busy machine the first example can take seconds; its duration is no property of the rule under test.
_CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
settings.register_profile("repeatable", _CALM, derandomize=True, max_examples=200)
# Stated, as Hypothesis makes every profile repeatable where the variable CI is set.
settings.register_profile("explore", _CALM, derandomize=False, max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@cache
def _product_constants() -> Constants:
    """Numbers and texts of the product's sources, which Hypothesis mixes into its examples."""
    visitor = ConstantVisitor(limit=False)
    for source in sorted(ROOT.glob("annex_*/**/*.py")):
        visitor.visit(ast.parse(source.read_bytes()))
    return providers._local_constants | visitor.constants  # the former, still empty, keeps them sorted


# Hypothesis takes them from the modules that happen to be loaded. Then the examples of a test depend on the tests that
# ran before it in its process (other ones in each worker of pytest-xdist), and on the path of the checkout.
# A private function of the pinned version: a version without it fails here.
assert callable(providers._get_local_constants)
providers._get_local_constants = _product_constants
