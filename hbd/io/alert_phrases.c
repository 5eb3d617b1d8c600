#include "alert_parts.h"

#include <string.h>

/* Which of a kind's texts fits; the first that does is taken. */
enum fits {
	FITS_ALWAYS = 0,
	FITS_ALONE,		/* the peer is not alive */
	FITS_PEER_FAULTY,	/* the peer is alive but cannot serve */
	FITS_PEER_STOPPED,
	FITS_PEER_DIED,
	FITS_STOPPING,		/* this node's daemon is stopping */
	FITS_FAULTY,		/* this node cannot serve */
	FITS_OWNER,		/* this node owns the group */
};

/* One table of what can be said. Placeholders: alert_expand() below. */
struct row {
	enum hbd_alert kind;
	enum fits fits;
	bool recovery;
	struct alert_phrase phrase;
};

#define LOOK_AT_PEER \
	"Find out whether {peer} has power and network. Then on {peer}:\n" \
	"    journalctl -u hbd -b        why it went\n" \
	"    systemctl start hbd         if it does not run\n"
#define LOOK_HERE \
	"On {node}:\n" \
	"    hbctl status                the present state\n" \
	"    journalctl -u hbd           what led to it\n"
#define MOVE_BACK \
	"Nothing moves back by itself. With both nodes well, on the primary:\n" \
	"    hbctl switchover {group}        moves it\n"

