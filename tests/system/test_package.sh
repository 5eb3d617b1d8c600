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
node_boot lb1 1
node lb1 sh -c 'cat >/root/hbd.deb' <build/deb/hbd_*.deb

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
guardian=$(guardian lb1)
check "an upgrade works" node lb1 dpkg -i /root/hbd.deb
check "it runs the new program after an upgrade" within 10 guardian_is_new lb1 "$guardian"
check "and serves" within 15 serves lb1

check "the package can be removed" node lb1 dpkg -r hbd
check "no address is left" silent lb1
check "no process is left" not node lb1 pgrep -x hbd
check "the configuration is left" node lb1 test -s /etc/hbd/hbd.conf
