#!/bin/bash
# P6: no witness, and the nodes are cut from each other on every link and on the LAN, then healed: both
# serve meanwhile, and after that one, whom every client finds. And a wall clock that is set by a year:
# nothing happens. At PROFILES (fast); cut for CUT_SECONDS (5), REPEAT times (1), with the figures if more.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
. tests/lib/figures.sh
bed_enter "$@"
bed_up

repeat=${REPEAT:-1} cut_s=${CUT_SECONDS:-5}
[ "$repeat" -eq 1 ] || watcher_start
addresses=20
file=$bed_dir/prober
role() { [ "$(status "$1" .groups.0.role)" = "$2" ]; }
both_serve() { role lb1 primary && role lb2 primary; }

# ---- cuts ------------------------------------------------------------------------------------------

# cut A B: the switch lets nothing through between them; names of ports without the link
cut() {
	echo "add rule bridge bed loss iifname { lan-$1, xo-$1 } oifname { lan-$2, xo-$2 } drop"
	echo "add rule bridge bed loss iifname { lan-$2, xo-$2 } oifname { lan-$1, xo-$1 } drop"
}

# Marks the event and heals, by a program that runs already.
heal_marked() {
	local fd pid
	exec {fd}> >(on sw nft -f -)
	pid=$!
	sleep 0.3
	prober_mark
	echo "flush chain bridge bed loss" >&$fd
	exec {fd}>&-
	wait $pid
}

# When the last request was sent that two answered, in ms after the mark: so the switch's own time to
# heal is in it.
two_owners_end() {
	python3 -c '
import json, sys
spans = json.load(open(sys.argv[1]))["owners"]["two_at_ms"]
print(max([0.0] + [end for begin, end in spans]))' "$file"
}

# give_up NODE PEER_NUMBER: its kernel has found that the other does not answer, as it does some time
# after a cut begins. peer_usable: and sends all the same.
give_up() {
	ip -n "$1" neighbor change "10.77.0.$2" dev eth0 nud failed
	ip -n "$1" neighbor change "10.78.0.$2" dev eth1 nud failed
}
peer_usable() {
	ip -n "$1" neighbor show "10.77.0.$2" dev eth0 | grep -q lladdr &&
		ip -n "$1" neighbor show "10.78.0.$2" dev eth1 | grep -q lladdr
}

# split WHO: cuts, and heals; what the clients see then. WHO are "clients on both sides", who reach
# both nodes, or "clients on one side", who reach the former primary only. Who of the two is to go on is the
# protocol's affair.
split() {
	local name="$profile, $1$nth" began ended
	{
		cut lb1 lb2
		[ "$1" = "clients on both sides" ] || cut client "$standby"
	} | on sw nft -f -
	check "$name: cut from each other both serve" within 5 both_serve
	give_up lb1 2
	give_up lb2 1
	check "$name: lb1 waits for no answer to ARP" within 3 peer_usable lb1 2
	check "$name: nor does lb2" within 3 peer_usable lb2 1
	prober_start "$file" $bed_vip4 "10.79.0.1+$((addresses - 1))"
	sleep "$cut_s"
	began=$(boot_ns)
	heal_marked
	sleep 2.5
	prober_stop
	ended=$(two_owners_end)
	check "$name: then one owner, soon ($ended ms)" awk "BEGIN { exit !($ended <= $one_ms + $slack_ms) }"
	check "$name: the pair is whole again" within 10 whole
	whole # not in a shell of check's own
	check_number "$name: whom the client finds within 2 s (ms)" "$file" .gap_ms 0 2000
	check "$name: in the end" [ "$(json "$file" .unanswered_ms)" = 0.0 ]
	[ -z "$nth" ] || figure "$profile, $1: outage" "$file" 2000 "$began"
	[ -z "$nth" ] || note "$profile, $1: until there is one owner" "$ended" "$one_ms" "$ended" "$began"
}
whole() {
	if pair_ready lb1 lb2; then
		primary=lb1 standby=lb2
	else
		pair_ready lb2 lb1 && primary=lb2 standby=lb1
	fi
}

# Their neighbor caches, of which the kernel's is one, held the Ethernet address of the former primary.
# caches_are_right FORMER: if another one goes on, all of them follow.
caches_are_right() {
	local name="$profile, clients on one side$nth"
	[ "$1" != "$primary" ] || return 0
	check "$name: all of them find the new owner" \
		[ "$(json "$file" .addresses.moved)" = $addresses ]
	check_number "$name: within 2 s (ms)" "$file" .addresses.last_ms 0 2000
	[ -z "$nth" ] || note "$profile, clients on one side: all caches" \
		"$(json "$file" .addresses.last_ms)" 2000 0 "$(boot_ns)"
}