/* clang-format off */
static const struct row rows[] = {
	{ HBD_ALERT_TAKEOVER, FITS_ALONE, false, {
	  "{peer is}, {node} is primary now for {groups}",
	  "{peer is}. {node} is primary now for {groups}. There is no standby until {peer} is "
	  "repaired.",
	  "{node} took over {groups} because {why}.",
	  "{node} is primary now for {groups}.",
	  "LOST. There is no standby until {peer} is repaired: if {node} fails too, nobody serves "
	  "{groups}.",
	  LOOK_AT_PEER LOOK_HERE MOVE_BACK } },
	{ HBD_ALERT_TAKEOVER, FITS_PEER_FAULTY, false, {
	  "{peer} has a fault, {node} is primary now for {groups}",
	  "{peer} cannot serve {groups}. {node} is primary now. There is no standby until the fault "
	  "on {peer} is repaired.",
	  "{node} took over {groups} because {why}.",
	  "{node} is primary now for {groups}.",
	  "LOST. {peer} is alive but cannot serve: there is no standby until its fault is repaired.",
	  "On {peer}:\n"
	  "    hbctl status                names the fault\n"
	  "    journalctl -u hbd           what led to it\n" MOVE_BACK } },
	{ HBD_ALERT_TAKEOVER, FITS_ALWAYS, false, {
	  "{node} is primary now for {groups}",
	  "{node} is primary now for {groups}: {why}. {peer} is alive and stands by.",
	  "{node} took over {groups} because {why}.",
	  "{node} is primary now for {groups}.",
	  "{peer} is alive and stands by.",
	  LOOK_HERE MOVE_BACK } },

	{ HBD_ALERT_RELEASED, FITS_ALONE, false, {
	  "NOBODY SERVES {groups}: {node} let go",
	  "{node} let {groups} go: {why}. {peer} is not there to take over: NOBODY SERVES {groups}.",
	  "{node} let {groups} go because {why}. {peer} is not heard.",
	  "Nobody, unless {peer} serves without being heard.",
	  "LOST, and the service with it.",
	  LOOK_HERE
	  "    systemctl start hbd         if it was stopped\n" LOOK_AT_PEER } },
	{ HBD_ALERT_RELEASED, FITS_STOPPING, false, {
	  "hbd on {node} is stopping, {peer} takes over {groups}",
	  "hbd on {node} is being stopped. {peer} takes over {groups}. There is no standby until hbd "
	  "is started on {node}.",
	  "{node} let {groups} go because {why}.",
	  "{peer} takes over {groups}; it sends a message of its own.",
	  "LOST until hbd runs again on {node}.",
	  "If this was not wanted, on {node}:\n"
	  "    journalctl -u hbd           who stopped it\n"
	  "    systemctl start hbd\n" } },
	{ HBD_ALERT_RELEASED, FITS_FAULTY, false, {
	  "{node} has a fault, {peer} takes over {groups}",
	  "{node} cannot serve {groups}: {why}. {peer} takes over. There is no standby until {node} "
	  "is repaired.",
	  "{node} let {groups} go because {why}.",
	  "{peer} takes over {groups}; it sends a message of its own.",
	  "LOST. There is no standby until the fault on {node} is repaired.",
	  LOOK_HERE } },
	{ HBD_ALERT_RELEASED, FITS_ALWAYS, false, {
	  "{node} let {groups} go, {peer} takes over",
	  "{node} is no longer primary for {groups}: {why}. {peer} takes over, {node} stands by.",
	  "{node} let {groups} go because {why}.",
	  "{peer} takes over {groups}; it sends a message of its own.",
	  "{node} stands by.",
	  LOOK_HERE MOVE_BACK } },

	{ HBD_ALERT_PEER_LOST, FITS_PEER_STOPPED, false, {
	  "hbd on {peer} was stopped: no standby",
	  "hbd was stopped on {peer}. {node} goes on serving what it serves. There is no standby "
	  "until hbd runs again on {peer}.",
	  "hbd on {peer} said good-bye: it was stopped.",
	  "{node} goes on serving what it serves.",
	  "LOST. If {node} fails, nobody takes over.",
	  "If this was not wanted, on {peer}:\n"
	  "    journalctl -u hbd           who stopped it\n"
	  "    systemctl start hbd\n" } },
	{ HBD_ALERT_PEER_LOST, FITS_PEER_DIED, false, {
	  "hbd on {peer} died: no standby",
	  "hbd died on {peer}; its machine is alive. {node} goes on serving. There is no standby "
	  "until hbd runs again on {peer}.",
	  "hbd on {peer} died; its guardian, on a machine that is alive, said so.",
	  "{node} goes on serving what it serves.",
	  "LOST until hbd runs again on {peer}. It starts again by itself; if it does not:",
	  "On {peer}:\n"
	  "    journalctl -u hbd           why it died\n"
	  "    systemctl restart hbd\n" } },
	{ HBD_ALERT_PEER_LOST, FITS_ALWAYS, false, {
	  "{peer} is offline: no standby",
	  "{peer} is offline. {node} goes on serving. There is no standby until {peer} is repaired.",
	  "{node} no longer hears {peer} on any link.",
	  "{node} goes on serving what it serves.",
	  "LOST. There is no standby until {peer} is repaired: if {node} fails too, nobody serves.",
	  LOOK_AT_PEER LOOK_HERE } },
	{ HBD_ALERT_PEER_BACK, FITS_ALWAYS, true, {
	  "{peer} is back, redundancy is restored",
	  "{peer} is back and stands by for {node}. Redundancy is restored. Nothing moved.",
	  "{node} hears {peer} again.",
	  "Unchanged: {node} goes on serving what it serves.",
	  "RESTORED. Both nodes are alive; each stands by for the other.",
	  "Nothing has to be done.\n" MOVE_BACK } },

	{ HBD_ALERT_FAULT, FITS_OWNER, false, {
	  "fault on {node}, the primary for {groups}: {detail}",
	  "{node} is primary for {groups} and has a fault: {detail}. If {peer} is well it takes over.",
	  "{node}, the primary for {groups}, has a fault: {detail}.",
	  "{node}, until {peer} takes over. If {peer} cannot serve better, {node} stays primary where "
	  "the fault allows it.",
	  "LOST until the fault is repaired.",
	  LOOK_HERE } },
	{ HBD_ALERT_FAULT, FITS_ALWAYS, false, {
	  "fault on {node}, no standby for {groups}: {detail}",
	  "{node} has a fault and cannot stand by for {groups}: {detail}. What is served now is not "
	  "affected.",
	  "{node}, which is not primary for {groups}, has a fault: {detail}.",
	  "Unchanged: {peer}, if it was before.",
	  "LOST for {groups} until the fault is repaired.",
	  LOOK_HERE } },
	{ HBD_ALERT_HEALED, FITS_ALONE, true, {
	  "the fault on {node} is gone: {detail}",
	  "{node} can serve {groups} again; the fault is gone: {detail}. {peer} is not alive: there "
	  "is no standby.",
	  "The last fault of {groups} on {node} is gone: {detail}.",
	  "{node}, if nobody else serves.",
	  "LOST as long as {peer} is not heard.",
	  LOOK_AT_PEER } },
	{ HBD_ALERT_HEALED, FITS_ALWAYS, true, {
	  "the fault on {node} is gone: {detail}",
	  "{node} can serve {groups} again; the fault is gone: {detail}. Redundancy is restored.",
	  "The last fault of {groups} on {node} is gone: {detail}.",
	  "Unchanged.",
	  "RESTORED. {node} can serve {groups} again.",
	  "Nothing has to be done.\n" MOVE_BACK } },

	{ HBD_ALERT_TWO_OWNERS, FITS_ALWAYS, false, {
	  "both nodes served {groups} at once; {node} keeps it",
	  "{node} and {peer} both served {groups}: heartbeats had been cut. {node} keeps it, {peer} "
	  "lets go. Compare data that both may have written.",
	  "{node} heard {peer} again, and both served {groups}: no heartbeat had come through on any "
	  "link. The claim of {node} ranks higher.",
	  "{node} is primary for {groups}; {peer} lets go.",
	  "Restored, as the nodes hear each other again.",
	  "Find out what cut every heartbeat path at once, and add one that shares nothing with the "
	  "others.\n"
	  "If the service writes data, compare both nodes' before anything else.\n" LOOK_HERE } },

	{ HBD_ALERT_CONFIG_DIFFERS, FITS_ALWAYS, false, {
	  "{node} and {peer} have different configurations",
	  "The configurations of {node} and {peer} differ. Nothing moves for that, but a failover may "
	  "not do what you expect.",
	  "{peer} reports another configuration than {node} has.",
	  "Unchanged.",
	  "Works, by two different configurations.",
	  "Make /etc/hbd/hbd.conf the same on both nodes; then on the node whose file changed:\n"
	  "    hbd --check /etc/hbd/hbd.conf\n"
	  "    systemctl reload hbd\n" } },
	{ HBD_ALERT_CONFIG_AGREES, FITS_ALWAYS, true, {
	  "{node} and {peer} have the same configuration again",
	  "{node} and {peer} have the same configuration again.",
	  "{peer} reports the same configuration as {node} has.",
	  "Unchanged.",
	  "As before.",
	  "Nothing has to be done.\n" } },
	{ HBD_ALERT_KEY_MISMATCH, FITS_ALWAYS, false, {
	  "{node} and {peer} have different keys: no failover",
	  "Packets from {peer} do not fit the key of {node}. The nodes do not trust each other: there "
	  "is no redundancy until the keys agree.",
	  "Handshakes that come from the address of {peer} are sealed with another key, or forged.",
	  "{node} goes on as it was; what {peer} does is not known here.",
	  "LOST. The nodes do not trust each other.",
	  "Put the same key file on both nodes (mode 0600, owner root); then, where it changed:\n"
	  "    systemctl restart hbd\n"
	  "If the keys do agree, somebody is sending forged packets from that address.\n" } },
	{ HBD_ALERT_VERSION_MISMATCH, FITS_ALWAYS, false, {
	  "{node} and {peer} run versions that do not fit: no failover",
	  "The versions of hbd on {node} and {peer} have no protocol in common: there is no "
	  "redundancy until one is upgraded.",
	  "{peer} is authentic, but speaks no protocol version that {node} speaks.",
	  "{node} goes on as it was; what {peer} does is not known here.",
	  "LOST until both run versions that fit.",
	  "Install the same version on both nodes:\n"
	  "    hbd --version\n" } },

	{ HBD_ALERT_LINK_LOST, FITS_ALWAYS, false, {
	  "heartbeat link {detail} between {node} and {peer} is dead",
	  "Heartbeat link {detail} between {node} and {peer} is dead. Another still works: nothing "
	  "moved, but the next cut looks like a dead node.",
	  "{node} and {peer} hear each other on other links, but no longer on {detail}.",
	  "Unchanged.",
	  "Works. What is lost is a heartbeat path: if the others go too, each node takes the other "
	  "for dead.",
	  "Look at cable, switch, interface and firewall (UDP) of that link. On {node}:\n"
	  "    hbctl status                loss of each link, in each direction\n" } },
	{ HBD_ALERT_LINK_BACK, FITS_ALWAYS, true, {
	  "heartbeat link {detail} between {node} and {peer} works again",
	  "Heartbeat link {detail} between {node} and {peer} works again.",
	  "{node} and {peer} hear each other on {detail} again.",
	  "Unchanged.",
	  "Works.",
	  "Nothing has to be done.\n" } },
	{ HBD_ALERT_PLUGIN_FAILED, FITS_OWNER, false, {
	  "plugin {detail} failed on {node} for {groups}",
	  "Plugin {detail} failed on {node} for {groups}. {node} serves the addresses, but what the "
	  "plugin was to do was not done.",
	  "Plugin {detail} failed on {node} for {groups}.",
	  "{node} serves {groups}; what the plugin was to do was not done.",
	  "Not affected.",
	  LOOK_HERE
	  "Then do by hand what the plugin was to do.\n" } },
	{ HBD_ALERT_PLUGIN_FAILED, FITS_ALWAYS, false, {
	  "plugin {detail} failed on {node} for {groups}",
	  "Plugin {detail} failed on {node} for {groups}, and {node} is not primary for it. It tries "
	  "again later if nobody else serves.",
	  "Plugin {detail} failed on {node} for {groups}.",
	  "Not {node}. If {peer} is alive and well it serves {groups}.",
	  "LOST until the plugin's trouble is repaired.",
	  LOOK_HERE } },
	{ HBD_ALERT_ADDRESS_RESTORED, FITS_ALWAYS, false, {
	  "someone removed an address of {groups} from {node}; it is back",
	  "Something other than hbd removed an address of {groups} from {node}. hbd put it back and "
	  "announced it.",
	  "An address of {groups} vanished from {node} and was put back at once.",
	  "Unchanged: {node} is primary for {groups}.",
	  "Not affected.",
	  "Find out who removes it: NetworkManager, systemd-networkd, ifupdown, or a person. On "
	  "{node}:\n"
	  "    journalctl -u hbd           when, and which address\n"
	  "    ip monitor address          while it happens\n" } },
	{ HBD_ALERT_UNHEARD, FITS_ALWAYS, false, {
	  "{node} no longer hears {peer}, which still serves {detail}",
	  "{node} no longer hears {peer} on any link, but it still answers for {detail} on the LAN. "
	  "Nothing moved.",
	  "No heartbeat of {peer} reaches {node} on any link, but {peer} still answers for {detail} "
	  "on the LAN. So it is the heartbeats that are broken, and nothing was taken over.",
	  "{peer} is primary for {detail}, as before.",
	  "Weak: {node} takes over when {peer} no longer answers on the LAN; but if the LAN is cut as "
	  "well, both serve.",
	  "Look at cables, switches, interfaces and firewalls (UDP) of all heartbeat links. On both "
	  "nodes:\n"
	  "    hbctl status                which direction of which link is dead\n" } },
	{ HBD_ALERT_CONFLICT, FITS_ALWAYS, false, {
	  "a stranger ({detail}) answers for an address of {groups}",
	  "A stranger ({detail}) answers for an address of {groups}. {node} does not take it over.",
	  "{node} wanted to take {groups} over and asked the LAN for its address. The machine with "
	  "the Ethernet address {detail} answered, which {peer} has not told to be its own.",
	  "Whoever has {detail}: {node} does not serve {groups} as long as it answers.",
	  "Unknown.",
	  "Find that machine: is it {peer}, which does not hear {node}, or one that uses an address of "
	  "{groups} by mistake?\n"
	  "    ip neighbor                 who has which address\n"
	  "    hbctl status                on both nodes\n" } },
	{ HBD_ALERT_NOT_TAKEN, FITS_ALWAYS, false, {
	  "switchover of {groups} failed, {node} serves again",
	  "{peer} did not take {groups} over. {node} is primary for {groups} again.",
	  "{node} handed {groups} over, {peer} did not take it, and {node} took it back.",
	  "{node} is primary for {groups}.",
	  "Doubtful: {peer} may not be able to take over. Treat it as lost until it is known why.",
	  "On {peer}:\n"
	  "    hbctl status                its faults\n"
	  "    journalctl -u hbd           why it did not take over\n" } },
	{ HBD_ALERT_ENGINE_DIED, FITS_ALWAYS, false, {
	  "hbd's engine died on {node}",
	  "hbd's engine died on {node} ({detail}). Its addresses were removed, {peer} takes over if "
	  "it is alive. The engine is started again.",
	  "hbd's engine died on {node}: {detail}. The guardian removed its addresses, told {peer}, "
	  "and starts it again.",
	  "{peer}, if it is alive; it sends a message of its own.",
	  "LOST until the engine runs again on {node}.",
	  LOOK_HERE
	  "If it dies again and again, report the lines around its death.\n" } },
	{ HBD_ALERT_UNFENCED, FITS_ALWAYS, false, {
	  "{node} has no fence in the kernel",
	  "{node} runs without the fence in the kernel ({detail}). If engine and guardian both hang, "
	  "its addresses answer for some seconds more.",
	  "{node} runs without the fence in the kernel: {detail}.",
	  "Unchanged.",
	  "Works. If hbd hangs as a whole on {node}, its addresses answer until their lifetime is "
	  "over, some seconds more; {peer} waits for that.",
	  LOOK_HERE } },
	{ HBD_ALERT_FENCED, FITS_ALWAYS, true, {
	  "{node} has its fence again",
	  "The fence in the kernel of {node} is in force again.",
	  "The fence in the kernel of {node} is in force again.",
	  "Unchanged.",
	  "Works.",
	  "Nothing has to be done.\n" } },
};

