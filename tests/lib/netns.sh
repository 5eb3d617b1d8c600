# shellcheck shell=bash
# A bed of network namespaces: two nodes, a switch and a client, for tests, demo and bench. To be
# sourced by bash from the top of the tree; needs BUILD=build/VARIANT.
#
#	                 switch (namespace sw)
#	lb1 eth0 ------- lan-lb1 \
#	lb2 eth0 ------- lan-lb2  > br0   LAN         10.77.0.0/24 fd77::/64
#	client eth0 ---- lan-client /
#	lb1 eth1 ------- xo-lb1 \
#	lb2 eth1 ------- xo-lb2 / br1     crossover   10.78.0.0/24
#
# lb1 is .1, lb2 is .2, the client is .250; virtual addresses begin at 10.77.0.100, fd77::100.
#
#	bed_enter "$@"			first of all: runs the script again in namespaces of its own
#	bed_up				makes all this; bed_down takes it down, and runs on exit
#	on NODE COMMAND...		runs a command there (lb1, lb2, client, sw)
#	power_on NODE			a machine that has just booted: its addresses, a responder
#	power_loss NODE			both cables dead at the same instant, then all its processes
#	silence NODE LINK...		the switch drops what goes to and comes from there (lan, xo);
#	heal				nobody loses carrier; heal undoes all silence and loss
#	mute NODE			the switch drops its heartbeats and nothing else; heal undoes it
#	loss PERCENT LINK...		between the nodes, at random, each frame on its own
#	unplug NODE LINK, plug NODE LINK	carrier goes, comes back
#	responder_start NODE		answers probes as that node (power_on does it)
#	prober_start FILE ARGUMENT...	on the client; JSON to FILE
#	prober_mark			"the event comes now"
#	prober_stop			ends it and waits; then FILE is complete
#	json FILE EXPRESSION		a jq-like path into a JSON file: .gap.to, .owners.two_ms
#	background NAME NODE COMMAND...	starts a process there, its output to $bed_dir/NAME.log
#	finish NAME			ends it by SIGTERM and waits
#
# Everything lives in namespaces that belong to the script: network, mount (/run is a tmpfs that
# holds $bed_dir and the names of ip-netns), processes. They cannot meet those of another run, and
# the kernel takes them away with the last process, also after kill -9. Works as root, and without
# where the kernel allows user namespaces.

bed_dir=/run/bed
bed_nodes=(lb1 lb2)
declare -A bed_process
bed_prober=""
bed_client_mac=02:00:00:77:00:fa
# shellcheck disable=SC2034 # for those who source this
bed_port=7777 bed_vip4=10.77.0.100 bed_vip6=fd77::100

