"""Boot files of an execution point: shell, systemd units, nftables rules, HTCondor configuration.

They are data. :mod:`annex_boot.boot_files` says where each is on the instance, and fills in the placeholders
(``@@NAME@@``).
"""
