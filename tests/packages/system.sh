#!/bin/bash
# system.sh COMMAND: runs a shell command on a machine of its own, in namespaces of its own (unshare): this host's
# programs, with the files of $files over them, and no network but a package server for the official names, with the
# directories of $served. Everything vanishes with it.
set -eu
mount --make-rprivate /
mount -t tmpfs testbed /mnt
mkdir /mnt/{upper,work,root}
# shellcheck disable=SC2154 # given
mount -t overlay overlay -o "lowerdir=$lower,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
# HTCondor asks again and again for the address of its host, if the answer is not in /etc/hosts.
hostname localhost
ip link set lo up
# shellcheck disable=SC2154,SC2086 # given; several directories
"$python" -m lab.package_server --bind 127.0.0.1:443 --certificate "$certificate" --key "$key" $served &
server=$!
until ss -ltn | grep -q "127.0.0.1:443 "; do
    kill -0 $server || exit 1
    sleep 0.05
done
# shellcheck disable=SC2154 # given
cp -r --no-preserve=ownership "$files/." /mnt/root/
mkdir -p /mnt/root/etc/ssl/certs
# shellcheck disable=SC2154 # given
cat "$authority" >>/mnt/root/etc/ssl/certs/ca-certificates.crt
mount -t proc proc /mnt/root/proc
mount --rbind /dev /mnt/root/dev
mount -t tmpfs run /mnt/root/run
# Attempts are repeated after a pause.
mkdir -p /mnt/root/usr/local/sbin
# shellcheck disable=SC2016 # for the program
printf '#!/bin/sh\necho "sleep $1" >>/tmp/sleeps\n' >/mnt/root/usr/local/sbin/sleep
chmod 755 /mnt/root/usr/local/sbin/sleep
exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    chroot /mnt/root sh -c "$1" 2>&1