static const struct alert_phrase test_phrase = {
	"test of the alerts of {node}",
	"This is a test of the alerts of {node}, asked for with hbctl alert test. Nothing happened.",
	"Somebody ran hbctl alert test on {node}. If you read this, its alerts reach you.",
	"Unchanged.",
	"Unchanged.",
	"Nothing has to be done.\n"
};
/* clang-format on */

static bool reason_is_own_fault(enum hbd_reason reason)
{
	return reason == HBD_REASON_FAULT || reason == HBD_REASON_TAKEOVER_FAILED;
}

static bool fits(enum fits condition, const struct record_alert *alert)
{
	switch (condition) {
	case FITS_ALWAYS:
		return true;
	case FITS_ALONE:
		return !alert->peer_alive;
	case FITS_PEER_FAULTY:
		return alert->reason == HBD_REASON_PEER_FAULT ||
		       alert->peer_role == HBD_ROLE_FAULT;
	case FITS_PEER_STOPPED:
		return alert->reason == HBD_REASON_PEER_STOPPED;
	case FITS_PEER_DIED:
		return alert->reason == HBD_REASON_PEER_DIED;
	case FITS_STOPPING:
		return alert->reason == HBD_REASON_STOP;
	case FITS_FAULTY:
		return alert->role == HBD_ROLE_FAULT || reason_is_own_fault(alert->reason);
	case FITS_OWNER:
		return hbd_role_owns(alert->role);
	}
	return false;
}

