#!/bin/bash
# A health check fails on the primary: the standby takes over, both say why, and that nobody stands by until
# it is good again.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

plugins=$bed_dir/plugins
mkdir -p "$plugins"
cp -r "$BUILD/plugins/." "$plugins"
install -d -m 777 "$bed_dir/said" "$bed_dir/good"
cat >"$plugins/alert/keep" <<END
#!/bin/sh
cat >>$bed_dir/said/alerts.\$HBD_NODE
END
chmod +x "$plugins/alert/keep"
node_start() {
	background "hbd.$1" "$1" unshare --mount sh -c \
		"mount --bind $bed_dir/good/$1 $bed_dir/good/here && exec \"\$@\"" sh \
		"$PWD/$BUILD/hbd" -c "$bed_dir/hbd.conf" -n "$1" --run-dir "$bed_dir/$1.run" \
		--state-dir "$bed_dir/$1.state" --plugin-dir "$plugins"
}
alerted() { grep -q -e "$2" "$bed_dir/said/alerts.$1" 2>/dev/null; }
silent_on() { ! alerted "$1" "$2"; }
serves() { [ "$(status "$1" .groups.0.role)" = primary ]; }

mkdir "$bed_dir"/good/lb1 "$bed_dir"/good/lb2 "$bed_dir"/good/here
touch "$bed_dir"/good/lb1/ok "$bed_dir"/good/lb2/ok
chmod -R a+rX "$bed_dir/good"
CONF_ALERTS='{ plugin = "keep"; severity = "info"; }' bed_conf lan |
	sed "s|prefer = \"lb1\";|& checks = ( { file = \"$bed_dir/good/here/ok\"; interval_ms = 200; } );|" \
		>"$bed_dir/hbd.conf"
pair_start
await_told
rm -f "$bed_dir"/said/alerts.*

rm "$bed_dir/good/lb1/ok"
check "the other one takes over" within 10 serves lb2
await_told
check "lb1 says that it was the primary" alerted lb1 'lb1, the primary for web, has a fault: check'
check "and which check fails" alerted lb1 'check file'
check "and that lb2 takes over" alerted lb1 'lb2 takes over web'
check "it does not say that nothing is affected" silent_on lb1 'not affected'
check "lb2 says that lb1 has a fault" alerted lb2 'lb1 has a fault, lb2 is primary now for web'
check "and that nobody stands by" alerted lb2 'There is no standby until the fault on lb1 is repaired'
check "and not that lb1 stands by" silent_on lb2 'stands by\.'
rm -f "$bed_dir"/said/alerts.*

touch "$bed_dir/good/lb1/ok"
check "lb1 says when the check is good again" within 10 alerted lb1 'Redundancy is restored'
check "nothing moves back" serves lb2
exit "$check_failed"
