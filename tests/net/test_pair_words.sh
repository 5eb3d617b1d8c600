#!/bin/bash
# What humans read when a plugin fails: its own words, of the last try, in status and in the message.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

plugins=$bed_dir/plugins
mkdir -p "$plugins/takeover" "$plugins/alert"
install -d -m 777 "$bed_dir/said"
printf '#!/bin/sh\necho "the disk is gone"\nexit 3\n' >"$plugins/takeover/three"
cat >"$plugins/alert/picky" <<END
#!/bin/sh
[ ! -e $bed_dir/broken ] || { echo "\$(cat $bed_dir/broken)"; exit 1; }
cat >>$bed_dir/said/alerts.\$HBD_NODE
END
chmod +x "$plugins"/*/*

node_start() {
	background "hbd.$1" "$1" "$PWD/$BUILD/hbd" -c "$bed_dir/hbd.conf" -n "$1" \
		--run-dir "$bed_dir/$1.run" --state-dir "$bed_dir/$1.state" --plugin-dir "$plugins"
}
alerted() { cat "$bed_dir/said/alerts.$1" 2>/dev/null | grep -q -F -e "$2"; }
serves() { [ "$(status lb1 .groups.0.role)" = primary ]; }
failed_with() { [ "$(status lb1 .groups.0.last_failure.error)" = "$1" ]; }
pending() { [ "$(status lb1 .alerts.pending)" "$@" ]; }
test_says() {
	local said
	said=$(ctl lb1 alert test 2>&1)
	[[ $said == *"$1"* ]] || { echo "$said"; return 1; }
}

CONF_TAKEOVER='{ plugin = "three"; order = "after"; }' CONF_ALERTS='{ plugin = "picky"; severity = "info"; }' \
	bed_conf fast >"$bed_dir/hbd.conf"
# one after the other, so that it is known who serves
node_start lb1
must "the first one serves" within 20 serves
node_start lb2
await_pair lb1 lb2

check "a plugin's exit status and last line are in the status" within 5 \
	failed_with "exit status 3: the disk is gone"
check "and in the message" within 5 alerted lb1 "three (exit status 3: the disk is gone)"
await_told

echo "the relay is closed" >"$bed_dir/broken"
check "a test that fails tells why" test_says "exit status 1: the relay is closed"
sleep 2
long=$(printf 'the server said something long %.0s' 1 2 3)
echo "$long" >"$bed_dir/broken"
check "the next one is tried at once, and tells of that try" test_says "something long"
rm "$bed_dir/broken"
check "after the repair the next one is delivered" test_says "was delivered after"
check "with what waited" within 3 pending -eq 0

echo "the relay is closed" >"$bed_dir/broken"
check "what fails" test_says "the relay is closed"
# it fails a second time after 5 s, and the next try is 10 s away
sleep 6
rm "$bed_dir/broken"
kill -HUP "$(guardian lb1)"
sleep 4
check "is tried at once after a reload, too" pending -eq 0
exit "$check_failed"
