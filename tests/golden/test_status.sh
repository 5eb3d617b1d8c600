#!/bin/bash
# Status documents against the transcripts that were reviewed: status/NAME.json -> status/NAME.txt,
# with the monitoring exit code as the last line. UPDATE=1 writes the transcripts anew.
set -u
render=${BUILD:-build/release}/tests/tools/render_status
folder=$(dirname "$0")/status
status=0
[ -x "$render" ] || { echo "not ok there is no $render"; exit 1; }

# compare NAME EXPECTED COMMAND...
compare()
{
	local name=$1 expected=$2 actual
	shift 2
	actual=$("$@" 2>&1; echo "exit code $?")
	[ -z "${UPDATE:-}" ] || printf '%s\n' "$actual" >"$expected"
	if diff -u "$expected" --label "$name now" <(printf '%s\n' "$actual"); then
		echo "ok $name"
	else
		echo "not ok $name"
		status=1
	fi
}

for document in "$folder"/*.json; do
	name=$(basename "$document" .json)
	compare "$name" "$folder/$name.txt" "$render" "$document"
	if [ -n "$(LC_ALL=C awk 'length > 80 || /[^ -~]/' "$folder/$name.txt")" ]; then
		echo "not ok $name: more than 80 columns, or not plain text"
		status=1
	fi
done
compare "colors" "$folder/colors.ansi" "$render" --color "$folder/peer-silent.json"
exit $status
