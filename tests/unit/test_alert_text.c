/* Alerts in words: one record, one thing made different, and what a human reads. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../hbd/core/time.h"
#include "../../hbd/io/alert_text.h"

#define NOON_NS (INT64_C(1795435200) * HBD_S_NS)	/* 2026-11-23 12:00:00 UTC */

static const struct alert_frame frame = {
	.cluster = "shop", .node = "lb2", .realtime_ns = NOON_NS + HBD_S_NS,
};

struct row {
	const char *name;
	struct record_alert alert;
	const char *subject;
	const char *brief;
	const char *body[4];	/* each is in it, in this order */
};

#define LB2(...) { .node = "lb2", .peer = "lb1", .realtime_ns = NOON_NS, __VA_ARGS__ }

/* clang-format off */
static const struct row rows[] = {
	{ "the primary fell silent: who serves, what is lost, where to look",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .reason = HBD_REASON_PEER_SILENT, .role = HBD_ROLE_PRIMARY, .epoch = 7),
	  "[hbd shop] CRITICAL: lb1 is offline, lb2 is primary now for web",
	  "lb1 is offline. lb2 is primary now for web. There is no standby until lb1 is repaired.",
	  { "lb2 took over web because lb1 fell silent on every link.",
	    "2026-11-23 12:00:00.000 UTC (+0000)\n  (CRITICAL: takeover, peer-silent, epoch 7)",
	    "LOST. There is no standby until lb1 is repaired", "systemctl start hbd" } },
	{ "the primary's daemon was stopped",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .reason = HBD_REASON_PEER_STOPPED, .role = HBD_ROLE_PRIMARY),
	  "[hbd shop] CRITICAL: hbd on lb1 was stopped, lb2 is primary now for web",
	  "hbd on lb1 was stopped. lb2 is primary now for web. There is no standby until lb1 is "
	  "repaired.", { "because hbd was stopped on lb1." } },
	{ "the primary's daemon died",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .reason = HBD_REASON_PEER_DIED, .role = HBD_ROLE_PRIMARY),
	  "[hbd shop] CRITICAL: hbd on lb1 died, lb2 is primary now for web",
	  "hbd on lb1 died. lb2 is primary now for web. There is no standby until lb1 is repaired.",
	  { "because hbd died on lb1." } },
	{ "a peer that never spoke",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .reason = HBD_REASON_ALONE, .role = HBD_ROLE_PRIMARY),
	  "[hbd shop] CRITICAL: lb1 has not been heard yet, lb2 is primary now for web",
	  "lb1 has not been heard yet. lb2 is primary now for web. There is no standby until lb1 is "
	  "repaired.", { "because lb1 was not heard since hbd started on lb2." } },
	{ "the old primary is alive but has a fault",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .reason = HBD_REASON_PEER_FAULT, .role = HBD_ROLE_PRIMARY, .peer_alive = true),
	  "[hbd shop] WARNING: lb1 has a fault, lb2 is primary now for web",
	  "lb1 cannot serve web. lb2 is primary now. There is no standby until the fault on lb1 is "
	  "repaired.", { "LOST. lb1 is alive but has a fault" } },
	{ "it handed over because of a fault",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .reason = HBD_REASON_PEER_RESIGNED, .role = HBD_ROLE_PRIMARY, .peer_alive = true,
	      .peer_role = HBD_ROLE_FAULT),
	  "[hbd shop] WARNING: lb1 has a fault, lb2 is primary now for web",
	  "lb1 cannot serve web. lb2 is primary now. There is no standby until the fault on lb1 is "
	  "repaired.", { NULL } },
	{ "it handed over because a check fails there",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .reason = HBD_REASON_PEER_RESIGNED, .role = HBD_ROLE_PRIMARY, .peer_alive = true,
	      .peer_role = HBD_ROLE_SECONDARY, .peer_faulty = true),
	  "[hbd shop] WARNING: lb1 has a fault, lb2 is primary now for web",
	  "lb1 cannot serve web. lb2 is primary now. There is no standby until the fault on lb1 is "
	  "repaired.", { "LOST. lb1 is alive but has a fault or a check that fails" } },
	{ "the other is in maintenance: no standby",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .reason = HBD_REASON_PEER_MAINTAINED, .role = HBD_ROLE_PRIMARY, .peer_alive = true,
	      .peer_maintained = true),
	  "[hbd shop] WARNING: lb2 is primary now for web; lb1 is in maintenance",
	  "lb2 is primary now for web: nobody served and lb1 is in maintenance. lb1 is in maintenance: "
	  "there is no standby until that is over.",
	  { "LOST until the maintenance of lb1 is over.", "on lb1", "hbctl maintenance off" } },
	{ "it cannot serve, and the other is in maintenance",
	  LB2(.kind = HBD_ALERT_RELEASED, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .reason = HBD_REASON_FAULT, .role = HBD_ROLE_FAULT, .peer_alive = true,
	      .peer_maintained = true),
	  "[hbd shop] CRITICAL: NOBODY SERVES web: lb2 let go, lb1 is in maintenance",
	  "lb2 let web go: NOBODY SERVES web, as lb1 is in maintenance. To end that, on lb1: hbctl "
	  "maintenance off", { "Nobody.", "on lb1:", "hbctl maintenance off" } },
	{ "maintenance begins",
	  LB2(.kind = HBD_ALERT_MAINTENANCE, .severity = HBD_SEVERITY_WARNING, .peer_alive = true),
	  "[hbd shop] WARNING: lb2 is in maintenance: no standby",
	  "lb2 is in maintenance: it hands over what it serves and takes nothing over. There is no "
	  "standby until it ends.", { "without a break", "on lb2", "hbctl maintenance off" } },
	{ "it goes on, a day later",
	  LB2(.kind = HBD_ALERT_MAINTAINED, .severity = HBD_SEVERITY_WARNING, .peer_alive = true),
	  "[hbd shop] WARNING: lb2 is still in maintenance: no standby",
	  "lb2 is still in maintenance and takes nothing over: there is no standby. To end it, on lb2: "
	  "hbctl maintenance off", { "once a day", "hbctl maintenance off" } },
	{ "it is over",
	  LB2(.kind = HBD_ALERT_MAINTENANCE_OVER, .severity = HBD_SEVERITY_INFO, .peer_alive = true),
	  "[hbd shop] OK: the maintenance of lb2 is over",
	  "The maintenance of lb2 is over. It stands by again.", { "RESTORED" } },
	{ "it is over, and the other is not there",
	  LB2(.kind = HBD_ALERT_MAINTENANCE_OVER, .severity = HBD_SEVERITY_INFO),
	  "[hbd shop] OK: the maintenance of lb2 is over",
	  "The maintenance of lb2 is over. lb1 is not alive: there is no standby.",
	  { "LOST as long as lb1 is not heard." } },
	{ "the other dies meanwhile: what to type",
	  LB2(.kind = HBD_ALERT_UNSERVED, .severity = HBD_SEVERITY_CRITICAL, .detail = "web"),
	  "[hbd shop] CRITICAL: NOBODY SERVES web: lb1 is not heard, lb2 is in maintenance",
	  "lb1 is not heard and lb2 is in maintenance: NOBODY SERVES web. To have lb2 serve, there: "
	  "hbctl maintenance off",
	  { "so it does not take web over", "LOST, and the service", "on lb2",
	    "hbctl maintenance off" } },
	{ "the other has a fault meanwhile",
	  LB2(.kind = HBD_ALERT_UNSERVED, .severity = HBD_SEVERITY_CRITICAL, .detail = "web",
	      .peer_alive = true),
	  "[hbd shop] CRITICAL: NOBODY SERVES web: lb2 is in maintenance",
	  "lb1 does not serve and lb2 is in maintenance: NOBODY SERVES web. To have lb2 serve, there: "
	  "hbctl maintenance off", { "hbctl maintenance off", "why it does not serve" } },
	{ "it moved too often",
	  LB2(.kind = HBD_ALERT_DAMPED, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .role = HBD_ROLE_PRIMARY, .peer_alive = true, .detail = "450 s"),
	  "[hbd shop] WARNING: web moved too often: it stays on lb2 for now",
	  "web moved too often in a short time. It stays on lb2 for 450 s, though lb1 is to be "
	  "preferred.", { "is never held back", "hbctl switchover web" } },
	{ "a planned move keeps the standby",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_INFO, .group = "web",
	      .reason = HBD_REASON_PEER_RESIGNED, .role = HBD_ROLE_PRIMARY, .peer_alive = true,
	      .peer_role = HBD_ROLE_SECONDARY),
	  "[hbd shop] INFO: lb2 is primary now for web",
	  "lb2 is primary now for web: lb1 handed over. lb1 is alive and stands by.",
	  { "hbctl switchover web" } },

	{ "letting go without a peer is an outage",
	  LB2(.kind = HBD_ALERT_RELEASED, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .reason = HBD_REASON_FAULT, .role = HBD_ROLE_FAULT),
	  "[hbd shop] WARNING: NOBODY SERVES web: lb2 let go",
	  "lb2 let web go: lb2 has a fault. lb1 is not there to take over: NOBODY SERVES web.",
	  { "LOST, and the service with it." } },
	{ "letting go for a fault leaves no standby",
	  LB2(.kind = HBD_ALERT_RELEASED, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .reason = HBD_REASON_TAKEOVER_FAILED, .role = HBD_ROLE_FAULT, .peer_alive = true),
	  "[hbd shop] WARNING: lb2 has a fault, lb1 takes over web",
	  "lb2 cannot serve web: the takeover on lb2 failed. lb1 takes over. There is no standby "
	  "until lb2 is repaired.", { NULL } },
	{ "letting go because the daemon stops",
	  LB2(.kind = HBD_ALERT_RELEASED, .severity = HBD_SEVERITY_INFO, .group = "web",
	      .reason = HBD_REASON_STOP, .role = HBD_ROLE_STOPPED, .peer_alive = true),
	  "[hbd shop] INFO: hbd on lb2 is stopping, lb1 takes over web",
	  "hbd on lb2 is being stopped. lb1 takes over web. There is no standby until hbd is started "
	  "on lb2.", { "systemctl start hbd" } },
	{ "letting go because the guardian died",
	  LB2(.kind = HBD_ALERT_RELEASED, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .reason = HBD_REASON_ORPHANED, .role = HBD_ROLE_RELEASING, .peer_alive = true),
	  "[hbd shop] CRITICAL: hbd's guardian on lb2 died, lb1 takes over web",
	  "hbd's guardian on lb2 died. lb2 handed web over to lb1, and hbd ends on lb2. There is no "
	  "standby until it runs again there.", { "On lb2:", "systemctl status hbd", "journalctl -k" } },
	{ "letting go because the guardian died, for nobody",
	  LB2(.kind = HBD_ALERT_RELEASED, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .reason = HBD_REASON_ORPHANED, .role = HBD_ROLE_RELEASING),
	  "[hbd shop] CRITICAL: NOBODY SERVES web: lb2 let go",
	  "lb2 let web go: hbd's guardian died on lb2. lb1 is not there to take over: NOBODY SERVES "
	  "web.", { "LOST, and the service with it." } },
	{ "taking over from one whose guardian died",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .reason = HBD_REASON_PEER_ORPHANED, .role = HBD_ROLE_PRIMARY),
	  "[hbd shop] CRITICAL: hbd's guardian on lb1 died, lb2 is primary now for web",
	  "hbd's guardian on lb1 died; lb1 handed over and hbd ended there. lb2 is primary now for web. "
	  "There is no standby until hbd runs again on lb1.", { "On lb1:", "systemctl status hbd" } },
	{ "a standby whose guardian died",
	  LB2(.kind = HBD_ALERT_PEER_LOST, .severity = HBD_SEVERITY_CRITICAL,
	      .reason = HBD_REASON_PEER_ORPHANED),
	  "[hbd shop] CRITICAL: hbd's guardian on lb1 died: no standby",
	  "hbd's guardian on lb1 died, and hbd ended there. lb2 goes on serving what it serves. There "
	  "is no standby until hbd runs again on lb1.", { "On lb1:", "systemctl status hbd" } },
	{ "letting go on request",
	  LB2(.kind = HBD_ALERT_RELEASED, .severity = HBD_SEVERITY_INFO, .group = "web",
	      .reason = HBD_REASON_SWITCHOVER, .role = HBD_ROLE_SECONDARY, .peer_alive = true),
	  "[hbd shop] INFO: lb2 let web go, lb1 takes over",
	  "lb2 is no longer primary for web: an operator asked for it. lb1 takes over, lb2 stands by.",
	  { NULL } },
	{ "the lease ran out",
	  LB2(.kind = HBD_ALERT_RELEASED, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .reason = HBD_REASON_LEASE_LOST, .role = HBD_ROLE_SECONDARY, .peer_alive = true),
	  "[hbd shop] WARNING: lb2 let web go, lb1 takes over",
	  "lb2 is no longer primary for web: the lease of lb2 ran out. lb1 takes over, lb2 stands by.",
	  { NULL } },

	{ "the standby is offline",
	  LB2(.kind = HBD_ALERT_PEER_LOST, .severity = HBD_SEVERITY_CRITICAL,
	      .reason = HBD_REASON_PEER_SILENT),
	  "[hbd shop] CRITICAL: lb1 is offline: no standby",
	  "lb1 is offline. lb2 goes on serving. There is no standby until lb1 is repaired.",
	  { "lb2 no longer hears lb1 on any link.", "lb2 goes on serving", "LOST.",
	    "systemctl start hbd" } },
	{ "the standby was stopped",
	  LB2(.kind = HBD_ALERT_PEER_LOST, .severity = HBD_SEVERITY_WARNING,
	      .reason = HBD_REASON_PEER_STOPPED),
	  "[hbd shop] WARNING: hbd on lb1 was stopped: no standby",
	  "hbd was stopped on lb1. lb2 goes on serving what it serves. There is no standby until hbd "
	  "runs again on lb1.", { NULL } },
	{ "the standby's daemon died",
	  LB2(.kind = HBD_ALERT_PEER_LOST, .severity = HBD_SEVERITY_CRITICAL,
	      .reason = HBD_REASON_PEER_DIED),
	  "[hbd shop] CRITICAL: hbd on lb1 died: no standby",
	  "hbd died on lb1; its machine is alive. lb2 goes on serving. There is no standby until hbd "
	  "runs again on lb1.", { NULL } },
	{ "the peer is back",
	  LB2(.kind = HBD_ALERT_PEER_BACK, .severity = HBD_SEVERITY_INFO, .peer_alive = true),
	  "[hbd shop] OK: lb1 is there, redundancy is restored",
	  "lb1 is there and stands by for lb2. Redundancy is restored. Nothing moved.",
	  { "RESTORED." } },

	{ "a fault of the primary",
	  LB2(.kind = HBD_ALERT_FAULT, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .role = HBD_ROLE_PRIMARY, .peer_alive = true, .detail = "check haproxy: refused"),
	  "[hbd shop] CRITICAL: fault on lb2, the primary for web: check haproxy: refused",
	  "lb2 is primary for web and has a fault: check haproxy: refused. If lb1 is well it takes "
	  "over.", { "hbctl status" } },
	{ "a fault of the standby",
	  LB2(.kind = HBD_ALERT_FAULT, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .role = HBD_ROLE_FAULT, .peer_alive = true, .detail = "interface eth0"),
	  "[hbd shop] WARNING: fault on lb2, no standby for web: interface eth0",
	  "lb2 has a fault and cannot stand by for web: interface eth0. What is served now is not "
	  "affected.", { "LOST for web until the fault is repaired." } },
	{ "a fault without a name points to the status",
	  LB2(.kind = HBD_ALERT_FAULT, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .role = HBD_ROLE_FAULT),
	  "[hbd shop] WARNING: fault on lb2, no standby for web: see hbctl status",
	  "lb2 has a fault and cannot stand by for web: see hbctl status. What is served now is not "
	  "affected.", { NULL } },
	{ "a fault is gone and the pair is whole",
	  LB2(.kind = HBD_ALERT_HEALED, .severity = HBD_SEVERITY_INFO, .group = "web",
	      .role = HBD_ROLE_SECONDARY, .peer_alive = true, .detail = "interface eth0"),
	  "[hbd shop] OK: the fault on lb2 is gone: interface eth0",
	  "lb2 can serve web again; the fault is gone: interface eth0. Redundancy is restored.",
	  { "RESTORED." } },
	{ "a fault is gone but the peer is not there",
	  LB2(.kind = HBD_ALERT_HEALED, .severity = HBD_SEVERITY_INFO, .group = "web",
	      .role = HBD_ROLE_SECONDARY, .detail = "interface eth0"),
	  "[hbd shop] OK: the fault on lb2 is gone: interface eth0",
	  "lb2 can serve web again; the fault is gone: interface eth0. lb1 is not alive: there is no "
	  "standby.", { "LOST as long as lb1 is not heard." } },

	{ "two owners met",
	  LB2(.kind = HBD_ALERT_TWO_OWNERS, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .role = HBD_ROLE_PRIMARY, .peer_alive = true),
	  "[hbd shop] CRITICAL: both nodes served web at once; lb2 keeps it",
	  "lb2 and lb1 both served web: heartbeats had been cut. lb2 keeps it, lb1 lets go. Compare "
	  "data that both may have written.", { "Find out what cut every heartbeat path" } },
	{ "configurations differ",
	  LB2(.kind = HBD_ALERT_CONFIG_DIFFERS, .severity = HBD_SEVERITY_WARNING,
	      .peer_alive = true),
	  "[hbd shop] WARNING: lb2 and lb1 have different configurations",
	  "The configurations of lb2 and lb1 differ. Nothing moves for that, but a failover may not "
	  "do what you expect.", { "hbd --check /etc/hbd/hbd.conf" } },
	{ "configurations agree",
	  LB2(.kind = HBD_ALERT_CONFIG_AGREES, .severity = HBD_SEVERITY_INFO, .peer_alive = true),
	  "[hbd shop] OK: lb2 and lb1 have the same configuration again",
	  "lb2 and lb1 have the same configuration again.", { NULL } },
	{ "keys differ",
	  LB2(.kind = HBD_ALERT_KEY_MISMATCH, .severity = HBD_SEVERITY_CRITICAL),
	  "[hbd shop] CRITICAL: lb2 and lb1 have different keys: no failover",
	  "Packets from lb1 do not fit the key of lb2. The nodes do not trust each other: there is no "
	  "redundancy until the keys agree.", { "LOST.", "mode 0600" } },
	{ "versions do not fit",
	  LB2(.kind = HBD_ALERT_VERSION_MISMATCH, .severity = HBD_SEVERITY_CRITICAL),
	  "[hbd shop] CRITICAL: lb2 and lb1 run versions that do not fit: no failover",
	  "The versions of hbd on lb2 and lb1 have no protocol in common: there is no redundancy "
	  "until one is upgraded.", { "hbd --version" } },
	{ "one of two links is dead",
	  LB2(.kind = HBD_ALERT_LINK_LOST, .severity = HBD_SEVERITY_WARNING, .peer_alive = true,
	      .detail = "10.78.0.2%eth1"),
	  "[hbd shop] WARNING: heartbeat link 10.78.0.2%eth1 between lb2 and lb1 is dead",
	  "Heartbeat link 10.78.0.2%eth1 between lb2 and lb1 is dead. Another still works: nothing "
	  "moved, but the next cut looks like a dead node.", { "Look at cable, switch" } },
	{ "the link works again",
	  LB2(.kind = HBD_ALERT_LINK_BACK, .severity = HBD_SEVERITY_INFO, .peer_alive = true,
	      .detail = "10.78.0.2%eth1"),
	  "[hbd shop] OK: heartbeat link 10.78.0.2%eth1 between lb2 and lb1 works again",
	  "Heartbeat link 10.78.0.2%eth1 between lb2 and lb1 works again.", { NULL } },
	{ "a plugin failed and the addresses are served",
	  LB2(.kind = HBD_ALERT_PLUGIN_FAILED, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .role = HBD_ROLE_PRIMARY, .detail = "conntrackd (Connection timed out)"),
	  "[hbd shop] WARNING: plugin conntrackd (Connection timed out) failed on lb2 for web",
	  "Plugin conntrackd (Connection timed out) failed on lb2 for web. lb2 serves the addresses, "
	  "but what the plugin was to do was not done.", { "by hand" } },
	{ "a plugin failed and so did the takeover",
	  LB2(.kind = HBD_ALERT_PLUGIN_FAILED, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .role = HBD_ROLE_FAULT, .detail = "postgresql"),
	  "[hbd shop] CRITICAL: plugin postgresql failed on lb2 for web",
	  "Plugin postgresql failed on lb2 for web, and lb2 is not primary for it. It tries again "
	  "later if nobody else serves.", { "LOST until the plugin's trouble is repaired." } },
	{ "someone deleted an address",
	  LB2(.kind = HBD_ALERT_ADDRESS_RESTORED, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .role = HBD_ROLE_PRIMARY, .peer_alive = true),
	  "[hbd shop] WARNING: someone removed an address of web from lb2; it is back",
	  "Something other than hbd removed an address of web from lb2. hbd put it back and announced "
	  "it.", { "NetworkManager" } },
	{ "heartbeats are lost, the peer is not",
	  LB2(.kind = HBD_ALERT_UNHEARD, .severity = HBD_SEVERITY_CRITICAL, .detail = "web"),
	  "[hbd shop] CRITICAL: lb2 no longer hears lb1, which still serves web",
	  "lb2 no longer hears lb1 on any link, but it still answers for web on the LAN. Nothing moved.",
	  { "which direction of which link is dead" } },
	{ "a stranger answers",
	  LB2(.kind = HBD_ALERT_CONFLICT, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .role = HBD_ROLE_SECONDARY, .detail = "192.0.2.100 on eth0 (02:00:00:00:00:09)"),
	  "[hbd shop] CRITICAL: a stranger answers for 192.0.2.100 on eth0 (02:00:00:00:00:09): lb2 "
	  "does not take web",
	  "A stranger answers for 192.0.2.100 on eth0 (02:00:00:00:00:09). lb2 does not take web over.",
	  { "ip neighbor" } },
	{ "a stranger interferes",
	  LB2(.kind = HBD_ALERT_CONTESTED, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .role = HBD_ROLE_PRIMARY, .detail = "192.0.2.100 on eth0 (02:00:00:00:00:09)"),
	  "[hbd shop] CRITICAL: a stranger uses 192.0.2.100 on eth0 (02:00:00:00:00:09), which lb2 "
	  "serves",
	  "A stranger uses 192.0.2.100 on eth0 (02:00:00:00:00:09), which lb2 serves. lb2 goes on; some "
	  "clients may reach the stranger.", { "The switch knows at which port" } },
	{ "it has gone",
	  LB2(.kind = HBD_ALERT_UNCONTESTED, .severity = HBD_SEVERITY_INFO, .group = "web",
	      .role = HBD_ROLE_PRIMARY, .detail = "192.0.2.100 on eth0 (02:00:00:00:00:09)"),
	  "[hbd shop] OK: the stranger no longer uses 192.0.2.100 on eth0 (02:00:00:00:00:09)",
	  "No stranger uses 192.0.2.100 on eth0 (02:00:00:00:00:09) any more.", { "Nothing has to" } },
	{ "cut off",
	  LB2(.kind = HBD_ALERT_ISOLATED, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .role = HBD_ROLE_SECONDARY, .detail = "192.0.2.1"),
	  "[hbd shop] CRITICAL: lb2 hears neither lb1 nor the gateway 192.0.2.1: it takes nothing over",
	  "lb2 hears neither lb1 nor the gateway 192.0.2.1, so lb2 itself seems to be cut off. It does "
	  "not take web over.", { "Look at the cables, interfaces and switches of lb2" } },
	{ "the witness refused",
	  LB2(.kind = HBD_ALERT_REFUSED, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .role = HBD_ROLE_SECONDARY),
	  "[hbd shop] CRITICAL: lb2 no longer hears lb1, which the witness knows as primary for web",
	  "lb2 no longer hears lb1 on any link, but the witness gave its vote to lb1. lb2 does not take "
	  "web over as long as lb1 renews that.", { "which direction of which link is dead" } },
	{ "no vote",
	  LB2(.kind = HBD_ALERT_NO_VOTE, .severity = HBD_SEVERITY_CRITICAL, .group = "web",
	      .role = HBD_ROLE_SECONDARY),
	  "[hbd shop] CRITICAL: lb2 hears neither lb1 nor the witness and does not take web over",
	  "lb2 hears neither lb1 nor the witness, so it may not take web over: lb1 may still serve.",
	  { "Bring the witness or lb1 back" } },
	{ "the witness does not answer",
	  LB2(.kind = HBD_ALERT_WITNESS_LOST, .severity = HBD_SEVERITY_WARNING, .peer_alive = true),
	  "[hbd shop] WARNING: lb2 does not reach the witness",
	  "The witness does not answer lb2. Nothing moved.", { "Look at the witness" } },
	{ "the witness answers again",
	  LB2(.kind = HBD_ALERT_WITNESS_BACK, .severity = HBD_SEVERITY_INFO, .peer_alive = true),
	  "[hbd shop] OK: lb2 reaches the witness again", "The witness answers lb2 again.",
	  { "Works." } },
	{ "a virtual machine that was paused",
	  LB2(.kind = HBD_ALERT_STOOD_STILL, .severity = HBD_SEVERITY_WARNING, .peer_alive = true,
	      .detail = "7012 ms"),
	  "[hbd shop] WARNING: lb2 stood still for 7012 ms, and its clock too",
	  "lb2 and its clock stood still for 7012 ms, as the clock of lb1 tells. What lb2 served may "
	  "have been taken over meanwhile.", { "hbctl switchover" } },
	{ "a switchover that was not taken",
	  LB2(.kind = HBD_ALERT_NOT_TAKEN, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .role = HBD_ROLE_SECONDARY, .peer_alive = true),
	  "[hbd shop] WARNING: switchover of web failed, lb2 serves again",
	  "lb1 did not take web over. lb2 is primary for web again.", { "Treat it as lost" } },
	{ "a switchover that did not begin",
	  LB2(.kind = HBD_ALERT_NOT_TAKEN, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .reason = HBD_REASON_NOT_READY, .role = HBD_ROLE_PRIMARY, .peer_alive = true),
	  "[hbd shop] WARNING: switchover of web given up, lb2 goes on serving",
	  "lb1 did not get ready to take web. lb2 never stopped serving.", { "Treat it as lost" } },
	{ "the engine died",
	  LB2(.kind = HBD_ALERT_ENGINE_DIED, .severity = HBD_SEVERITY_CRITICAL,
	      .detail = "killed by signal 9"),
	  "[hbd shop] CRITICAL: hbd's engine died on lb2",
	  "hbd's engine died on lb2 (killed by signal 9). Its addresses were removed, lb1 takes over "
	  "if it is alive. The engine is started again.", { "killed by signal 9" } },
	{ "there is no fence in the kernel",
	  LB2(.kind = HBD_ALERT_UNFENCED, .severity = HBD_SEVERITY_WARNING, .detail = "built without"),
	  "[hbd shop] WARNING: lb2 has no fence in the kernel",
	  "lb2 runs without the fence in the kernel (built without). If engine and guardian both hang, "
	  "its addresses answer for some seconds more.", { "until their lifetime" } },
	{ "the fence is back",
	  LB2(.kind = HBD_ALERT_FENCED, .severity = HBD_SEVERITY_INFO, .peer_alive = true),
	  "[hbd shop] OK: lb2 has its fence again",
	  "The fence in the kernel of lb2 is in force again.", { "Works." } },
	{ "someone added an address",
	  LB2(.kind = HBD_ALERT_STRAY, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .role = HBD_ROLE_SECONDARY, .detail = "10.77.0.100 on eth0", .peer_alive = true),
	  "[hbd shop] WARNING: somebody added 10.77.0.100 on eth0 of lb2; it was removed",
	  "Something other than hbd added 10.77.0.100 on eth0 of lb2, which does not serve web. hbd "
	  "removed it.", { "NetworkManager" } },
	{ "someone added one where hbd does not have it",
	  LB2(.kind = HBD_ALERT_ELSEWHERE, .severity = HBD_SEVERITY_WARNING, .group = "web",
	      .role = HBD_ROLE_SECONDARY, .detail = "10.77.0.100 on lo", .peer_alive = true),
	  "[hbd shop] WARNING: somebody added 10.77.0.100 on lo of lb2, which is not its interface",
	  "Something other than hbd added 10.77.0.100 on lo of lb2. hbd has web on another interface, "
	  "and leaves it there.", { "ip address del" } },
	{ "a test is no alarm",
	  LB2(.kind = HBD_ALERT_UNSET, .severity = HBD_SEVERITY_INFO, .test = true,
	      .peer_alive = true),
	  "[hbd shop] TEST: test of the alerts of lb2",
	  "This is a test of the alerts of lb2, asked for with hbctl alert test. Nothing happened.",
	  { "Somebody ran hbctl alert test on lb2." } },
	{ "records without names can be read",
	  { .kind = HBD_ALERT_PEER_LOST, .severity = HBD_SEVERITY_CRITICAL,
	    .realtime_ns = NOON_NS, .reason = HBD_REASON_PEER_SILENT },
	  "[hbd shop] CRITICAL: the peer is offline: no standby",
	  "the peer is offline. this node goes on serving. There is no standby until the peer is "
	  "repaired.", { NULL } },
};
/* clang-format on */

