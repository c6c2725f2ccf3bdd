"""A pool and an emulated EC2 on one machine, for the demonstration and the end-to-end tests.

The product never imports it.
"""


class LabError(Exception):
    """Failure of the lab; the message has the cause, the requirement, and the fix."""
