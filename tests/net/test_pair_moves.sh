#!/bin/bash
# What moves a group and what does not: two daemons and a client, IPv4 and IPv6.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
has() { ip -n "$1" addr show dev eth0 | grep -q -F "$2/"; }
epoch() { status "$1" .groups.0.epoch; }
file=$bed_dir/prober
boot_ns() { awk '{ printf "%.0f\n", $1 * 1e9 }' /proc/uptime; }

CONF_DRAIN_S=3 CONF_IPV6=1 bed_conf fast >"$bed_dir/hbd.conf"
pair_start

# ---- somebody deletes an address --------------------------------------------------------------------
before=$(epoch lb1)
for vip in "$bed_vip4/24" "$bed_vip6/64"; do
	background announcements client "$(tool announcements)" eth0
	wait_line "$bed_dir/announcements.log" ready
	prober_start "$file" "${vip%/*}"
	sleep 0.3
	prober_mark
	ip -n lb1 addr del "$vip" dev eth0
	sleep 0.7
	prober_stop
	finish announcements
	check "$vip, deleted by hand, is back" has lb1 "${vip%/*}"
	check_number "$vip: the client hardly notices (ms)" "$file" .gap_ms 0 100
	check "$vip is announced again" grep -q -F " ${vip%/*} " "$bed_dir/announcements.log"
	check "$vip: the same node serves" [ "$(json "$file" .last)" = lb1 ]
done
check "and nothing moved" [ "$(epoch lb1)" = "$before" ]
check "and it is said" logged lb1 "vanished\|removed an address\|put back"

# ---- planned moves -----------------------------------------------------------------------------------
for to in lb2 lb1; do
	from=lb1
	[ $to = lb2 ] || from=lb2
	prober_start "$file" $bed_vip4
	sleep 0.3
	prober_mark
	ctl $from switchover web >/dev/null
	sleep 0.5
	prober_stop
	check_number "P7, to $to: no request is lost" "$file" .lost 0 0
	check_number "to $to: the client notices nothing (ms)" "$file" .gap_ms 0 100
	check "to $to: $from accepts what still comes, and announces nothing" has $from $bed_vip4
	check "to $to: until the drain is over" within 5 not has $from $bed_vip4
	check "a switchover moves the group to $to" within 5 pair_ready $to $from
done

# ---- the interface of the addresses ----------------------------------------------------------------
unplug lb1 lan
check "lost carrier hands over" within 5 has lb2 $bed_vip4
check "and is let go of" within 5 not has lb1 $bed_vip4
plug lb1 lan
check "its return moves nothing" within 10 pair_ready lb2 lb1
ctl lb2 switchover web >/dev/null
await_pair lb1 lb2

# ---- a clean stop --------------------------------------------------------------------------------------
mac=$(ip -n lb1 -br link show eth0 | awk '{ print $3 }')
background announcements client "$(tool announcements)" eth0
wait_line "$bed_dir/announcements.log" ready
prober_start "$file" $bed_vip4
sleep 0.3
prober_mark
stopped=$(boot_ns)
node_stop lb1
sleep 0.3
prober_stop
finish announcements
check "after a clean stop the peer serves" [ "$(json "$file" .last)" = lb2 ]
check_number "quickly (ms)" "$file" .gap_ms 0 100
check_number "no request is lost" "$file" .lost 0 0
check "lb2 says so" grep -q " $bed_vip4 " "$bed_dir/announcements.log"
check "and lb1, which drains, does not any more" \
	awk -v since="$stopped" -v mac="$mac" '$1 > since && tolower($0) ~ mac { exit 1 }' "$bed_dir/announcements.log"
check "nothing is left: no address" not has lb1 $bed_vip4
check "no socket, no lock" [ -z "$(ls -A "$bed_dir/lb1.run")" ]
node_start lb1
check "it comes back as a standby, preferred or not" within 10 pair_ready lb2 lb1

# ---- power loss ------------------------------------------------------------------------------------------
prober_start "$file" $bed_vip4
sleep 0.3
prober_mark
power_loss lb2
sleep 1
prober_stop
check "after power loss the peer serves" [ "$(json "$file" .last)" = lb1 ]
check_number "soon (ms)" "$file" .gap_ms 1 300
check "because of the silence" logged lb1 "the peer fell silent"
power_on lb2
node_start lb2
check "the pair is whole again" within 10 pair_ready lb1 lb2

# ---- cut off from each other on the LAN and on every link -------------------------------------------
background announcements client "$(tool announcements)" eth0
wait_line "$bed_dir/announcements.log" ready
silence lb2 lan xo
sleep 1
check "two that are cut off altogether both serve" has lb1 $bed_vip4
check "as the README says" has lb2 $bed_vip4
prober_start "$file" $bed_vip4
sleep 0.2
prober_mark
heal
healed=$(boot_ns)
sleep 1.5
prober_stop
finish announcements
check "when they hear each other again one lets go" within 5 pair_ready lb2 lb1
check_number "soon (ms with two owners)" "$file" .owners.two_ms 0 300
mac=$(ip -n lb2 -br link show eth0 | awk '{ print $3 }')
check "and the other announces after that" \
	awk -v since="$healed" -v mac="$mac" '$1 > since && tolower($0) ~ mac { found = 1 } END { exit !found }' \
	"$bed_dir/announcements.log"
check "and the client reaches it" [ "$(on client ip neighbor show $bed_vip4 | grep -c -i "$mac")" = 1 ]
node_stop lb1; node_stop lb2

# ---- a plugin that prepares ----------------------------------------------------------------------------
mkdir -p "$bed_dir/plugins/takeover"
cat >"$bed_dir/plugins/takeover/note" <<END
#!/bin/sh
echo "\$1, to be \$HBD_ROLE" >>$bed_dir/called.\$HBD_NODE
END
chmod +x "$bed_dir/plugins/takeover/note"
node_start() {
	background "hbd.$1" "$1" "$PWD/$BUILD/hbd" -c "$bed_dir/hbd.conf" -n "$1" --run-dir \
		"$bed_dir/$1.run" --state-dir "$bed_dir/$1.state" --plugin-dir "$bed_dir/plugins"
}
called() { [ "$(paste -s -d ';' "$bed_dir/called.$1")" = "$2" ] || { cat "$bed_dir/called.$1"; false; }; }
CONF_TAKEOVER='{ plugin = "note"; prepare = "yes"; }' bed_conf fast >"$bed_dir/hbd.conf"
pair_start
ctl lb1 switchover web >/dev/null
check "a switchover with a plugin that prepares comes to its end" within 10 pair_ready lb2 lb1
check "it prepares before it takes over" called lb2 "prepare, to be primary;takeover, to be primary"
check "and the other one releases" within 5 called lb1 "takeover, to be primary;release, to be secondary"
node_stop lb1; node_stop lb2
exit "$check_failed"
