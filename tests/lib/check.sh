# shellcheck shell=bash
# Cases of a test that is a shell script: a line "ok ..." or "not ok ..." for each, and
# $check_failed for its exit status.
#
#	check "what it says" COMMAND...			passed if the command succeeds
#	check_number "what it says" FILE PATH MIN MAX	passed if the number is within
#	must ...					as check; nothing makes sense after a failure
#	within SECONDS COMMAND...			repeats until it succeeds
#	not COMMAND...					succeeds if it fails

check_failed=0

check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		echo "ok $name"
	else
		echo "not ok $name: $*: ${output:-failed}"
		check_failed=1
	fi
}

check_number() {
	local number
	number=$(json "$2" "$3")
	if awk -v number="$number" -v min="$4" -v max="$5" \
		'BEGIN { exit !(number ~ /^-?[0-9]/ && number >= min && number <= max) }'; then
		echo "ok $1 ($number)"
	else
		echo "not ok $1: ${3#.} is ${number:-missing}, not within $4 and $5: $(cat "$2")"
		check_failed=1
	fi
}

must() {
	local before=$check_failed
	check_failed=0
	check "$@"
	[ $check_failed -eq 0 ] || exit 1
	check_failed=$before
}

within() {
	local tries output
	for ((tries = 0; tries < 20 * $1; tries++)); do
		! output=$("${@:2}" 2>&1) || return 0
		sleep 0.05
	done
	echo "$output"
	return 1
}

not() { ! "$@"; }
