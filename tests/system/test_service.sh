#!/bin/bash
# hbd as a service of a real systemd, on one machine whose peer is away.
. tests/system/pair.sh

bed_up
node_boot lb1 1
must "installation makes the user and the folders" hbd_install lb1

# ---- start

node lb1 sh -c 'echo "cluster = 7; clustre = \"x\";" >/etc/hbd/hbd.conf'
check "a broken configuration does not start" not node lb1 systemctl start hbd
check "and the journal names file and line" journal lb1 -g 'hbd.conf:1: '
check "it is not tried again" test "$(state lb1)" = failed/failed

hbd_configure lb1
must "start returns when hbd is ready" node lb1 systemctl start hbd
check "it is active" test "$(state lb1)" = active/running
check "systemctl status has a text" test -n "$(property lb1 StatusText)"
check "the watchdog is armed" test "$(property lb1 WatchdogUSec)" != 0
must "alone, it serves" within 15 serves lb1
check "a client reaches the addresses" within 5 answers
check "the status text follows" within 5 status_says lb1 primary
check "the journal has the group as a field" within 5 journal lb1 HBD_GROUP=web
entries=$(node lb1 journalctl -q -u hbd -o json HBD_GROUP=web)
check "and the reason" grep -q HBD_REASON <<<"$entries"
check "and an id of the kind of event" grep -q MESSAGE_ID <<<"$entries"

# ---- privileges

# privilege PID LINE: does its /proc/PID/status have it?
privilege() { node lb1 grep -qxP "$2" "/proc/$1/status"; }
engine=$(engine lb1)
must "there is a process with real-time scheduling" test -n "$engine"
check "the guardian is root" privilege "$(guardian lb1)" 'Uid:\t0\t0\t0\t0'
check "the engine is not" privilege "$engine" 'Uid:(\t[1-9][0-9]*){4}'
# CAP_NET_ADMIN 12, CAP_NET_RAW 13, CAP_IPC_LOCK 14, CAP_SYS_NICE 23
check "the engine holds its four capabilities and no other" privilege "$engine" 'CapEff:\t0000000000807000'
check "the engine can gain none" privilege "$engine" 'NoNewPrivs:\t1'
check "its memory is locked" privilege "$engine" 'VmLck:\s+[1-9][0-9]* kB'

# ---- reload

pids=$(guardian lb1)/$(engine lb1)
check "a reload with the same file is accepted" node lb1 systemctl reload hbd
node lb1 sh -c 'cp /etc/hbd/hbd.conf /etc/hbd/good; echo "nonsense" >>/etc/hbd/hbd.conf'
check "a reload with a broken file is refused" not node lb1 systemctl reload hbd
sleep 1
check "and changes nothing: same processes" test "$(guardian lb1)/$(engine lb1)" = "$pids"
check "and changes nothing: it serves" serves lb1
check "it is still active" test "$(state lb1)" = active/running
node lb1 mv /etc/hbd/good /etc/hbd/hbd.conf

# ---- death

engine=$(engine lb1)
restarts=$(property lb1 NRestarts)
node lb1 kill -KILL "$engine"
check "a killed engine is started again by the guardian" within 10 engine_is_new lb1 "$engine"
check "and serves again" within 15 serves lb1
check "without a restart of the service" test "$(property lb1 NRestarts)" = "$restarts"

engine=$(engine lb1)
node lb1 kill -STOP "$engine"
check "a stopped engine is replaced" within 30 engine_is_new lb1 "$engine"
check "and serves again after that" within 15 serves lb1

guardian=$(guardian lb1)
restarts=$(property lb1 NRestarts)
node lb1 kill -STOP "$guardian"
check "systemd's watchdog replaces a stopped guardian" within 40 guardian_is_new lb1 "$guardian"
check "and the journal says that it was the watchdog" journal lb1 -g 'Watchdog timeout'
check "the service counts the restart" test "$(property lb1 NRestarts)" -gt "$restarts"
check "and serves again after the watchdog" within 20 serves lb1

guardian=$(guardian lb1)
engine=$(engine lb1)
node lb1 kill -KILL "$guardian"
check "a killed guardian is started again by systemd" within 20 guardian_is_new lb1 "$guardian"
check "and serves again after that death" within 20 serves lb1
check "the old engine is gone" not node lb1 kill -0 "$engine"

guardian=$(guardian lb1)
node lb1 kill -KILL "$(engine lb1)" "$guardian"
check "after the death of both it is started again" within 20 guardian_is_new lb1 "$guardian"
check "and serves after the death of both" within 20 serves lb1

# ---- stop

started=$EPOCHREALTIME
check "stop succeeds" node lb1 systemctl stop hbd
check "the result is success" test "$(property lb1 Result)" = success
check "within 5 s" awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { exit b - a > 5 }'
check "no address is left" silent lb1
check "no process is left" not node lb1 pgrep -x hbd
check "no process of its user is left" not node lb1 pgrep -u hbd
check "no file is left in /run" not node lb1 test -e /run/hbd
