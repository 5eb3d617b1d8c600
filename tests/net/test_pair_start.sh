#!/bin/bash
# How a pair starts, and what it does about a third machine that has its address. Both boot together, one
# alone, the network comes late, the address is on the interface already, another machine has it: at the
# start, while the pair serves, and when its primary dies.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

plugins=$bed_dir/plugins
mkdir -p "$plugins/alert"
install -d -m 777 "$bed_dir/said"
cat >"$plugins/alert/keep" <<END
#!/bin/sh
cat >>$bed_dir/said/alerts.\$HBD_NODE
END
chmod +x "$plugins"/*/*

bed_namespace stranger
bed_cable br0 lan-stranger stranger eth0
stranger_mac=02:00:00:77:00:99
ip -n stranger link set eth0 address $stranger_mac
ip -n stranger link set eth0 up

node_start() {
	background "hbd.$1" "$1" "$PWD/$BUILD/hbd" -c "$bed_dir/hbd.conf" -n "$1" \
		--run-dir "$bed_dir/$1.run" --state-dir "$bed_dir/$1.state" --plugin-dir "$plugins"
}
subjects() { grep -o '"subject": *"[^"]*"' "$bed_dir/said/alerts.$1" 2>/dev/null; }
alerted() { cat "$bed_dir/said/alerts.$1" 2>/dev/null | grep -q -e "$2"; }
# Each event is in one message.
alerted_once() {
	cat "$bed_dir/said/alerts.$1"
	[ "$(grep -o "\"kind\": \"$2\", \"severity\"" "$bed_dir/said/alerts.$1" | wc -l)" = 1 ]
}
logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
says() { ctl "$1" status | tr -s '\n ' ' ' | grep -q -e "$2"; }
role() { [ "$(status "$1" .groups.0.role)" = "$2" ]; }
reason() { status "$1" .groups.0.reason; [ "$(status "$1" .groups.0.reason)" = "$2" ]; }
conflict() { status "$1" ".groups.0.conflict.$2"; [ "$(status "$1" ".groups.0.conflict.$2")" = "$3" ]; }
is_on() { ip -n "$1" -o addr show | grep -q -F " $2/"; }
is_off() { ! is_on "$@"; }
file=$bed_dir/prober

make_conf() {
	CONF_ALERTS='{ plugin = "keep"; severity = "info"; }' bed_conf "$1" >"$bed_dir/hbd.conf"
	[ "$vip" = $bed_vip4 ] || sed -i "s|$bed_vip4/24|$bed_vip6/64|" "$bed_dir/hbd.conf"
}

# Everything is as after a boot, and nobody knows anything.
clean() {
	node_stop lb1
	node_stop lb2
	ip -n stranger addr flush dev eth0
	ip -n stranger link set eth0 up
	rm -rf "$bed_dir"/said/alerts.* "$bed_dir"/lb?.state/* "$file"
}

# The third machine has the address, and has not said a word.
intrude() {
	if [ "$vip" = $bed_vip4 ]; then
		ip -n stranger addr add "$vip/24" dev eth0
	else
		ip -n stranger addr add "$vip/64" dev eth0 nodad
	fi
}
leave() { ip -n stranger addr flush dev eth0; }

# start_watched NODE...: they start, and what a client sees meanwhile
start_watched() {
	local node
	prober_start "$file" "$vip"
	prober_mark
	for node in "$@"; do
		node_start "$node"
	done
}
served_by() {
	prober_stop
	check "$1: $2 answers" [ "$(json "$file" .last)" = "$2" ]
	check_number "$1: there is one owner" "$file" .owners.two_ms 0 0
}

boot_together() {
	make_conf "$1"
	clean
	start_watched "$2" "$3"
	check "$1, $2 first by a moment: lb1 is elected" within 5 reason lb1 elected
	check "$1, $2 first by a moment: lb2 stands by" within 5 pair_ready lb1 lb2
	served_by "$1, $2 first by a moment" lb1
	check "$1, $2 first by a moment: nothing is wrong" not alerted lb1 CRITICAL
}

boot_alone() {
	make_conf lan
	clean
	start_watched lb2
	check "alone: it serves without its peer" within 10 reason lb2 alone
	node_start lb1
	check "alone: the preferred node comes later, and stands by" within 5 pair_ready lb2 lb1
	served_by alone lb2
}

# bed_cable and what power_on gives an interface
new_cable() {
	bed_cable br0 "lan-$1" "$1" eth0
	bed_configure "$1" "${1#lb}"
}

network_late() {
	make_conf lan
	clean
	ip -n sw link del lan-lb1
	start_watched lb1 lb2
	check "no interface: the other node serves" within 5 role lb2 primary
	check "no interface: it is said" within 5 alerted lb1 'interface eth0 missing'
	check "no interface: no claim" role lb1 fault
	new_cable lb1
	check "the interface comes: a standby" within 5 pair_ready lb2 lb1
	served_by "no interface" lb2

	clean
	ip -n lb1 addr flush dev eth0
	ip -n lb1 addr flush dev eth1
	node_start lb2
	check "no own address: the other node serves" within 10 role lb2 primary
	start_watched lb1
	sleep 2
	bed_configure lb1 1
	check "the own address comes: a standby" within 5 pair_ready lb2 lb1
	served_by "no own address" lb2
	check "no own address: nothing moved" [ "$(json "$file" .answers.lb1)" = "" ]

	clean
	ip -n sw link del lan-lb1
	ip -n lb1 addr flush dev eth1
	node_start lb1
	sleep 7
	check "no network at all, alone: no claim" role lb1 fault
	prober_start "$file" "$vip"
	prober_mark
	new_cable lb1
	check "the network comes: it serves" within 10 reason lb1 alone
	served_by "no network at all" lb1
}

address_from_before() {
	make_conf lan
	clean
	node_start lb1
	check "ours: it serves" within 10 role lb1 primary
	killed=("$(guardian lb1)" "$(engine lb1)")
	# neither must have the time to do anything about the other's death
	kill -STOP "${killed[@]}"
	kill -9 "${killed[@]}"
	check "ours: the address is left behind by a kill" is_on lb1 $bed_vip4
	start_watched lb1 lb2
	check "ours: it is gone before the new process says a word" wait_line "$bed_dir/hbd.lb1.log" 'removed 1 '
	check "ours: lb1 is elected" within 5 pair_ready lb1 lb2
	served_by ours lb1

	clean
	ip -n lb2 addr add $bed_vip4/24 dev eth0
	start_watched lb1 lb2
	check "by hand, on the second choice: it is removed" wait_line "$bed_dir/hbd.lb2.log" 'removed 1 '
	check "by hand, on the second choice: lb1 is elected" within 5 pair_ready lb1 lb2
	check "by hand, on the second choice: it stays away" is_off lb2 $bed_vip4
	sleep 1
	served_by "by hand" lb1
	check "by hand: no conflict" not alerted lb1 address-con
}

# try_stranger NAME: another machine has $vip
try_stranger() {
	make_conf lan
	clean
	intrude
	node_start lb1
	node_start lb2
	check "$1 at the start: lb1 says so" within 5 alerted lb1 "stranger answers for $vip on eth0 ($stranger_mac)"
	check "$1 at the start: and so does its status" within 5 says lb1 "answers for $vip on eth0 ($stranger_mac)"
	sleep 5
	check "$1 at the start: lb1 does not claim" role lb1 secondary
	check "$1 at the start: nor does lb2" role lb2 secondary
	check "$1 at the start: it is told once" alerted_once lb1 address-conflict
	leave
	check "$1 leaves: it is served within 5 s" within 5 pair_ready lb1 lb2

	await_told
	rm -f "$bed_dir"/said/alerts.*
	prober_start "$file" "$vip"
	prober_mark
	intrude
	[ "$vip" != $bed_vip4 ] || on stranger arping -q -U -c 1 -I eth0 "$vip" 2>/dev/null ||
		on stranger ping -q -c 1 -W 1 -I "$vip" 10.77.0.250 >/dev/null
	check "$1 while lb1 serves: it says so" within 15 alerted lb1 "CRITICAL: a stranger uses $vip on eth0 ($stranger_mac)"
	check "$1 while lb1 serves: and so does its status" says lb1 "stranger uses $vip on eth0 ($stranger_mac)"
	check "$1 while lb1 serves: which names it" conflict lb1 station $stranger_mac
	sleep 3
	check "$1 while lb1 serves: it goes on" role lb1 primary
	check "$1 while lb1 serves: it is told once" alerted_once lb1 address-contested
	prober_stop
	[ "$vip" = $bed_vip4 ] || return

	power_loss lb1
	check "$1 when lb1 dies: lb2 takes it within 20 s" within 20 role lb2 primary
	leave
	check "$1 leaves again: that is told" within 45 alerted lb2 address-uncontested
	check "$1 leaves again: and gone from the status" conflict lb2 station ""
	heal
	power_on lb1
}

vip=$bed_vip4
boot_together fast lb1 lb2
boot_together lan lb1 lb2
boot_together lan lb2 lb1
boot_alone
network_late
address_from_before
try_stranger "a stranger"
# sanitizers look for other things than the same once more
[ "${VARIANT:-}" != asan ] || exit "$check_failed"
vip=$bed_vip6
try_stranger "an IPv6 stranger"
exit "$check_failed"
