#!/bin/bash
# A stop of the node that serves: it hands over first, and nobody notices; what keeps it from that does not keep
# it from stopping.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

file=$bed_dir/prober
tcp=$bed_dir/tcp
logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
role() { [ "$(status "$1" .groups.0.role)" = "$2" ]; }
says() { ctl "$1" status 2>/dev/null | grep -q -F "$2"; }
has_ended() { ! kill -0 "$1" 2>/dev/null; }

for node in lb1 lb2; do
	background "tcp_service.$node" $node "$(tool tcp_service)" $node
	wait_line "$bed_dir/tcp_service.$node.log" ready || fail "the service of $node does not start"
done
for profile in fast lan; do
	CONF_DRAIN_S=30 CONF_IPV6=1 CONF_TOP="stop_s = 2;" bed_conf $profile >"$bed_dir/hbd.conf"
	pair_start
	prober_start "$file" $bed_vip4
	sleep 0.3
	prober_mark
	node_stop lb1
	check "$profile: after the stop the other one serves" role lb2 primary
	prober_stop
	check_number "$profile: no request is lost by a stop" "$file" .lost 0 0
	check "$profile: who drains announces nothing" not logged lb1 "cannot announce"

	node_start lb1
	await_pair lb2 lb1
	# connections that do not end
	background tcp client "$(tool tcp_prober)" --connections 20 $bed_vip4 $bed_vip6
	wait_line "$bed_dir/tcp.log" ready || fail "the TCP clients do not start: $(cat "$bed_dir/tcp.log")"
	sleep 0.5
	began=$SECONDS
	kill -TERM "$(guardian lb2)"
	sleep 1
	check "$profile: old connections are waited for" role lb2 draining
	check "$profile: and status says so" says lb2 "hbd is stopping on lb2. It hands web over to lb1."
	within 10 has_ended "$(guardian lb2)"
	check "$profile: but not for ever" [ $((SECONDS - began)) -le 8 ]
	check "$profile: the other one serves" role lb1 primary
	finish tcp
	finish hbd.lb2
	node_stop lb1
done

# nobody there to take it: no need to wait
bed_conf fast >"$bed_dir/hbd.conf"
node_start lb1
check "who is alone serves" within 10 role lb1 primary
began=$SECONDS
node_stop lb1
check "and stops at once" [ $((SECONDS - began)) -le 2 ]
