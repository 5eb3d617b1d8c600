# shellcheck shell=bash disable=SC2154 # variables of tests/lib/netns.sh
# What the bench does to hbd:PROFILE and keepalived:ADVERT_S alike.
#
#	contestant_start CONTESTANT N_ADDRESSES [GROUPS]	both nodes, lb1 is primary
#	contestant_stop CONTESTANT				both, and nothing of them is left
#	contestant_pids CONTESTANT NODE				the daemon's processes
#	contestant_patience CONTESTANT N_ADDRESSES		how long to look after an event, in s
#	event_power_loss, event_killed, event_killed_all, event_stopped, event_stopped_all,
#	event_clean_stop CONTESTANT NODE

contestant_start() {
	local kind=${1%%:*} setting=${1#*:}
	case $kind in
	hbd)
		CONF_GROUPS=${3:-1} bed_conf "$setting" "$2" >"$bed_dir/hbd.conf"
		hbd_pair ;;
	keepalived)
		keepalived_conf lb1 "$setting" "$2" "${3:-1}" >"$bed_dir/keepalived.lb1.conf"
		keepalived_conf lb2 "$setting" "$2" "${3:-1}" >"$bed_dir/keepalived.lb2.conf"
		keepalived_pair "$setting" ;;
	esac
	await_addresses lb1 "$2" "${3:-1}"
}

# On a machine that stalls for longer than a lease the other one may be primary by now: once more.
hbd_pair() {
	local tries
	for tries in 1 2 3 4; do
		node_start lb1
		node_start lb2
		! within 10 pair_ready lb1 lb2 || return 0
		node_stop lb2; node_stop lb1
	done
	pair_start
}

# keepalived_pair ADVERT_S: lb1 first; the other one is a standby once it has heard an advert.
keepalived_pair() {
	keepalived_start lb1 "$bed_dir/keepalived.lb1.conf"
	await_addresses lb1 1 1
	keepalived_start lb2 "$bed_dir/keepalived.lb2.conf"
	wait_line "$bed_dir/keepalived.lb2.log" "Entering BACKUP" || fail "keepalived is no standby"
	sleep "$(awk -v advert="$1" 'BEGIN { print 0.3 + 1.5 * advert }')"
}

# All of them: those of the bed's own are one on the LAN.
await_addresses() {
	local wanted=$(($2 + $3)) tries
	for ((tries = 0; tries < 1000; tries++)); do
		[ "$(ip -n "$1" -o -4 addr show dev eth0 | wc -l)" -lt "$wanted" ] || return 0
		sleep 0.01
	done
	fail "$1 does not get its addresses"
}

contestant_stop() {
	local node
	for node in lb2 lb1; do
		"contestant_stop_${1%%:*}" "$node"
		bed_kill_all "$node"
		power_on "$node"
	done
}
contestant_stop_hbd() { node_stop "$1"; }
contestant_stop_keepalived() { keepalived_stop "$1"; }

contestant_pids() {
	case ${1%%:*} in
	hbd)		 echo "$(guardian "$2") $(pgrep -d ' ' -P "$(guardian "$2")")" ;;
	keepalived)	 keepalived_pids "$2" | tr '\n' ' ' ;;
	esac
}

contestant_patience() {
	local grace=0.5
	case $1 in
	hbd:lan)	grace=1.2 ;;
	keepalived:*)	grace=$(awk -v advert="${1#*:}" 'BEGIN { print 0.5 + 5 * advert }') ;;
	esac
	awk -v grace="$grace" -v count="$2" 'BEGIN { print grace + count * 0.001 }'
}

event_power_loss() { power_loss "$2"; }

# The process that speaks to the peer and holds the addresses; its parent lives on and deals with it.
event_killed() {
	case ${1%%:*} in
	hbd)		kill -9 "$(engine "$2")" ;;
	keepalived)	keepalived_kill "$2" ;;
	esac
}

# All that could do something about it, at the same instant; nothing starts them again. One looks for
# as long as at a freeze: what remains then remains until a human comes.
event_killed_all() {
	local pids
	read -ra pids <<<"$(contestant_core "$@")"
	kill -STOP "${pids[@]}"
	kill -9 "${pids[@]}"
	sleep $freeze_s
}

# freeze PID...: and they go on where they were. What was killed meanwhile, for hanging, does not.
freeze_s=5
freeze() {
	kill -STOP "$@"
	sleep $freeze_s
	kill -CONT "$@" 2>/dev/null
}
event_stopped() {
	case ${1%%:*} in
	hbd)		freeze "$(engine "$2")" ;;
	keepalived)	freeze "$(keepalived_vrrp "$2")" ;;
	esac
}
event_stopped_all() {
	local pids
	read -ra pids <<<"$(contestant_core "$@")"
	freeze "${pids[@]}"
}

# contestant_core CONTESTANT NODE: who speaks to the peer and holds the addresses, and its parent
contestant_core() {
	case ${1%%:*} in
	hbd)		echo "$(guardian "$2") $(engine "$2")" ;;
	keepalived)	keepalived_pids "$2" | tr '\n' ' ' ;;
	esac
}

event_clean_stop() {
	case ${1%%:*} in
	hbd)		kill -TERM "$(guardian "$2")" ;;
	keepalived)	kill -TERM "${bed_process[keepalived.$2]}" ;;
	esac
}
