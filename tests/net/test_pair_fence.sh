#!/bin/bash
# P2 and P3 with the fence in force: whatever hangs or dies, no address has two owners, and it is
# served again. Once for each of PROFILES (fast lan) and frozen for 2 s, or REPEAT times and for 5 s, with
# the figures.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
. tests/lib/figures.sh
bed_enter "$@"
bed_up

repeat=${REPEAT:-1} stop_s=2 nth=""
if [ "$repeat" -gt 1 ]; then
	stop_s=5
	watcher_start
fi
logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
fenced() { [ "$(status "$1" .fence)" = "kernel deadline" ]; }
filters() { ip netns exec "$1" tc filter show dev eth0 "$2" 2>/dev/null | grep -c hbd-fence; }
filtered() { [ "$(filters "$1" ingress)" = 1 ]; }
file=$bed_dir/prober

# after WHAT ACTION TARGET_MS: the client's view of it
after() {
	local name="$profile, $1$nth" began
	prober_start "$file" $bed_vip4
	sleep 0.3
	began=$(boot_ns)
	prober_mark
	"$2"
	prober_stop
	check_number "$name: there are never two owners (ms)" "$file" .owners.two_ms 0 0
	check "$name: the peer serves" [ "$(json "$file" .last)" = "$peer" ]
	check_number "$name: it is served again soon (ms)" "$file" .gap_ms 0 "$bound_ms"
	[ -z "$nth" ] || figure "$profile, $1" "$file" "$3" "$began"
}
stop_engine() { kill -STOP "$engine"; sleep "$stop_s"; kill -CONT "$engine" 2>/dev/null; sleep 0.5; }
stop_both() { kill -STOP "$guardian" "$engine"; sleep "$stop_s"; kill -CONT "$guardian" "$engine"; sleep 1; }
kill_engine() { kill -9 "$engine"; sleep 1; }
kill_guardian() { kill -9 "$guardian"; sleep 1; }
kill_both() { kill -STOP "$guardian" "$engine"; kill -9 "$guardian" "$engine"; sleep 2; }

# The victim is primary, and standby afterwards. What a failure leaves behind is not the next one's.
strike() {
	guardian=$(guardian $primary) engine=$(engine $primary)
	after "$1" "$2" "$3"
	if is_gone "$guardian"; then
		node_start $primary
	fi
	local was=$primary
	primary=$peer peer=$was
	check "$profile, $1$nth: the pair is whole again" within 10 pair_ready $primary $peer
	pair_ready $primary $peer || anew
}
is_gone() { [[ $(cat "/proc/$1/stat" 2>/dev/null || echo ") Z ") == *") Z "* ]]; }
anew() {
	node_stop lb2; node_stop lb1
	pair_start
	primary=lb1 peer=lb2
}

try_profile() {
	profile=$1 bound_ms=$3
	bed_conf "$profile" >"$bed_dir/hbd.conf"
	pair_start
	primary=lb1 peer=lb2
	check "$profile: the fence is in force" fenced lb1
	for ((round = 1; round <= repeat; round++)); do
		[ "$repeat" -eq 1 ] || nth=", $round"
		strike "kill -9 of the engine" kill_engine 10
		strike "kill -STOP of the engine" stop_engine $(($2 + 5))
		strike "kill -STOP of both" stop_both $(($2 + 5))
		strike "kill -9 of the guardian" kill_guardian $(($2 + 5))
		strike "kill -9 of both" kill_both $(($2 + 5))
	done
	node_stop $peer; node_stop $primary
	check "$profile: a stop leaves no fence" [ "$(filters lb1 ingress)$(filters lb2 egress)" = 00 ]
}

# Bounds are generous, for a busy machine: what is to be shown is that nobody waits for a lifetime. The
# figures are printed when it is repeated.
for name in ${PROFILES:-fast lan}; do
	case $name in
	fast) try_profile fast 28 300 ;;
	lan) try_profile lan 460 900 ;;
	*) fail "PROFILES is of fast and lan, not '$name'" ;;
	esac
done
if [ "$repeat" -gt 1 ]; then
	figures_print
fi

# somebody flushes tc
bed_conf fast >"$bed_dir/hbd.conf"
pair_start
ip netns exec lb1 tc filter del dev eth0 ingress
check "a fence that somebody removes is put back" within 5 filtered lb1
check "and it is said" within 5 logged lb1 "somebody had removed it from eth0"
ip netns exec lb1 tc qdisc del dev eth0 clsact
check "also with its qdisc" within 5 filtered lb1
for i in 1 2 3 4 5; do
	ip netns exec lb1 tc qdisc del dev eth0 clsact 2>/dev/null
	sleep 0.1
done
check "who does it in a loop does not fill the log with it" \
	[ "$(grep -c "fence:.*removed" "$bed_dir/hbd.lb1.log")" = 1 ]
check "it is in force" within 5 fenced lb1
check "nothing moved" pair_ready lb1 lb2
node_stop lb1; node_stop lb2
exit "$check_failed"