/* Where text is in body, wherever body's lines are broken; NULL. */
static const char *find_words(const char *body, const char *text)
{
	for (; *body; body++) {
		const char *b = body, *t = text;

		while (*t && (*b == *t || (*t == ' ' && *b == '\n'))) {
			b += isspace((unsigned char)*b) ? strspn(b, " \n") : 1;
			t += isspace((unsigned char)*t) ? strspn(t, " \n") : 1;
		}
		if (!*t)
			return body;
	}
	return NULL;
}

static bool fits_a_mail(const char *body)
{
	for (; *body; body += strcspn(body, "\n") + 1)
		if (strcspn(body, "\n") > 76)
			return false;
	return true;
}

/* Fails with the row's name in the output. */
static void check_body(const struct row *row, const char *body)
{
	const char *at = body;

	for (size_t i = 0; i < 4 && row->body[i]; i++) {
		at = find_words(at, row->body[i]);
		if (!at)
			fail_msg("%s: '%s' is missing, or not in its place, in:\n%s", row->name,
				 row->body[i], body);
	}
}

static void each_alert_says_what_happened_and_what_to_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct record_alert *only[] = { &rows[i].alert };
		struct alert_text text;

		print_message("%s\n", rows[i].name);
		assert_int_equal(alert_text_compose(only, 1, &frame, &text), 0);
		assert_string_equal(text.subject, rows[i].subject);
		assert_string_equal(text.brief, rows[i].brief);
		assert_int_equal(text.severity, rows[i].alert.severity);
		check_body(&rows[i], text.body);
		free(text.body);
	}
}

