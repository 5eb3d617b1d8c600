# shellcheck shell=bash disable=SC2154 # variables of tests/lib/netns.sh
# keepalived as the other contestant. To be sourced after tests/lib/netns.sh.
#
#	keepalived_conf NODE ADVERT_S N_ADDRESSES [INSTANCES]	the configuration, to standard output
#	keepalived_start NODE FILE, keepalived_stop NODE
#	keepalived_kill NODE		kill -9 of the VRRP process, which the parent starts again
#	keepalived_pids NODE, keepalived_vrrp NODE
#	KEEPALIVED_MOVES=1		the configuration for planned moves
#	keepalived_move FROM TO		without a daemon being stopped; returns at once
#
# The tuning, and why it is the best that we know for VRRPv3 in keepalived 2.2.7:
#  - unicast between the two nodes on the LAN: no multicast snooping in the way; one link, because an
#    instance has one;
#  - priorities 254 and 253: the skew that is added to three advert intervals is (256 - priority) / 256
#    of an interval, so this is the shortest that is not "address owner";
#  - down_timer_adverts stays 3, the default and the standard's: with 1 a single lost advert is a takeover;
#  - real-time priority and locked memory, as hbd has them;
#  - one announcement per address at once and again after a second, like hbd's first ones, instead of
#    five in a row, which delay each other when there are many addresses;
#  - nopreempt, so that a returning node does not cause a second outage;
#  - more than one address: the first one in the adverts, the rest excluded from them, so that a packet
#    neither grows past the MTU nor is compared address by address;
#  - no notify scripts, no tracking, no -D: its detailed log slows a takeover with many addresses;
#  - planned moves by a tracked file that lowers the priority, and with preemption: the other one is
#    master before this one lets go, which loses less than stopping it.

keepalived_addresses() {
	local i
	for ((i = 1; i < $1; i++)); do
		printf '\t\t10.79.%d.%d/32 dev eth0\n' $((i / 256)) $((i % 256))
	done
}

# keepalived_instance NODE ADVERT_S N_ADDRESSES NUMBER
keepalived_instance() {
	local number=${1#lb}
	cat <<-END
	vrrp_instance web$4 {
		state BACKUP
		$([ -n "${KEEPALIVED_MOVES:-}" ] && echo "track_file { away }" || echo nopreempt)
		interface eth0
		virtual_router_id $((50 + $4))
		priority $((255 - number))
		advert_int $2
		unicast_src_ip 10.77.0.$number
		unicast_peer {
			10.77.0.$((3 - number))
		}
		virtual_ipaddress {
			10.77.0.$((100 + $4))/24 dev eth0
		}
	END
	if [ "$3" -gt 1 ]; then
		printf '\tvirtual_ipaddress_excluded {\n'
		keepalived_addresses "$3"
		printf '\t}\n'
	fi
	echo "}"
}

keepalived_conf() {
	local i
	cat <<-END
	global_defs {
		router_id $1
		vrrp_version 3
		vrrp_rt_priority 50
		vrrp_rlimit_rttime 10000000
		vrrp_no_swap
		vrrp_skip_check_adv_addr
		vrrp_garp_master_repeat 1
		vrrp_garp_master_delay 1
		vrrp_garp_lower_prio_repeat 1
	}
	END
	[ -z "${KEEPALIVED_MOVES:-}" ] || printf 'track_file away {\n\tfile "%s"\n\tweight 1\n}\n' \
		"$bed_dir/$1.run/away"
	for ((i = 0; i < ${4:-1}; i++)); do
		keepalived_instance "$1" "$2" "$3" $i
	done
}

keepalived_start() {
	local run=$bed_dir/$1.run
	background "keepalived.$1" "$1" keepalived --use-file="$2" --dont-fork --log-console --vrrp \
		--pid="$run/keepalived.pid" --vrrp_pid="$run/vrrp.pid"
}

# The priority of who is to let go falls below the other's.
keepalived_move() {
	echo 0 >"$bed_dir/$2.run/away"
	echo -10 >"$bed_dir/$1.run/away"
}

keepalived_stop() { finish "keepalived.$1"; }
keepalived_vrrp() { cat "$bed_dir/$1.run/vrrp.pid"; }
keepalived_kill() { kill -9 "$(keepalived_vrrp "$1")"; }
keepalived_pids() { cat "$bed_dir/$1.run/keepalived.pid" "$bed_dir/$1.run/vrrp.pid"; }
