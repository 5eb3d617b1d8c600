#!/bin/bash
# P4: heartbeats are lost while the LAN is intact. The standby asks the LAN, the primary answers, and
# nothing moves until it no longer does. MUTE_SECONDS: how long they are lost, instead of 3 s, and then in
# the other direction too.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

plugins=$bed_dir/plugins
mkdir -p "$plugins/alert"
install -d -m 777 "$bed_dir/said"
cat >"$plugins/alert/keep" <<END
#!/bin/sh
cat >>$bed_dir/said/alerts.\$HBD_NODE
END
chmod +x "$plugins"/*/*

node_start() {
	background "hbd.$1" "$1" "$PWD/$BUILD/hbd" -c "$bed_dir/hbd.conf" -n "$1" \
		--run-dir "$bed_dir/$1.run" --state-dir "$bed_dir/$1.state" --plugin-dir "$plugins"
}
logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }
alerted() { cat "$bed_dir/said/alerts.$1" 2>/dev/null | grep -q -e "$2"; }
subjects() { grep -o '"subject": *"[^"]*"' "$bed_dir/said/alerts.$1" 2>/dev/null; }
sent() { grep -o '"contract"' "$bed_dir/said/alerts.$1" 2>/dev/null | wc -l; }
sent_one() { subjects "$1"; [ "$(sent "$1")" = 1 ]; }
says() { ctl "$1" status | tr -s '\n ' ' ' | grep -q -e "$2"; }
role() { [ "$(status "$1" .groups.0.role)" = "$2" ]; }
forget() { await_told; rm -f "$bed_dir"/said/alerts.*; }
file=$bed_dir/prober

# watch SECONDS: what the client sees meanwhile
watch() {
	prober_start "$file" "$vip"
	prober_mark
	sleep "$1"
	prober_stop
}
nothing_moves() {
	check_number "$1: there is one owner" "$file" .owners.two_ms 0 0
	check "$1: it is lb1 all the time" [ "$(json "$file" .answers.lb2)" = "" ]
	check "$1: lb1 is primary" role lb1 primary
	check "$1: lb2 is not" role lb2 secondary
}

# one_direction PROFILE MUTED OTHER
one_direction() {
	mute "$2"
	watch "${MUTE_SECONDS:-3}"
	nothing_moves "$1, one direction, from $2"
	check "$1: $2 names the direction" within 10 alerted "$2" "$3 receives nothing that $2 sends"
	check "$1: and so does its status" says "$2" "$3 receives nothing on the link"
	check "$1: $2 sends one alert" sent_one "$2"
	check "$1: $3 says that it hears nothing" within 5 alerted "$3" '"peer-unheard"\|"peer-lost"'
	check "$1: once, and nothing else" sent_one "$3"
	heal
	await_pair lb1 lb2
	check "$1: $2 says when it is over" within 10 alerted "$2" '"link-back"'
	check "$1: and so does $3" within 10 alerted "$3" '"peer-back"'
	forget
}

# make_conf PROFILE: for $vip, with $gateway if it is set
make_conf() {
	CONF_ALERTS='{ plugin = "keep"; severity = "info"; }' bed_conf "$1" >"$bed_dir/hbd.conf"
	[ "$vip" = $bed_vip4 ] || sed -i "s|$bed_vip4/24|$bed_vip6/64|" "$bed_dir/hbd.conf"
	[ -z "${gateway:-}" ] || sed -i "s|prefer = \"lb1\";|& gateway = \"$gateway\";|" "$bed_dir/hbd.conf"
}

try_profile() {
	make_conf "$1"
	pair_start
	forget

	mute lb1; mute lb2
	watch "${MUTE_SECONDS:-3}"
	nothing_moves "$1, both directions"
	check "$1: the standby says what it is" within 5 alerted lb2 '"peer-unheard"'
	check "$1: once, and nothing else" sent_one lb2
	check "$1: the primary says that nobody stands by" within 5 alerted lb1 '"peer-lost"'
	check "$1: once, and nothing else" sent_one lb1
	heal
	check "$1: and when it is over" within 10 alerted lb2 '"peer-back"'
	await_pair lb1 lb2
	forget

	one_direction "$1" lb1 lb2
	[ -z "${MUTE_SECONDS:-}" ] || one_direction "$1" lb2 lb1

	mute lb1; mute lb2
	sleep 1
	prober_start "$file" "$vip"
	sleep 0.2
	prober_mark
	power_loss lb1
	sleep 2
	prober_stop
	check "$1: an unheard primary that dies is replaced" [ "$(json "$file" .last)" = lb2 ]
	heal
	node_stop lb2
	power_on lb1
	# what lb1 had to tell is gone with it
	rm -rf "$bed_dir"/said/alerts.* "$bed_dir"/lb1.state/spool
}

# try_gateway NAME: who is cut off from everything claims nothing, and a standby that reaches the gateway
# loses no time. The gateway is the client's machine.
try_gateway() {
	make_conf fast
	pair_start
	forget

	silence lb2 lan xo
	check "$1: the standby that is cut off says so" within 5 alerted lb2 "nor the gateway $gateway"
	check "$1: and in its status" says lb2 "hears neither lb1 nor the gateway $gateway"
	check "$1: once, and nothing else" sent_one lb2
	check "$1: it claims nothing" role lb2 secondary
	check "$1: lb1 is primary" role lb1 primary
	heal
	check "$1: and when it is over" within 10 alerted lb2 '"peer-back"'
	await_pair lb1 lb2

	prober_start "$file" "$vip"
	sleep 0.2
	prober_mark
	power_loss lb1
	sleep 1
	prober_stop
	check "$1: a primary that dies is replaced" [ "$(json "$file" .last)" = lb2 ]
	check_number "$1: as soon as without a gateway (ms)" "$file" .gap_ms 0 200
	node_stop lb2
	power_on lb1
	rm -rf "$bed_dir"/said/alerts.* "$bed_dir"/lb1.state/spool
}

vip=$bed_vip4 gateway=10.77.0.250 try_gateway gateway
vip=$bed_vip4 try_profile fast
vip=$bed_vip4 try_profile lan
vip=$bed_vip6 gateway=fd77::250 try_profile fast
exit "$check_failed"
