"""Measurements to run by hand, side by side in one run. None is a test: what they print depends on the machine."""
