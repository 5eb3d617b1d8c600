#!/bin/bash
# P4: heartbeats are lost while the LAN is intact. The standby asks the LAN, the primary answers, and
# nothing moves until it no longer does.
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
alerts() { cat "$bed_dir/said/alerts.$1" 2>/dev/null | grep -c -e "$2"; }
role() { [ "$(status "$1" .groups.0.role)" = "$2" ]; }
forget() { rm -f "$bed_dir"/said/alerts.*; }
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

try_profile() {
	CONF_ALERTS='{ plugin = "keep"; severity = "info"; }' bed_conf "$1" >"$bed_dir/hbd.conf"
	[ "$vip" = $bed_vip4 ] || sed -i "s|$bed_vip4/24|$bed_vip6/64|" "$bed_dir/hbd.conf"
	pair_start
	sleep 1
	forget

	mute lb1; mute lb2
	watch 3
	nothing_moves "$1, both directions"
	check "$1: the standby says what it is" within 5 alerted lb2 '"peer-unheard"'
	check "$1: once" [ "$(alerts lb2 peer-unheard)" = 1 ]
	heal
	check "$1: and when it is over" within 10 alerted lb2 '"peer-back"'
	await_pair lb1 lb2
	forget

	mute lb1
	watch 3
	nothing_moves "$1, one direction"
	check "$1: the standby says so" within 5 alerted lb2 '"peer-unheard"'
	check "$1: the primary names the direction" within 10 alerted lb1 'lb2 receives nothing that lb1 sends'
	heal
	await_pair lb1 lb2

	mute lb1; mute lb2
	sleep 1
	prober_start "$file" "$vip"
	sleep 0.2
	prober_mark
	power_loss lb1
	sleep 2
	prober_stop
	check "$1: an unheard primary that dies is replaced" [ "$(json "$file" .gap.to)" = lb2 ]
	heal
	node_stop lb2
	power_on lb1
	forget
}

vip=$bed_vip4 try_profile fast
vip=$bed_vip4 try_profile lan
vip=$bed_vip6 try_profile fast
exit "$check_failed"
