# shellcheck shell=sh

# Succeeds if the rules in the kernel are those of firewall.nft.
firewall_is_loaded() {
    [ "$(nft list table inet annex 2>/dev/null | grep -c reject)" -eq 4 ]
}

# Ends HTCondor and the instance: no job may run without the firewall. SIGQUIT has jobs killed at once; `stop` alone would
# give them their vacate time. What still runs after 10 s is killed by the kernel.
end_jobs_now() {
    echo "firewall rules are missing" >/run/annex/reason
    systemctl kill --kill-who=main --signal=QUIT condor.service
    systemctl --no-block stop condor.service
    systemd-run --quiet --on-active=10s --timer-property=AccuracySec=1s \
        systemctl kill --signal=KILL condor.service || systemctl kill --signal=KILL condor.service
    systemctl --no-block start annex-retire.service
}