static void every_kind_has_a_row_here(void **state)
{
	(void)state;
	for (enum hbd_alert kind = 1; kind < HBD_ALERT_COUNT; kind++) {
		bool found = false;

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			found |= rows[i].alert.kind == kind;
		if (!found)
			fail_msg("no row for %s", hbd_alert_text(kind));
	}
}

/* Whatever is combined: no placeholder is left, no part is empty, a short text is one. */
static void all_combinations_are_whole(void **state)
{
	static const enum hbd_role roles[] = { HBD_ROLE_UNSET, HBD_ROLE_PRIMARY, HBD_ROLE_FAULT };

	(void)state;
	for (int i = 1; i < HBD_ALERT_COUNT * HBD_REASON_COUNT * 6; i++) {
		struct record_alert alert = LB2(.severity = HBD_SEVERITY_WARNING, .group = "web");
		const struct record_alert *only[] = { &alert };
		struct alert_text text;

		alert.kind = i % HBD_ALERT_COUNT;
		alert.reason = i / HBD_ALERT_COUNT % HBD_REASON_COUNT;
		alert.role = roles[i / HBD_ALERT_COUNT / HBD_REASON_COUNT % 3];
		alert.peer_alive = i / HBD_ALERT_COUNT / HBD_REASON_COUNT / 3;
		alert.test = alert.kind == HBD_ALERT_UNSET;
		assert_int_equal(alert_text_compose(only, 1, &frame, &text), 0);
		if (strpbrk(text.subject, "{}") || strpbrk(text.brief, "{}") ||
		    strpbrk(text.body, "{}") || strstr(text.body, "\n\n\n") ||
		    !fits_a_mail(text.body) || strlen(text.brief) > 160 || strstr(text.brief, "..."))
			fail_msg("kind %d reason %d:\n%s\n%s\n%s", alert.kind, alert.reason,
				 text.subject, text.brief, text.body);
		free(text.body);
	}
}

