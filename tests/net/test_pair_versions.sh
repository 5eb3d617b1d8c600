#!/bin/bash
# Two programs of different versions of the protocol are a pair: they serve, move and fail over, and when the
# second one is upgraded, too, they speak the later version, without a change of role; and so backwards.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

# command_of NODE PROGRAM
command_of() {
	echo "$PWD/$BUILD/$2 -c $bed_dir/hbd.conf -n $1 --run-dir $bed_dir/$1.run" \
		"--state-dir $bed_dir/$1.state --plugin-dir $PWD/$BUILD/plugins"
}
declare -A program=([lb1]=hbd [lb2]=hbd)
node_start() {
	command_of "$1" "${program[$1]}" >"$bed_dir/next.$1"
	background "hbd.$1" "$1" "$PWD/tests/lib/service-manager" "$bed_dir/next.$1"
}
count() { grep -c -e "$2" "$bed_dir/hbd.$1.log"; }
has_gone_on() { [ "$(count "$1" "going on as the process before")" = "$2" ]; }
alerts() { count "$1" "alert: "; }
speak() { [ "$(status lb1 .peer.version) $(status lb2 .peer.version)" = "$1 $1" ]; }
file=$bed_dir/prober

# quietly WHAT COMMAND...: meanwhile no request is lost, no role changes and nobody is alarmed
quietly() {
	local told="$(alerts lb1) $(alerts lb2)" epoch
	epoch=$(status lb1 .groups.0.epoch)
	prober_start "$file" $bed_vip4
	sleep 0.2
	prober_mark
	"${@:2}"
	sleep 0.3
	prober_stop
	check_number "$1: no request is lost" "$file" .lost 0 0
	check_number "$1: one owner" "$file" .owners.two_ms 0 0
	check "$1: lb1 is primary still" within 5 pair_ready lb1 lb2
	check "$1: in the same term of office" [ "$(status lb1 .groups.0.epoch)" = "$epoch" ]
	check "$1: nobody is alarmed" [ "$(alerts lb1) $(alerts lb2)" = "$told" ]
}

# replace NODE PROGRAM SPOKEN: by a restart, as an upgrade of the package is one; then both speak that
replace() {
	local number
	number=$(count "$1" "going on as the process before")
	command_of "$1" "$2" >"$bed_dir/next.$1"
	kill -HUP "${bed_process[hbd.$1]}"
	check "$1 becomes $2: the next process goes on" within 5 has_gone_on "$1" $((number + 1))
	check "$1 becomes $2: both speak version $3" within 5 speak "$3"
}

# move FROM TO
move() {
	prober_start "$file" $bed_vip4
	sleep 0.2
	ctl "$1" switchover web --wait >/dev/null
	prober_stop
	check "the versions differ: the group moves to $2" within 5 pair_ready "$2" "$1"
	check_number "the versions differ: no request is lost on the way to $2" "$file" .lost 0 0
}

CONF_DRAIN_S=1 bed_conf fast >"$bed_dir/hbd.conf"
pair_start
await_told
check "two of the present version speak it" speak 1

next=tests/next/hbd
quietly "the standby is upgraded" replace lb2 $next 1
move lb1 lb2
move lb2 lb1
await_told

prober_start "$file" $bed_vip4
sleep 0.2
prober_mark
power_loss lb1
sleep 0.5
prober_stop
check "the versions differ: lb2 takes over when lb1 dies" [ "$(json "$file" .last)" = lb2 ]
check_number "the versions differ: soon (ms)" "$file" .gap_ms 1 300
power_on lb1
node_start lb1
await_pair lb2 lb1
ctl lb2 switchover web --wait >/dev/null
await_pair lb1 lb2
await_told

quietly "the primary is upgraded" replace lb1 $next 2
quietly "the standby is downgraded" replace lb2 hbd 1
quietly "the standby is upgraded again" replace lb2 $next 2
quietly "the primary is downgraded" replace lb1 hbd 1
node_stop lb1; node_stop lb2
exit "$check_failed"
