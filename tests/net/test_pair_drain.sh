#!/bin/bash
# P7: planned moves to and fro under load: no request is lost, no connection ends or is refused.
# SWITCHOVERS (4) at each of PROFILES (fast).
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

switchovers=${SWITCHOVERS:-4}
# sanitizers take many times as long for each packet of the engine's, not for those of the clients
connections=${CONNECTIONS:-100}
file=$bed_dir/prober
tcp=$bed_dir/tcp
logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
role() { [ "$(status "$1" .groups.0.role)" = "$2" ]; }
handover() { [ "$(status "$1" ".groups.0.handover.$2")" = "$3" ]; }
filters() { on "$1" tc filter show dev eth0 "$2" pref 2 | grep -c drain; }
no_drain() { [ "$(filters lb1 ingress)$(filters lb1 egress)$(filters lb2 ingress)$(filters lb2 egress)" = 0000 ]; }

tcp_start() {
	background tcp client "$(tool tcp_prober)" --connections "$connections" "$@" $bed_vip4 $bed_vip6
	wait_line "$bed_dir/tcp.log" ready || fail "the TCP clients do not start: $(cat "$bed_dir/tcp.log")"
}
tcp_stop() {
	finish tcp
	grep '^{' "$bed_dir/tcp.log" >"$tcp"
}
none_failed() {
	check_number "$1: no connection ended" "$tcp" .broken 0 0
	check_number "$1: none was refused" "$tcp" .refused 0 0
}

# move FROM TO: as soon as the pair is ready for it
move() {
	local tries
	for ((tries = 0; tries < 200; tries++)); do
		ctl "$1" switchover web --wait >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "no switchover from $1 to $2"
	ctl "$1" status
	return 1
}

for node in lb1 lb2; do
	background "tcp_service.$node" $node "$(tool tcp_service)" $node
	wait_line "$bed_dir/tcp_service.$node.log" ready || fail "the service of $node does not start"
done

for profile in ${PROFILES:-fast}; do
	CONF_DRAIN_S=60 CONF_IPV6=1 bed_conf "$profile" >"$bed_dir/hbd.conf"
	pair_start
	tcp_start
	prober_start "$file" $bed_vip4
	sleep 0.5
	from=lb1 to=lb2
	for ((i = 1; i <= switchovers; i++)); do
		check "$profile, $i: the group moves to $to" move $from $to
		sleep "${PAUSE:-1}"
		swap=$from from=$to to=$swap
	done
	prober_stop
	tcp_stop
	echo "$profile: $(cat "$tcp")"
	echo "$profile: $(cat "$file")"
	check_number "$profile: no request over UDP is lost" "$file" .lost 0 0
	none_failed "$profile"
	check_number "$profile: connections lived through it" "$tcp" .requests $((connections * 10)) 100000000
	node_stop lb1; node_stop lb2
	check "$profile: nothing is left in the kernel" within 5 no_drain
done
[ -z "${SWITCHOVERS:-}" ] || exit "$check_failed"

# ---- its end, and what comes between -------------------------------------------------------------------
CONF_DRAIN_S=20 CONF_IPV6=1 bed_conf fast >"$bed_dir/hbd.conf"
pair_start
connections=10
tcp_start --fresh-per-s 0
check "a switchover" move lb1 lb2
check "status counts what is left" within 8 handover lb1 connections 10
tcp_stop
check "the drain is over when nothing is left" within 8 role lb1 secondary
check "and nothing of it stays in the kernel" within 5 no_drain
none_failed "until they end by themselves"

tcp_start --fresh-per-s 0
check "a switchover back" move lb2 lb1
check "it drains" within 5 role lb2 draining
kill -9 "$(engine lb2)"
check "the engine that drains dies: the other one serves on" within 10 pair_ready lb1 lb2
check "and nothing stays in the kernel" within 5 no_drain
tcp_stop
tcp_start --fresh-per-s 0
check "another switchover" move lb1 lb2
check "it drains" within 5 role lb1 draining
kill -9 "$(engine lb2)"
check "the engine that took over dies: who drained serves again" within 10 role lb1 primary
tcp_stop
check "nothing stays in the kernel" within 10 no_drain
node_stop lb1; node_stop lb2
exit "$check_failed"
