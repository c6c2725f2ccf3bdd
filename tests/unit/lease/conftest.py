"""Settings of the property tests."""

from hypothesis import HealthCheck, settings

# On a busy machine the first example can take seconds; its speed says nothing about the rule under test.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=200)
settings.load_profile("busy")
