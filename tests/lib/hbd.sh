# shellcheck shell=bash
# hbd on the nodes of the bed: what tests, demo and bench source.
#
#	bed_conf PROFILE [N_ADDRESSES]	a configuration for both nodes, to standard output; the first
#					address is $bed_vip4, with two or more the others are
#					10.79.0.1 and on. Environment:
#		CONF_IPV6=1		$bed_vip6 as well
#		CONF_IPV6_MORE=N	and N more, fd79::1 and on
#		CONF_STAGE=yes		the first group is staged
#		CONF_GROUPS=N		N groups with one address each, 10.77.0.100 and on
#		CONF_ALERTS, CONF_TAKEOVER, CONF_TOP	texts for alerts, for takeover of the first
#					group, and for the top of the file
#	node_start NODE [FILE]		starts hbd there, with $bed_dir/hbd.conf
#	node_stop NODE			SIGTERM, and waits
#	ctl NODE ARGUMENT...		hbctl there
#	status NODE PATH		a value out of hbctl status --json: .groups.0.role
#	pair_ready PRIMARY STANDBY	both agree on that, and the standby would take over
#	await_pair PRIMARY STANDBY	waits for it, 10 s at most
#	pair_start			both nodes, lb1 first and primary
#	guardian NODE, engine NODE	process ids
#
# Logs are in $bed_dir/hbd.NODE.log.

. tests/lib/netns.sh
. tests/lib/check.sh

bed_key() {
	[ -s "$1" ] || (umask 077; echo "${2:-1} $(od -An -v -tx1 -N 32 /dev/urandom | tr -d ' \n')" >"$1")
}

conf_addresses() {
	local i
	printf '"%s/24 dev eth0"' "$bed_vip4"
	[ -z "${CONF_IPV6:-}" ] || printf ', "%s/64 dev eth0"' "$bed_vip6"
	for ((i = 1; i <= ${CONF_IPV6_MORE:-0}; i++)); do
		printf ',\n\t\t"fd79::%x/128 dev eth0"' $i
	done
	for ((i = 1; i < $1; i++)); do
		printf ',\n\t\t"10.79.%d.%d/32 dev eth0"' $((i / 256)) $((i % 256))
	done
}

conf_groups() {
	local i
	printf '\t{ name = "web"; prefer = "lb1"; drain_s = %d; stage = "%s";\n\t  addresses = ( %s );\n' \
		"${CONF_DRAIN_S:-1}" "${CONF_STAGE:-no}" "$(conf_addresses "$1")"
	[ -z "${CONF_TAKEOVER:-}" ] || printf '\t  takeover = ( %s );\n' "$CONF_TAKEOVER"
	printf '\t}'
	for ((i = 1; i < ${CONF_GROUPS:-1}; i++)); do
		printf ',\n\t{ name = "web%d"; prefer = "lb1"; addresses = ( "10.77.0.%d/24 dev eth0" ); }' \
			$i $((100 + i))
	done
}

bed_conf() {
	bed_key "$bed_dir/hbd.key"
	cat <<-END
	cluster = "bed";
	profile = "$1";
	user = "$(bed_user)";
	plugin_user = "root";
	keys = ( "$bed_dir/hbd.key" );
	${CONF_TOP:-}
	nodes = (
		{ name = "lb1"; links = ( "10.78.0.1%eth1", "10.77.0.1%eth0" ); },
		{ name = "lb2"; links = ( "10.78.0.2%eth1", "10.77.0.2%eth0" ); }
	);
	groups = (
	$(conf_groups "${2:-1}")
	);
	END
	[ -z "${CONF_ALERTS:-}" ] || printf 'alerts = (\n%s\n);\n' "$CONF_ALERTS"
}

node_start() {
	background "hbd.$1" "$1" "$PWD/$BUILD/hbd" -c "${2:-$bed_dir/hbd.conf}" -n "$1" \
		--run-dir "$bed_dir/$1.run" --state-dir "$bed_dir/$1.state" \
		--plugin-dir "$PWD/$BUILD/plugins"
}

node_stop() { finish "hbd.$1"; }
ctl() { "$PWD/$BUILD/hbctl" --socket "$bed_dir/$1.run/hbd.sock" "${@:2}"; }

# hbctl ends with 1 or 2 if something is wrong with the pair; the document is good all the same.
status() {
	ctl "$1" status --json >"$bed_dir/status.$1"
	json "$bed_dir/status.$1" "$2"
}

# What both have to say, in one look at each.
status_line() {
	ctl "$1" status --json 2>/dev/null | python3 -c '
import json, sys
status = json.load(sys.stdin)
print(status.get("peer", {}).get("state"), *[group["role"] + ":" + str((group["peer"] or {}).get("grants"))
	for group in status.get("groups", [])])' 2>/dev/null
}

pair_ready() {
	local primary standby
	primary=$(status_line "$1")
	standby=$(status_line "$2")
	[[ $primary == "alive primary:True"* && $standby == "alive secondary:"* ]]
}

await_pair() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		! pair_ready "$1" "$2" || return 0
		sleep 0.1
	done
	tail -n 20 "$bed_dir/hbd.$1.log" "$bed_dir/hbd.$2.log" >&2
	fail "after 10 s $1 is not primary with $2 as its standby: $(status_line "$1"); $(status_line "$2")"
}

# Nobody has anything left to tell: an alert is a file in the spool until it was taken.
all_told() { ! find "$bed_dir"/lb[12].state/spool -type f 2>/dev/null | grep -q .; }
await_told() {
	within 20 all_told
	sleep 0.5
	within 20 all_told
}

pair_start() {
	node_start lb1
	node_start lb2
	await_pair lb1 lb2
}

guardian() { echo "${bed_process[hbd.$1]}"; }
engine() { pgrep -P "$(guardian "$1")" -x hbd-engine; }