static const struct row *find_row(const struct record_alert *alert)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].kind == alert->kind && fits(rows[i].fits, alert))
			return &rows[i];
	return NULL;
}

const struct alert_phrase *alert_phrase(const struct record_alert *alert)
{
	const struct row *row = alert->test ? NULL : find_row(alert);

	return row ? &row->phrase : &test_phrase;
}

bool alert_is_recovery(const struct record_alert *alert)
{
	const struct row *row = alert->test ? NULL : find_row(alert);

	return row && row->recovery;
}

enum hbd_severity alert_text_reach(const struct record_alert *alert)
{
	if (alert->test)
		return HBD_SEVERITY_CRITICAL;
	switch (alert->kind) {
	case HBD_ALERT_PEER_BACK:
	case HBD_ALERT_HEALED:
		return HBD_SEVERITY_CRITICAL;
	case HBD_ALERT_CONFIG_AGREES:
	case HBD_ALERT_LINK_BACK:
	case HBD_ALERT_FENCED:
		return HBD_SEVERITY_WARNING;
	case HBD_ALERT_UNSET:
	case HBD_ALERT_TAKEOVER:
	case HBD_ALERT_RELEASED:
	case HBD_ALERT_PEER_LOST:
	case HBD_ALERT_FAULT:
	case HBD_ALERT_TWO_OWNERS:
	case HBD_ALERT_CONFIG_DIFFERS:
	case HBD_ALERT_KEY_MISMATCH:
	case HBD_ALERT_VERSION_MISMATCH:
	case HBD_ALERT_LINK_LOST:
	case HBD_ALERT_PLUGIN_FAILED:
	case HBD_ALERT_ADDRESS_RESTORED:
	case HBD_ALERT_UNHEARD:
	case HBD_ALERT_CONFLICT:
	case HBD_ALERT_NOT_TAKEN:
	case HBD_ALERT_ENGINE_DIED:
	case HBD_ALERT_UNFENCED:
	case HBD_ALERT_COUNT:
		break;
	}
	return alert->severity;
}
