# shellcheck shell=sh
# Reads /etc/annex/annex.env as data (never sourced: its values come from a template others can write).

# Exports the ten ANNEX_ settings. Fails, naming the line, if anything is missing, unknown, repeated or malformed.
read_settings() {
    settings=/etc/annex/annex.env
    if ! malformed=$(LC_ALL=C grep -vxE 'ANNEX_NAME=[a-z](-?[a-z0-9]){0,31}
ANNEX_REGION=[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}
ANNEX_CREDENTIAL=arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+
ANNEX_COLLECTOR=[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?:[0-9]{1,5}
ANNEX_TRUST_DOMAIN=[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?
ANNEX_(DRAIN_BEFORE_END|IDLE_TIMEOUT|JOIN_TIMEOUT|SHUTDOWN_AFTER_END)=[1-9][0-9]{0,7}
ANNEX_PROTECT_BUSY=[01]' "$settings"); then
        : "no malformed line: grep found nothing"
    fi
    if [ -n "$malformed" ]; then
        echo "annex: $settings: malformed: $malformed"
        return 1
    fi
    # Ten different keys in ten lines: each exactly once.
    if [ "$(cut -d= -f1 "$settings" | sort -u | wc -l)" -ne 10 ] || [ "$(wc -l <"$settings")" -ne 10 ]; then
        echo "annex: $settings: needs each of its ten settings exactly once"
        return 1
    fi
    while IFS= read -r line; do
        export "${line?}"
    done <"$settings"
    if [ "${#ANNEX_NAME}" -gt 32 ]; then
        echo "annex: $settings: ANNEX_NAME longer than 32 characters"
        return 1
    fi
}
