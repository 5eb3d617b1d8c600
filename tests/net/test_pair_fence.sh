#!/bin/bash
# P2 and P3 with the fence in force: whatever hangs or dies, no address has two owners, and it is
# served again.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
fenced() { [ "$(status "$1" .fence)" = "kernel deadline" ]; }
filters() { ip netns exec "$1" tc filter show dev eth0 "$2" 2>/dev/null | grep -c hbd-fence; }
has_vip() { ip -n "$1" addr show dev eth0 | grep -q -F "$bed_vip4/"; }
file=$bed_dir/prober

# after WHAT ACTION: the client's view of it
after() {
	prober_start "$file" $bed_vip4
	sleep 0.3
	prober_mark
	"${@:2}"
	prober_stop
	check_number "$1: there are never two owners (ms)" "$file" .owners.two_ms 0 0
	check "$1: the peer serves" [ "$(json "$file" .gap.to)" = "$peer" ]
	check_number "$1: it is served again soon (ms)" "$file" .gap_ms 0 "$bound_ms"
}
stop_engine() { kill -STOP "$engine"; sleep 2; kill -CONT "$engine" 2>/dev/null; sleep 0.5; }
stop_both() { kill -STOP "$guardian" "$engine"; sleep 2; kill -CONT "$guardian" "$engine"; sleep 1; }
kill_engine() { kill -9 "$engine"; sleep 1; }
kill_guardian() { kill -9 "$guardian"; sleep 1; }
kill_both() { kill -STOP "$guardian" "$engine"; kill -9 "$guardian" "$engine"; sleep 2; }

victim_is() { guardian=$(guardian "$1") engine=$(engine "$1"); }
swap() { local was=$primary; primary=$peer peer=$was; }

try_profile() {
	bed_conf "$1" >"$bed_dir/hbd.conf"
	pair_start
	primary=lb1 peer=lb2
	check "$1: the fence is in force" fenced lb1
	for what in kill_engine stop_engine stop_both; do
		victim_is $primary
		after "$1, $what" $what
		swap
		check "$1, $what: the pair is whole again" within 10 pair_ready $primary $peer
	done
	for what in kill_guardian kill_both; do
		victim_is $primary
		after "$1, $what" $what
		node_start $primary
		swap
		check "$1, $what: the pair is whole again" within 10 pair_ready $primary $peer
	done
	node_stop $peer; node_stop $primary
	check "$1: a stop leaves no fence" [ "$(filters lb1 ingress)$(filters lb2 egress)" = 00 ]
}

# generous, for a busy machine: what is to be shown is that nobody waits for a lifetime
bound_ms=300 try_profile fast
bound_ms=900 try_profile lan

# somebody flushes tc
bed_conf fast >"$bed_dir/hbd.conf"
pair_start
ip netns exec lb1 tc filter del dev eth0 ingress
check "a fence that somebody removes is put back" within 5 [ "$(filters lb1 ingress)" = 1 ]
check "and it is said" within 5 logged lb1 "somebody had removed it from eth0"
ip netns exec lb1 tc qdisc del dev eth0 clsact
check "also with its qdisc" within 5 logged lb1 "put it back"
check "it is in force" within 5 fenced lb1
check "nothing moved" pair_ready lb1 lb2
node_stop lb1; node_stop lb2
exit "$check_failed"
