# shellcheck shell=bash disable=SC2154 # variables of tests/lib/netns.sh
# What repeated events cost a client, and what the machine did meanwhile. To be sourced after
# tests/lib/netns.sh.
#
#	watcher_start			an independent real-time watcher of the machine's stalls
#	boot_ns				now
#	check_kept WHAT FILE PATH BEGIN_NS MS	it is 0 in the JSON of FILE; of a machine that stood still for
#					more than MS since then, which no lease outlasts, it is only noted
#	stalled BEGIN_NS END_NS		the longest stall of a processor that it saw, in ms
#	figure NAME FILE TARGET_MS BEGIN_NS	notes the outage that the prober wrote to FILE, of an event
#					since then
#	note NAME MS TARGET_MS TWO_OWNERS_MS BEGIN_NS	notes a figure of any other kind
#	figures_print			median, least and most of each name, and how many kept its target;
#					each single one is kept in $BUILD/figures/TEST.jsonl

watcher_start() {
	background watcher client "$(tool watcher)" --late-ms 5 --output "$bed_dir/stalls"
	wait_line "$bed_dir/watcher.log" ready || fail "the watcher does not start"
}

boot_ns() { awk '{ printf "%.0f\n", $1 * 1e9 }' /proc/uptime; }

stalled() {
	awk -v from="$1" -v to="$2" '$2 >= from && $1 <= to && $3 != "machine" && $2 - $1 > longest {
		longest = $2 - $1 } END { printf "%.1f", longest / 1e6 }' "$bed_dir/stalls"
}

check_kept() {
	local stood_ms
	stood_ms=$(stalled "$4" "$(boot_ns)")
	if awk -v stood="$stood_ms" -v most="$5" 'BEGIN { exit !(stood > most) }'; then
		echo "# not judged, the machine stood still for $stood_ms ms: $1 ($(json "$2" "$3"))"
	else
		check_number "$1" "$2" "$3" 0 0
	fi
}

note() {
	printf '{"name":"%s","ms":%s,"target_ms":%s,"two_ms":%s,"stall_ms":%s}\n' "$1" "$2" "$3" "$4" \
		"$(stalled "$5" "$(boot_ns)")" >>"$bed_dir/figures"
}

# A service that did not come back was out at least for as long as the prober looked.
figure() {
	local gap_ms
	gap_ms=$(printf '%s\n' "$(json "$2" .gap_ms)" "$(json "$2" .unanswered_ms)" | sort -g | tail -n 1)
	note "$1" "$gap_ms" "$3" "$(json "$2" .owners.two_ms)" "$4"
}

figures_print() {
	local name=${0##*/}
	tests/lib/distribution "$bed_dir/figures"
	mkdir -p "$BUILD/figures"
	cp "$bed_dir/figures" "$BUILD/figures/${name%.sh}.jsonl"
}