/* Good news goes to whom the bad news went. */
static const struct {
	const char *name;
	struct record_alert alert;
	enum hbd_severity reach;
} reaches[] = {
	{ "bad news has its own severity",
	  LB2(.kind = HBD_ALERT_LINK_LOST, .severity = HBD_SEVERITY_WARNING), HBD_SEVERITY_WARNING },
	{ "redundancy restored goes where lost went",
	  LB2(.kind = HBD_ALERT_PEER_BACK, .severity = HBD_SEVERITY_INFO), HBD_SEVERITY_CRITICAL },
	{ "a healed fault goes where the fault went",
	  LB2(.kind = HBD_ALERT_HEALED, .severity = HBD_SEVERITY_INFO), HBD_SEVERITY_CRITICAL },
	{ "a link that is back was a warning",
	  LB2(.kind = HBD_ALERT_LINK_BACK, .severity = HBD_SEVERITY_INFO), HBD_SEVERITY_WARNING },
	{ "configurations that agree were a warning",
	  LB2(.kind = HBD_ALERT_CONFIG_AGREES, .severity = HBD_SEVERITY_INFO), HBD_SEVERITY_WARNING },
	{ "a planned move is only information",
	  LB2(.kind = HBD_ALERT_TAKEOVER, .severity = HBD_SEVERITY_INFO), HBD_SEVERITY_INFO },
	{ "a test reaches everybody",
	  LB2(.test = true, .severity = HBD_SEVERITY_INFO), HBD_SEVERITY_CRITICAL },
};

