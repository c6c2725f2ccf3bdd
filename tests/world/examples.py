"""Search for examples by the property tests here."""

from hypothesis import HealthCheck, settings

# Deterministic: a failure is found again by the next run, and no run finds what another one does not. Given to every
# test by name, because a profile would be that of the directory collected last.
REPEATABLE = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck), max_examples=60
)
