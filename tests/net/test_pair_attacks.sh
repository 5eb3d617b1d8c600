#!/bin/bash
# Packets that change nothing: each kind is counted under its reason, no role and no epoch moves, and
# in a flood of them no heartbeat is missed for long.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

role_and_epoch() { echo "$(status "$1" .groups.0.role) $(status "$1" .groups.0.epoch)"; }
dropped() { local n; n=$(status "$1" ".links.$2.dropped.$3"); echo "${n:-0}"; }
is_more() { [ "$(dropped "$1" "$2" "$3")" -gt "$4" ]; }
attack() { on sw "$(tool attacker)" "$@"; }

bed_conf fast >"$bed_dir/hbd.conf"
pair_start
before="$(role_and_epoch lb1), $(role_and_epoch lb2)"

# KIND REASON: on the crossover, which is link 0, to both nodes
while read -r kind reason; do
	for node in lb1 lb2; do
		count=$(dropped $node 0 "$reason")
		attack xo-$node 694 "$kind" 200 >/dev/null
		check "$kind to $node is counted as $reason" within 5 is_more $node 0 "$reason" "$count"
	done
done <<END
replay replay
reflect reflected
truncate short
oversize long
flip seal
cluster cluster
key seal
version version
type type
node node
hops hops
random magic
END
check "none of it moved anything" [ "$(role_and_epoch lb1), $(role_and_epoch lb2)" = "$before" ]
check "the pair is as it was" pair_ready lb1 lb2

for kind in replay flip random; do
	prober_start "$bed_dir/prober" $bed_vip4
	prober_mark
	attack xo-lb2 694 $kind 30000 0 >/dev/null
	prober_stop
	check "a flood of $kind moves nothing" \
		[ "$(role_and_epoch lb1), $(role_and_epoch lb2)" = "$before" ]
	check_number "and the client does not notice (ms)" "$bed_dir/prober" .gap_ms 0 100
done
check "the pair is as it was after the floods" within 5 pair_ready lb1 lb2

# ---- a peer that is authentic but differs, and one that is not ------------------------------------
node_stop lb2
bed_conf lan >"$bed_dir/other.conf"
node_start lb2 "$bed_dir/other.conf"
differs() { ctl "$1" status | grep -q "different configurations"; }
check "another configuration is said" within 10 differs lb1
check "and moves nothing" [ "$(status lb1 .groups.0.role)" = primary ]
node_stop lb2
bed_key "$bed_dir/other.key" 1
sed "s|hbd.key|other.key|" "$bed_dir/hbd.conf" >"$bed_dir/other.conf"
node_start lb2 "$bed_dir/other.conf"
keys() { ctl "$1" status | grep -q "different keys"; }
check "another key is said" within 10 keys lb1
check "also on the other side" within 10 keys lb2
check "and the primary serves on" [ "$(status lb1 .groups.0.role)" = primary ]
node_stop lb1; node_stop lb2
exit "$check_failed"