static void good_news_reach_those_who_got_the_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(reaches) / sizeof(reaches[0]); i++) {
		print_message("%s\n", reaches[i].name);
		assert_int_equal(alert_text_reach(&reaches[i].alert), reaches[i].reach);
	}
}

#define GROUPS 10

/* Ten groups fail over at once. */
static void fill_failover(struct record_alert *alerts, const struct record_alert **pointers)
{
	for (int i = 0; i < GROUPS; i++) {
		alerts[i] = (struct record_alert)LB2(.kind = HBD_ALERT_TAKEOVER,
						     .severity = HBD_SEVERITY_CRITICAL,
						     .reason = HBD_REASON_PEER_SILENT,
						     .role = HBD_ROLE_PRIMARY, .epoch = 2);
		snprintf(alerts[i].group, sizeof(alerts[i].group), "%s%d",
			 i == 9 ? "a-rather-long-name-of-a-group-" : "group", i);
		pointers[i] = &alerts[i];
	}
}

static void ten_groups_are_one_story(void **state)
{
	struct record_alert alerts[GROUPS];
	const struct record_alert *pointers[GROUPS];
	struct alert_text text;

	(void)state;
	fill_failover(alerts, pointers);
	assert_int_equal(alert_text_compose(pointers, GROUPS, &frame, &text), 0);
	assert_string_equal(text.subject, "[hbd shop] CRITICAL: lb1 is offline, lb2 is primary now "
			    "for group0, group1, group2 and 7 more");
	assert_string_equal(text.brief, "lb1 is offline. lb2 is primary now for group0, group1, "
			    "group2 and 7 more. There is no standby until lb1 is repaired.");
	assert_non_null(find_words(text.body, "lb2 took over group0, group1, group2, group3, "
				   "group4, group5, group6, group7, group8 and "
				   "a-rather-long-name-of-a-group-9 because lb1 fell silent"));
	assert_null(strstr(text.body, "times"));
	assert_null(strstr(text.body, "In the order of time"));
	free(text.body);
}

