# shellcheck shell=bash
# A real pool and the execution point with its real configuration: join, run, follow the lease, drain, go idle.
boot_archive
pool_host
# shellcheck source=tests/boot/jobs.sh
. "$here/jobs.sh"
slot() { incm condor_status -af "$@"; }
slot_has() { slot "$1" | grep -qxF "$2"; }
# The execution point's answer to "does a job run here", as Auto Scaling gets to hear it.
protection() { sed -n 's/^call-aws protect //p' ep/root/tmp/calls | tr '\n' ' '; }
cycles() { grep -c 'Started Negotiation Cycle' cm/root/var/log/condor/NegotiatorLog; }
lease_end() { echo $(($(date +%s) + $1)) >ep/root/run/annex/lease-end; }

start_pool
token annex-demo@example.edu /etc/condor/tokens.d/annex
read_settings
lease_end 400
inep sh /usr/local/lib/annex/configure i-0abc c6a.large "$(cat ep/root/run/annex/lease-end)" >/dev/null 2>&1

# call-aws is a Python program of the boot files.
: >ep/root/tmp/calls
echo 'import sys; print("call-aws", *sys.argv[1:], file=open("/tmp/calls", "a"))' >ep/root/usr/local/lib/annex/call-aws
ip -n ep addr add 169.254.169.254/32 dev lo
ip netns exec ep python3 "$here/metadata_service.py" >/dev/null 2>&1 &
inep sh /usr/local/lib/annex/busy >/dev/null 2>&1 &
began=$(milliseconds)
inep condor_master -f >/dev/null 2>&1 &
master=$!
wait_for 60 slot_has AnnexInstanceId i-0abc
result joined_ms $(($(milliseconds) - began))
result slot "$(slot Name AnnexName AnnexInstanceId AnnexInstanceType AuthenticatedIdentity SlotType MachineMaxVacateTime)"
# The last step of the instance's own `join`, with the real tool.
inep timeout 60 condor_ping -quiet -type COLLECTOR ADVERTISE_STARTD
result ping $?
for level in READ WRITE DAEMON NEGOTIATOR ADMINISTRATOR ADVERTISE_STARTD ADVERTISE_MASTER ADVERTISE_SCHEDD; do
    inep condor_ping -quiet -type COLLECTOR $level >/dev/null 2>&1
    result "may_$level" $?
done

# No starters of jobs, in spite of their names: one is a job's program, and one is asked by the startd what it can do.
# They run longer than every job here.
inep setpriv --reuid 65534 --regid 65534 --clear-groups bash -c 'exec -a "condor_starter -f -a slot1_1" sleep 300' &
inep bash -c 'exec -a "/usr/sbin/condor_starter -classad" sleep 300' &
called call-aws
result protected_idle $?

# Ignores the signal that asks it to exit.
submit long "arguments = \"-c 'trap : TERM; while :; do sleep 1; done'\"
allowed_execute_duration = 600"
submit short "arguments = \"-c 'id -un; id -Gn; cat /etc/condor/tokens.d/annex && echo read; ls /tmp | wc -l'\"
allowed_execute_duration = 60"
wait_for 300 event short 005
result short "$(tr '\n' ' ' <"$alice"/short.out)"
event long 001
result long_started_before $?

lease_end 4000
end=$(cat ep/root/run/annex/lease-end)
began=$(milliseconds)
wait_for 20 slot_has AnnexLeaseEnd "$end"
result extension_seen_ms $(($(milliseconds) - began))
wait_for 300 event long 001
result long_started_after $?

wait_for 300 called 'protect true'
result protected "$(cat ep/root/tmp/calls)"

# Running until ANNEX_DRAIN_BEFORE_END before the end, gone before it.
lease_end 20
end=$(cat ep/root/run/annex/lease-end)
wait_for 40 event long 004
result evicted $?
result left_ms $((end * 1000 - $(milliseconds)))
wait_for 60 slot_has Start false
result closed $?

# Now idle for ANNEX_IDLE_TIMEOUT: the master leaves of itself, which is what condor.service waits for.
incm condor_rm -all >/dev/null
lease_end 4000
# Open again: without a job it is undefined.
wait_for 60 slot_has Start undefined
result reopened $?
began=$(milliseconds)
before=$(cycles)
wait_for 60 called 'protect false'
result released_ms $(($(milliseconds) - began))
result protection "$(protection)"
wait $master
result master_status $?
result idle_ms $(($(milliseconds) - began))
result cycle_ms $((($(milliseconds) - began) / ($(cycles) - before)))

# The collector remembers the ad of a machine that left, and the ad refuses matches.
slot_has AnnexInstanceId i-0abc
result remembered $?
wait_for 60 slot_has Start false
result refuses $?
