#!/bin/bash
# P5: a pair with a real etcd as its witness, every cut among the three, REPEAT times each (1) at each of
# PROFILES (fast lan); with the figures if REPEAT is given. The client, which etcd shares a machine
# with, is cut off from nobody: it sees who answers.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
. tests/lib/figures.sh
command -v etcd >/dev/null || skip "there is no etcd: packaging/install-deps test"
bed_enter "$@"
bed_up

repeat=${REPEAT:-1}
[ -z "${REPEAT:-}" ] || watcher_start
file=$bed_dir/prober
etcd_start() {
	background etcd client env ETCD_UNSUPPORTED_ARCH="$(uname -m)" etcd --log-level error \
		--data-dir "$bed_dir/etcd" --listen-client-urls http://10.77.0.250:2379 \
		--advertise-client-urls http://10.77.0.250:2379 \
		--listen-peer-urls http://127.0.0.1:2380
}
etcd_answers() {
	on client python3 -c 'import urllib.request as u
u.urlopen(u.Request("http://10.77.0.250:2379/v3/kv/range", b"{\"key\":\"YQ==\"}"), timeout=1)'
}
# cut WHAT...: pair, lb1, lb2 (from the witness), all in one transaction
cut() {
	local what
	for what in "$@"; do
		case $what in
		pair)
			echo 'add rule bridge bed loss iifname { lan-lb1, xo-lb1 } oifname { lan-lb2, xo-lb2 } drop'
			echo 'add rule bridge bed loss iifname { lan-lb2, xo-lb2 } oifname { lan-lb1, xo-lb1 } drop' ;;
		*)
			echo "add rule bridge bed loss iifname lan-$what tcp dport 2379 drop"
			echo "add rule bridge bed loss oifname lan-$what tcp sport 2379 drop" ;;
		esac
	done | on sw nft -f -
}
role() { [ "$(status "$1" .groups.0.role)" = "$2" ]; }
reaches_witness() { [ "$(status "$1" .witness.state)" = well ]; }
free_again() { [ "$(status lb1 .groups.0.witness.holder)" = "" ]; }

# watch SECONDS COMMAND...: what the client sees of it
watch() {
	prober_start "$file" $bed_vip4
	sleep 0.3
	began=$(boot_ns)
	prober_mark
	"${@:2}"
	sleep "$1"
	prober_stop
}
one_owner() {
	check_number "$profile, $i: $1: 0 ms with two owners" "$file" .owners.two_ms 0 0
	[ -z "${REPEAT:-}" ] || figure "$profile, $1" "$file" "$target_ms" "$began"
}
stays() {
	local name="$profile, $i: $1"
	one_owner "$1"
	check_number "$name: the client misses nothing" "$file" .gap_ms 0 "$miss_ms"
	check "$name: lb1 is primary" role lb1 primary
}
moves() {
	local name="$profile, $i: $1"
	one_owner "$1"
	check_number "$name: lb2 serves in time" "$file" .gap_ms 0 "$take_ms"
	check "$name: lb2 is primary" role lb2 primary
}
calm() {
	heal
	await_pair "$1" "$2"
	within 10 reaches_witness lb1
	within 10 reaches_witness lb2
	within 10 free_again
}
back_to_lb1() {
	calm lb2 lb1
	ctl lb2 switchover web >/dev/null
	calm lb1 lb2
}
stop_etcd() {
	kill -STOP "${bed_process[etcd]}"
	sleep 5
	kill -CONT "${bed_process[etcd]}"
}
restart_etcd() {
	finish etcd
	sleep 1
	etcd_start
}

try_profile() {
	# a bound that the noise of a shared machine keeps; the figures themselves are the benchmark's
	profile=$1 target_ms=$(($2 + 50)) take_ms=$(($2 + 50 + 200)) miss_ms=$3
	CONF_TOP='witness = ( { plugin = "etcd"; endpoints = ( "http://10.77.0.250:2379" ); } );' \
		bed_conf "$1" >"$bed_dir/hbd.conf"
	pair_start
	calm lb1 lb2
	# a register that is empty at the start might have been emptied: for 4 s nobody gets its vote
	sleep 5
	for ((i = 1; i <= repeat; i++)); do
		watch 6 cut pair; stays "the nodes are cut from each other"
		check "$1, $i: lb2 is refused" [ "$(status lb2 .groups.0.witness.refused)" = True ]
		check "$1, $i: the vote is lb1's" [ "$(status lb1 .groups.0.witness.holder)" = lb1 ]
		calm lb1 lb2
		watch 2 cut pair lb1; moves "lb1 is cut from lb2 and the witness"
		back_to_lb1
		watch 2 cut pair lb2; stays "lb2 is cut from lb1 and the witness"
		calm lb1 lb2
		watch 5 cut lb1 lb2; stays "both are cut from the witness"
		check "$1, $i: and say so" not reaches_witness lb1
		calm lb1 lb2
		watch 1 stop_etcd; stays "etcd stands still for 5 s"
		calm lb1 lb2
		watch 3 restart_etcd; stays "etcd is started anew"
		calm lb1 lb2
		watch 2 power_loss lb1; moves "lb1 dies"
		power_on lb1
		node_start lb1
		back_to_lb1
	done
	[ "$name" != fast ] || a_program_hangs
	node_stop lb1; node_stop lb2
}

# the program that asks, on lb1
asker() { pgrep -P "$(guardian lb1)" "^etcd"; }
is_another() { local now; now=$(asker) && [ "$now" != "$1" ]; }
a_program_hangs() {
	local pid
	pid=$(asker)
	prober_start "$file" $bed_vip4
	sleep 0.3
	prober_mark
	kill -STOP "$pid"
	check "a program that hangs is ended" within 25 grep -q "etcd has answered nothing for 10 s" "$bed_dir/hbd.lb1.log"
	check "another one is started" within 10 is_another "$pid"
	check "and reaches the witness" within 10 reaches_witness lb1
	prober_stop
	check_number "the client notices nothing" "$file" .gap_ms 0 100
	check "lb1 is primary all the time" role lb1 primary
}

etcd_start
must "etcd answers" within 10 etcd_answers
# sanitizers look for other things than the profile's numbers
profiles="fast lan"
[ "${VARIANT:-}" != asan ] || profiles=fast
for name in ${PROFILES:-$profiles}; do
	case $name in
	fast) try_profile fast 28 100 ;;
	lan) try_profile lan 460 300 ;;
	*) fail "PROFILES is of fast and lan, not '$name'" ;;
	esac
done
[ -z "${REPEAT:-}" ] || figures_print
exit "$check_failed"
