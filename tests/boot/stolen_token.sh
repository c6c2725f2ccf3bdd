# shellcheck shell=bash
# The holder of one annex's token against a pool that has rules of its own beside the shipped configuration.
boot_archive
pool_host
cat >cm/root/etc/condor/config.d/10-own <<'END'
ALLOW_ADVERTISE_STARTD = $(ALLOW_DAEMON) site@example.edu
COLLECTOR_REQUIREMENTS = TARGET.Name =!= "closed.example.edu"
END
start_pool
mkdir -p ep/root/tmp/{annex,site}
token annex-demo@example.edu /tmp/annex/token
token site@example.edu /tmp/site/token
read_settings
inep sh /usr/local/lib/annex/configure i-0abc c6a.large 4070908800 >/dev/null 2>&1

# send WHO COMMAND LINES: an ad of a host, its lines replaced or added, with the token of `annex` or `site`.
send() {
    printf 'MyAddress = "<10.9.0.2:9618>"\n%s\n' "$3" >ep/root/tmp/ad
    inep env _CONDOR_SEC_TOKEN_DIRECTORY="/tmp/$1" condor_advertise "$2" /tmp/ad >ep/root/tmp/said 2>&1
}
domain=annex-demo.example.edu
# slot CASE LINES, master CASE LINES: an ad with the right names, but for the lines.
slot() {
    send annex UPDATE_STARTD_AD "MyType = \"Machine\"
Name = \"slot1@i-0$1.$domain\"
Machine = \"i-0$1.$domain\"
FileSystemDomain = \"i-0$1.$domain\"
UidDomain = \"$domain\"
AnnexName = \"demo\"
AnnexInstanceId = \"i-0$1\"
Case = \"$1\"
$2"
}
master() {
    send annex UPDATE_MASTER_AD "MyType = \"DaemonMaster\"
Name = \"i-0$1.$domain\"
Machine = \"i-0$1.$domain\"
Case = \"$1\"
$2"
}
masters() { incm condor_status -master -af Name | grep -xF cm.example.edu; }
cases() { incm condor_status -any -constraint 'Case =!= undefined' -af Case | sort | tr '\n' ' '; }

wait_for 60 masters
slot a0 ''
slot a1 'Name = "slot1_1@i-0a1.annex-demo.example.edu"'
send annex UPDATE_STARTD_AD "MyType = \"Machine\"
Name = \"slot1@i-0a2.$domain\"
Case = \"a2\""
slot b0 'AnnexName = "second"'
slot b1 'AnnexName = ifThenElse(TARGET.Owner =?= undefined, "demo", "second")'
slot b2 'AnnexName = ifThenElse(time() < 4070908800, "demo", "second")'
slot b3 'Machine = "core.example.edu"'
slot b4 'Name = "slot1@i-0b4.annex-second.example.edu"'
slot b5 'Name = "core.example.edu"'
slot b6 'UidDomain = "example.edu"'
slot b7 'FileSystemDomain = "example.edu"'
slot b8 'AnnexInstanceId = "i-0a0"'
slot b9 'Name = undefined'
send annex UPDATE_STARTD_AD 'MyType = "Machine"
Machine = "i-0bd.annex-demo.example.edu"
SlotID = 1
Case = "bd"'
slot ba 'Name = "slot1@i-0ba.annex-second.example.edu@i-0ba.annex-demo.example.edu"'
slot bb 'AuthenticatedIdentity = "condor@example.edu"
Name = "core.example.edu"'
slot bc 'Machine = "i-0a0.annex-demo.example.edu"'
master c0 ''
master d0 'Name = "cm.example.edu"'
master d1 'AnnexName = "second"'
master d2 'Machine = "cm.example.edu"'
send site UPDATE_STARTD_AD 'MyType = "Machine"
Name = "core.example.edu"
Case = "e0"'
send site UPDATE_STARTD_AD 'MyType = "Machine"
Name = "closed.example.edu"
Case = "f0"'
sleep 1
result accepted "$(cases)"

# Everybody's ads are to be forgotten.
forget() {
    for kind in STARTD MASTER; do
        send annex INVALIDATE_${kind}_ADS 'MyType = "Query"
TargetType = "Any"
Requirements = true'
    done
    sleep 1
}
forget
result remembered "$(cases)"
result master_remembered "$(masters)"
# A pool that refuses the price.
echo 'IGNORE_INVALIDATE = False' >>cm/root/etc/condor/config.d/10-own
incm condor_reconfig >/dev/null
sleep 2
forget
result forgotten "$(cases)$(masters)"

inep env _CONDOR_SEC_TOKEN_DIRECTORY=/tmp/annex condor_token_fetch -type COLLECTOR >ep/root/tmp/said 2>&1
result traded $?
result refusal "$(tr '\n' ' ' <ep/root/tmp/said)"
