#!/bin/bash
# Two machines with hbd as a service: power loss, clean stop, reboot.
. tests/system/pair.sh

bed_up
for number in 1 2; do
	node_boot lb$number $number
	hbd_install lb$number
	hbd_configure lb$number
done
node lb2 systemctl enable -q hbd

node lb1 systemctl start hbd
node lb2 systemctl start hbd
must "the preferred node serves" within 15 serves lb1
check "the other one does not" silent lb2
check "both know it" within 10 status_says lb2 secondary
check "the client is answered by the preferred node" within 5 answered_by lb1

node lb1 systemctl stop hbd
check "after a clean stop the other one serves" within 5 serves lb2
check "and the client is answered by it" within 5 answered_by lb2
check "nothing is left on the stopped one" silent lb1
node lb1 systemctl start hbd
sleep 3
check "no failback by itself" serves lb2
check "the returned one stands by" silent lb1

node_power_loss lb2
check "after a loss of power the other one serves" within 5 serves lb1
check "and the client is answered by that one" within 5 answered_by lb1

node_boot lb2 2
check "the machine comes back and hbd starts with it" within 20 \
	status_says lb2 secondary
check "it stands by" silent lb2
check "who served goes on" serves lb1

node lb1 systemctl kill --signal=KILL --kill-who=all hbd
check "after all of hbd was killed a client is answered again" within 10 answers
