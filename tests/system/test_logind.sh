#!/bin/bash
# What logind says of a shutdown or a sleep is heeded, what others say of it is not; and a logind that starts
# late, or again, is asked to wait as well.
. tests/system/pair.sh

bed_up
for number in 1 2; do
	node_boot lb$number $number
	hbd_install lb$number
	hbd_configure lb$number
	node lb$number systemctl start hbd
done

holds_lock() { node "$1" busctl call org.freedesktop.login1 /org/freedesktop/login1 \
	org.freedesktop.login1.Manager ListInhibitors | grep -q '"shutdown:sleep" "hbd" .* "delay"'; }
bus_name() { node "$1" busctl list --no-legend | awk -v pid="$(guardian "$1")" '$2 == pid { print $1; exit }'; }
# forge NODE SIGNAL: as a user without any right, to hbd alone, which passes by what it listens for
forge() {
	node "$1" setpriv --reuid=nobody --regid=nogroup --clear-groups busctl emit \
		--destination="$(bus_name "$1")" /org/freedesktop/login1 org.freedesktop.login1.Manager "$2" b true
}

must "the preferred node serves" within 15 serves lb1
must "the other one stands by" within 15 status_says lb2 secondary
check "a shutdown waits for hbd" within 10 holds_lock lb1

for signal in PrepareForShutdown PrepareForSleep; do
	check "anybody may say $signal" forge lb1 $signal
	sleep 1
	check "and hbd does not believe it" serves lb1
	check "and keeps its lock" holds_lock lb1
done

node lb1 systemctl restart systemd-logind
check "another logind waits for hbd, too" within 10 holds_lock lb1
node lb1 systemctl kill --signal=KILL systemd-logind
check "and one that was started after a crash" within 10 holds_lock lb1

# ---- a shutdown that comes to nothing -----------------------------------------------------------------
node lb1 sh -c 'mkdir -p /run/systemd/system/reboot.target.d
	printf "[Unit]\nRefuseManualStart=yes\n" >/run/systemd/system/reboot.target.d/not.conf
	systemctl daemon-reload'
outage_hz=1000 outage_below 100 "a reboot that fails" node lb1 busctl call -q org.freedesktop.login1 \
	/org/freedesktop/login1 org.freedesktop.login1.Manager Reboot b false
check "the other one serves from its begin on" within 10 serves lb2
check "hbd is there again for the next one" within 10 holds_lock lb1
check "and stands by" within 10 status_says lb1 secondary
node lb2 hbctl switchover web --wait >/dev/null
check "and takes over again" within 10 serves lb1
