#!/bin/bash
# systemctl restart on either of two machines: no change of role, no answer lost, nobody alarmed.
. tests/system/pair.sh

bed_up
for number in 1 2; do
	node_boot lb$number $number
	hbd_install lb$number
	hbd_configure lb$number
	node lb$number systemctl start hbd
done
must "the preferred node serves" within 15 serves lb1
must "the other one stands by" within 15 status_says lb2 secondary
sleep 2

alerts() { node "$1" journalctl -q -u hbd | grep -c "alert: "; }
went_on() { node "$1" journalctl -q -u hbd | grep -c "going on as the process before"; }

# restarted NODE
restarted() {
	local guardian told1 told2 before
	guardian=$(guardian "$1")
	told1=$(alerts lb1)
	told2=$(alerts lb2)
	before=$(went_on "$1")
	outage_below 30 "restart of $1" node "$1" systemctl restart hbd
	check "restart of $1: it is another process" guardian_is_new "$1" "$guardian"
	check "restart of $1: which goes on" test "$(went_on "$1")" = $((before + 1))
	check "restart of $1: lb1 serves" serves lb1
	check "restart of $1: lb2 does not" silent lb2
	sleep 1
	check "restart of $1: no alert on lb1" test "$(alerts lb1)" = "$told1"
	check "restart of $1: nor on lb2" test "$(alerts lb2)" = "$told2"
}

for ((i = 0; i < ${RESTARTS:-2}; i++)); do
	restarted lb1
	restarted lb2
done

# ---- a stop is for good, and leaves nothing to go on from

before=$(went_on lb1)
outage_below 100 "stop" node lb1 systemctl stop hbd
check "stop: the other one serves" within 5 serves lb2
check "stop: nothing is left" silent lb1
check "stop: nothing is kept" test "$(property lb1 NFileDescriptorStore)" = 0
node lb1 systemctl start hbd
check "a start after it is an ordinary one" within 15 status_says lb1 secondary
check "and goes on from nothing" test "$(went_on lb1)" = "$before"

# ---- the next process does not come up

node lb2 sh -c 'echo nonsense >>/etc/hbd/hbd.conf'
node lb2 systemctl restart hbd
check "no next process: the other one serves" within 10 serves lb1
check "no next process: the addresses are gone" within 10 silent lb2
