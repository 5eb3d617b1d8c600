#!/bin/bash
# Two machines with hbd as a service: power loss, clean stop, reboot.
. tests/system/pair.sh

bed_up
for number in 1 2; do
	node_boot lb$number $number
	hbd_install lb$number
	hbd_configure lb$number
	node lb$number systemctl enable -q hbd
done

node lb1 systemctl start hbd
node lb2 systemctl start hbd
must "the preferred node serves" within 15 serves lb1
check "the other one does not" silent lb2
check "both know it" within 10 status_says lb2 secondary
check "the client is answered by the preferred node" within 5 answered_by lb1

# ---- stopped and killed; the margins are for a machine with other work

outage_below 100 "clean stop" node lb1 systemctl stop hbd
check "after a clean stop the other one serves" serves lb2
check "and the client is answered by it" answered_by lb2
check "nothing is left on the stopped one" silent lb1
node lb1 systemctl start hbd
check "the returned one stands by" within 15 status_says lb1 secondary
check "no failback by itself" serves lb2

outage_below 100 "engine killed" node lb2 kill -KILL "$(engine lb2)"
check "the other one serves after the death of the engine" serves lb1
check "and only that one" within 5 silent lb2
check "the one with the killed engine stands by again" within 15 status_says lb2 secondary

outage_below 200 "guardian killed" node lb1 kill -KILL "$(guardian lb1)"
check "the other one serves after the death of the guardian" serves lb2
check "and only that one again" within 5 silent lb1
check "the one with the killed guardian stands by again" within 15 status_says lb1 secondary

killed=$(guardian lb2)
node lb2 systemctl kill --signal=KILL --kill-who=all hbd
check "after the death of all of hbd one of them serves" within 10 answers
check "the killed one is back" within 15 guardian_is_new lb2 "$killed"
check "and stands by" within 15 status_says lb2 secondary
check "exactly one has the addresses" within 10 one_serves

# ---- power

on=lb1 off=lb2
serves lb1 || { on=lb2; off=lb1; }
outage_below 1000 "power loss" node_power_loss $on
check "after a loss of power the other one serves" serves $off
check "and the client is answered by that one" answered_by $off

node_boot $on ${on#lb}
check "the machine comes back and hbd starts with it" within 20 status_says $on secondary
check "it stands by" silent $on
check "who served goes on" serves $off
