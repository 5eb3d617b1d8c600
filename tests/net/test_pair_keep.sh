#!/bin/bash
# Addresses that are not where they belong. One that the kernel does not let a node keep: IPv6 is gone from an
# interface, since its MTU is too small or since somebody disabled it; on the primary, on the standby, on both.
# And one that somebody adds to the node that does not serve it.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

plugins=$bed_dir/plugins
mkdir -p "$plugins"
cp -r "$BUILD/plugins/." "$plugins"
install -d -m 777 "$bed_dir/said"
cat >"$plugins/alert/keep" <<END
#!/bin/sh
cat >>$bed_dir/said/alerts.\$HBD_NODE
END
chmod +x "$plugins/alert/keep"
node_start() {
	background "hbd.$1" "$1" "$PWD/$BUILD/hbd" -c "$bed_dir/hbd.conf" -n "$1" \
		--run-dir "$bed_dir/$1.run" --state-dir "$bed_dir/$1.state" --plugin-dir "$plugins"
}
alerted() { cat "$bed_dir/said/alerts.$1" 2>/dev/null | grep -q -F -e "$2"; }
logged() { grep -q -F -e "$2" "$bed_dir/hbd.$1.log"; }
forget() { await_told; rm -f "$bed_dir"/said/alerts.*; }
shows() { ctl "$1" status | tr -s ' \n' '  ' | grep -q -F -e "$2"; }
has() { ip -n "$1" addr show dev eth0 | grep -q -F "$2/"; }
has_both() { has "$1" $bed_vip4 && has "$1" $bed_vip6; }
has_one() { has lb1 $bed_vip4 && not has lb2 $bed_vip4 || { has lb2 $bed_vip4 && not has lb1 $bed_vip4; }; }
serve_both() { pair_ready lb1 lb2 && has_both lb1 || { pair_ready lb2 lb1 && has_both lb2; }; }
role() { status "$1" .groups.0.role; }
epoch() { status "$1" .groups.0.epoch; }
mtu() { ip -n "$1" link set eth0 mtu "$2"; }
no_v6() { on "$1" sysctl -q -w net.ipv6.conf.eth0.disable_ipv6="$2"; }

CONF_IPV6=1 CONF_ALERTS='{ plugin = "keep"; severity = "info"; }' bed_conf fast >"$bed_dir/hbd.conf"
pair_start
forget

# ---- on the primary ------------------------------------------------------------------------------------
# lost WHAT HOW BACK REMEDY: on lb1, which is primary and is so again afterwards
lost() {
	local what=$1 how=$2 back=$3 remedy=$4
	$how
	check "$what: the other one serves both families" within 2 has_both lb2
	check "$what: and it is primary" within 2 pair_ready lb2 lb1
	check "$what: the log names the address, and what ends that" logged lb1 "$remedy"
	await_told
	check "$what: so does the status" shows lb1 "$remedy"
	check "$what: and the message" alerted lb1 "$remedy"
	check "$what: which does not say that the address is back" not alerted lb1 "it is back"
	check "$what: lb2 says that there is no standby" alerted lb2 "There is no standby"
	$back
	check "$what: when it is over, that is told at once" within 1 \
		logged lb1 "the kernel refuses none of its addresses any more"
	check "$what: and nothing moves back" pair_ready lb2 lb1
	await_told
	check "$what: the message says so" alerted lb1 "Redundancy is restored"
	ctl lb2 switchover web >/dev/null
	await_pair lb1 lb2
	forget
}
lost "MTU 1200" "mtu lb1 1200" "mtu lb1 1500" "ip link set dev eth0 mtu 1500"
lost "IPv6 disabled" "no_v6 lb1 1" "no_v6 lb1 0" "sysctl net/ipv6/conf/eth0/disable_ipv6=0"

# ---- so small that no heartbeat fits ----------------------------------------------------------------------
mtu lb1 68
check "MTU 68: the other one serves" within 2 pair_ready lb2 lb1
check "MTU 68: the status says what is wrong with the link" within 2 \
	shows lb1 "the MTU of eth0 is too small for heartbeats ('ip link set dev eth0 mtu 1500' ends that)"
check "MTU 68: so does the message" within 5 alerted lb1 "the MTU of eth0 is too small for heartbeats"
mtu lb1 1500
check "MTU 68: when it is over the link works" within 15 logged lb1 "10.77.0.1%eth0: sending works again"
ctl lb2 switchover web >/dev/null
await_pair lb1 lb2
forget

