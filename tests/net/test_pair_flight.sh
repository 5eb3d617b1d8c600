#!/bin/bash
# The flight recorder of two daemons: a plug is pulled, an engine is killed; what was recorded names
# the reason, replays as it happened, and gives no secret away.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

replay() { "$PWD/$BUILD/hbd-replay" "$@"; }
recordings() { find "$bed_dir/$1.state/flight" -name "$1-$2-*.hbdflight" | sort; }
newest() { recordings "$1" "$2" | tail -n 1; }
recorded() { [ -n "$(recordings "$1" "$2")" ]; }
says() { grep -q -e "$2" "$1"; }
takes_over() { status lb2 .groups.0.role | grep -q primary; }

# What the replay is to be held against: changes of role, as the log told them.
log_changes() { grep -o "web: $1 is [a-z]* now, was [a-z]*" "$bed_dir/hbd.$1.log" | awk '{ print $7, "->", $4 }'; }
replay_changes() { grep -o 'web: [a-z]* -> [a-z]*' "$1" | awk '{ print $2, "->", $4 }'; }
same_changes() { diff <(log_changes "$1") <(replay_changes "$2"); }

# A key in any form that somebody could write it in, whole or a quarter of it.
has_no_key() {
	python3 - "$bed_dir/hbd.key" "$@" <<-'END'
	import base64, sys
	key = bytes.fromhex(open(sys.argv[1]).read().split()[1])
	parts = [key[i:i + 8] for i in range(0, 25, 8)]
	looked = 0
	for path in sys.argv[2:]:
	    data = open(path, "rb").read()
	    looked += len(data)
	    for part in parts:
	        assert part not in data and part[::-1] not in data, path
	        assert part.hex().encode() not in data.lower(), path
	    assert base64.b64encode(key)[:16] not in data, path
	assert looked > 1000
	END
}

bed_conf fast >"$bed_dir/hbd.conf"
pair_start

# ---- the plug is pulled --------------------------------------------------------------------------------
sleep 0.5
power_loss lb1
must "the standby takes over" within 5 takes_over
must "what led to it is recorded within a second" within 2 recorded lb2 web-claiming
file=$(newest lb2 web-claiming)
check "the log says where" within 2 grep -q "recorded in .*$(basename "$file")" "$bed_dir/hbd.lb2.log"
check "nobody but its user reads it" [ "$(stat -c %a "$file")" = 600 ]
replay "$file" >"$bed_dir/at-once"
check "it replays as it was" [ $? = 0 ]
check "and says so" says "$bed_dir/at-once" "^The replay is the same"
check "it names the reason" says "$bed_dir/at-once" "secondary -> claiming: .*(peer-silent)"
check "and the evidence: when the peer was last heard" says "$bed_dir/at-once" "lb1: silent, was .*last heard 0\.0"
check "it is the history since the start, as the log has it" same_changes lb2 "$bed_dir/at-once"

# what followed is in it some seconds later, under the same name
size=$(stat -c %s "$file")
longer() { [ "$(stat -c %s "$file")" -gt "$size" ]; }
check "it is completed with what followed" within 10 longer
replay "$file" >"$bed_dir/later"
check "and still replays as it was" [ $? = 0 ]
check "to the end of the incident" says "$bed_dir/later" "claiming -> primary"

# ---- an engine dies ----------------------------------------------------------------------------------------
kill -9 "$(engine lb2)"
must "a death is recorded too" within 5 recorded lb2 engine-died
file=$(newest lb2 engine-died)
replay "$file" >"$bed_dir/death"
check "what the dead one recorded survives it, and replays" [ $? = 0 ]
check "to its last role" says "$bed_dir/death" "claiming -> primary"

# ---- a clean stop ------------------------------------------------------------------------------------------
within 10 takes_over
node_stop lb2
file=$(find "$bed_dir/lb2.state/flight" -name '*.hbdflight' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
replay "$file" >"$bed_dir/stop"
check "after a clean stop the last recording replays" [ $? = 0 ]
check "across the lives of both engines" says "$bed_dir/stop" "another process:"
check "and ends with the stop" says "$bed_dir/stop" "-> stopped: .*(stop)\|-> stopped"

# ---- what is in them --------------------------------------------------------------------------------------
check "no recording holds a part of the key" has_no_key "$bed_dir"/lb*.state/flight/*
replay --json "$file" >"$bed_dir/json"
check "as JSON too, line by line" python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
changes = [a for line in lines for a in line.get("actions", []) if a["action"] == "changed"]
assert lines[-1]["node"] == "lb2" and lines[-1]["differences"] == 0, lines[-1]
assert any(c["reason"] == "peer-silent" and c["group"] == "web" for c in changes), changes' "$bed_dir/json"

# ---- no more than 16 ------------------------------------------------------------------------------------------
for i in 10 11 12 13 14 15 16 17 18 19 20 21; do
	cp "$file" "$bed_dir/lb2.state/flight/lb2-web-primary-202001${i}T000000.000Z.hbdflight"
done
: >"$bed_dir/lb2.state/flight/somebody-elses"
node_start lb2
old() { find "$bed_dir/lb2.state/flight" -name '*-202001*' | sort; }
fewer() { [ "$(find "$bed_dir/lb2.state/flight" -name '*.hbdflight' | wc -l)" -le 16 ]; }
check "the oldest are removed" within 20 fewer
check "and no newer one" [ "$(old | tail -n 1 | grep -c 20200121)" = 1 ]
check "nor what is somebody else's" [ -e "$bed_dir/lb2.state/flight/somebody-elses" ]

# ---- a disk that is full ----------------------------------------------------------------------------------------
complaints() { grep -c "cannot be recorded in .*/flight/lb1-.*No space left on device; hbd goes on" "$bed_dir/hbd.lb1.log"; }
complained() { [ "$(complaints)" -ge 1 ]; }
heal
power_on lb1
rm -rf "$bed_dir/lb1.state/flight"
mkdir "$bed_dir/lb1.state/flight"
mount -t tmpfs -o size=4k tmpfs "$bed_dir/lb1.state/flight"
node_start lb1
check "a full disk is complained of" within 5 complained
heard() { status lb1 .peer.state | grep -q alive; }
check "and the pair is one all the same" within 5 heard
node_stop lb1
check "once, though there was more to record until its end" [ "$(complaints)" = 1 ]
check "and nothing half-written is left there" [ -z "$(ls -A "$bed_dir/lb1.state/flight")" ]
umount "$bed_dir/lb1.state/flight"
exit $check_failed
