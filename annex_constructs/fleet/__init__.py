"""The fleet of an annex as constructs: group, launch template, execution point, role, network."""
