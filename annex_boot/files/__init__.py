"""Boot files of an execution point: shell, systemd units, nftables rules, HTCondor configuration.

They are data. :mod:`annex_boot.user_data` says where each is written on the instance, and fills in the
placeholders (``@@NAME@@``).
"""
