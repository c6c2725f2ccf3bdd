# shellcheck shell=sh
# The interruption of a spot instance by EC2. Two minutes before, on a best-effort basis, the metadata has a notice such as
# {"action": "terminate", "time": "2026-01-31T08:00:00Z"}, and an error 404 until then. See
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html

# interruption_time TEXT: prints the seconds since 1970 at which EC2 interrupts the instance. Fails if the text is no notice
# ("action" is what every notice has), or one whose time this instance has outlived by ten minutes. A time that is
# unreadable, or later than AWS documents, counts as two minutes from now: the shorter time is the safer one.
interruption_time() {
    case $1 in
    *'"action"'*) ;;
    *) return 1 ;;
    esac
    now=$(date +%s)
    latest=$((now + 120))
    at=$(lease_epoch "$(echo "$1" | sed -n 's/.*"time" *: *"\([^"]*\)".*/\1/p')" 2>/dev/null) || at=$latest
    [ "$at" -le "$latest" ] || at=$latest
    [ "$at" -gt $((now - 600)) ] && echo "$at"
}

# look_for_notice: looks for a notice, and follows the one it finds to the end, also if it vanishes: the jobs are gone by
# then. It reads twice, because AWS documents no notice that is taken back. Sets $interrupted and $ignored.
look_for_notice() {
    notice=$(metadata spot/instance-action 2>/dev/null) && sleep 1 &&
        notice=$(metadata spot/instance-action 2>/dev/null) || return 0
    if interrupted=$(interruption_time "$notice"); then
        reason="spot interruption at $(date -u -d "@$interrupted" +%Y-%m-%dT%H:%M:%SZ)"
        echo "annex: $reason"
        echo "$interrupted" >/run/annex/interruption
        [ -e /run/annex/reason ] || echo "$reason" >/run/annex/reason
        # No new job from now on. Running jobs get their signal, and their vacate time, which is bounded below.
        systemctl --no-block stop condor.service
        systemctl --no-block start annex-retire.service
    elif [ "$notice" != "$ignored" ]; then
        echo "annex: no notice of a coming spot interruption: $notice"
        ignored=$notice
    fi
}

# bound_vacate_time: kills the jobs that still run 25 s before the interruption; they must be in the queue 20 s before it.
# The vacate time itself was fixed when the job started. HTCondor takes no notice of a second SIGQUIT.
bound_vacate_time() {
    [ "$(date +%s)" -lt $((interrupted - 25)) ] ||
        systemctl kill --kill-who=main --signal=QUIT condor.service 2>/dev/null
}
