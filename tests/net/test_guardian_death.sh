#!/bin/bash
# Deaths: of the engine, of the guardian, of both, of the scribe; what the client and the peer see,
# and what is left behind.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

# Its own plugins: one that hangs, one that keeps alerts.
plugins=$bed_dir/plugins
mkdir -p "$plugins/takeover" "$plugins/alert"
install -d -m 777 "$bed_dir/said"
cat >"$plugins/takeover/hang" <<END
#!/bin/sh
[ -e $bed_dir/hang.\$HBD_NODE ] || exit 0
setsid sleep 1001 &
echo \$! >$bed_dir/said/away
exec sleep 1002
END
cat >"$plugins/alert/keep" <<END
#!/bin/sh
cat >>$bed_dir/said/alerts.\$HBD_NODE
END
chmod +x "$plugins"/*/*

node_start() {
	background "hbd.$1" "$1" "$PWD/$BUILD/hbd" -c "$bed_dir/hbd.conf" -n "$1" \
		--run-dir "$bed_dir/$1.run" --state-dir "$bed_dir/$1.state" --plugin-dir "$plugins"
}
scribe() { pgrep -P "$(guardian "$1")" | grep -v -x "$(engine "$1")" | head -n 1; }
has_vip() { ip -n "$1" addr show dev eth0 | grep -q -F "$bed_vip4/"; }
logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
alerted() { cat "$bed_dir/said/alerts.$1" 2>/dev/null | grep -q -e "$2"; }
is_dead() { ! kill -0 "$1" 2>/dev/null || [[ $(cat "/proc/$1/stat" 2>/dev/null) == *") Z "* ]]; }
await_any() { pair_ready lb1 lb2 || pair_ready lb2 lb1; }
other_engine() { local now; now=$(engine "$1"); [ -n "$now" ] && [ "$now" != "$2" ]; }
other_scribe() { local now; now=$(scribe "$1"); [ -n "$now" ] && [ "$now" != "$2" ]; }

CONF_TAKEOVER='{ plugin = "hang"; order = "after"; timeout_ms = 60000; }' \
	CONF_ALERTS='{ plugin = "keep"; severity = "info"; }' bed_conf fast >"$bed_dir/hbd.conf"
pair_start

# ---- the engine dies -----------------------------------------------------------------------------
file=$bed_dir/prober
prober_start "$file" $bed_vip4
sleep 0.2
victim=$(engine lb1)
prober_mark
kill -9 "$victim"
sleep 0.5
prober_stop
check_number "kill -9 of the engine: the client waits hardly at all (ms)" "$file" .gap_ms 0 40
check_number "there are never two owners" "$file" .owners.two_ms 0 0
check "the peer serves" [ "$(json "$file" .last)" = lb2 ]
check "because it was told" logged lb2 "the peer's daemon died"
check "no address is left" not has_vip lb1
check "a new engine is there" within 5 other_engine lb1 "$victim"
check "as a standby" within 10 pair_ready lb2 lb1
check "the guardian says what happened" logged lb1 "the engine died: it was killed by signal 9"
check "and humans are told" within 5 alerted lb1 '"engine-died"'
before=$(status lb2 .groups.0.epoch)

# ---- the engine hangs ----------------------------------------------------------------------------
victim=$(engine lb2)
prober_start "$file" $bed_vip4
sleep 0.2
prober_mark
kill -STOP "$victim"
sleep 1
prober_stop
check_number "kill -STOP of the engine: takeover by silence (ms)" "$file" .gap_ms 0 150
check "the hung engine is killed" within 3 is_dead "$victim"
check "for that" logged lb2 "it hung for [0-9]* ms and was killed"
check "its address is gone" not has_vip lb2
check "the pair is whole again" within 10 pair_ready lb1 lb2

# ---- an engine that cannot start -----------------------------------------------------------------
for _ in 1 2 3; do
	victim=$(engine lb2)
	kill -9 "$victim"
	within 5 other_engine lb2 "$victim" >/dev/null
done
check "one that dies again and again is started more slowly" logged lb2 "new engine in 400 ms"
check "and still is started" within 10 pair_ready lb1 lb2

# ---- engines that die over and over on both nodes ------------------------------------------------
# what is pauses between lives is time in which nobody serves
prober_start "$file" $bed_vip4
for _ in 1 2 3 4 5 6 7; do
	within 15 [ -n "$(engine lb1)" ] >/dev/null
	sleep 0.3
	first=$(engine lb1) second=$(engine lb2)
	kill -9 "$first" "$second"
	within 15 other_engine lb1 "$first" >/dev/null
	within 15 other_engine lb2 "$second" >/dev/null
done
must "the pair is whole when that is over" within 10 await_any
prober_mark
kill -9 "$(engine lb1)" "$(engine lb2)"
sleep 4
prober_stop
check_number "after the eighth time a client waits a second, and a start (ms)" "$file" .gap_ms 100 2000
check_number "and there never were two owners" "$file" .owners.two_ms 0 0
check "engines were started more slowly, up to that" logged lb1 "new engine in 1000 ms"
within 10 pair_ready lb1 lb2 >/dev/null || ctl lb2 switchover web >/dev/null
within 10 pair_ready lb1 lb2 >/dev/null

# ---- with a plugin running -----------------------------------------------------------------------
touch "$bed_dir/hang.lb2"
kill -9 "$(engine lb1)"
check "a takeover plugin runs" within 5 [ -s "$bed_dir/said/away" ]
sleep 0.1
hanging=$(pgrep -x -f "sleep 1002")
away=$(cat "$bed_dir/said/away")
kill -9 "$(engine lb2)"
check "it is killed when its engine dies" within 5 is_dead "$hanging"
check "and so is what left its process group" within 5 is_dead "$away"
rm "$bed_dir/hang.lb2"
within 10 pair_ready lb1 lb2 >/dev/null || within 10 pair_ready lb2 lb1 >/dev/null

# ---- the scribe dies -----------------------------------------------------------------------------
victim=$(scribe lb1)
kill -9 "$victim"
check "another scribe is started" within 5 other_scribe lb1 "$victim"
check "and it is told there" within 5 logged lb1 "the scribe died: killed by signal 9"

# ---- the guardian dies ---------------------------------------------------------------------------
node_stop lb1; node_stop lb2
pair_start
victim=$(guardian lb1) orphan=$(engine lb1) scribe=$(scribe lb1)
prober_start "$file" $bed_vip4
sleep 0.2
prober_mark
kill -9 "$victim"
sleep 0.5
prober_stop
check_number "kill -9 of the guardian: the engine hands over (ms)" "$file" .gap_ms 0 40
check_number "without two owners" "$file" .owners.two_ms 0 0
check "and ends" within 5 is_dead "$orphan"
check "as does the scribe" within 8 is_dead "$scribe"
check "no address is left" not has_vip lb1
check "lb1 says that it was the guardian, and what follows" \
	logged lb1 "the guardian died; letting go of what is served"
check "and that a plugin was not run for that" \
	logged lb1 "Plugin hang (was not run, as hbd's guardian died) failed on lb1"
check "in a message, too" within 5 alerted lb1 "hbd's guardian on lb1 died, lb2 takes over web"
check "lb2 says so" logged lb2 "peer: lb1 lost its guardian and ended: no standby"
check "as the reason" logged lb2 "the peer's guardian died"
check "in its message" within 5 alerted lb2 "hbd's guardian on lb1 died, lb2 is primary now for web"
check "in its status" [ "$(status lb2 .peer.state)" = orphaned ]
node_start lb1
check "a new start is as any other" within 10 pair_ready lb2 lb1

# ---- both die ------------------------------------------------------------------------------------
touch "$bed_dir/hang.lb1"
rm -f "$bed_dir/said/away"
ctl lb2 switchover web >/dev/null
check "a plugin runs on the new primary" within 5 [ -s "$bed_dir/said/away" ]
sleep 0.1
away=$(cat "$bed_dir/said/away") hanging=$(pgrep -x -f "sleep 1002")
guardian=$(guardian lb1) engine=$(engine lb1)
# neither must have the time to do anything about the other's death
kill -STOP "$guardian" "$engine"
kill -9 "$guardian" "$engine"
check "kill -9 of guardian and engine leaves an address" has_vip lb1
check "a plugin dies with its guardian" within 5 is_dead "$hanging"
check "but not what left its process group" kill -0 "$away"
rm "$bed_dir/hang.lb1"
node_start lb1
check "the next start removes the address" within 5 not has_vip lb1
check "and says so" within 5 logged lb1 "removed 1 addresses that an hbd that was killed had left"
check "and ends what plugins left" within 5 is_dead "$away"
check "the pair is whole again" within 10 pair_ready lb2 lb1

# ---- a frozen engine survives its guardian -------------------------------------------------------
orphan=$(engine lb1)
kill -STOP "$orphan"
kill -9 "$(guardian lb1)"
node_start lb1
check "a frozen engine of a killed guardian is ended by the next start" within 8 is_dead "$orphan"
check "by its identity" within 5 logged lb1 "the engine (process $orphan) of an hbd that was killed did not end"
check "and the new one works" within 10 pair_ready lb2 lb1

# ---- epochs --------------------------------------------------------------------------------------
first=$(cat "$bed_dir/lb1.state/epoch")
check "epochs rise over all of this" [ "$first" -gt "${before:-0}" ]
node_stop lb1
check "a stop leaves no socket and no lock" [ -z "$(ls -A "$bed_dir/lb1.run")" ]
echo nonsense >"$bed_dir/lb1.state/epoch"
node_start lb1
check "a damaged epoch file is replaced" within 10 pair_ready lb2 lb1
check "by a number above all others" [ "$(cat "$bed_dir/lb1.state/epoch")" -gt $((first * 100)) ]
check "and it is said" logged lb1 "it is damaged"
node_stop lb1; node_stop lb2
check "nothing runs in the end" [ -z "$(pgrep -x hbd)$(pgrep -x hbd-engine)$(pgrep -x sleep)" ]
exit "$check_failed"
