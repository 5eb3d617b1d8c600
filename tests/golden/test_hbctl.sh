#!/bin/bash
# hbctl's words and exit codes against the transcript that was reviewed, hbctl/transcript.txt, with
# a real control socket in front of documents from files. UPDATE=1 writes the transcript anew.
set -u
build=${BUILD:-build/release}
folder=$(dirname "$0")/hbctl
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
export LC_ALL=C TZ=UTC
[ -x "$build/hbctl" ] || { echo "not ok there is no $build/hbctl"; exit 1; }

# run ARGUMENT...: one command as an operator would see it, without what differs between runs.
run()
{
	local status

	echo "\$ hbctl ${*//$scratch//run/hbd}"
	"$build/hbctl" --socket "$scratch/sock" "$@" >"$scratch/out" 2>"$scratch/err"
	status=$?
	sed "s:$scratch:/run/hbd:g; s/[0-9.]* ms\./N ms./; s/\"us\": [0-9]*/\"us\": N/" "$scratch/out"
	sed "s:$scratch:/run/hbd:g; s/^/stderr: /" "$scratch/err"
	echo "exit code $status"
	echo
}

# serving BEFORE [AFTER [ERRNO]] -- ARGUMENT...: the same while a daemon answers.
serving()
{
	local documents=() server input

	while [ "$1" != -- ]; do
		documents+=("$1")
		shift
	done
	shift
	echo "[${documents[*]}]"
	[ "${#documents[@]}" -lt 1 ] || documents[0]=$folder/${documents[0]}.json
	[ "${#documents[@]}" -lt 2 ] || documents[1]=$folder/${documents[1]}.json
	coproc server { "$build/tests/tools/control_server" "$scratch/sock" "${documents[@]}" \
		2>>"$scratch/server.log"; }
	# shellcheck disable=SC2154 # made by coproc
	read -r -t 10 -u "${server[0]}" _ || echo "the server did not come up"
	run "$@"
	input=${server[1]}
	exec {input}>&-
	wait
}

transcript()
{
	echo "=== words"
	run
	run help
	run help status
	run switchover --help
	run maintenance --help
	run alert --help
	run genkey --help
	run version
	run --version
	run stauts
	run frobnicate
	run help stauts
	run status extra
	run status --wait
	run status --to lb1
	run alert test --dry-run
	run --jsn status
	run -x
	run genkey --id 0
	run genkey --id 256
	run genkey --id seven
	run switchover
	run alert
	run alert tset

	echo "=== nobody listens"
	run status
	run status --json
	run switchover web
	: >"$scratch/sock"
	run status
	rm "$scratch/sock"

	echo "=== status"
	serving before -- status --json | grep -v '^ '
	serving failing -- --json status | sed -n '1,2p; /"health": {/,$p'

	echo "=== switchover"
	serving before taken -- switchover web
	serving before taken -- switchover --wait web
	serving before taken -- switchover --json --wait web
	serving before not-taken -- switchover -w web
	serving before -- switchover wbe
	serving before -- switchover --dry-run web
	serving before -- switchover --json --dry-run web
	serving taken -- switchover --dry-run web
	serving taken -- switchover --json -n web
	serving before -- switchover --to lb1 web
	serving before taken -- switchover --to lb2 --wait web
	serving taken -- switchover --to lb2 --json web
	serving before -- switchover --to lb3 web
	serving before taken 1 -- switchover web
	serving before taken 112 -- switchover web
	serving before taken 22 -- switchover --wait web
	serving before taken 19 -- switchover web
	serving before taken 16 -- switchover web

	echo "=== maintenance"
	serving before -- maintenance
	serving maintained -- maintenance
	serving maintained -- maintenance --json
	serving before maintained -- maintenance on
	serving maintained before -- maintenance off
	serving before not-noted -- maintenance on
	serving before maintained 112 -- maintenance on
	serving before maintained 112 -- maintenance --force on
	serving before maintained 113 -- maintenance on
	serving before maintained 22 -- maintenance on
	serving before maintained 19 -- maintenance on
	serving before maintained 16 -- maintenance on
	serving before maintained 108 -- maintenance on
	serving before -- maintenance of
	serving before taken 113 -- switchover web

	echo "=== alert test"
	serving before delivered -- alert test
	serving before delivered -- alert test --json
	serving before failing -- alert test
	serving no-alerts -- alert test

	echo "=== genkey"
	(umask 0; run genkey "$scratch/key")
	run genkey "$scratch/key"
	stat -c 'mode %a' "$scratch/key"
	echo "by a relative path:"
	"$build/hbctl" genkey "$(realpath --relative-to=. "$scratch/other")" |
		sed "s:$scratch:/run/hbd:g; /^Wrote/d"
	run genkey "$scratch/no/such/folder/key"
	run genkey --id 255 | sed -E 's/[0-9a-f]{64}/HEX64/'
	sed -E 's/[0-9a-f]{64}/HEX64/' "$scratch/key"
	run genkey >"$scratch/a"
	run genkey >"$scratch/b"
	cmp -s "$scratch/a" "$scratch/b" && echo "two keys are equal"
	return 0
}

actual=$(transcript)
[ -z "${UPDATE:-}" ] || printf '%s\n' "$actual" >"$folder/transcript.txt"
if diff -u "$folder/transcript.txt" --label "hbctl now" <(printf '%s\n' "$actual"); then
	echo "ok hbctl says what was reviewed"
else
	echo "not ok hbctl says something else"
	exit 1
fi