static void a_later_event_is_told_with_the_headline(void **state)
{
	struct record_alert lost = LB2(.kind = HBD_ALERT_TAKEOVER, .group = "web",
				       .severity = HBD_SEVERITY_CRITICAL,
				       .reason = HBD_REASON_PEER_SILENT, .role = HBD_ROLE_PRIMARY);
	struct record_alert back = LB2(.kind = HBD_ALERT_PEER_BACK, .severity = HBD_SEVERITY_INFO,
				       .peer_alive = true);
	const struct record_alert *both[] = { &lost, &back };
	struct alert_frame late = frame;
	struct alert_text text;

	(void)state;
	back.realtime_ns += 60 * HBD_S_NS;
	late.realtime_ns = NOON_NS + 3600 * HBD_S_NS;
	assert_int_equal(alert_text_compose(both, 2, &late, &text), 0);
	assert_ptr_equal(text.headline, &lost);
	assert_string_equal(text.subject, "[hbd shop] CRITICAL: lb1 is offline, lb2 is primary now "
			    "for web (+1 more)");
	assert_string_equal(text.brief, "lb1 is offline. lb2 is primary now for web. There is no "
			    "standby until lb1 is repaired. Since then: lb1 is there, redundancy is "
			    "restored.");
	assert_non_null(find_words(text.body, "Since then: lb1 is there and stands by for lb2."));
	assert_non_null(find_words(text.body, "could not be delivered for 60 minutes"));
	free(text.body);
}

