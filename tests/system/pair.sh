# shellcheck shell=bash
# hbd as installed on the machines of bed.sh: its configuration, and questions to ask about it.

. tests/system/bed.sh

vip4=10.99.0.100
vip6=fd99::100
key=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')

# hbd_configure NODE: the same file on both
hbd_configure() {
	node "$1" sh -c 'umask 077; cat >/etc/hbd/hbd.key' <<<"1 $key"
	node "$1" sh -c 'cat >/etc/hbd/hbd.conf' <<-END
	cluster = "system";
	nodes = ( { name = "lb1"; links = ( "10.99.1.1%hb1", "10.99.0.1%host0" ); },
		  { name = "lb2"; links = ( "10.99.1.2%hb1", "10.99.0.2%host0" ); } );
	keys = ( "/etc/hbd/hbd.key" );
	profile = "lan";
	groups = ( { name = "web"; prefer = "lb1";
		     addresses = ( "$vip4/24 dev host0", "$vip6/64 dev host0" ); } );
	END
}

# What a package's scripts do once.
hbd_install() {
	node "$1" systemd-sysusers && node "$1" systemd-tmpfiles --create && node "$1" systemctl daemon-reload
}

property() { node "$1" systemctl show hbd --property="$2" --value; }
guardian() { property "$1" MainPID; }
# The engine is the real-time process of the user hbd.
engine() { node "$1" ps -eo pid=,cls=,user= | awk '$2 == "RR" && $3 == "hbd" { print $1; exit }'; }
engine_is_new() { local now; now=$(engine "$1"); [ -n "$now" ] && [ "$now" != "$2" ]; }
guardian_is_new() { local now; now=$(guardian "$1"); [ "$now" -gt 0 ] && [ "$now" != "$2" ]; }
serves() {
	local addresses
	addresses=$(node "$1" ip -o addr show dev host0)
	[[ $addresses == *" $vip4/"* && $addresses == *" $vip6/"* ]]
}
silent() {
	local addresses
	addresses=$(node "$1" ip -o addr show dev host0)
	[[ $addresses != *" $vip4/"* && $addresses != *" $vip6/"* ]]
}
one_serves() { { serves lb1 && silent lb2; } || { serves lb2 && silent lb1; }; }
answers() { client ping -q -c 1 -W 1 $vip4 && client ping -q -c 1 -W 1 $vip6; }
# The client's neighbor table says which machine answers.
answered_by() {
	local mac
	mac=$(node "$1" cat /sys/class/net/host0/address)
	client ping -q -c 1 -W 1 $vip4 && client ip neigh show $vip4 dev br0 | grep -qi "$mac"
}
# outage COMMAND...: runs it while a client asks outage_hz (100) times a second for outage_s (5); prints
# how long, in ms, the longest series of lost answers was.
outage() {
	local log=$bed_run/answers hz=${outage_hz:-100} count client_pid
	count=$((${outage_s:-5} * hz))
	client ping -n -i "$(awk "BEGIN { print 1 / $hz }")" -c $count -W 1 $vip4 >"$log" &
	client_pid=$!
	sleep 0.5
	"$@" >"$bed_run/during" 2>&1
	kill -0 $client_pid 2>/dev/null || echo "the client was done before" >&2
	wait $client_pid
	sed -n 's/.*icmp_seq=\([0-9]*\) ttl=.*/\1/p' "$log" | awk -v count=$count -v ms=$((1000 / hz)) '
		{ if ($1 - last - 1 > lost) lost = $1 - last - 1; last = $1 }
		END { if (count - last > lost) lost = count - last; print ms * lost }'
}
# outage_below MS WHAT COMMAND...: one case
outage_below() {
	local limit=$1 what=$2 lost
	shift 2
	lost=$(outage "$@")
	check "$what: the client missed $lost ms, at most $limit" test "$lost" -le "$limit"
}
status_says() { property "$1" StatusText | grep -qi "$2"; }
state() { echo "$(property "$1" ActiveState)/$(property "$1" SubState)"; }
# journal NODE FIELD=VALUE...: is there such an entry?
journal() {
	local name=$1
	shift
	[ -n "$(node "$name" journalctl -q -o cat -u hbd "$@" -n 1)" ]
}
