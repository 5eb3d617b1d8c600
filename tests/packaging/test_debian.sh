#!/bin/bash
# The Debian package builds from a copy of the tree, lintian finds no error, and it holds the unit.
set -u
for program in dpkg-buildpackage dh; do
	command -v $program >/dev/null || { echo "skipped: there is no $program"; exit 77; }
done
failed=0
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then echo "ok $name"; else echo "not ok $name: $output"; failed=1; fi
}

check "the package builds" make --no-print-directory deb DEB_BUILD_OPTIONS=nocheck
package=$(echo build/deb/hbd_*.deb)
[ -f "$package" ] || exit 1
check "the package holds the unit" \
	sh -c "dpkg-deb -c $package | grep -q '/usr/lib/systemd/system/hbd.service\|/lib/systemd/system/hbd.service'"
check "the package stops hbd before it is removed" \
	sh -c "dpkg-deb -I $package prerm | grep -q 'stop.*hbd.service'"
check "the package creates the user" sh -c "dpkg-deb -I $package postinst | grep -q sysusers"
check "the package does not start hbd on a first installation" \
	sh -c "! dpkg-deb -I $package postinst | grep -qE 'deb-systemd-invoke (re)?start'"
if command -v lintian >/dev/null; then
	check "lintian finds no error" lintian --allow-root --fail-on error "$package"
	lintian --allow-root "$package"
else
	echo "ok lintian finds no error # skip there is no lintian"
fi
exit $failed
