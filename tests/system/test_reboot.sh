#!/bin/bash
# The machine that serves is rebooted or shut down, with logind and without: its addresses are handed over
# while its network is still there. REBOOTS (1) of each kind; the client asks a thousand times a second.
. tests/system/pair.sh

bed_up
for number in 1 2; do
	node_boot lb$number $number
	hbd_install lb$number
	hbd_configure lb$number
	node lb$number systemctl enable -q hbd
	node lb$number systemctl start hbd
done

holds_lock() { node "$1" busctl call org.freedesktop.login1 /org/freedesktop/login1 \
	org.freedesktop.login1.Manager ListInhibitors | grep -q '"shutdown:sleep" "hbd" .* "delay"'; }
handed_over() { node "$1" journalctl -q -o cat -u hbd -b | grep -q "was secondary: the peer handed over"; }
is_down() { ! kill -0 "${bed_leader[$1]}" 2>/dev/null; }

# goes_down NAME OTHER WHAT COMMAND...
goes_down() {
	local name=$1 other=$2 what=$3
	shift 3
	outage_hz=1000 outage_below 200 "$what" node "$name" "$@"
	check "$what: the other one serves" serves "$other"
	check "$what: it was handed over" handed_over "$other"
	check "$what: the machine is down" within 60 is_down "$name"
	wait "${bed_nspawn[$name]}" 2>/dev/null
	unset "bed_nspawn[$name]"
}

must "the preferred node serves" within 15 serves lb1
check "both know it" within 10 status_says lb2 secondary
check "a shutdown waits for hbd" within 10 holds_lock lb1
for ((i = 0; i < ${REBOOTS:-1}; i++)); do
	outage_hz=1000 outage_below 200 "stop" node lb1 systemctl stop hbd
	check "stop: the other one serves" serves lb2
	node lb1 systemctl start hbd
	check "it comes back and stands by" within 20 status_says lb1 secondary

	goes_down lb2 lb1 "reboot" systemctl reboot
	node_boot lb2 2
	check "it comes back and stands by" within 20 status_says lb2 secondary

	node lb1 systemctl mask --now -q systemd-logind
	goes_down lb1 lb2 "shutdown without logind" systemctl start --no-block poweroff.target
	node_boot lb1 1
	node lb1 systemctl unmask -q systemd-logind
	node lb1 systemctl start systemd-logind
	check "it comes back and stands by" within 20 status_says lb1 secondary
	check "a shutdown waits for hbd again" within 10 holds_lock lb1

	goes_down lb2 lb1 "shutdown" systemctl poweroff
	node_boot lb2 2
	check "it comes back and stands by" within 20 status_says lb2 secondary
done
