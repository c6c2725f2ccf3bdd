#!/bin/bash
# testbed.sh ROOT USER_DATA ARCHIVE SCENARIO: a pool (cm) and an execution point (ep), each its own root directory (an overlay
# on ROOT) and its own network namespace. Run it in namespaces of its own (unshare): everything vanishes with it.
# A scenario prints its findings as "RESULT name value".
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$1 user_data=$2 archive=$3 scenario=$4
mount --make-rprivate /
# Over directories that every machine has: nothing is left behind.
mount -t tmpfs testbed /mnt
mount -t tmpfs testbed /run
mkdir /run/netns
cd /mnt || exit 1
ip netns add cm
ip netns add ep
ip -n cm link add eth0 type veth peer name eth0 netns ep
for machine in cm ep; do
    ip -n $machine link set lo up
    ip -n $machine link set eth0 up
    mkdir -p $machine/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=$root,upperdir=$machine/upper,workdir=$machine/work" $machine/root
    mount -t proc proc $machine/root/proc
    mount --rbind /dev $machine/root/dev
    mount --rbind /sys $machine/root/sys
    mount -t tmpfs run $machine/root/run
    mkdir -p $machine/root/{run/lock,run/condor,run/annex,etc/condor/passwords.d,etc/condor/tokens.d}
    # In there: /var/lock may be a link that would lead to the host's.
    chroot $machine/root sh -c 'mkdir -p /var/lock/condor; chown condor: /run/condor /var/lock/condor'
    chmod 700 $machine/root/etc/condor/{passwords.d,tokens.d}
    # No name service: what HTCondor cannot do without is in the configuration.
    printf '127.0.0.1 localhost\n10.9.0.1 cm.example.edu\n' >$machine/root/etc/hosts
    rm -f $machine/root/etc/resolv.conf
    : >$machine/root/etc/resolv.conf
done
ip -n cm addr add 10.9.0.1/24 dev eth0
ip -n ep addr add 10.9.0.2/24 dev eth0
incm() { ip netns exec cm chroot cm/root "$@"; }
inep() { ip netns exec ep chroot ep/root "$@"; }
# fake PROGRAM: on the execution point, for what reaches outside of it; writes its arguments down.
fake() {
    : >ep/root/tmp/calls
    # shellcheck disable=SC2016 # for the program
    printf '#!/bin/sh\necho "${0##*/} $*" >>/tmp/calls\n' >ep/root/usr/sbin/"$1"
    chmod 755 ep/root/usr/sbin/"$1"
}
# The pool's host: the shipped configuration, and what is true of this host alone. Files of a scenario's own are added.
pool_host() {
    # Without it every program looks its own host up, without a name service.
    echo "NETWORK_HOSTNAME = cm.example.edu" >>cm/root/etc/condor/condor_config
    cp "$here/../../annex_pool/pool.conf" cm/root/etc/condor/config.d/pool.conf
    cat >cm/root/etc/condor/config.d/90-host <<'END'
DAEMON_LIST = MASTER COLLECTOR NEGOTIATOR SCHEDD
CONDOR_HOST = cm.example.edu
TRUST_DOMAIN = example.edu
UID_DOMAIN = example.edu
ENABLE_KERNEL_TUNING = False
END
}
start_pool() {
    incm condor_master -f >/dev/null 2>&1 &
    wait_for 300 test -s cm/root/var/spool/condor/.schedd_address || result no_schedd "$(tail -5 cm/root/var/log/condor/*Log)"
}
# token IDENTITY FILE: a token with the authorisations of an annex, in a file for the execution point.
token() {
    incm condor_token_create -identity "$1" -key POOL -authz ADVERTISE_STARTD -authz ADVERTISE_MASTER \
        -lifetime 3600 >"ep/root$2"
    chmod 600 "ep/root$2"
}
# The settings of the execution point, as data: a value can hold what the shell takes for its own.
read_settings() {
    local line
    while IFS= read -r line; do
        export "${line?}"
    done <ep/root/etc/annex/annex.env
}
# user_home: prints the home of the pool's user alice, who submits jobs.
user_home() {
    local home=cm/root/home/alice
    echo 'alice:x:2001:2001::/home/alice:/bin/bash' >>cm/root/etc/passwd
    echo 'alice:x:2001:' >>cm/root/etc/group
    mkdir -p $home
    chown 2001:2001 $home
    echo $home
}
as_user() { incm setpriv --reuid 2001 --regid 2001 --clear-groups env HOME=/home/alice sh -c "cd /home/alice && $1"; }
called() { grep -q -- "$1" ep/root/tmp/calls; }
result() { echo "RESULT $*"; }
milliseconds() { date +%s%3N; }
# wait_for SECONDS COMMAND...: until it succeeds. The limit ends what hangs; what must be quick is measured and asserted.
wait_for() {
    local limit=$(($(milliseconds) + $1 * 1000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(milliseconds)" -lt "$limit" ] || return 1
        sleep 0.05
    done
}

cp "$user_data" ep/root/tmp/user-data
cp "$here/apply_user_data.py" ep/root/tmp/
inep python3 /tmp/apply_user_data.py /tmp/user-data || exit 1
# boot_archive: what the first boot fetches is there.
boot_archive() {
    tar -xzf "$archive" -C ep/root && mkdir -p ep/root/var/lib/annex &&
        sed -n s/^ANNEX_ARCHIVE_DIGEST=//p ep/root/etc/annex/annex.env >ep/root/var/lib/annex/installed
}
# shellcheck source=/dev/null
. "$here/$scenario"
