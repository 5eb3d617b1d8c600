# shellcheck shell=bash
# Machines with a real systemd for the tests of this folder: systemd-nspawn over one shared tree,
# two bridges in a network namespace of their own. To be sourced by bash, from the top of the tree.
#
#	bed_up				the namespace, its bridges br0 (LAN) and br1 (heartbeats)
#	node_boot lb1 1			boots; addresses 10.99.0.1 on host0, 10.99.1.1 on hb1
#	node lb1 COMMAND...		runs a command there
#	node_cut lb1			both cables out
#	node_power_loss lb1		cables out, then everything dies at once
#	client COMMAND...		runs a command at 10.99.0.254, on the LAN
#
# Cases are told by check, must, within and not, of tests/lib/check.sh.
#
# Everything is taken down on exit. Where the kernel or the privileges do not allow such machines,
# bed_up and the first boot end the test with 77.

. tests/lib/check.sh

bed_tree=$PWD/build/system/tree
bed_run=$PWD/build/system/run.$$
bed_net=hbdsys$$
bed_installs=yes	# hbd by make install, on every machine
declare -A bed_leader bed_nspawn

skip() { echo "skipped: $*"; exit 77; }

client() { ip netns exec "$bed_net" "$@"; }
node() { local name=$1; shift; nsenter -t "${bed_leader[$name]}" -a -- "$@"; }

bed_up() {
	local program bridge
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	for program in systemd-nspawn mmdebstrap ip nsenter; do
		command -v $program >/dev/null || skip "there is no $program: packaging/install-deps system"
	done
	trap bed_down EXIT
	mkdir -p "$bed_run"
	tests/system/make-tree "$bed_tree" || exit 1
	ip netns add "$bed_net" || skip "may not make network namespaces"
	ip -n "$bed_net" link set lo up
	for bridge in br0 br1; do
		ip -n "$bed_net" link add $bridge type bridge || skip "may not make bridges"
		ip -n "$bed_net" link set $bridge up
	done
	ip -n "$bed_net" addr add 10.99.0.254/24 dev br0
	ip -n "$bed_net" addr add fd99::254/64 dev br0 nodad
	mkdir -p "$bed_run/hbd"
	[ "$bed_installs" = no ] ||
		make --no-print-directory -s install DESTDIR="$bed_run/hbd" >"$bed_run/install" 2>&1 || {
			cat "$bed_run/install"
			exit 1
		}
}

# A control group for the node alone: nodes that share one would manage each other's services.
# Where systemd runs this machine, nspawn asks it for one.
node_cgroup() {
	local hierarchy
	[ ! -d /run/systemd/system ] || return 0
	for hierarchy in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
		[ -f $hierarchy/cgroup.procs ] || continue
		mkdir -p "$hierarchy/$bed_net-$1" && echo "$BASHPID" >"$hierarchy/$bed_net-$1/cgroup.procs" ||
			return 1
	done
}

# node_start NAME: nspawn in the background; its pid in bed_nspawn
node_start() {
	local name=$1 root=$bed_run/$1/root keep_unit=--keep-unit
	[ ! -d /run/systemd/system ] || keep_unit=
	(
		node_cgroup "$name" || exit 1
		# shellcheck disable=SC2086 # nothing if empty
		exec nsenter --net="/run/netns/$bed_net" systemd-nspawn -q -b -D "$root" \
			-M "$name-$$" --hostname="$name" --register=no $keep_unit \
			--capability=all --network-bridge=br0 --network-veth-extra="x-$name:hb1" \
			--console=pipe
	) </dev/null >"$bed_run/$name/console" 2>&1 &
	bed_nspawn[$name]=$!
}

# The node's first process, once it is there.
node_find_leader() {
	local leader
	leader=$(pgrep -P "${bed_nspawn[$1]}" | head -n 1)
	[ -n "$leader" ] && [ "$(cat "/proc/$leader/comm")" = systemd ] && bed_leader[$1]=$leader
}

# within, in this shell and as long as the node lives
node_wait() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] && kill -0 "${bed_nspawn[$2]}" 2>/dev/null || return 1
		sleep 0.05
	done
}

node_is_up() { node "$1" systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; }

node_boot() {
	local name=$1 number=$2 dir=$bed_run/$1
	if [ ! -d "$dir/root" ]; then
		mkdir -p "$dir/root" "$dir/upper/etc" "$dir/work"
		echo "$name" >"$dir/upper/etc/hostname"
		mount -t overlay "$name-$$" "$dir/root" -o \
			"lowerdir=$bed_run/hbd:$bed_tree,upperdir=$dir/upper,workdir=$dir/work" ||
			skip "may not mount an overlay"
	fi
	node_start "$name"
	node_wait 10 node_find_leader "$name" || {
		kill -0 "${bed_nspawn[$name]}" 2>/dev/null ||
			skip "systemd-nspawn does not start here: $(tail -n 1 "$dir/console")"
		echo "not ok $name has a first process"
		exit 1
	}
	node_wait 60 node_is_up "$name" || {
		echo "not ok $name boots: $(tail -n 5 "$dir/console")"
		exit 1
	}
	ip -n "$bed_net" link set "x-$name" master br1 up
	node "$name" ip link set host0 up
	node "$name" ip link set hb1 up
	node "$name" ip addr add "10.99.0.$number/24" dev host0
	node "$name" ip addr add "10.99.1.$number/24" dev hb1
}

node_cut() {
	ip -n "$bed_net" link set "vb-$1-$$" down
	ip -n "$bed_net" link set "x-$1" down
}

# Cables first: killed processes still say good-bye to the network.
node_power_loss() {
	node_cut "$1"
	kill -KILL "${bed_leader[$1]}"
	wait "${bed_nspawn[$1]}" 2>/dev/null
	unset "bed_nspawn[$1]"
}

bed_down() {
	local name status=$?
	for name in "${!bed_nspawn[@]}"; do
		kill -KILL "${bed_leader[$name]}" 2>/dev/null || kill -KILL "${bed_nspawn[$name]}"
		wait "${bed_nspawn[$name]}" 2>/dev/null
	done
	for name in "$bed_run"/*/root; do
		[ ! -d "$name" ] || umount "$name" 2>/dev/null
	done
	ip netns del "$bed_net" 2>/dev/null
	for name in /sys/fs/cgroup/{systemd,unified,.}/"$bed_net"-*; do
		[ ! -d "$name" ] || find "$name" -depth -type d -exec rmdir {} + 2>/dev/null
	done
	rm -rf --one-file-system "$bed_run"
	[ $status -ne 0 ] || status=$check_failed
	exit $status
}
