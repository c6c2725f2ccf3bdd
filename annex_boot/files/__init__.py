"""The files an execution point boots with: shell, systemd units, nftables rules, HTCondor configuration.

They are data. :mod:`annex_boot.user_data` says where each goes on the instance.
"""
