#!/bin/bash
# The bed itself: what prober, responder and switch say about things that are known here.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/netns.sh
. tests/lib/check.sh
bed_enter "$@"
bed_up

vip_add() { ip -n "$1" addr add $bed_vip4/24 dev eth0; }
vip_del() { ip -n "$1" addr del $bed_vip4/24 dev eth0; }
vip6_add() { ip -n "$1" addr add $bed_vip6/64 dev eth0 nodad; }
ping_works() { on "$1" ping -q -c 1 -W 1 "$2" >/dev/null; }
has_carrier() {
	local state
	state=$(ip -n "$1" link show "$2")
	if [ "$3" = yes ]; then [[ $state == *LOWER_UP* ]]; else [[ $state != *LOWER_UP* ]]; fi
}
file=$bed_dir/prober

check "nodes reach each other on the LAN" ping_works lb1 10.77.0.2
check "and on the crossover" ping_works lb2 10.78.0.1
check "the client reaches a node by IPv6" ping_works client fd77::2

vip_add lb1
prober_start "$file" $bed_vip4
sleep 0.3
prober_mark
silence lb1 lan
sleep 0.1
heal
sleep 0.2
prober_stop
check_number "an outage of 100 ms is measured as such" "$file" .gap_ms 95 150
check "one node answers before and after it" [ "$(json "$file" .gap.from) $(json "$file" .gap.to)" = "lb1 lb1" ]
check_number "there was one owner" "$file" .owners.two_ms 0 0

prober_start "$file" $bed_vip4
sleep 0.1
vip_add lb2
sleep 0.1
vip_del lb1
sleep 0.1
prober_stop
check_number "two owners for 100 ms are seen, whom the neighbor cache hides" "$file" .owners.two_ms 90 150
check_number "the cache still points to the one that let go" "$file" .unanswered_ms 80 150

vip6_add lb1
prober_start "$file" $bed_vip6
sleep 0.1
vip6_add lb2
sleep 0.1
prober_stop
check_number "two owners are seen with IPv6" "$file" .owners.two_ms 80 150

loss 30 xo
on lb1 ping -q -i 0.002 -c 500 10.78.0.2 >"$bed_dir/ping"
lost=$(sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p' "$bed_dir/ping")
check "30 % loss each way loses half of the pings ($lost %)" \
	awk -v lost="$lost" 'BEGIN { exit !(lost > 40 && lost < 62) }'
heal
check "heal ends it" ping_works lb1 10.78.0.2

responder=${bed_process[responder.lb1]}
power_loss lb1
check "power loss leaves no process" [ -z "$(ip netns pids lb1)" ]
check "nor one that is not yet dead" gone "$responder" 1
check "the node is off the LAN" not ping_works client 10.77.0.1
check "and off the crossover" not ping_works lb2 10.78.0.1
power_on lb1
check "power on brings it back" within 5 ping_works client 10.77.0.1
unplug lb1 xo
check "an unplugged cable is no carrier" within 2 has_carrier lb1 eth1 no
plug lb1 xo
check "and a plugged one is" within 2 has_carrier lb1 eth1 yes
exit "$check_failed"
