#!/bin/bash
# make demo does what its last lines claim: its exit status says so, and they name the outage and the mails.
set -u
[ "${VARIANT:-release}" = release ] || { echo "the demo shows times, which are the release's"; exit 77; }
command -v openssl >/dev/null || { echo "there is no openssl: packaging/install-deps demo"; exit 77; }
out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0

NO_COLOR=1 tests/demo/run >"$out" 2>&1 || { echo "not ok the demo ends well"; cat "$out"; exit 1; }
echo "ok the demo ends well"
# expect "what" REGULAR-EXPRESSION
expect() {
	if grep -qE -e "$2" "$out"; then
		echo "ok $1"
	else
		echo "not ok $1: nothing like '$2'"
		status=1
	fi
}
expect "it says how long the client waited" '^ +outage that the client saw: [0-9.]+ ms$'
expect "it shows the mail of the failure" '^Subject: \[hbd demo\] CRITICAL: lb1 is offline, lb2 is primary now for web$'
expect "and of the repair" '^Subject: \[hbd demo\] OK: '
exit $status
