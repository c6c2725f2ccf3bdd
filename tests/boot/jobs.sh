# shellcheck shell=bash
# A user of the pool and her jobs.
alice=cm/root/home/alice
echo 'alice:x:2001:2001::/home/alice:/bin/bash' >>cm/root/etc/passwd
echo 'alice:x:2001:' >>cm/root/etc/group
mkdir -p $alice
chown 2001:2001 $alice
submit() { # submit NAME LINES
    printf 'executable = /bin/sh\ntransfer_executable = false\nshould_transfer_files = YES\nrequest_memory = 50
request_disk = 10M\nlog = %s.log\noutput = %s.out\n%s\nqueue\n' "$1" "$1" "$2" >$alice/"$1".sub
    incm setpriv --reuid 2001 --regid 2001 --clear-groups env HOME=/home/alice \
        sh -c "cd /home/alice && condor_submit -terse $1.sub" >/dev/null
}
event() { grep -q "^$2 " $alice/"$1".log; }
