# shellcheck shell=bash
# An image without curl and nftables: named, and out of the group by cloud-init's own Python.
boot_archive
echo '10.9.0.1 autoscaling.us-east-1.amazonaws.com' >>ep/root/etc/hosts
ip -n ep addr add 169.254.169.254/32 dev lo
# shellcheck disable=SC2154 # given
ip netns exec ep "$python" -m tests.boot.metadata_service &
# shellcheck disable=SC2154 # given
ip netns exec cm "$python" -m tests.boot.auto_scaling_service "$certificate" "$key" "$PWD/accepted" 1 &
: >accepted
wait_for 30 sh -c 'ip netns exec cm ss -ltn | grep -q ":443 "'
wait_for 30 sh -c 'ip netns exec ep ss -ltn | grep -q "169.254.169.254:80 "'
fake systemctl
rm ep/root/usr/bin/curl ep/root/usr/sbin/nft
inep sh /usr/local/lib/annex/begin
result begin $?
result starts "$(tail -n 1 ep/root/tmp/calls)"
result reason "$(cat ep/root/run/annex/reason)"
inep sh /usr/local/lib/annex/retire stay >ep/root/tmp/said 2>&1
result status $?
result said "$(grep -v 'not found' ep/root/tmp/said | tr '\n' ';')"
result accepted "$(cat accepted)"
