#!/bin/bash
# Another configuration for a pair that serves: what the engine holds changes with the file, one node after
# the other, without a move, a lost request or a missed heartbeat; and a file that is not good changes nothing.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
. tests/lib/figures.sh
bed_enter "$@"
bed_up

times=${RELOADS:-10}
file=$bed_dir/prober
conf=$bed_dir/hbd.conf
count() { grep -c -e "$2" "$bed_dir/hbd.$1.log"; }
logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
role() { [ "$(status "$1" ".groups.$2.role")" = "$3" ]; }
is_on() { ip -n "$1" -o addr show | grep -q -F " $2/"; }
changes() { count "$1" "secondary now\|primary now"; }

# reload NODE VERDICT: and waits for it: "reloaded" or "is refused"
reload() {
	local number
	number=$(count "$1" "$2")
	kill -HUP "$(guardian "$1")"
	within 10 told_more "$1" "$2" "$number"
}
told_more() { [ "$(count "$1" "$2")" -gt "$3" ]; }

bed_conf fast >"$conf"
cp "$conf" "$bed_dir/first.conf"
pair_start
await_told
watcher_start
begin_ns=$(boot_ns)
prober_start "$file" $bed_vip4
sleep 0.3
prober_mark
epoch=$(status lb1 .groups.0.epoch)

# both WHAT, from standard input: lb1 first
both() {
	cat >"$bed_dir/next.conf"
	cp "$bed_dir/next.conf" "$conf"
	check "lb1 reloads $1" reload lb1 "reloaded "
	sleep 0.5
	check "so does lb2" reload lb2 "reloaded "
	check "and they agree" within 5 agree
}
agree() { [ "$(status lb1 .peer.mismatches)$(status lb2 .peer.mismatches)" = "[][]" ]; }
# refused NODE WHAT REASON, from standard input
refused() {
	cat >"$conf"
	check "$1 refuses $2" reload "$1" "is refused, nothing changes: .*$3"
}
link_is_up() { [ "$(status "$1" .links.1.verdict)" = up ]; }
key_in_use() { [ "$(status "$1" .peer.key_id)" = "$2" ]; }
without() { sed "s/$1/$2/" "$bed_dir/first.conf"; }

# ---- many, every other one with a mistake in it

for ((i = 1; i <= times; i++)); do
	without 'drain_s = 1' "drain_s = $((i + 1))" >"$conf"
	check "reload $i of lb1" reload lb1 "reloaded "
	without 'drain_s = 1' "drain_s = many" >"$conf"
	check "and with a mistake" reload lb1 "is refused, nothing changes: it has mistakes"
done
check "which is named, with its place" logged lb1 'hbd.conf:[0-9]*: .*many'
status lb2 .links.0 >/dev/null
check_number "lb2 has lost no heartbeat of $times reloads (of 1000)" "$bed_dir/status.lb2" \
	.links.0.receive_loss_permille 0 0
check_number "and waited for none (ms)" "$bed_dir/status.lb2" .links.0.longest_silence_ms 0 100
cp "$bed_dir/first.conf" "$conf"
check "as it was" reload lb1 "reloaded "

# ---- groups and addresses

CONF_GROUPS=2 bed_conf fast | both "a file with another group"
check "which is served" within 10 role lb1 1 primary
refused lb1 "one without it, since lb2 would take it over" "it has no group web1, which is served here; reload it on lb2 first" <"$bed_dir/first.conf"
check "so does lb2, which goes first" reload lb2 "reloaded "
check "and then lb1" reload lb1 "reloaded "
check "its address is gone" within 5 not is_on lb1 10.77.0.101
bed_conf fast 3 | both "a file with two more addresses"
check "they are on" within 5 is_on lb1 10.79.0.1
CONF_IPV6=1 CONF_IPV6_MORE=300 bed_conf fast 700 | both "a file with a thousand"
check "they are on, too" within 20 is_on lb1 10.79.2.187
check "of both kinds" within 20 is_on lb1 fd79::12c
both "a file without them" <"$bed_dir/first.conf"
check "they are gone" within 5 not is_on lb1 10.79.0.1
check "the first one is there" is_on lb1 $bed_vip4

# ---- keys

bed_key "$bed_dir/second.key" 2
without "hbd.key\" );" "hbd.key\", \"$(sed 's/\//\\\//g' <<<"$bed_dir")\/second.key\" );" | both "a second key"
check "the newer one is used as soon as both have it" within 10 key_in_use lb1 2
check "by lb2 as well" within 5 key_in_use lb2 2
refused lb2 "to go without it while lb1 uses it" "it lacks the key that is in use with lb1" <"$bed_dir/first.conf"
without "hbd.key" "second.key" | both "the second key alone"
check "which is still used" key_in_use lb1 2

# ---- links, times, and what a plan does

without 'links = (.*)' '&' | sed "s/hbd.key/second.key/; s/, \"10.77.0.\([12]\)%eth0\"//" | both "a file with one link"
without hbd.key second.key | both "one with both again"
check "which is used" within 5 link_is_up lb1
without hbd.key second.key | sed 's/"\(10.78.0..%eth1\)", "\(10.77.0..%eth0\)"/"\2", "\1"/' |
	refused lb1 "the links in another order" "the order of the links differs"
without hbd.key second.key | sed 's/fast/lan/' | both "slower heartbeats"
without hbd.key second.key | sed 's/fast/turbo/' | both "faster ones"
without hbd.key second.key | both "those of the beginning"

prober_stop
check_kept "no request is lost" "$file" .lost "$begin_ns" 20
check_number "one owner" "$file" .owners.two_ms 0 0
check "in the same term of office" [ "$(status lb1 .groups.0.epoch)" = "$epoch" ]

# ---- an engine that is dead: what was wrong with it may have been in the file

dies() {
	local pid
	pid=$(engine lb2)
	kill -KILL "$pid"
	within 5 is_gone "$pid"
}
is_gone() { ! kill -0 "$1" 2>/dev/null; }
lives() { [ -n "$(engine lb2)" ]; }
for ((i = 1; i <= 4; i++)); do
	within 10 lives
	check "death $i of lb2's engine" dies
done
without hbd.key second.key | sed "s/drain_s = 1/drain_s = 17/" >"$conf"
check "while it waits to be started again, the next one is given another file" \
	reload lb2 "the next engine begins by it"
check "lb1 gets it, too" reload lb1 "reloaded "
check "and they agree" within 10 agree