static void a_flapping_link_is_counted(void **state)
{
	struct record_alert alerts[60];
	const struct record_alert *pointers[60];
	struct alert_frame digest = frame;
	struct alert_text text;

	(void)state;
	for (int i = 0; i < 60; i++) {
		alerts[i] = (struct record_alert)LB2(.severity = HBD_SEVERITY_WARNING,
						     .detail = "eth1", .peer_alive = true);
		alerts[i].kind = i % 2 ? HBD_ALERT_LINK_BACK : HBD_ALERT_LINK_LOST;
		alerts[i].realtime_ns += i * HBD_S_NS;
		pointers[i] = &alerts[i];
	}
	digest.held = 60;
	digest.dropped = 12;
	assert_int_equal(alert_text_compose(pointers, 60, &digest, &text), 0);
	assert_non_null(find_words(text.body, "60 events were held back"));
	assert_non_null(find_words(text.body, "12 older alerts were dropped"));
	assert_non_null(find_words(text.body, "no longer on eth1. (30 times)"));
	assert_non_null(find_words(text.body, "again until 2026-11-23 12:00:59.000 UTC (+0000), "
				   "30 times"));
	free(text.body);
}

static void a_digest_of_very_much_stays_readable(void **state)
{
	enum { MANY = 500 };
	static struct record_alert alerts[MANY];
	static const struct record_alert *pointers[MANY];
	struct alert_text text;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		alerts[i] = (struct record_alert)LB2(.kind = HBD_ALERT_FAULT,
						     .severity = HBD_SEVERITY_WARNING);
		snprintf(alerts[i].detail, sizeof(alerts[i].detail), "check %d", i);
		pointers[i] = &alerts[i];
	}
	assert_int_equal(alert_text_compose(pointers, MANY, &frame, &text), 0);
	assert_true(strlen(text.body) < 64 * 1024);
	assert_non_null(find_words(text.body, "and 400 more: journalctl -u hbd"));
	assert_non_null(strstr(text.subject, "(+499 more)"));
	free(text.body);
}