skip() { echo "skipped: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }
tool() { echo "$PWD/$BUILD/tests/tools/$1"; }
on() { local name=$1; shift; nsenter --net="/run/netns/$name" -- "$@"; }

bed_enter() {
	local program flags=(--mount --net --pid --fork --kill-child --mount-proc)
	[ -z "${BED_INSIDE:-}" ] || return 0
	for program in unshare nsenter ip nft; do
		command -v $program >/dev/null || skip "there is no $program: packaging/install-deps test"
	done
	[ "$(id -u)" -eq 0 ] || flags+=(--map-root-user)
	unshare "${flags[@]}" true 2>/dev/null ||
		skip "this machine does not let user $(id -un) make namespaces"
	BED_INSIDE=$(id -u) exec unshare "${flags[@]}" -- bash "$0" "$@"
}

# Whom hbd and others become. Without real root there is no other user.
bed_user() {
	if [ "${BED_INSIDE:-0}" -ne 0 ]; then
		echo root
	elif getent passwd hbd >/dev/null; then
		echo hbd
	else
		echo nobody
	fi
}

bed_namespace() {
	ip netns add "$1" && ip -n "$1" link set lo up
}

# bed_cable BRIDGE PORT NODE INTERFACE
bed_cable() {
	ip -n sw link add "$2" type veth peer name "$4" netns "$3"
	ip -n sw link set "$2" master "$1" up
}

# With a cut or a loss in force from the switch's point of view. Sets of port names, so that
# several cables die in one transaction.
bed_filter() {
	on sw nft -f - <<-END
	table bridge bed {
		set silent { type ifname; }
		chain from {
			type filter hook prerouting priority 0;
			iifname @silent drop;
		}
		chain to {
			type filter hook forward priority 0;
			oifname @silent drop;
			jump loss;
		}
		chain loss { }
	}
	END
}

bed_up() {
	local node bridge
	trap bed_down EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mount -t tmpfs -o mode=755 tmpfs /run || skip "may not mount a tmpfs"
	mkdir -p $bed_dir /run/netns
	for node in sw client "${bed_nodes[@]}"; do
		bed_namespace "$node" || skip "may not make network namespaces"
	done
	for bridge in br0 br1; do
		ip -n sw link add $bridge type bridge || skip "may not make bridges"
		ip -n sw link set $bridge up
	done
	bed_filter || skip "nftables has no bridge family here"
	bed_cable br0 lan-client client eth0
	bed_configure client 250
	for node in "${bed_nodes[@]}"; do
		bed_cable br0 "lan-$node" "$node" eth0
		bed_cable br1 "xo-$node" "$node" eth1
		power_on "$node"
	done
}

bed_down() {
	local status=$? name
	trap - EXIT
	for name in "${!bed_process[@]}"; do
		kill -9 "${bed_process[$name]}" 2>/dev/null
	done
	for name in "${bed_nodes[@]}"; do
		bed_kill_all "$name"
	done
	exit $status
}

# bed_configure NODE NUMBER
#
# No duplicate address detection, so that nothing waits for it. The nodes know the client for good:
# otherwise the first answer of a new owner would ask for the client from the virtual address, which
# would correct the client's neighbor cache and hide a missing announcement.
bed_configure() {
	local name=$1 number=$2 device
	on "$name" sysctl -q -w net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_ra=0
	for device in eth0 eth1; do
		on "$name" ip link show $device >/dev/null 2>&1 || continue
		# not down and up: the kernel may take a second to notice such a change
		ip -n "$name" link set $device up
		ip -n "$name" addr flush dev $device
		ip -n "$name" neigh flush dev $device
	done
	ip -n "$name" -batch - <<-END
	addr add 10.77.0.$number/24 dev eth0
	addr add fd77::$number/64 dev eth0 nodad
	END
	if [ "$name" = client ]; then
		ip -n client link set eth0 address $bed_client_mac
		ip -n client route add 10.79.0.0/16 dev eth0
		ip -n client route add fd79::/64 dev eth0
	else
		ip -n "$name" -batch - <<-END
		addr add 10.78.0.$number/24 dev eth1
		neigh replace 10.77.0.250 lladdr $bed_client_mac dev eth0 nud permanent
		neigh replace fd77::250 lladdr $bed_client_mac dev eth0 nud permanent
		END
	fi
}

power_on() {
	bed_configure "$1" "${1#lb}"
	# a fence that was in force when the power went
	on "$1" tc qdisc del dev eth0 clsact 2>/dev/null
	rm -rf "${bed_dir:?}/$1.run"
	mkdir -p "$bed_dir/$1.run" "$bed_dir/$1.state"
	chown "$(bed_user)" "$bed_dir/$1.state"
	[ ! -x "$(tool responder)" ] || responder_start "$1"
	on sw nft delete element bridge bed silent "{ lan-$1, xo-$1 }" 2>/dev/null || true
}

# Kills what runs in a node, until nothing does: a process may fork while it is being killed.
bed_kill_all() {
	local pids
	while pids=$(ip netns pids "$1" 2>/dev/null) && [ -n "$pids" ]; do
		# shellcheck disable=SC2086 # a list of numbers
		kill -9 $pids 2>/dev/null
	done
}

# The cables first, in one transaction: processes that are killed still say good-bye.
power_loss() {
	on sw nft add element bridge bed silent "{ lan-$1, xo-$1 }"
	bed_kill_all "$1"
}

silence() {
	local node=$1 ports
	shift
	printf -v ports "%s-$node, " "$@"
	on sw nft add element bridge bed silent "{ ${ports%, } }"
}

heal() {
	on sw nft "flush set bridge bed silent; flush chain bridge bed loss"
}

loss() {
	local percent=$1 link
	shift
	for link in "$@"; do
		on sw nft add rule bridge bed loss \
			iifname "{ $link-lb1, $link-lb2 }" oifname "{ $link-lb1, $link-lb2 }" \
			numgen random mod 100 '<' "$percent" counter drop
	done
}

mute() {
	on sw nft add rule bridge bed loss iifname "{ lan-$1, xo-$1 }" udp dport 694 counter drop
}

unplug() { ip -n sw link set "$2-$1" down; }
plug() { ip -n sw link set "$2-$1" up; }

# wait_line FILE TEXT: until a process has said so, 10 s at most
wait_line() {
	local tries
	for ((tries = 0; tries < 1000; tries++)); do
		! grep -q -s -e "$2" "$1" || return 0
		sleep 0.01
	done
	return 1
}

# Not by on(): a function in the background is a shell that waits for the program.
background() {
	local name=$1 node=$2
	shift 2
	nsenter --net="/run/netns/$node" -- "$@" >"$bed_dir/$name.log" 2>&1 &
	bed_process[$name]=$!
	disown $!
}

# finish NAME: SIGTERM, and wait until it is gone
finish() {
	local pid=${bed_process[$1]:-}
	[ -n "$pid" ] || return 0
	kill "$pid" 2>/dev/null
	gone "$pid" || kill -9 "$pid" 2>/dev/null
	unset "bed_process[$1]"
}

# gone PID [SECONDS]: waits until it is (a zombie is)
gone() {
	local tries line
	for ((tries = 0; tries < 100 * ${2:-10}; tries++)); do
		read -r line 2>/dev/null <"/proc/$1/stat" || return 0
		[[ ${line##*) } != Z* ]] || return 0
		sleep 0.01
	done
	return 1
}

responder_start() {
	background "responder.$1" "$1" "$(tool responder)" "$1" $bed_port
	wait_line "$bed_dir/responder.$1.log" ready || fail "the responder of $1 does not start"
}

prober_start() {
	local file=$1
	shift
	rm -f "$file.err"
	nsenter --net=/run/netns/client -- "$(tool prober)" --port $bed_port "$@" \
		>"$file" 2>"$file.err" &
	bed_process[prober]=$!
	bed_prober=$!
	wait_line "$file.err" ready || fail "the prober does not start: $(cat "$file.err")"
}

prober_mark() { kill -USR1 "$bed_prober"; }
prober_stop() {
	kill -TERM "$bed_prober"
	wait "$bed_prober"
	unset "bed_process[prober]"
}

json() {
	python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))
for name in sys.argv[2].strip(".").split("."):
	if isinstance(value, list):
		value = value[int(name)]
	elif isinstance(value, dict):
		value = value.get(name)
	else:
		value = None
print("" if value is None else value)' "$1" "$2"
}
