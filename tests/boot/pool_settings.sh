# shellcheck shell=bash
# The shipped pool.conf among settings of a pool's own, as the collector and the negotiator read them.
configuration=cm/root/etc/condor/config.d
own=$configuration/10-own
pool_host
rm $configuration/90-host
# values CASE SUBSYSTEM NAME...; "Not defined" is printed as nothing.
values() {
    local case=$1 subsystem=$2
    shift 2
    for each; do
        echo "VALUE $case.$each = $(incm condor_config_val -subsystem "$subsystem" "$each" 2>/dev/null)"
    done
}
settings() {
    values "$1" COLLECTOR ALLOW_ADVERTISE_STARTD_COLLECTOR ALLOW_ADVERTISE_MASTER_COLLECTOR ALLOW_ADVERTISE_STARTD \
        COLLECTOR_REQUIREMENTS IGNORE_INVALIDATE SEC_ENABLE_TOKEN_FETCH
    values "$1" NEGOTIATOR NEGOTIATOR_INTERVAL NEGOTIATOR_CYCLE_DELAY
    values "$1" SCHEDD JOB_TRANSFORM_NAMES
}
# among NAME LINES: with these lines in a file that is read before pool.conf.
among() {
    printf 'TRUST_DOMAIN = example.edu\n%s\n' "$2" >$own
    settings "$1"
}
among plain ''
cp $configuration/pool.conf $configuration/50-again
settings twice
rm $configuration/50-again
# shellcheck disable=SC2016 # for HTCondor
among lists 'ALLOW_ADVERTISE_STARTD = own-startd@example.edu
ALLOW_ADVERTISE_MASTER = own-master@example.edu
COLLECTOR_REQUIREMENTS = TARGET.Fine =!= false || TARGET.Known
IGNORE_INVALIDATE = False
NEGOTIATOR_INTERVAL = 90
NEGOTIATOR_CYCLE_DELAY = 45
SEC_ENABLE_TOKEN_FETCH = False
JOB_TRANSFORM_NAMES = Own Other'
among of_the_collector 'ALLOW_ADVERTISE_STARTD_COLLECTOR = own-startd@example.edu
COLLECTOR.ALLOW_ADVERTISE_MASTER = own-master@example.edu
COLLECTOR.COLLECTOR_REQUIREMENTS = TARGET.Fine
COLLECTOR.IGNORE_INVALIDATE = False
JOB_TRANSFORM_NAMES = Own
SCHEDD.JOB_TRANSFORM_NAMES = Other'
among daemons 'ALLOW_DAEMON = own-daemon@example.edu'
among daemons_of_the_collector 'ALLOW_DAEMON_COLLECTOR = own-daemon@example.edu'
among default 'ALLOW_DAEMON =
ALLOW_DEFAULT = own-default@example.edu'
among empty 'ALLOW_ADVERTISE_STARTD ='
among host_based 'use security:host_based
ALLOW_DAEMON = *.own.example.edu'
among legacy 'use security:host_based
ALLOW_DAEMON =
ALLOW_WRITE_COLLECTOR =
ALLOW_WRITE = *.own.example.edu'
among recommended_v9_0 'use security:recommended_v9_0'
among get_htcondor 'CONDOR_HOST = cm.example.edu
use role:get_htcondor_central_manager'
among list_of_domains 'TRUST_DOMAIN = cm1.example.edu, cm2.example.edu'
# shellcheck disable=SC2016 # for HTCondor
among domain_with_port 'TRUST_DOMAIN = $(COLLECTOR_HOST)
COLLECTOR_HOST = cm1.example.edu:9619'
among plain ''
printf 'ALLOW_ADVERTISE_STARTD = own-startd@example.edu\nALLOW_ADVERTISE_MASTER = own-master@example.edu\n' \
    >$configuration/zz-later
settings later
