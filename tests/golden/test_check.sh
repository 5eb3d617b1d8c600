#!/bin/bash
# hbd --check beyond the file: plugins, their settings, users; and what the start says of the last.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/check.sh
hbd=$PWD/$BUILD/hbd
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
user=$(id -un)
plugins=$dir/plugins
mkdir -p "$plugins/takeover" "$plugins/alert" "$plugins/check" "$plugins/witness"
cp "$BUILD/plugins/check/"* "$plugins/check/"
cp "$BUILD/plugins/witness/etcd" "$plugins/witness/"
cp "$BUILD/plugins/takeover/exec" "$plugins/takeover/"
cp "$BUILD/plugins/alert/email" "$plugins/alert/"
(umask 077; printf '1 %064d\n' 7 >"$dir/key")

# One that knows no action, one that never answers, one that says nonsense.
printf '#!/bin/sh\n: >%s/ran\n' "$dir" >"$plugins/takeover/ignorant"
printf '#!/bin/sh\n# describe\nsleep 60\n' >"$plugins/takeover/slow"
printf '#!/bin/sh\n# describe\necho "{"\n' >"$plugins/takeover/nonsense"
chmod +x "$plugins"/*/*

# conf TAKEOVER ALERT [TOP]: line 6 has the first, line 8 the second, line 2 the last
conf() {
	local top=${3:-"user = \"$user\";"}
	cat >"$dir/hbd.conf" <<-END
	cluster = "web";
	$top plugin_user = "$user";
	nodes = ( { name = "lb1"; links = ( "10.78.0.1%eth1" ); }, { name = "lb2"; links = ( "10.78.0.2%eth1" ); } );
	keys = ( "$dir/key" );
	groups = ( { name = "web"; addresses = ( "10.77.0.100/24 dev eth0" ); takeover = (
	$1
	); } );
	alerts = ( $2 );
	END
}
# said STATUS LINE TEXT: that status, and that line of the file is blamed for that; LINE - for nothing
said() {
	local status=0
	"$hbd" --check "$dir/hbd.conf" --plugin-dir "$plugins" >"$dir/out" 2>"$dir/err" || status=$?
	[ "$2" = - ] || grep -q -F -e "$dir/hbd.conf:$2: $3" "$dir/err" || status="$status, not said"
	[ "$2" != - ] || [ ! -s "$dir/err" ] || status="$status, said"
	[ "$status" = "$1" ] && return
	echo "status $status"
	cat "$dir/err"
	return 1
}
row() { # NAME TAKEOVER ALERT STATUS LINE TEXT
	conf "$2" "$3"
	check "$1" said "${@:4}"
}

good='{ plugin = "email"; to = ( "ops@example.org" ); }'
row "all is well" '{ plugin = "exec"; takeover = "true"; }' "$good" 0 -
row "a plugin that does not exist, but a near one does" '{ plugin = "exce"; }' "$good" 1 6 \
	'there is no takeover plugin "exce"; did you mean "exec"?'
row "the same of an alert" '{ plugin = "exec"; }' '{ plugin = "emial"; to = "a@example.org"; }' 1 8 \
	'there is no alert plugin "emial"; did you mean "email"?'
row "one that may be on the node only" '{ plugin = "postgresql"; }' "$good" 0 6 \
	'warning: there is no takeover/postgresql in '
row "email without a recipient" '{ plugin = "exec"; }' '{ plugin = "email"; }' 1 8 \
	"the alert plugin \"email\" needs 'to': who gets it"
row "a setting that the plugin does not know" '{ plugin = "exec"; }' \
	'{ plugin = "email"; to = "a@example.org"; tsl = "off"; }' 1 8 \
	"'tsl' is not a setting of the alert plugin \"email\"; did you mean 'tls'?"
row "one that is near none" '{ plugin = "exec"; color = "red"; }' "$good" 1 6 \
	"'color' is not a setting of the takeover plugin \"exec\""
row "a word that is none" '{ plugin = "exec"; }' '{ plugin = "email"; to = "a@example.org"; tls = "of"; }' 1 8 \
	'tls: "of" is none of its words; did you mean "off"?'
row "a value of another type" '{ plugin = "exec"; takeover = 3; }' "$good" 1 6 'takeover: is not a string'
row "a program that does not know the question" '{ plugin = "ignorant"; any = 1; }' "$good" 0 -
check "is not run for it" [ ! -e "$dir/ran" ]
row "a description that is none says nothing" '{ plugin = "nonsense"; any = 1; }' "$good" 0 -
row "one that does not come in time" '{ plugin = "slow"; any = 1; }' "$good" 0 6 \
	'warning: the takeover plugin "slow" does not say in time what settings it has'
chmod g+w "$plugins/takeover/exec"
row "a program that would not be run" '{ plugin = "exec"; }' "$good" 0 6 'warning: '
chmod g-w "$plugins/takeover/exec"

for kind in 'unit = "a.service"' 'http = "http://127.0.0.1/"' 'tcp = "127.0.0.1:80"' 'file = "/run/ok"'; do
	row "a check of the kind ${kind%% *}" "); checks = ( { $kind; }" "$good" 0 -
	row "and a setting that it does not know" "); checks = ( { $kind; expct = 1; }" "$good" 1 6 \
		"'expct' is not a setting of the check plugin \"${kind%% *}\""
done
conf '{ plugin = "exec"; }' "$good" "user = \"$user\"; witness = ( { plugin = \"etcd\"; endpoint = \"http://a:1\"; } );"
check "a witness whose setting is misspelt" said 1 2 "'endpoint' is not a setting of the witness plugin \"etcd\"; did you mean 'endpoints'?"
check "and therefore missing" said 1 2 "the witness plugin \"etcd\" needs 'endpoints'"

conf '{ plugin = "exec"; }' "$good" 'user = "no-such-user";'
check "a user that is not on this machine" said 0 2 'warning: user: there is no user "no-such-user"'
started() {
	local status=0
	"$hbd" -c "$dir/hbd.conf" -n lb1 --run-dir "$dir/run" --state-dir "$dir/state" 2>"$dir/err" || status=$?
	[ $status -eq 2 ] && grep -q -F -e "$1" "$dir/err" && return
	cat "$dir/err"
	return 1
}
check "hbd does not start with it, and says where it is" started \
	"no such user 'no-such-user' on this host; 'user' in $dir/hbd.conf:2 names it"
exit "$check_failed"
