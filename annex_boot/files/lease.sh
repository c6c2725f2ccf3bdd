# shellcheck shell=sh
# The lease end on the instance: parsed, published to HTCondor, and enforced by a timer nobody has to serve.

# lease_epoch TEXT: prints the seconds since 1970 of a time in exactly the form 2026-01-31T08:00:00Z.
lease_epoch() {
    case $1 in
    [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z) date -u -d "$1" +%s ;;
    *)
        echo "annex: lease end malformed: '$1'" >&2
        return 1
        ;;
    esac
}

# set_lease_end EPOCH: arms the dead-man timer for it, then publishes it. The new timer is armed before the old one
# is stopped, and nothing is published without it: whatever fails on the way, the machine ends no later than before.
set_lease_end() {
    off=$(($1 + ANNEX_SHUTDOWN_AFTER_END))
    shutdown_after_end=$(cat /run/annex/dead-man 2>/dev/null)
    if [ "$shutdown_after_end" != "$off" ]; then
        systemd-run --quiet --unit="annex-dead-man-$off" --on-calendar="@$off" --timer-property=AccuracySec=1s \
            systemctl poweroff --force || return 1
        echo "$off" >/run/annex/dead-man
        [ -z "$shutdown_after_end" ] || systemctl stop "annex-dead-man-$shutdown_after_end.timer"
    fi
    # Renamed into place: the cron hook of the startd never sees half a number.
    echo "$1" >/run/annex/lease-end.new && mv /run/annex/lease-end.new /run/annex/lease-end
}
