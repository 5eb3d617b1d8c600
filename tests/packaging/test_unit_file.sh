#!/bin/bash
# systemd accepts the unit, and its sandbox does not silently grow weaker.
set -u
command -v systemd-analyze >/dev/null || { echo "skipped: there is no systemd-analyze"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
unit=$work/root/usr/lib/systemd/system/hbd.service

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: $2"; failed=1; }

make --no-print-directory -s install VARIANT="$VARIANT" DESTDIR="$work/root" >"$work/out" 2>&1 ||
	{ cat "$work/out"; exit 1; }

# Only programs and manual pages of this machine are looked for: point at the installed ones.
mkdir "$work/verify"
sed -e "s:=/usr/sbin/hbd:=$work/root/usr/sbin/hbd:" -e '/^Documentation=/d' "$unit" \
	>"$work/verify/hbd.service"
if systemd-analyze verify --man=no "$work/verify/hbd.service" >"$work/out" 2>&1 && [ ! -s "$work/out" ]
then ok "systemd accepts the unit"; else not_ok "systemd accepts the unit" "$(cat "$work/out")"; fi

sed 's/^Type=notify/Tipe=notify/' "$work/verify/hbd.service" >"$work/verify/broken.service"
systemd-analyze verify --man=no "$work/verify/broken.service" >"$work/out" 2>&1
if [ -s "$work/out" ]; then ok "a misspelt directive is noticed"
else not_ok "a misspelt directive is noticed" "silent"; fi

# exposure NAME THRESHOLD(tenths) UNIT
exposure() {
	if systemd-analyze security --offline=true --threshold="$2" "$3" >"$work/out" 2>&1; then ok "$1"
	else not_ok "$1" "$(grep Overall "$work/out")"; fi
}
exposure "the sandbox leaves an exposure of at most 7.0" 70 "$unit"
mkdir "$work/verify/hbd.service.d"
cp packaging/systemd/hardening.conf "$work/verify/hbd.service.d/"
exposure "with the drop-in of at most 4.3" 43 "$work/verify/hbd.service"

printf '[Service]\nExecStart=/bin/true\n' >"$work/bare.service"
if systemd-analyze security --offline=true --threshold=70 "$work/bare.service" >/dev/null 2>&1
then not_ok "a unit without a sandbox is over the threshold" "it is not"
else ok "a unit without a sandbox is over the threshold"; fi
exit $failed
