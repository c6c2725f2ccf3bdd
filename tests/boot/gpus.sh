# shellcheck shell=bash
# A machine with a GPU whose driver makes its device only after HTCondor has started. The GPU is simulated by HTCondor's
# own discovery tool; the bus and /dev are a test's.
boot_archive
bus=ep/root/sys/bus/pci/devices
mount -t tmpfs bus $bus
mkdir $bus/0000:00:1e.0
echo 0x10de >$bus/0000:00:1e.0/vendor
echo 0x030200 >$bus/0000:00:1e.0/class
mkdir devices
mount -t tmpfs devices devices
cp -a /dev/{null,zero,full,random,urandom,tty} devices/
mount --bind devices ep/root/dev
pool_host
alice=$(user_home)
event() { grep -q "^$1 " "$alice"/job.log; }
gpus() { incm condor_status -constraint 'PartitionableSlot' -af 'TotalGPUs ?: 0'; }
has_gpus() { [ "$(gpus)" = 2 ]; }
start_pool
token annex-demo@example.edu /etc/condor/tokens.d/annex
read_settings
echo 4070908800 >ep/root/run/annex/lease-end
echo 'GPU_DISCOVERY_EXTRA = -simulate:0,2' >ep/root/etc/condor/config.d/95-simulated
inep sh /usr/local/lib/annex/configure i-0abc c6a.large 4070908800 >/dev/null 2>&1
(exec ip netns exec ep chroot ep/root condor_master -f) >/dev/null 2>&1 &
master=$!
wait_for 60 sh -c '[ -e ep/root/var/log/condor/.startd_address ]'
listed() { [ -n "$(gpus)" ]; }
wait_for 60 listed
result before "$(gpus)"
inep sh /usr/local/lib/annex/gpus >ep/root/tmp/said 2>&1 &
looking=$!

printf 'executable = /bin/sleep\narguments = 12\ntransfer_executable = false\nrequest_memory = 50\nrequest_disk = 10M
My.TargetAnnexName = "demo"\nlog = job.log\nqueue\n' >"$alice"/job.sub
as_user 'condor_submit -terse job.sub' >/dev/null
wait_for 60 event 001
: >devices/nvidia0
wait_for 60 event 005
result undisturbed $?
event 004
result evicted $?
wait_for 90 has_gpus
result after "$(gpus)"
wait $looking
result status $?
result said "$(cat ep/root/tmp/said)"
kill -0 $master
result master $?
# The next start finds them at once.
inep sh /usr/local/lib/annex/configure i-0abc c6a.large 4070908800 >/dev/null 2>&1
inep test -e /etc/condor/config.d/92-annex-without-gpus
result without $?
