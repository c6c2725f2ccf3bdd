# shellcheck shell=bash
# The metadata service (here: any web server) behind the execution point's network, asked by root, by a job and by a
# container of a job.
boot_archive
addresses='169.254.169.254 [fd00:ec2::254] 169.254.169.123'
mkdir -p cm/root/tmp/empty
for address in $addresses; do
    bare=${address//[\[\]]/}
    case $bare in
    *:*) ip -n cm addr add "$bare/128" dev eth0 nodad ;;
    *) ip -n cm addr add "$bare/32" dev eth0 ;;
    esac
    (cd cm/root/tmp/empty && exec ip netns exec cm python3 -m http.server 80 --bind "$bare" >/dev/null 2>&1) &
done
ip -n cm route add 10.10.0.0/24 via 10.9.0.2
ip -n ep addr add fd00:9::2/64 dev eth0 nodad
ip -n cm addr add fd00:9::1/64 dev eth0 nodad
ip -n cm route add fd00:10::/64 via fd00:9::2
ip -n ep route add 169.254.169.254 dev eth0
ip -n ep route add 169.254.169.123 dev eth0
ip -n ep route add fd00:ec2::254 dev eth0
ip netns add container
ip -n ep link add inner type veth peer name eth0 netns container
ip -n ep link set inner up
ip -n container link set eth0 up
ip -n ep addr add 10.10.0.1/24 dev inner
ip -n ep addr add fd00:10::1/64 dev inner nodad
ip -n container addr add 10.10.0.2/24 dev eth0
ip -n container addr add fd00:10::2/64 dev eth0 nodad
ip -n container route add default via 10.10.0.1
ip -n container route add default via fd00:10::1
ip netns exec ep sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'

ask() { # ask NAME COMMAND...: which addresses answer
    local name=$1 answers=
    shift
    for address in $addresses; do
        "$@" curl -q -s -o /dev/null --max-time 2 "http://$address/" && answers="$answers $address"
    done
    result "$name" "$answers"
}
ask_all() {
    ask "root-$1" ip netns exec ep
    ask "job-$1" ip netns exec ep setpriv --reuid=65534 --regid=65534 --clear-groups
    ask "condor-$1" ip netns exec ep setpriv --reuid=101 --regid=101 --clear-groups
    ask "container-$1" ip netns exec container
}
wait_for 60 ip netns exec ep curl -q -s -o /dev/null "http://169.254.169.123/"
wait_for 60 ip netns exec ep curl -q -s -o /dev/null "http://[fd00:ec2::254]/"
wait_for 60 ip netns exec ep curl -q -s -o /dev/null "http://169.254.169.254/"
ask_all before
inep sh /usr/local/lib/annex/firewall
result firewall $?
ask_all after
began=$(milliseconds)
ip netns exec ep setpriv --reuid=65534 --clear-groups curl -q -s -o /dev/null --max-time 5 http://169.254.169.254/
result refused_ms $(($(milliseconds) - began))
# A rule set with a hole is found out although it loads.
sed -i 's/meta skuid 0 accept/meta skuid 65534 accept/' ep/root/etc/annex/firewall.nft
inep sh /usr/local/lib/annex/firewall
result firewall_with_hole $?

# The kernel's rules are flushed while the machine runs: annex-watch notices.
sed -i 's/meta skuid 65534 accept/meta skuid 0 accept/' ep/root/etc/annex/firewall.nft
inep sh /usr/local/lib/annex/firewall
echo 4070908800 >ep/root/run/annex/lease-end
fake systemctl
inep sh /usr/local/lib/annex/watch >/dev/null 2>&1 &
sleep 2 # its first look
stands() { inep nft list table inet annex; }
inep nft flush ruleset
stands >/dev/null 2>&1
result flushed $?
began=$(milliseconds)
wait_for 20 stands
result restored_ms $(($(milliseconds) - began))
ask_all restored
called condor
result stopped_for_it $?
# If it cannot be loaded again, every job ends.
echo 'table' >ep/root/etc/annex/firewall.nft
inep nft flush ruleset
wait_for 20 called 'start annex-retire.service'
result retires $?
result retiring "$(tr '\n' ';' <ep/root/tmp/calls)"
result reason "$(cat ep/root/run/annex/reason)"
