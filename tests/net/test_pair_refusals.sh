#!/bin/bash
# What hbd refuses to do while a pair runs, since half of it would be done.
# shellcheck disable=SC2317 # functions are called by check
. tests/lib/hbd.sh
bed_enter "$@"
bed_up

logged() { grep -q -e "$2" "$bed_dir/hbd.$1.log"; }

bed_conf fast >"$bed_dir/hbd.conf"
cp "$bed_dir/hbd.conf" "$bed_dir/first.conf"
pair_start

# ---- a reload that only half of hbd could follow -----------------------------------------------------
# refused WHAT EDIT: both nodes read the file after that edit by sed
refused() {
	local node
	sed "$2" "$bed_dir/first.conf" >"$bed_dir/hbd.conf"
	for node in lb1 lb2; do
		kill -HUP "$(guardian $node)"
		check "$node refuses a reload with another $1, and names it" within 5 \
			logged $node "nothing changes: $1 differs, which needs \"systemctl restart hbd\""
		check "$node still agrees with the other one" \
			[ "$(status $node .peer.mismatches)" = "[]" ]
	done
}
refused witness '$ a witness = ( { plugin = "etcd"; endpoints = ( "http://10.77.0.250:2379" ); } );'
refused port 's/^profile/port = 695; profile/'
refused "the order of the links" 's/"\(10.78.0..%eth1\)", "\(10.77.0..%eth0\)"/"\2", "\1"/'
refused "all links at once" 's/10[.]7\([78]\)[.]0[.]\([12]\)%/10.8\1.0.\2%/g'
check "and nothing moved" pair_ready lb1 lb2
cp "$bed_dir/first.conf" "$bed_dir/hbd.conf"

# ---- a second hbd in the same network namespace --------------------------------------------------------
# second EXIT STATUS, TEXT, ARGUMENT...: ends at once, and says that
second() {
	local status=0
	on lb1 timeout 5 "$PWD/$BUILD/hbd" --state-dir "$bed_dir/second.state" \
		--plugin-dir "$PWD/$BUILD/plugins" "${@:3}" >"$bed_dir/second.log" 2>&1 || status=$?
	grep -q -e "$2" "$bed_dir/second.log" && [ $status -eq "$1" ] && return
	echo "status $status: $(cat "$bed_dir/second.log")"
	return 1
}
has_vip() { ip -n lb1 addr show dev eth0 | grep -q -F "$1/"; }
conf=$bed_dir/hbd.conf
mkdir "$bed_dir/second.run"

before=$(status lb1 .groups.0.epoch)
on lb1 ip monitor address >"$bed_dir/addresses" &
monitor=$!
check "the same node with another run directory is refused" second 1 \
	"process $(guardian lb1), an hbd that runs as node lb1 of cluster bed" \
	-c "$conf" -n lb1 --run-dir "$bed_dir/second.run"
check "so is the other node, which has the same virtual address" second 1 \
	"has the address $bed_vip4%eth0, which" -c "$conf" -n lb2 --run-dir "$bed_dir/second.run"
sed 's/cluster = "bed"/cluster = "other"; port = 7000/' "$conf" >"$bed_dir/port.conf"
check "so is another cluster with it" second 1 "has the address $bed_vip4%eth0, which" \
	-c "$bed_dir/port.conf" -n lb1 --run-dir "$bed_dir/second.run"
sed "s/$bed_vip4/10.77.0.180/" "$conf" >"$bed_dir/link.conf"
check "and one with the same link and port" second 1 "has the link 10.7[78].0.1%eth[01], port 694, which" \
	-c "$bed_dir/link.conf" -n lb1 --run-dir "$bed_dir/second.run"
kill $monitor
check "no address of the one that runs was removed" not grep -q Deleted "$bed_dir/addresses"

# Another cluster with its own ports and addresses, beside a primary.
sed "s/$bed_vip4/10.77.0.180/" "$bed_dir/port.conf" >"$bed_dir/both.conf"
background second lb1 "$PWD/$BUILD/hbd" -c "$bed_dir/both.conf" -n lb1 \
	--run-dir "$bed_dir/second.run" --state-dir "$bed_dir/second.state" \
	--plugin-dir "$PWD/$BUILD/plugins"
check "one that shares nothing serves its own address" within 10 has_vip 10.77.0.180
check "and leaves that of the other one alone" has_vip $bed_vip4
finish second
check "also when it stops" has_vip $bed_vip4
check "and takes its own away" not has_vip 10.77.0.180
check "the pair did not notice any of them" pair_ready lb1 lb2
check "and is in the same epoch" [ "$(status lb1 .groups.0.epoch)" = "$before" ]
check "a run directory without a parent is named with what is missing" second 1 \
	"there is no folder $bed_dir/none to make it in" \
	-c "$bed_dir/both.conf" -n lb1 --run-dir "$bed_dir/none/run"
check "a node that the file does not have is a mistake" second 2 'there is no node "lb9"' \
	-c "$conf" -n lb9 --run-dir "$bed_dir/second.run"
sed 's/10.78.0.1%/10.78.0.9%/' "$conf" >"$bed_dir/nobody.conf"
check "so is not to know which node this is" second 2 "which node is this?" \
	-c "$bed_dir/nobody.conf" --run-dir "$bed_dir/second.run"
guardian=$(guardian lb1)
kill -9 "$guardian" "$(engine lb1)"
gone "$guardian"
check "what was killed is in nobody's way" not second 1 "in this network namespace" \
	-c "$conf" -n lb1 --run-dir "$bed_dir/second.run"

# ---- a node that cannot listen -------------------------------------------------------------------------
rm -rf "${bed_dir:?}/lb1.run" && mkdir "$bed_dir/lb1.run"
unset "bed_process[hbd.lb1]"
node_start lb1
must "the pair is whole again" within 20 pair_ready lb2 lb1
node_stop lb1
trouble() { [ "$(status lb1 .links.$1.trouble)" = "$2" ]; }
on lb1 ip addr del 10.77.0.1/24 dev eth0
on lb1 ip addr add 10.77.0.9/24 dev eth0
background thief lb1 python3 -c 'import socket, time
thief = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
thief.bind(("10.78.0.1", 694))
print("ready", flush=True)
time.sleep(60)'
must "another program takes the port of one link" wait_line "$bed_dir/thief.log" ready
node_start lb1
busy="its UDP port 694 is in use by another program ('ss -lunp' shows which)"
check "the status says so" within 5 trouble 0 "$busy"
check "so does the log" within 5 logged lb1 "cannot open its socket: its UDP port 694 is in use by"
check "and that the address of the other one is missing" within 5 \
	trouble 1 "its address is not on its interface"
check "and that the node is deaf" [ "$(status lb1 .deaf)" = True ]
power_loss lb2
sleep 4
check "its peer is dead, and it takes nothing over, which it could not know" not has_vip $bed_vip4
finish thief
check "once it can listen and hears nothing it does" within 10 has_vip $bed_vip4

exit "$check_failed"
