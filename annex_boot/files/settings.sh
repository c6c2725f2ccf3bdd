# shellcheck shell=sh
# Reads /etc/annex/annex.env as data (never sourced: its values come from a template that others can write), and ends a
# script that cannot go on.

# Exports the ANNEX_ settings. Fails, and names the line, if anything is missing, unknown, repeated or malformed.
read_settings() {
    settings=/etc/annex/annex.env
    if ! malformed=$(LC_ALL=C grep -vxE '@@SETTING_FORMS@@' "$settings"); then
        : "no malformed line: grep found nothing"
    fi
    if [ -n "$malformed" ]; then
        echo "annex: $settings: malformed: $malformed"
        return 1
    fi
    # As many different keys as lines, and one line for each setting: each exactly once.
    if [ "$(cut -d= -f1 "$settings" | sort -u | wc -l)" -ne @@SETTING_COUNT@@ ] ||
        [ "$(wc -l <"$settings")" -ne @@SETTING_COUNT@@ ]; then
        echo "annex: $settings: needs each of its @@SETTING_COUNT@@ settings exactly once"
        return 1
    fi
    while IFS= read -r line; do
        export "${line?}"
    done <"$settings"
    while read -r number minimum maximum what; do
        if [ "$number" -lt "$minimum" ] || [ "$number" -gt "$maximum" ]; then
            echo "annex: $settings: $what: $number is not from $minimum to $maximum"
            return 1
        fi
    done <<EOF
@@SETTING_LIMITS@@
EOF
}

# fail REASON: ends the script; `retire` says why.
fail() {
    echo "annex: $1"
    echo "$1" >/run/annex/reason
    exit 1
}
