#!/bin/bash
# What bash offers after hbctl and hbd, with a real control socket to ask for the groups.
set -u
build=${BUILD:-build/release}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
failed=0
# shellcheck source=/dev/null
. packaging/completion/hbctl && . packaging/completion/hbd && . packaging/completion/hbd-replay || exit 1
PATH=$PWD/$build:$PATH
compopt() { :; }	# works only while bash completes

# offers WORD... = EXPECTED...: completing the last WORD.
offers()
{
	COMP_WORDS=()
	while [ "$1" != = ]; do
		COMP_WORDS+=("$1")
		shift
	done
	shift
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	"_${COMP_WORDS[0]//-/_}"
	if [ "${COMPREPLY[*]}" = "$*" ]; then
		echo "ok ${COMP_WORDS[*]}"
	else
		echo "not ok ${COMP_WORDS[*]}: '${COMPREPLY[*]}' instead of '$*'"
		failed=1
	fi
}

coproc server { "$build/tests/tools/control_server" "$scratch/sock" \
	tests/golden/status/many-groups.json; }
# shellcheck disable=SC2154 # made by coproc
read -r -t 10 -u "${server[0]}" _ || exit 1
touch "$scratch/file"

offers hbctl st = status
offers hbctl s = status switchover
offers hbctl --s = --socket
offers hbctl --socket "$scratch/fi" = "$scratch/file"
offers hbctl --socket "$scratch/sock" sw = switchover
offers hbctl --socket "$scratch/sock" switchover "" = \
	--help --socket --json --wait --to --dry-run web mail db vpn dns
offers hbctl --socket "$scratch/sock" switchover --wait v = vpn
offers hbctl --socket "$scratch/nobody" switchover w =
offers hbctl maintenance o = on off
offers hbctl maintenance --f = --force
offers hbctl m = maintenance
offers hbctl status --j = --json
offers hbctl alert t = test
offers hbctl genkey --i = --id
offers hbctl genkey "$scratch/fi" = "$scratch/file"
offers hbctl genkey --id "" =
offers hbctl help a = alert
offers hbd --c = --config --check
offers hbd --config "$scratch/fi" = "$scratch/file"
offers hbd --state-dir "$scratch/fi" =
offers hbd-replay --a = --all
offers hbd-replay --from "" =
offers hbd-replay --json "$scratch/fi" = "$scratch/file"

input=${server[1]}
exec {input}>&-
wait
exit $failed
