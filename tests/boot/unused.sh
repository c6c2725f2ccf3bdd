# shellcheck shell=bash
# A startd that an administrator of the pool switches off; the master stays.
boot_archive
pool_host
# shellcheck source=tests/boot/condor_service.sh
. "$here/condor_service.sh"
ANNEX_IDLE_TIMEOUT=3600
start_pool
token annex-demo@example.edu /etc/condor/tokens.d/annex
start_condor 10
listed() { [ -n "$(incm condor_status -af Name)" ]; }
wait_for 60 listed
result joined $?
: >ep/root/run/annex/joined
inep sh /usr/local/lib/annex/firewall
ip -n ep addr add 169.254.169.254/32 dev lo
ip netns exec ep python3 "$here/metadata_service.py" >/dev/null 2>&1 &
watch
sleep 7
result running "$(grep -v daemon-reload ep/root/tmp/calls)"
stopped() { ! inep pgrep -x -U 0 condor_startd; }
incm condor_off -daemon startd -name i-0abc.annex-demo.example.edu
wait_for 30 stopped
result off $?
began=$(milliseconds)
wait_for 150 called 'start annex-retire.service'
result retires_ms $(($(milliseconds) - began))
result reason "$(cat ep/root/run/annex/reason)"
kill -0 $master
result master $?
