# shellcheck shell=bash
# Ends of an execution point while jobs run: one that heeds SIGTERM and writes a checkpoint, and one that ignores it.
boot_archive
pool_host
# shellcheck source=tests/boot/jobs.sh
. "$here/jobs.sh"
# shellcheck source=tests/boot/condor_service.sh
. "$here/condor_service.sh"
start_pool
token annex-demo@example.edu /etc/condor/tokens.d/annex
ip -n ep addr add 169.254.169.254/32 dev lo
ip netns exec ep python3 "$here/metadata_service.py" >/dev/null 2>&1 &
inep sh /usr/local/lib/annex/firewall
result firewall $?

two_jobs() { # two_jobs END
    submit "heeds-$1" "arguments = \"-c 'if [ -e ckpt ]; then echo resumed; exit; fi; echo \$\$ >ckpt.new; \
trap ''mv ckpt.new ckpt; exit 3'' TERM; while :; do sleep 0.2; done'\"
when_to_transfer_output = ON_EXIT_OR_EVICT"
    submit "ignores-$1" "arguments = \"-c 'trap : TERM; while :; do sleep 0.2; done'\""
    wait_for 120 event "heeds-$1" 001 && wait_for 120 event "ignores-$1" 001
    result "run-$1" $?
    sleep 2 # the traps are set
}
# back END: milliseconds from $began until each job is in the queue again.
back() {
    for job in heeds ignores; do
        (
            wait_for 300 event "$job-$1" 004
            result "$job-$1" $(($(milliseconds) - began))
        ) &
        waiting="$waiting $!"
    done
    # shellcheck disable=SC2086 # several
    wait $waiting
    waiting=
    wait_for 60 sh -c "! kill -0 $master"
    result "master-$1" $?
    result "left-$1" "$(inep pgrep -c -U 30001,30002,30003)"
    result "words-$1" "$(grep -ho 'Startd was shutdown' $alice/{heeds,ignores}-"$1".log | sort | uniq -c | tr -s ' ')"
    result "checkpoints-$1" "$(find cm/root/var/spool/condor -name ckpt | wc -l)"
    result "queue-$1" "$(incm condor_q -all -af JobStatus NumJobStarts | tr '\n' ';')"
}
waiting=

# The vacate time is 7 s.
start_condor 10
two_jobs stop
began=$(milliseconds)
inep systemctl --no-block stop condor.service
back stop
# The pool has the checkpoint, and the job resumes from it.
incm condor_rm -constraint 'regexp("ignores", UserLog)' >/dev/null
start_condor 300
wait_for 120 event heeds-stop 005
result resumed "$(cat $alice/heeds-stop.out)"
incm condor_rm -all >/dev/null

# The vacate time is 270 s, and EC2 interrupts the instance in 45 s.
two_jobs spot
: >ep/root/tmp/calls
watch
sleep 3
result unnoticed "$(cat ep/root/tmp/calls)"
deadline=$(($(date +%s) + 45))
began=$(milliseconds)
echo "{\"action\": \"terminate\", \"time\": \"$(date -u -d @$deadline +%Y-%m-%dT%H:%M:%SZ)\"}" >notice
(
    wait_for 60 called 'stop condor.service'
    result noticed_ms $(($(milliseconds) - began))
    submit late "arguments = \"-c true\""
) &
back spot
result before_deadline_ms $((deadline * 1000 - $(milliseconds)))
result spot_calls "$(uniq ep/root/tmp/calls | tr '\n' ';')"
result spot_reason "$(cat ep/root/run/annex/reason)"
result spot_time "spot interruption at $(date -u -d @$deadline +%Y-%m-%dT%H:%M:%SZ)"
event late 001
result late_started $?
kill $watching
rm notice
incm condor_rm -all >/dev/null

# Without the firewall no job may run.
start_condor 300
two_jobs firewall
echo 'table' >ep/root/etc/annex/firewall.nft
inep nft flush ruleset
: >ep/root/tmp/calls
watch
wait_for 60 called 'start annex-retire.service'
began=$(milliseconds)
back firewall
result firewall_calls "$(head -n 4 ep/root/tmp/calls | tr '\n' ';')"
kill $watching