# try_cuts PROFILE T_MS
try_cuts() {
	local primary=lb1 standby=lb2 nth="" round former
	profile=$1 one_ms=$((2 * $2 + 10)) slack_ms=200
	bed_conf "$profile" $addresses >"$bed_dir/hbd.conf"
	pair_start
	for ((round = 1; round <= repeat; round++)); do
		[ "$repeat" -eq 1 ] || nth=", $round"
		split "clients on both sides"
		former=$primary
		split "clients on one side"
		caches_are_right $former
	done
	node_stop lb1; node_stop lb2
}

# ---- clocks ----------------------------------------------------------------------------------------
# Of all namespaces there is one CLOCK_REALTIME, which is not a test's to set: tests/preload/clock_steps.c
# stands between the daemons and the C library.

year_ns=$((365 * 24 * 3600 * 1000000000))
steps() { echo "$bed_dir/steps.$1"; }
with_steps() {
	local asan=${ASAN_OPTIONS:-}
	head -c 192 /dev/zero >"$(steps "$1")"
	background "hbd.$1" "$1" env LD_PRELOAD="$PWD/$BUILD/tests/preload/clock_steps.so" \
		CLOCK_STEPS="$(steps "$1")" ASAN_OPTIONS="$asan${asan:+:}verify_asan_link_order=0" \
		"$PWD/$BUILD/hbd" -c "$bed_dir/hbd.conf" -n "$1" --run-dir "$bed_dir/$1.run" \
		--state-dir "$bed_dir/$1.state" --plugin-dir "$plugins"
}

# step NODE SLOT OFFSET_NS PERIOD_NS: from now on, forth and back each period if that is not 0. Slots are
# of steps that add up.
step() {
	python3 -c '
import os, struct, sys, time
slot, offset_ns, period_ns = map(int, sys.argv[2:])
file = os.open(sys.argv[1], os.O_WRONLY)
os.pwrite(file, struct.pack("qq", offset_ns, period_ns), 24 * slot + 8)
os.pwrite(file, struct.pack("q", time.time_ns()), 24 * slot)' "$(steps "$1")" "${@:2}"
}
# unstep NODE SLOT: as if it had never been
unstep() {
	dd if=/dev/zero of="$(steps "$1")" bs=24 seek="$2" count=1 conv=notrunc status=none
}

keep_alerts() {
	plugins=$bed_dir/plugins
	mkdir -p "$plugins/alert"
	install -d -m 777 "$bed_dir/said"
	cat >"$plugins/alert/keep" <<-END
		#!/bin/sh
		cat >>$bed_dir/said/alerts.\$HBD_NODE
	END
	chmod +x "$plugins/alert/keep"
}
alerts() { cat "$bed_dir"/said/alerts.* 2>/dev/null | grep -o '"subject": "[^"]*"'; }
changes() { cat "$bed_dir"/hbd.lb[12].log | grep -c " now, was "; }
sees_year() { ctl "$1" alert test >/dev/null; grep -q -F " $2-" "$bed_dir/said/alerts.$1"; }

# steady WHAT SECONDS: since $before nothing happened
steady() {
	prober_start "$file" $bed_vip4
	sleep 0.2
	prober_mark
	"${@:3}"
	sleep "$2"
	prober_stop
	check "$1: lb1 is primary, lb2 stands by" pair_ready lb1 lb2
	check "$1: no role changes" [ "$(changes)" = "$changes_before" ]
	check "$1: nobody is alarmed" [ "$(alerts)" = "" ]
	check_number "$1: the client misses nothing (ms)" "$file" .gap_ms 0 $miss_ms
	check_number "$1: there is one owner" "$file" .owners.two_ms 0 0
}

# try_clocks PROFILE T_MS. Now and then a step comes between a heartbeat's receipt and its reading; two
# between two heartbeats are too much.
try_clocks() {
	local node there changes_before miss_ms=100 period_ms=$((37 * $2 / 10))
	profile=$1
	CONF_ALERTS='{ plugin = "keep"; severity = "info"; }' bed_conf "$profile" >"$bed_dir/hbd.conf"
	with_steps lb1
	with_steps lb2
	await_pair lb1 lb2
	await_told
	rm -f "$bed_dir"/said/alerts.*
	changes_before=$(changes)
	for node in lb1 lb2; do
		there="$profile, the clock of $node is"
		steady "$there set a year ahead" 1.5 step $node 0 $year_ns 0
		steady "$there set two years back" 1.5 step $node 1 $((-2 * year_ns)) 0
		steady "$there set by a year every $period_ms ms" "${STORM_SECONDS:-5}" \
			step $node 2 $year_ns $((1000000 * period_ms))
		unstep $node 2
	done
	check "$profile: so they saw it" sees_year lb1 $(($(date +%Y) - 1))
	node_stop lb1; node_stop lb2
}

keep_alerts
for name in ${PROFILES:-fast}; do
	case $name in
	fast) try_cuts fast 10; try_clocks fast 10 ;;
	lan) try_cuts lan 100; try_clocks lan 100 ;;
	*) fail "PROFILES is of fast and lan, not '$name'" ;;
	esac
done
[ "$repeat" -eq 1 ] || figures_print
exit "$check_failed"
