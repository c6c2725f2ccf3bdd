# shellcheck shell=bash
# An instance of a stock image: it fetches the boot archive from Amazon S3. It is not what was deployed, then it
# is, and no package host answers. Each time the reason is on the console, and the instance leaves its group.
echo '10.9.0.1 s3.us-east-1.amazonaws.com autoscaling.us-east-1.amazonaws.com' >>ep/root/etc/hosts
ip -n ep addr add 169.254.169.254/32 dev lo
# shellcheck disable=SC2154 # given
ip netns exec ep "$python" -m tests.boot.metadata_service &
# shellcheck disable=SC2154 # given
ip netns exec cm "$python" -m tests.boot.auto_scaling_service "$certificate" "$key" "$PWD/accepted" 0 "$archive" &
: >accepted
wait_for 30 sh -c 'ip netns exec cm ss -ltn | grep -q ":443 "'
wait_for 30 sh -c 'ip netns exec ep ss -ltn | grep -q "169.254.169.254:80 "'
fake systemctl
# Time passes in pauses only: the machine of this test has been up for longer than an instance may take to join.
echo '20.00 1.00' >uptime
mount --bind uptime ep/root/proc/uptime
mkdir -p ep/root/usr/local/sbin
# shellcheck disable=SC2016 # for the program
printf '#!/bin/sh\nread -r up rest </proc/uptime\necho "$((${up%%%%.*} + $1)).00 1.00" >/proc/uptime\n' \
    >ep/root/usr/local/sbin/sleep
chmod 755 ep/root/usr/local/sbin/sleep

# fails NAME: installs, and leaves the group.
fails() {
    echo '20.00 1.00' >ep/root/proc/uptime
    rm -f ep/root/run/annex/reason
    inep sh /usr/local/lib/annex/install-software >ep/root/tmp/said 2>&1
    result "$1_status" $?
    result "$1_unpacked" "$(cd ep/root/usr/local/lib/annex-install 2>/dev/null && echo ./*)"
    result "$1_last" "$(tail -n 1 ep/root/tmp/said)"
    inep sh /usr/local/lib/annex/retire stay >ep/root/tmp/said 2>&1
    result "$1_said" "$(tr '\n' ';' <ep/root/tmp/said)"
}

inep sh /usr/local/lib/annex/begin
result begin $?
result starts "$(tail -n 1 ep/root/tmp/calls)"
cp ep/root/etc/annex/annex.env right
sed -i 's/^ANNEX_ARCHIVE_DIGEST=./&0/; s/^\(ANNEX_ARCHIVE_DIGEST=.\{64\}\).*/\1/' ep/root/etc/annex/annex.env
fails changed
cp right ep/root/etc/annex/annex.env
fails unreachable
result accepted "$(tr '\n' ';' <accepted)"
