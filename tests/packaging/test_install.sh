#!/bin/bash
# make install puts everything in its place, keeps a configuration that is there, can be told other
# places, and make uninstall takes back what install brought.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then echo "ok $name"; else echo "not ok $name: $output"; failed=1; fi
}
run_make() { make --no-print-directory -s VARIANT="$VARIANT" "$@"; }

root=$work/root
mkdir -p "$root/etc/hbd"
echo mine >"$root/etc/hbd/hbd.conf"
check "install works" run_make install DESTDIR="$root"
check "a second install works" run_make install DESTDIR="$root"
check "the configuration is as it was" grep -qx mine "$root/etc/hbd/hbd.conf"
for file in usr/sbin/hbd usr/sbin/hbctl usr/sbin/hbd-replay; do
	check "$file is executable" test -x "$root/$file"
done
for file in usr/lib/systemd/system/hbd.service usr/lib/sysusers.d/hbd.conf usr/lib/tmpfiles.d/hbd.conf \
	usr/share/bash-completion/completions/hbd \
	usr/share/bash-completion/completions/hbctl etc/hbd/hbd.conf.example \
	usr/share/bash-completion/completions/hbd-replay usr/share/man/man8/hbd-replay.8 \
	usr/share/man/man8/hbd.8 usr/share/man/man8/hbctl.8 usr/share/man/man5/hbd.conf.5; do
	check "$file is there" test -s "$root/$file"
done
for plugin in plugins/*/*; do
	case $plugin in
	plugins/lib/* | *.h | *.md | *.[1-9]) continue ;;
	esac
	[ -f "$plugin" ] || continue
	check "${plugin%.c} is installed" test -x "$root/usr/lib/hbd/${plugin%.c}"
done
check "no file is writable for group or others" \
	test -z "$(find "$root" -type f -perm /022 | head -n 1)"
check "hbd from there says its version" "$root/usr/sbin/hbd" --version
for program in hbd hbctl hbd-replay; do
	check "bash takes the completion of $program" \
		bash -n "$root/usr/share/bash-completion/completions/$program"
done
check "uninstall works" run_make uninstall DESTDIR="$root"
left=$(cd "$root" && find . -type f)
check "only the configuration is left" test "$left" = ./etc/hbd/hbd.conf

root=$work/local
check "install elsewhere works" run_make install DESTDIR="$root" PREFIX=/usr/local
check "the unit names the program there" \
	grep -q '^ExecStart=/usr/local/sbin/hbd' "$root/usr/local/lib/systemd/system/hbd.service"
check "uninstall elsewhere works" run_make uninstall DESTDIR="$root" PREFIX=/usr/local
check "nothing is left" test -z "$(find "$root" -type f)"
exit $failed
