#!/bin/bash
# What the log of a pair begins with, and how it looks to who looks on: at a terminal each line has its time,
# a file gets the lines alone.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up
command -v script >/dev/null || skip "there is no script (bsdutils)"

bed_conf lan >"$bed_dir/hbd.conf"
log=$bed_dir/hbd.lb1.log
pair_start
check "the first line says who starts, and with what" \
	grep -q '^hbd: hbd [0-9.]* starts: lb1 of cluster bed, peer lb2; profile lan, takeover after 460 ms; ' "$log"
check "a peer that is heard is said" within 5 grep -q '^hbd: peer: lb2 is alive$' "$log"
node_stop lb2
check "and one that was stopped" within 5 grep -q '^hbd: peer: lb2 was stopped: no standby$' "$log"
node_stop lb1

on lb1 timeout 3 script -qfc "$BUILD/hbd -c $bed_dir/hbd.conf -n lb1 --run-dir $bed_dir/lb1.run \
	--state-dir $bed_dir/lb1.state" "$bed_dir/terminal" </dev/null >/dev/null
check "at a terminal a line begins with the time" \
	grep -qE '^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3} hbd: hbd [0-9.]+ starts: ' "$bed_dir/terminal"
exit "$check_failed"
