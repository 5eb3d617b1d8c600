#!/bin/bash
# The Debian package on a machine with a real systemd: installed, started, upgraded, removed.
. tests/system/pair.sh

command -v dh >/dev/null || skip "there is no debhelper: packaging/install-deps package"
bed_installs=no
bed_up
make --no-print-directory -s deb DEB_BUILD_OPTIONS=nocheck >"$bed_run/deb.log" 2>&1 || {
	echo "not ok the package builds: $(tail -n 20 "$bed_run/deb.log")"
	exit 1
}

# The package of the next version: of the same sources, but it speaks the next version of the protocol.
next_package() {
	local tree=$bed_run/next
	dpkg-deb -R build/deb/hbd_*.deb "$tree"
	install -m 755 "$BUILD/tests/next/hbd" "$tree/usr/sbin/hbd"
	sed -i 's/^Version: .*/&+next/' "$tree/DEBIAN/control"
	(cd "$tree" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | xargs -0 md5sum >DEBIAN/md5sums)
	dpkg-deb --root-owner-group -b "$tree" "$bed_run/next.deb"
}
next_package >"$bed_run/next.log" 2>&1 || { echo "not ok the next package builds: $(cat "$bed_run/next.log")"; exit 1; }
for number in 1 2; do
	node_boot lb$number $number
	node lb$number sh -c 'cat >/root/hbd.deb' <build/deb/hbd_*.deb
	node lb$number sh -c 'cat >/root/next.deb' <"$bed_run/next.deb"
done

must "the package installs" node lb1 dpkg -i /root/hbd.deb
check "its user is there" node lb1 id hbd
check "its state folder belongs to that user" \
	test "$(node lb1 stat -c %U:%G:%a /var/lib/hbd)" = hbd:hbd:750
check "it is not started" test "$(property lb1 ActiveState)" = inactive
check "and not enabled" not node lb1 systemctl is-enabled -q hbd
check "without a configuration it does not start" not node lb1 systemctl start hbd
check "and the journal names the file" journal lb1 -g /etc/hbd/hbd.conf
node lb1 systemctl stop hbd

hbd_configure lb1
must "configured, it starts" node lb1 systemctl start hbd
check "it serves" within 15 serves lb1
must "the package installs on the other machine" node lb2 dpkg -i /root/hbd.deb
hbd_configure lb2
must "and starts there" node lb2 systemctl start hbd
must "it stands by" within 15 status_says lb2 secondary
sleep 2

# ---- an upgrade to the next version, one node after the other, while a client asks

alerts() { node "$1" journalctl -q -u hbd | grep -c "alert: "; }
speaks() { node "$1" hbctl status --json | tr -d ' \n' | grep -q "\"key_id\":[0-9]*,\"version\":$2,"; }

# upgraded NODE: no answer of 1000 a second is lost
upgraded() {
	local guardian told1 told2
	guardian=$(guardian "$1")
	told1=$(alerts lb1)
	told2=$(alerts lb2)
	outage_hz=1000 outage_s=6 outage_below 0 "upgrade of $1" node "$1" dpkg -i /root/next.deb
	check "upgrade of $1: it is another process" guardian_is_new "$1" "$guardian"
	check "upgrade of $1: lb1 serves" serves lb1
	check "upgrade of $1: lb2 does not" silent lb2
	check "upgrade of $1: no alert on lb1" test "$(alerts lb1)" = "$told1"
	check "upgrade of $1: nor on lb2" test "$(alerts lb2)" = "$told2"
}

upgraded lb2
check "the pair goes on with the version that both know" speaks lb1 1
upgraded lb1
check "and then with the next one" within 5 speaks lb1 2
check "so does lb2" within 5 speaks lb2 2
# another package of the version that runs
for ((i = 1; i < ${UPGRADES:-1}; i++)); do
	upgraded lb2
	upgraded lb1
done

node lb2 systemctl stop hbd
check "the package can be removed" node lb1 dpkg -r hbd
check "no address is left" silent lb1
check "no process is left" not node lb1 pgrep -x hbd
check "the configuration is left" node lb1 test -s /etc/hbd/hbd.conf
