#!/bin/bash
# Staging: who stands by has the addresses already, mute, so that services can listen on them, and a
# takeover is the announcements alone.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

many=50
CONF_STAGE=yes CONF_IPV6=1 CONF_IPV6_MORE=$many bed_conf fast $many >"$bed_dir/hbd.conf"
all=$((2 * many + 1))
count() { ip -n "$1" -o addr show dev eth0 | grep -c -E ' (10\.79\.|10\.77\.0\.100/|fd79:|fd77::100/)'; }
has_all() { count "$1"; [ "$(count "$1")" = $all ]; }
has_none() { [ "$(count "$1")" = 0 ]; }
# how many of the IPv4 ones "ip address" shows to be not in use
deprecated() { ip -n "$1" -4 -o addr show dev eth0 | grep -c deprecated; }
marks_all() { [ "$(deprecated "$1")" = $many ]; }
marks_none() { [ "$(deprecated "$1")" = 0 ]; }
shows() { ctl "$1" status | grep -q -E "^web .* $2\$"; }
file=$bed_dir/prober

begin() { prober_start "$file" "$1"; sleep 0.3; prober_mark; }
one_owner() {
	prober_stop
	check "$1: $2 answers" [ "$(json "$file" .last)" = "$2" ]
	check_number "$1: there is one owner" "$file" .owners.two_ms 0 0
}

begin $bed_vip4
pair_start
sleep 0.5
one_owner "as they start" lb1
check "the primary has the addresses" within 5 has_all lb1
check "and so has the standby" within 5 has_all lb2
check "whose are marked" within 5 marks_all lb2
check "and the primary's are not" within 5 marks_none lb1
check "status tells who serves" shows lb1 on
check "and who is mute" shows lb2 mute

# ---- somebody deletes a mute one -------------------------------------------------------------------
for vip in "$bed_vip4/24" "$bed_vip6/64"; do
	begin "${vip%/*}"
	ip -n lb2 addr del "$vip" dev eth0
	check "$vip, deleted on the standby, is back" within 5 has_all lb2
	one_owner "$vip, deleted on the standby" lb1
done
check "which nobody is told" not grep -q "put back\|vanished" "$bed_dir/hbd.lb2.log"

# ---- they move -------------------------------------------------------------------------------------
begin $bed_vip4
ctl lb1 switchover web >/dev/null
sleep 0.5
prober_stop
check_number "a switchover: no request is lost" "$file" .lost 0 0
check "after it lb1 stands by" within 5 pair_ready lb2 lb1
check "with its addresses" has_all lb1
check "which are marked now" within 5 marks_all lb1
check "and lb2's no longer" within 5 marks_none lb2

for vip in $bed_vip4 $bed_vip6; do
	check "lb2 is primary" await_pair lb2 lb1
	begin $vip
	power_loss lb2
	sleep 1
	one_owner "$vip, power loss" lb1
	check_number "$vip, power loss: soon (ms)" "$file" .gap_ms 1 300
	power_on lb2
	node_start lb2
	check "who comes back has them" within 10 has_all lb2
	check "and stands by" within 5 pair_ready lb1 lb2
	ctl lb1 switchover web >/dev/null
	await_pair lb2 lb1
done

# ---- what mutes them goes ----------------------------------------------------------------------------
begin $bed_vip4
kill -9 "$(engine lb1)"
check "an engine that stands by dies, and its next has them" within 10 has_all lb1
one_owner "the standby's engine dies" lb2
begin $bed_vip4
on lb1 tc qdisc del dev eth0 clsact
sleep 1
prober_stop
check_number "the fence on the standby is removed: who answers is one, nearly always (ms with two)" "$file" \
	.owners.two_ms 0 50
check "the fence is removed and repaired, and they are mute again" within 10 shows lb1 mute

ip -n sw link del lan-lb1
check "their interface vanishes" within 5 has_none lb1
bed_cable br0 lan-lb1 lb1 eth0
bed_configure lb1 1 2>/dev/null
check "it comes back, and so do they" within 10 has_all lb1

node_stop lb1
check "after a stop none is left" has_none lb1
node_stop lb2
check "on neither node" has_none lb2
exit "$check_failed"