# ---- added by hand to the standby ------------------------------------------------------------------------
add() { ip -n lb2 addr add "$1" dev "$2"; }
count() { grep -c -F -e "$3" "$bed_dir/$1.$2"; }
before=$(epoch lb1)
for vip in "$bed_vip4/24" "$bed_vip6/64"; do
	add "$vip" eth0
	check "$vip, added to the standby, is removed" within 1 not has lb2 "${vip%/*}"
done
check "added with another prefix as well" add "$bed_vip4/32" eth0
check "which is removed, too" within 1 not has lb2 $bed_vip4
check "the log says so" logged lb2 "removed $bed_vip4 from eth0"
await_told
check "and a message does" alerted lb2 "somebody added $bed_vip4 on eth0 of lb2"
check "one, for all of this" [ "$(grep -c "somebody added .* on eth0 of lb2; it was removed" "$bed_dir/said/alerts.lb2")" = 1 ]
stalls=$(status lb2 .loop.late_turns)
for ((i = 0; i < 500; i++)); do add "$bed_vip4/24" eth0 2>/dev/null; done
check "added again and again it is removed again and again" within 1 not has lb2 $bed_vip4
check "which is not told every time" [ "$(count hbd lb2.log 'somebody else had added')" -le 3 ]
check "nor does a heartbeat miss: lb1 goes on, in the same epoch" [ "$(epoch lb1)" = "$before" ]
check "and never suspected its peer" not logged lb1 "lb2 is silent"
add "$bed_vip4/32" eth1
check "on another interface it is told" within 1 logged lb2 "$bed_vip4 is on eth1"
sleep 0.3
check "and left there" [ -n "$(ip -n lb2 addr show dev eth1 | grep -F "$bed_vip4/32")" ]
await_told
check "by a message, too" alerted lb2 "somebody added $bed_vip4 on eth1 of lb2"
ip -n lb2 addr del "$bed_vip4/32" dev eth1
check "lb1 serves all the time" has_both lb1
forget

# ---- on the standby ------------------------------------------------------------------------------------
before=$(epoch lb1)
mtu lb2 1200
check "on the standby: it is told" within 2 logged lb2 "ip link set dev eth0 mtu 1500"
await_told
check "on the standby: with what it means" alerted lb2 "cannot stand by for web"
check "on the standby: nothing moves" pair_ready lb1 lb2
check "on the standby: the other one says that it is no good standby" shows lb1 "no good standby"

# ---- and on the primary as well ------------------------------------------------------------------------
forget
mtu lb1 1200
check "on both: lb1 says what it lacks" within 2 shows lb1 "lb1 serves web without $bed_vip6/64 dev eth0"
sleep 2
check "on both: it serves what it can" has lb1 $bed_vip4
check "on both: and counts it" shows lb1 "1/2 on"
check "on both: nothing moved" [ "$(epoch lb1)" = "$before" ]
await_told
check "on both: one message says so" [ "$(grep -c 'fault on lb1' "$bed_dir/said/alerts.lb1")" = 1 ]
mtu lb2 1500
check "the first that has IPv6 again takes over" within 2 has_both lb2
mtu lb1 1500
check "the second stands by" within 2 pair_ready lb2 lb1
forget

# ---- at the same instant -------------------------------------------------------------------------------
before=$(epoch lb2)
mtu lb1 1200; mtu lb2 1200
sleep 3
after=$(epoch lb2)
check "at the same instant: the group moves once, or not at all" [ $((after - before)) -le 3 ]
check "at the same instant: one serves what it can" has_one
sleep 2
check "at the same instant: and goes on" [ "$(epoch lb2)" = "$after" ]
mtu lb1 1500; mtu lb2 1500
check "at the same instant: the address is back when it can be" within 3 serve_both
node_stop lb1; node_stop lb2

# ---- nothing but IPv6 ----------------------------------------------------------------------------------
sed -i "s|\"$bed_vip4/24 dev eth0\", ||" "$bed_dir/hbd.conf"
pair_start
forget
no_v6 lb1 1
check "IPv6 alone: the other one serves" within 2 has lb2 $bed_vip6
check "IPv6 alone: lb1 cannot" within 2 [ "$(role lb1)" = fault ]
no_v6 lb2 1
check "IPv6 alone, on both: nobody can" within 2 shows lb2 "Nobody serves web."
await_told
rm -f "$bed_dir"/said/alerts.*
sleep 2
check "IPv6 alone, on both: which is told once" not ls "$bed_dir"/said/alerts.*
no_v6 lb1 0
check "IPv6 alone: the first that has it again serves" within 2 has lb1 $bed_vip6
no_v6 lb2 0
check "IPv6 alone: the second stands by" within 2 pair_ready lb1 lb2

exit "$check_failed"
