# shellcheck shell=sh
# The lease end on the instance: parsed, published to HTCondor, and enforced by a timer of systemd.

# lease_epoch TEXT: prints the seconds since 1970 of a time in exactly the form 2026-01-31T08:00:00Z.
lease_epoch() {
    case $1 in
    [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]Z) date -u -d "$1" +%s ;;
    *)
        echo "annex: malformed lease end: '$1'" >&2
        return 1
        ;;
    esac
}

# set_lease_end EPOCH: starts the shutdown timer for it, then publishes it. The new timer is started before the old one
# is stopped, and nothing is published without it: a failure at any step never makes the instance end later.
set_lease_end() {
    shutdown_at=$(($1 + ANNEX_SHUTDOWN_AFTER_END))
    previous=$(cat /run/annex/shutdown-at 2>/dev/null)
    if [ "$previous" != "$shutdown_at" ]; then
        systemd-run --quiet --unit="annex-shutdown-$shutdown_at" --on-calendar="@$shutdown_at" \
            --timer-property=AccuracySec=1s systemctl poweroff --force || return 1
        echo "$shutdown_at" >/run/annex/shutdown-at
        [ -z "$previous" ] || systemctl stop "annex-shutdown-$previous.timer"
    fi
    # Renamed into place: the cron hook of the startd never reads half a number.
    echo "$1" >/run/annex/lease-end.new && mv /run/annex/lease-end.new /run/annex/lease-end
}
