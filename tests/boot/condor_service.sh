# shellcheck shell=bash
# condor.service of the execution point, without systemd: the real master, and a systemctl that does to it what the units
# of the package and of the annex say.
read_settings
cat >ep/root/usr/sbin/systemctl <<'END'
#!/bin/sh
echo "systemctl $*" >>/tmp/calls
signal=
case $* in
"kill --kill-who=main --signal="*" condor.service") signal=${3#--signal=} ;;
*"stop condor.service")
    signal=$(cat /usr/lib/systemd/system/condor.service /etc/systemd/system/condor.service.d/*.conf |
        sed -n 's/^KillSignal=SIG//p' | tail -n 1)
    ;;
esac
[ -z "$signal" ] || kill -"$signal" "$(cat /run/master)"
END
printf '#!/bin/sh\necho "systemd-run $*" >>/tmp/calls\n' >ep/root/usr/sbin/systemd-run
chmod 755 ep/root/usr/sbin/{systemctl,systemd-run}
: >ep/root/tmp/calls
master=
# start_condor DRAIN: as annex-prepare.service and condor.service do. Jobs are pledged most of the drain as vacate time.
start_condor() {
    rm -f ep/root/run/annex/{reason,interruption}
    echo 4070908800 >ep/root/run/annex/lease-end
    ANNEX_DRAIN_BEFORE_END=$1 inep sh /usr/local/lib/annex/configure i-0abc c6a.large 4070908800 >/dev/null 2>&1
    (exec ip netns exec ep chroot ep/root condor_master -f) >/dev/null 2>&1 &
    master=$!
    echo $master >ep/root/run/master
}
watch() {
    (exec ip netns exec ep chroot ep/root sh /usr/local/lib/annex/watch) >ep/root/tmp/said 2>&1 &
    # shellcheck disable=SC2034 # for a scenario
    watching=$!
}
