#!/bin/bash
# Mistakes in configurations against the transcripts that were reviewed: conf/NAME.conf ->
# conf/NAME.err; then what is no file, and the shipped files, which have no mistake.
# UPDATE=1 writes the transcripts anew.
set -u
check=$(realpath "${BUILD:-build/release}/tests/tools/conf_check")
here=$(dirname "$(realpath "$0")")
status=0
[ -x "$check" ] || { echo "not ok there is no $check"; exit 1; }
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

# compare NAME EXPECTED COMMAND...: output and exit code
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

# The shipped files, the main one also with all that it comments out ("#name") in force.
sed -E 's/^(\s*)#([^ ])/\1\2/' etc/hbd.conf >"$temporary/hbd.conf"
for conf in etc/hbd.conf "$temporary/hbd.conf" etc/examples/*.conf; do
	if "$check" "$conf" && "$check" -p "$conf" >"$temporary/once" &&
	   "$check" -p "$temporary/once" | diff - "$temporary/once"; then
		echo "ok $(basename "$conf") has no mistake and is printed as it is loaded"
	else
		echo "not ok $conf"
		status=1
	fi
done

cd "$here/conf" || exit 1
for conf in *.conf; do
	compare "conf/${conf%.conf}" "${conf%.conf}.err" "$check" "$conf"
done

# with_key NAME MODE TEXT: what conf_load_keys() says of such a file
with_key()
{
	printf '%b' "$3" >"$temporary/key"
	chmod "$2" "$temporary/key"
	sed "s|^keys.*|keys = ( \"$temporary/key\" );|" minimal.conf >"$temporary/conf"
	echo "$1:"
	"$check" -k "$temporary/conf" 2>&1 | sed "s|$temporary|DIR|g"
}
key_files()
{
	local hex=00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF

	with_key "a good key" 600 "1 $hex\n"
	with_key "no newline at its end" 400 "255 $hex"
	with_key "readable by all" 644 "1 $hex\n"
	with_key "readable by the group" 640 "1 $hex\n"
	with_key "writable by others" 602 "1 $hex\n"
	with_key "empty" 600 ""
	with_key "number 0" 600 "0 $hex\n"
	with_key "number 256" 600 "256 $hex\n"
	with_key "a huge number" 600 "99999999999999999999999 $hex\n"
	with_key "no number" 600 "$hex\n"
	with_key "a negative number" 600 "-1 $hex\n"
	with_key "two spaces" 600 "1  $hex\n"
	with_key "63 digits" 600 "1 ${hex%?}\n"
	with_key "65 digits" 600 "1 ${hex}0\n"
	with_key "66 digits" 600 "1 ${hex}00\n"
	with_key "not hexadecimal" 600 "1 ${hex%?}g\n"
	with_key "a space after it" 600 "1 $hex \n"
	with_key "two lines" 600 "1 $hex\n2 $hex\n"
	with_key "a NUL byte" 600 "1 $hex\n\0"
	with_key "zeros" 600 "1 ${hex//[0-9A-Fa-f]/0}\n"
	rm -f "$temporary/key"
	"$check" -k "$temporary/conf" 2>&1 | sed "s|$temporary|DIR|g"
	mkdir "$temporary/key"
	"$check" -k "$temporary/conf" 2>&1 | sed "s|$temporary|DIR|g"
	rmdir "$temporary/key"
	mkfifo "$temporary/key"
	timeout 10 "$check" -k "$temporary/conf" 2>&1 | sed "s|$temporary|DIR|g"
	rm -f "$temporary/key"
	printf '%b' "7 $hex\n" >"$temporary/key"
	chmod 600 "$temporary/key"
	cp -p "$temporary/key" "$temporary/copy"
	sed -i "s|^keys.*|keys = ( \"$temporary/key\",\n\"$temporary/copy\" );|" "$temporary/conf"
	"$check" -k "$temporary/conf" 2>&1 | sed "s|$temporary|DIR|g"
	echo "together with mistakes of the configuration:"
	rm "$temporary/copy"
	sed -i "1i profil = \"lan\";" "$temporary/conf"
	"$check" -k "$temporary/conf" 2>&1 | sed "s|$temporary|DIR|g"
}
compare "key files" key-files.err key_files

cd "$temporary" || exit 1
mkdir directory
mkfifo fifo
truncate -s 9M large
touch secret
not_files()
{
	for path in absent directory fifo large directory/below /dev/null large/below; do
		timeout 10 "$check" "$path"
	done
}
compare "what is no file" "$here/conf/no-file.err" not_files
exit $status
