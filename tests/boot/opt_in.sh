# shellcheck shell=bash
# Whose jobs run on an annex: held by the access point against a machine that accepts every job, then by the machine.
boot_archive
pool_host
# A transform of the pool's own, in a file before pool.conf, and pool.conf a second time.
cat >cm/root/etc/condor/config.d/10-own <<'END'
JOB_TRANSFORM_NAMES = Site
JOB_TRANSFORM_Site @=end
    SET Site "own"
@end
END
cp cm/root/etc/condor/config.d/pool.conf cm/root/etc/condor/config.d/zz-again
alice=$(user_home)
# submit NAME LINES [OPTION]: jobs that end at once; LINES end with `queue`.
submit() {
    printf 'executable = /bin/true\ntransfer_executable = false\nshould_transfer_files = YES\nrequest_memory = 50
request_disk = 10M\nlog = %s.log\nMy.Case = "%s"\n%s\n' "$1" "$1" "$2" >"$alice"/"$1".sub
    as_user "condor_submit -terse ${3-} $1.sub" >/dev/null || result "refused_$1" $?
}
event() { grep -q "^$2 " "$alice"/"$1".log; }
cycles() { grep -c 'Started Negotiation Cycle' cm/root/var/log/condor/NegotiatorLog; }
more_cycles() { [ "$(cycles)" -ge "$1" ]; }
listed() { incm condor_status -af AnnexName | grep -qxF demo; }
# ran: the cases with an execution, in the order of the alphabet, after three more negotiations.
ran() {
    wait_for 60 more_cycles $(($(cycles) + 3))
    grep -l '^001 ' "$alice"/*.log | sed 's|.*/||; s|[.]log$||' | sort | tr '\n' ' '
}
# status CASE: 1 idle, 4 completed. The log of a spooled job is not in the user's home.
status() { incm condor_q -constraint "Case == \"$1\"" -af JobStatus; }
completed() { [ "$(status "$1")" = 4 ]; }
requirements() { incm condor_q -constraint "Case == \"$1\"" -af:r Requirements; }
machine() { # machine: starts HTCondor on the execution point, and waits for its slot
    (exec ip netns exec ep chroot ep/root condor_master -f) >/dev/null 2>&1 &
    master=$!
    wait_for 60 listed
}
read_settings
echo 4070908800 >ep/root/run/annex/lease-end
stolen=ep/root/etc/condor/config.d/99-stolen
# It accepts every job, and claims in its ad what the access point looks for.
cat >$stolen <<'END'
START = True
AuthenticatedIdentity = "condor@example.edu"
TargetAnnexName = "second"
MayUseAWS = True
STARTD_ATTRS = $(STARTD_ATTRS) AuthenticatedIdentity TargetAnnexName MayUseAWS
END
start_pool
token annex-demo@example.edu /etc/condor/tokens.d/annex
inep sh /usr/local/lib/annex/configure i-0abc c6a.large 4070908800 >/dev/null 2>&1
machine
result start "$(incm condor_status -af Start | sort -u)"
submit a-none 'queue'
submit b-either 'requirements = TARGET.Cpus > 0 || TARGET.Memory > 0
queue 2'
submit c-other 'My.TargetAnnexName = "second"
queue'
submit d-factory 'max_materialize = 1
queue 2'
submit e-spooled 'queue' -spool
submit e-spooled-yes 'My.TargetAnnexName = "demo"
queue' -spool
submit f-false 'My.MayUseAWS = false
queue'
submit g-late-yes 'My.TargetAnnexName = "demo"
max_materialize = 1
queue 2'
wait_for 120 event g-late-yes 005
submit h-aws 'My.MayUseAWS = true
queue'
wait_for 120 event h-aws 005
submit i-demo 'My.TargetAnnexName = "demo"
requirements = TARGET.Cpus > 0 || TARGET.Memory > 0
queue'
wait_for 120 event i-demo 005
submit j-local 'universe = local
queue'
wait_for 60 event j-local 005
wait_for 120 completed e-spooled-yes
result ran_stolen "$(ran)"
result spooled "$(status e-spooled) $(status e-spooled-yes)"
result own_transform "$(incm condor_q -constraint 'Case == "a-none"' -af Site)"
result once "$(requirements a-none | grep -o MayUseAWS | wc -l)"
result once_factory "$(requirements d-factory | head -n 1 | grep -o MayUseAWS | wc -l)"
result parentheses "$(requirements b-either | head -n 1)"
result analysis "$(as_user "condor_q -better-analyze $(incm condor_q -constraint 'Case == "a-none"' -af ClusterId)" |
    grep AuthenticatedIdentity | tail -n 1)"
# The clause has the attributes of the job.
as_user "condor_qedit -constraint 'Case == \"a-none\"' MayUseAWS true" >/dev/null
wait_for 120 event a-none 005
result edited $?
# An annex that the pool opens to every job, in a file before pool.conf; another one stays closed.
echo 'ANNEX_OPEN = second' >>cm/root/etc/condor/config.d/10-own
incm condor_reconfig >/dev/null
submit k-closed 'queue'
echo 'ANNEX_OPEN = second, demo' >>cm/root/etc/condor/config.d/10-own
incm condor_reconfig >/dev/null
submit l-open 'queue'
wait_for 120 event l-open 005
result ran_open "$(ran)"
as_user 'condor_rm -all' >/dev/null
kill $master
wait $master

# An access point without the transform, and the machine as it is meant to be.
rm $stolen "$alice"/*.log
echo 'JOB_TRANSFORM_NAMES =' >cm/root/etc/condor/config.d/zzz-none
incm condor_reconfig >/dev/null
condition='((TARGET.TargetAnnexName =?= MY.AnnexName || TARGET.MayUseAWS =?= true) && (stringListMember(TARGET.Owner, "alice"))'
condition="$condition"' && (TARGET.ProjectID =?= MY.ProjectID)) =?= true'
export ANNEX_JOBS=$condition ANNEX_PROJECT_ID='"muon-2026"'
inep sh /usr/local/lib/annex/configure i-0abc c6a.large 4070908800 >/dev/null 2>&1
machine
advertised() { incm condor_status -constraint PartitionableSlot -af State ProjectID; }
# The collector still lists the machine as it was before.
renewed() { advertised | grep -q muon; }
wait_for 60 renewed
result state "$(advertised)"
master_project() { incm condor_status -master -constraint 'regexp("annex-demo", Name)' -af ProjectID; }
named() { master_project | grep -q muon; }
wait_for 60 named
result project_of_master "$(master_project)"
submit a-none 'My.ProjectID = "muon-2026"
queue'
submit b-other 'My.TargetAnnexName = "second"
My.ProjectID = "muon-2026"
queue'
submit c-no-project 'My.TargetAnnexName = "demo"
queue'
submit d-other-project 'My.TargetAnnexName = "demo"
My.ProjectID = "tau-2026"
queue'
submit e-demo 'My.TargetAnnexName = "demo"
My.ProjectID = "muon-2026"
queue'
wait_for 120 event e-demo 005
result clauses "$(requirements a-none | grep -c AuthenticatedIdentity)"
result ran_honest "$(ran)"