static void what_does_not_fit_is_cut_at_a_letter(void **state)
{
	struct record_alert alert = LB2(.kind = HBD_ALERT_FAULT, .severity = HBD_SEVERITY_WARNING,
					.group = "web");
	const struct record_alert *only[] = { &alert };
	struct alert_text text;

	(void)state;
	for (size_t i = 0; i + 3 < sizeof(alert.detail); i += 2)
		memcpy(alert.detail + i, "\xc3\xa4", 3);
	for (int shift = 0; shift < 2; shift++) {
		snprintf(alert.node, sizeof(alert.node), "%s", shift ? "lb2" : "lb22");
		assert_int_equal(alert_text_compose(only, 1, &frame, &text), 0);
		assert_true(strlen(text.brief) <= 160);
		assert_string_equal(text.brief + strlen(text.brief) - 5, "\xc3\xa4...");
		free(text.body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_alert_says_what_happened_and_what_to_do),
		cmocka_unit_test(every_kind_has_a_row_here),
		cmocka_unit_test(all_combinations_are_whole),
		cmocka_unit_test(good_news_reach_those_who_got_the_bad),
		cmocka_unit_test(ten_groups_are_one_story),
		cmocka_unit_test(a_later_event_is_told_with_the_headline),
		cmocka_unit_test(a_flapping_link_is_counted),
		cmocka_unit_test(a_digest_of_very_much_stays_readable),
		cmocka_unit_test(what_does_not_fit_is_cut_at_a_letter),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
