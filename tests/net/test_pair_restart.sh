#!/bin/bash
# A restart of either node without a change of role, with a service manager that keeps what the engine
# knew; and one whose next process does not come.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

times=${RESTARTS:-5}
node_start() {
	background "hbd.$1" "$1" "$PWD/tests/lib/service-manager" "$bed_dir/next.$1" \
		"$PWD/$BUILD/hbd" -c "$bed_dir/hbd.conf" -n "$1" --run-dir "$bed_dir/$1.run" \
		--state-dir "$bed_dir/$1.state" --plugin-dir "$PWD/$BUILD/plugins"
}
restart() { kill -HUP "${bed_process[hbd.$1]}"; }
count() { grep -c -e "$2" "$bed_dir/hbd.$1.log"; }
has_gone_on() { [ "$(count "$1" "going on as the process before")" = "$2" ]; }
alerts() { count "$1" "alert: "; }
changes() { count "$1" "secondary -> \|primary -> "; }
logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
is_on() { ip -n "$1" -o addr show | grep -q -F " $2/"; }
role() { [ "$(status "$1" .groups.0.role)" = "$2" ]; }
file=$bed_dir/prober

# restart_quietly PROFILE NODE
restart_quietly() {
	local told1 told2 epoch number
	told1=$(alerts lb1)
	told2=$(alerts lb2)
	epoch=$(status lb1 .groups.0.epoch)
	number=$(count "$2" "going on as the process before")
	prober_start "$file" $bed_vip4
	sleep 0.3
	prober_mark
	for ((i = 1; i <= times; i++)); do
		restart "$2"
		check "$1, restart $i of $2: the next process goes on" \
			within 5 has_gone_on "$2" $((number + i))
		sleep 0.7
	done
	check "$1, $2: lb1 is primary still" within 5 pair_ready lb1 lb2
	prober_stop
	check_number "$1, $2: no request is lost" "$file" .lost 0 0
	check_number "$1, $2: one owner" "$file" .owners.two_ms 0 0
	check "$1, $2: in the same term of office" [ "$(status lb1 .groups.0.epoch)" = "$epoch" ]
	check "$1, $2: no alert on lb1" [ "$(alerts lb1)" = "$told1" ]
	check "$1, $2: nor on lb2" [ "$(alerts lb2)" = "$told2" ]
}

for profile in fast lan; do
	bed_conf $profile >"$bed_dir/hbd.conf"
	: >"$bed_dir/hbd.lb1.log"
	: >"$bed_dir/hbd.lb2.log"
	pair_start
	await_told
	restart_quietly $profile lb1
	restart_quietly $profile lb2
	[ $profile = lan ] || { node_stop lb1; node_stop lb2; }
done

# The next process does not come up.
echo /bin/false >"$bed_dir/next.lb1"
prober_start "$file" $bed_vip4
sleep 0.3
prober_mark
restart lb1
check "no next process: the other one serves" within 10 role lb2 primary
prober_stop
check_number "no next process: it answers until the pause is over" "$file" .gap_ms 0 1500
check_number "no next process: which lasts as long as was said" "$file" .gap.began_ms 1900 4000
check_number "no next process: one owner" "$file" .owners.two_ms 0 0
check "no next process: its address has gone" within 5 not is_on lb1 $bed_vip4
check "no next process: an alert says so" within 5 logged lb2 "alert: "
