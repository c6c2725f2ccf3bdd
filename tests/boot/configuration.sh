# shellcheck shell=bash
# What the files mean to the programs that read them.
boot_archive
read_settings
inep sh /usr/local/lib/annex/configure i-0abc c6a.large 4070908800 >/dev/null 2>&1
result configure $?
inep systemd-analyze verify --man=no annex.target annex-{prepare,firewall,join,watch,busy,retire}.service condor.service
result verify $?
inep nft --check --file /etc/annex/firewall.nft
result nft $?
inep condor_config_val -dump -expand | sed 's/^/VALUE /'
# shellcheck disable=SC2016 # for the inner shell
inep sh -c 'for level in READ CLIENT DAEMON ADMINISTRATOR WRITE NEGOTIATOR; do
    for what in AUTHENTICATION ENCRYPTION INTEGRITY AUTHENTICATION_METHODS; do
        echo "VALUE SEC_${level}_$what = $(condor_config_val SEC_${level}_$what 2>/dev/null ||
            condor_config_val SEC_DEFAULT_$what)"
    done
done'
