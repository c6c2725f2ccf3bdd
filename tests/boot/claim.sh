# shellcheck shell=bash
# A claim whose release was lost: its slot has no job, and nothing else may use it.
boot_archive
pool_host
# shellcheck source=tests/boot/jobs.sh
. "$here/jobs.sh"
# shellcheck source=tests/boot/condor_service.sh
. "$here/condor_service.sh"
(exec ip netns exec cm chroot cm/root condor_master -f) >/dev/null 2>&1 &
pool=$!
wait_for 300 test -s cm/root/var/spool/condor/.schedd_address
token annex-demo@example.edu /etc/condor/tokens.d/annex
# The shipped time is minutes.
result unused_claim "$(sed -n 's/^ANNEX_UNUSED_CLAIM = //p' ep/root/etc/condor/config.d/90-annex)"
printf 'ANNEX_UNUSED_CLAIM = 20\nUPDATE_INTERVAL = 5\n' >ep/root/etc/condor/config.d/95-sooner
# Idle for longer than this takes.
ANNEX_IDLE_TIMEOUT=3600
start_condor 10
startd_log() { grep -c "$1" ep/root/var/log/condor/StartLog; }
logged() { [ "$(startd_log "$1")" -gt 0 ]; }

# The schedd reaches the execution point through the collector's CCB. While there is none, the release of a claim is lost.
submit short "arguments = \"-c 'sleep 12'\""
wait_for 120 event short 001
result run $?
kill -STOP $pool
# The kernel keeps 15 letters of a name.
pkill -KILL -x condor_collecto
result killed $?
wait_for 60 event short 005
result finished $?
began=$(milliseconds)
sleep 10
result kept "$(startd_log 'IS_OWNER is true')"
wait_for 40 logged 'IS_OWNER is true'
result ended $?
result ended_ms $(($(milliseconds) - began))
kill -CONT $pool
slots() { incm condor_status -af SlotType; }
free() { [ "$(slots)" = Partitionable ]; }
wait_for 60 free
result free $?
