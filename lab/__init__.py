"""A pool and an "EC2" on one machine, for the demo and the end-to-end tests. Nothing of the product imports it."""


class LabError(Exception):
    """The lab cannot do what was asked; the message says what was found, what is needed, and the fix."""
