"""Settings of the property tests: the same examples in every run, or, by hand, many that nobody has seen.

`HYPOTHESIS_PROFILE=explore python -m pytest tests/unit` looks for what the repeatable examples do not show.
"""

import os

from hypothesis import HealthCheck, settings

# On a busy machine the first example can take seconds; its speed says nothing about the rule under test.
_CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
settings.register_profile("repeatable", _CALM, derandomize=True, max_examples=200)
settings.register_profile("explore", _CALM, max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
