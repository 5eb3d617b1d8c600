#!/bin/bash
# hbctl maintenance on two real nodes: handed over without a loss, kept over a restart, not left by a failure.
# And failback.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
has() { ip -n "$1" addr show dev eth0 | grep -q -F "$2/"; }
says() { ctl "$1" status 2>/dev/null | head -n 1 | grep -q -e "$2"; }
level() { ctl "$1" status >/dev/null; [ $? -ge "$2" ]; }
refuses() { ! ctl "$1" maintenance on 2>"$bed_dir/refusal" && grep -q -e "$2" "$bed_dir/refusal"; }
fails_to_end() { ! ctl lb1 maintenance off 2>"$bed_dir/refusal" && grep -q "Nothing changed" "$bed_dir/refusal" &&
	says lb1 "lb1 is IN MAINTENANCE"; }
file=$bed_dir/prober

bed_conf fast | sed 's/prefer = "lb1";/& failback = "auto"; failback_after_s = 2;/' >"$bed_dir/hbd.conf"
pair_start

prober_start "$file" $bed_vip4
sleep 0.3
prober_mark
check "maintenance begins" ctl lb1 maintenance on
check "and is on the disk by then" [ -e "$bed_dir/lb1.state/maintenance" ]
check "the other serves" within 5 pair_ready lb2 lb1
sleep 0.3
prober_stop
check_number "no request is lost" "$file" .lost 0 0
check "the first line says so" says lb1 "lb1 is IN MAINTENANCE"
check "on the other node, too" says lb2 "lb1 is IN MAINTENANCE"
check "monitoring sees it" level lb2 1
check "an alert was raised" logged lb1 "alert: Somebody put lb1 into maintenance"
check "the other is refused" refuses lb2 "lb1 is in maintenance itself"
check "nor can it hand over" [ "$(status lb2 .groups.0.switchover)" = peer-in-maintenance ]

node_stop lb1
node_start lb1
check "a restart does not end it" within 5 says lb1 "lb1 is IN MAINTENANCE"
check "it is said again" within 5 logged lb1 "alert: lb1 is in maintenance. This is said once a day"
await_pair lb2 lb1

power_loss lb2
sleep 2
check "what the other lets fall it does not take" [ "$(status lb1 .groups.0.role)" = secondary ]
check "an alert says so" logged lb1 "alert: lb1 hears lb2 on no link. It is in maintenance, so it does not take web"
check "so does the first line" says lb1 "Nobody serves web"
check "maintenance ends" ctl lb1 maintenance off
check "and is gone from the disk" [ ! -e "$bed_dir/lb1.state/maintenance" ]
check "then it serves" within 10 has lb1 $bed_vip4

check "who is alone is refused" refuses lb1 "lb2 is not alive"
check "but may be forced" ctl lb1 maintenance on --force
check "and goes on serving" has lb1 $bed_vip4
power_on lb2
node_start lb2
check "until the other can take it" within 10 pair_ready lb2 lb1
mv "$bed_dir/lb1.state" "$bed_dir/lb1.away"
check "a disk that fails is said, and nothing changes" fails_to_end
mv "$bed_dir/lb1.away" "$bed_dir/lb1.state"
check "until the disk works again" ctl lb1 maintenance off
check "a group that is configured so goes back by itself" within 8 pair_ready lb1 lb2
check "by a planned move" logged lb2 "lb2 is draining now, was primary: the preferred node is well again"
node_stop lb1; node_stop lb2
exit "$check_failed"
