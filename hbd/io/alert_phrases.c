#include "alert_parts.h"

#include <string.h>

/* Which of a kind's texts fits; the first that does is taken. */
enum fits {
	FITS_ALWAYS = 0,
	FITS_ALONE,		/* the peer is not alive */
	FITS_PEER_FAULTY,	/* the peer is alive but cannot serve */
	FITS_PEER_MAINTAINED,	/* the peer is alive and in maintenance */
	FITS_PEER_STOPPED,
	FITS_PEER_DIED,
	FITS_PEER_ORPHANED,	/* the peer handed over and ended, as its guardian died */
	FITS_STOPPING,		/* this node's daemon is stopping */
	FITS_ORPHANED,		/* so it is, as its guardian died */
	FITS_FAULTY,		/* this node cannot serve */
	FITS_OWNER,		/* this node owns the group */
	FITS_NOT_READY,		/* a move that was offered only */
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
#define GUARDIAN_ON(name) \
	"On " name ":\n" \
	"    systemctl status hbd        does it run again?\n" \
	"    systemctl start hbd         if it does not\n" \
	"    journalctl -u hbd -b        who or what killed it\n" \
	"    journalctl -k -b            was the machine out of memory?\n"
#define MOVE_BACK \
	"Nothing moves back by itself. With both nodes well, on the primary:\n" \
	"    hbctl switchover {group}        moves it\n"

/* clang-format off */
static const struct row rows[] = {
	{ HBD_ALERT_TAKEOVER, FITS_PEER_ORPHANED, false, {
	  "hbd's guardian on {peer} died, {node} is primary now for {groups}",
	  "hbd's guardian on {peer} died; {peer} handed over and hbd ended there. {node} is primary now "
	  "for {groups}. There is no standby until hbd runs again on {peer}.",
	  "hbd's guardian, the process that watches the others, died on {peer}. The engine there let go "
	  "in good order and ended; {node} took over {groups}.",
	  "{node} is primary now for {groups}.",
	  "LOST until hbd runs again on {peer}. systemd starts it again by itself.",
	  GUARDIAN_ON("{peer}") MOVE_BACK } },
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
	  "LOST. {peer} is alive but has a fault or a check that fails: there is no standby until that "
	  "is repaired.",
	  "On {peer}:\n"
	  "    hbctl status                names the fault\n"
	  "    journalctl -u hbd           what led to it\n" MOVE_BACK } },
	{ HBD_ALERT_TAKEOVER, FITS_PEER_MAINTAINED, false, {
	  "{node} is primary now for {groups}; {peer} is in maintenance",
	  "{node} is primary now for {groups}: {why}. {peer} is in maintenance: there is no standby "
	  "until that is over.",
	  "{node} took over {groups} because {why}.",
	  "{node} is primary now for {groups}.",
	  "LOST until the maintenance of {peer} is over.",
	  "When the work is done, on {peer}:\n"
	  "    hbctl maintenance off\n" } },
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
	{ HBD_ALERT_RELEASED, FITS_PEER_MAINTAINED, false, {
	  "NOBODY SERVES {groups}: {node} let go, {peer} is in maintenance",
	  "{node} let {groups} go: NOBODY SERVES {groups}, as {peer} is in maintenance. To end that, on "
	  "{peer}: hbctl maintenance off",
	  "{node} let {groups} go because {why}. {peer} is alive, but in maintenance.",
	  "Nobody.",
	  "LOST, and the service with it.",
	  "To have {peer} serve it now, on {peer}:\n"
	  "    hbctl maintenance off\n" LOOK_HERE } },
	{ HBD_ALERT_RELEASED, FITS_ORPHANED, false, {
	  "hbd's guardian on {node} died, {peer} takes over {groups}",
	  "hbd's guardian on {node} died. {node} handed {groups} over to {peer}, and hbd ends on "
	  "{node}. There is no standby until it runs again there.",
	  "hbd's guardian, the process that watches the others, died on {node}. The engine let "
	  "{groups} go in good order and ends. No takeover plugin was run for that: only the guardian "
	  "runs them.",
	  "{peer} takes over {groups}; it sends a message of its own.",
	  "LOST until hbd runs again on {node}. systemd starts it again by itself.",
	  GUARDIAN_ON("{node}") } },
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

	{ HBD_ALERT_PEER_LOST, FITS_PEER_ORPHANED, false, {
	  "hbd's guardian on {peer} died: no standby",
	  "hbd's guardian on {peer} died, and hbd ended there. {node} goes on serving what it serves. "
	  "There is no standby until hbd runs again on {peer}.",
	  "hbd's guardian, the process that watches the others, died on {peer}. The engine there said "
	  "so and ended in good order.",
	  "{node} goes on serving what it serves.",
	  "LOST until hbd runs again on {peer}. systemd starts it again by itself.",
	  GUARDIAN_ON("{peer}") } },
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
	  "{peer} is there, redundancy is restored",
	  "{peer} is there and stands by for {node}. Redundancy is restored. Nothing moved.",
	  "{node} hears {peer}.",
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
	  "a stranger answers for {detail}: {node} does not take {groups}",
	  "A stranger answers for {detail}. {node} does not take {groups} over.",
	  "{node} wanted to take {groups} and asked the LAN. A machine that is not known to be {peer} "
	  "answered for {detail}.",
	  "Whoever has that Ethernet address. {node} takes {groups} when it no longer answers; if the "
	  "pair served before and the address is not {peer}'s, after a while in spite of it.",
	  "Unknown.",
	  "Find that machine: is it {peer}, which does not hear {node}, or one that uses an address of "
	  "{groups} by mistake? The switch knows at which port the Ethernet address is. On both nodes:\n"
	  "    hbctl status                whether it still answers\n"
	  "    ip neighbor                 who has which address\n" } },
	{ HBD_ALERT_CONTESTED, FITS_ALWAYS, false, {
	  "a stranger uses {detail}, which {node} serves",
	  "A stranger uses {detail}, which {node} serves. {node} goes on; some clients may reach the "
	  "stranger.",
	  "A machine that is neither {node} nor {peer} uses {detail}, an address of {groups}.",
	  "{node} is primary for {groups}, as before, and announces the address every 10 s. Some "
	  "clients may reach the stranger instead.",
	  "Not affected.",
	  "Find that machine and give it another address. The switch knows at which port its Ethernet "
	  "address is. On {node}:\n"
	  "    hbctl status                whether it is still there\n" } },
	{ HBD_ALERT_UNCONTESTED, FITS_ALWAYS, true, {
	  "the stranger no longer uses {detail}",
	  "No stranger uses {detail} any more.",
	  "Nobody else has used {detail}, an address of {groups}, for 30 s.",
	  "Unchanged.",
	  "Not affected.",
	  "Nothing has to be done.\n" } },
	{ HBD_ALERT_ISOLATED, FITS_ALWAYS, false, {
	  "{node} hears neither {peer} nor the gateway {detail}: it takes nothing over",
	  "{node} hears neither {peer} nor the gateway {detail}, so {node} itself seems to be cut off. "
	  "It does not take {groups} over.",
	  "No heartbeat of {peer} reaches {node} on any link, and the gateway {detail} does not answer "
	  "{node} on the network of {groups}.",
	  "{peer}, if it is alive. If {peer} and the gateway are both dead, nobody serves {groups}.",
	  "LOST. {node} takes over when the gateway answers it and {peer} still does not.",
	  "Look at the cables, interfaces and switches of {node}, then at the gateway. On {node}:\n"
	  "    hbctl status                what is reached\n"
	  "    ip -s link                  carrier and errors\n"
	  "If you are certain that {peer} is dead and the gateway stays so, and cannot wait: take the "
	  "gateway out of the configuration of {node} and restart hbd there.\n" } },
	{ HBD_ALERT_REFUSED, FITS_ALWAYS, false, {
	  "{node} no longer hears {peer}, which the witness knows as primary for {groups}",
	  "{node} no longer hears {peer} on any link, but the witness gave its vote to {peer}. {node} "
	  "does not take {groups} over as long as {peer} renews that.",
	  "No heartbeat of {peer} reaches {node} on any link. {node} asked the witness for its vote on "
	  "{groups}, and {peer} has it.",
	  "{peer} is primary for {groups}, as before.",
	  "Weak: {node} takes over when {peer} no longer renews its vote at the witness, which takes "
	  "some seconds.",
	  "Look at cables, switches, interfaces and firewalls (UDP) of all heartbeat links. On both "
	  "nodes:\n"
	  "    hbctl status                which direction of which link is dead\n" } },
	{ HBD_ALERT_NO_VOTE, FITS_ALWAYS, false, {
	  "{node} hears neither {peer} nor the witness and does not take {groups} over",
	  "{node} hears neither {peer} nor the witness, so it may not take {groups} over: {peer} may "
	  "still serve.",
	  "No heartbeat of {peer} reaches {node} on any link, and the witness does not answer. With one "
	  "vote of three {node} does not take over.",
	  "Unknown: {peer}, if it is alive and reaches the witness; else nobody serves {groups}.",
	  "LOST.",
	  "Bring the witness or {peer} back: either is enough. On {node}:\n"
	  "    hbctl status                what is reached\n"
	  "    journalctl -u hbd           what the witness's program says\n"
	  "If you are certain that {peer} is dead, and cannot wait: set without = \"serve\" for the "
	  "witness in the configuration of {node} and restart hbd there.\n" } },
	{ HBD_ALERT_WITNESS_LOST, FITS_ALWAYS, false, {
	  "{node} does not reach the witness",
	  "The witness does not answer {node}. Nothing moved.",
	  "No request of {node} to the witness was answered for some seconds.",
	  "Unchanged.",
	  "Weak: if {peer} fails or the heartbeats are cut before the witness is back, what the "
	  "setting \"without\" of the witness says happens.",
	  "Look at the witness and at the way to it. On {node}:\n"
	  "    hbctl status                since when\n"
	  "    journalctl -u hbd           what the witness's program says\n" } },
	{ HBD_ALERT_WITNESS_BACK, FITS_ALWAYS, true, {
	  "{node} reaches the witness again",
	  "The witness answers {node} again.",
	  "The witness answers {node} again.",
	  "Unchanged.",
	  "Works.",
	  "Nothing has to be done.\n" } },
	{ HBD_ALERT_STOOD_STILL, FITS_ALWAYS, false, {
	  "{node} stood still for {detail}, and its clock too",
	  "{node} and its clock stood still for {detail}, as the clock of {peer} tells. What {node} "
	  "served may have been taken over meanwhile.",
	  "{node} and its clock stood still for {detail}, as the clock of {peer} tells. It is a virtual "
	  "machine that was paused, moved to another host or copied.",
	  "For the time of it, perhaps both: until {node} heard {peer} again it did not know. See hbctl "
	  "status.",
	  "Works.",
	  "Tell whoever runs the host not to pause or move {node} while it is primary; move its groups "
	  "away first, with hbctl switchover. Or choose a profile that outlasts it.\n" } },
	{ HBD_ALERT_NOT_TAKEN, FITS_NOT_READY, false, {
	  "switchover of {groups} given up, {node} goes on serving",
	  "{peer} did not get ready to take {groups}. {node} never stopped serving.",
	  "{node} offered {groups} to {peer}, which did not get ready for it in time, or could not.",
	  "{node} is primary for {groups}, without a break.",
	  "Doubtful: {peer} may not be able to take over. Treat it as lost until it is known why.",
	  "On {peer}:\n"
	  "    hbctl status                its faults\n"
	  "    journalctl -u hbd           what its plugins said when they were to prepare\n" } },
	{ HBD_ALERT_NOT_TAKEN, FITS_ALWAYS, false, {
	  "switchover of {groups} failed, {node} serves again",
	  "{peer} did not take {groups} over. {node} is primary for {groups} again.",
	  "{node} handed {groups} over, {peer} did not take it, and {node} took it back.",
	  "{node} is primary for {groups}.",
	  "Doubtful: {peer} may not be able to take over. Treat it as lost until it is known why.",
	  "On {peer}:\n"
	  "    hbctl status                its faults\n"
	  "    journalctl -u hbd           why it did not take over\n" } },
	{ HBD_ALERT_MAINTENANCE, FITS_ALWAYS, false, {
	  "{node} is in maintenance: no standby",
	  "{node} is in maintenance: it hands over what it serves and takes nothing over. There is no "
	  "standby until it ends.",
	  "Somebody put {node} into maintenance. It hands over what it serves, without a break, and "
	  "takes nothing over, whatever becomes of {peer}.",
	  "{peer}, which sends a message of its own for what it takes. What it cannot take {node} goes "
	  "on serving.",
	  "LOST until the maintenance of {node} is over.",
	  "When the work is done, on {node}:\n"
	  "    hbctl maintenance off\n" } },
	{ HBD_ALERT_MAINTAINED, FITS_ALWAYS, false, {
	  "{node} is still in maintenance: no standby",
	  "{node} is still in maintenance and takes nothing over: there is no standby. To end it, on "
	  "{node}: hbctl maintenance off",
	  "{node} is in maintenance. This is said once a day, and when hbd starts there.",
	  "Unchanged.",
	  "LOST until the maintenance of {node} is over.",
	  "If the work is done, on {node}:\n"
	  "    hbctl maintenance off\n" } },
	{ HBD_ALERT_MAINTENANCE_OVER, FITS_ALONE, true, {
	  "the maintenance of {node} is over",
	  "The maintenance of {node} is over. {peer} is not alive: there is no standby.",
	  "The maintenance of {node} is over. It takes over again what nobody serves.",
	  "{node}, if nobody else serves.",
	  "LOST as long as {peer} is not heard.",
	  LOOK_AT_PEER } },
	{ HBD_ALERT_MAINTENANCE_OVER, FITS_ALWAYS, true, {
	  "the maintenance of {node} is over",
	  "The maintenance of {node} is over. It stands by again.",
	  "The maintenance of {node} is over. It stands by again.",
	  "Unchanged.",
	  "RESTORED. Both nodes are alive; each stands by for the other.",
	  "Nothing has to be done.\n" MOVE_BACK } },
	{ HBD_ALERT_UNSERVED, FITS_ALONE, false, {
	  "NOBODY SERVES {detail}: {peer} is not heard, {node} is in maintenance",
	  "{peer} is not heard and {node} is in maintenance: NOBODY SERVES {detail}. To have {node} "
	  "serve, there: hbctl maintenance off",
	  "{node} hears {peer} on no link. It is in maintenance, so it does not take {detail} over.",
	  "Nobody, unless {peer} serves without being heard.",
	  "LOST, and the service with it.",
	  "To have {node} serve now, on {node}:\n"
	  "    hbctl maintenance off\n" LOOK_AT_PEER } },
	{ HBD_ALERT_UNSERVED, FITS_ALWAYS, false, {
	  "NOBODY SERVES {detail}: {node} is in maintenance",
	  "{peer} does not serve and {node} is in maintenance: NOBODY SERVES {detail}. To have {node} "
	  "serve, there: hbctl maintenance off",
	  "{peer} is alive and does not serve {detail}. {node} is in maintenance, so it does not "
	  "either.",
	  "Nobody.",
	  "LOST, and the service with it.",
	  "To have {node} serve now, on {node}:\n"
	  "    hbctl maintenance off\n"
	  "On {peer}:\n"
	  "    hbctl status                why it does not serve\n" } },
	{ HBD_ALERT_DAMPED, FITS_ALWAYS, false, {
	  "{groups} moved too often: it stays on {node} for now",
	  "{groups} moved too often in a short time. It stays on {node} for {detail}, though {peer} is "
	  "to be preferred.",
	  "{groups} would move from {node} to {peer}, which is preferred or has fewer faults. It moved "
	  "too often in a short time, so that is held back for {detail}.",
	  "{node} is primary for {groups}, as before.",
	  "Not affected: a takeover that is needed is never held back.",
	  "Find out what made it move: a check that comes and goes, a machine that restarts. On both "
	  "nodes:\n"
	  "    journalctl -u hbd           each move, and why\n"
	  "To move it at once, on {node}:\n"
	  "    hbctl switchover {group}\n" } },
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
	{ HBD_ALERT_STRAY, FITS_ALWAYS, false, {
	  "somebody added {detail} of {node}; it was removed",
	  "Something other than hbd added {detail} of {node}, which does not serve {groups}. hbd "
	  "removed it.",
	  "An address of {groups} appeared on {node}, which is not primary for it: {detail}. hbd "
	  "removed it.",
	  "Unchanged: not {node}.",
	  "Not affected.",
	  "Find out who adds it: NetworkManager, systemd-networkd, ifupdown, or a person. It belongs "
	  "into hbd's configuration only. On {node}:\n"
	  "    journalctl -u hbd           when, and which address\n"
	  "    ip monitor address          while it happens\n" } },
	{ HBD_ALERT_ELSEWHERE, FITS_ALWAYS, false, {
	  "somebody added {detail} of {node}, which is not its interface",
	  "Something other than hbd added {detail} of {node}. hbd has {groups} on another interface, "
	  "and leaves it there.",
	  "An address of {groups} is on an interface of {node} that is not its own: {detail}. hbd did "
	  "not add it there, and leaves it there.",
	  "Unchanged.",
	  "Not affected. But {node} may answer for that address while it does not serve it.",
	  "If this is not wanted, on {node}:\n"
	  "    ip address                  shows it\n"
	  "    ip address del              removes it\n" } },
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
		       alert->peer_role == HBD_ROLE_FAULT || alert->peer_faulty;
	case FITS_PEER_MAINTAINED:
		return alert->peer_maintained;
	case FITS_PEER_STOPPED:
		return alert->reason == HBD_REASON_PEER_STOPPED;
	case FITS_PEER_DIED:
		return alert->reason == HBD_REASON_PEER_DIED;
	case FITS_PEER_ORPHANED:
		return alert->reason == HBD_REASON_PEER_ORPHANED && !alert->peer_alive;
	case FITS_ORPHANED:
		return alert->reason == HBD_REASON_ORPHANED;
	case FITS_STOPPING:
		return alert->reason == HBD_REASON_STOP;
	case FITS_FAULTY:
		return alert->role == HBD_ROLE_FAULT || reason_is_own_fault(alert->reason);
	case FITS_OWNER:
		return hbd_role_owns(alert->role);
	case FITS_NOT_READY:
		return alert->reason == HBD_REASON_NOT_READY;
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
	case HBD_ALERT_UNCONTESTED:
	case HBD_ALERT_MAINTENANCE_OVER:
		return HBD_SEVERITY_CRITICAL;
	case HBD_ALERT_CONFIG_AGREES:
	case HBD_ALERT_LINK_BACK:
	case HBD_ALERT_FENCED:
	case HBD_ALERT_WITNESS_BACK:
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
	case HBD_ALERT_CONTESTED:
	case HBD_ALERT_ISOLATED:
	case HBD_ALERT_REFUSED:
	case HBD_ALERT_NO_VOTE:
	case HBD_ALERT_WITNESS_LOST:
	case HBD_ALERT_STOOD_STILL:
	case HBD_ALERT_NOT_TAKEN:
	case HBD_ALERT_MAINTENANCE:
	case HBD_ALERT_MAINTAINED:
	case HBD_ALERT_UNSERVED:
	case HBD_ALERT_DAMPED:
	case HBD_ALERT_ENGINE_DIED:
	case HBD_ALERT_UNFENCED:
	case HBD_ALERT_STRAY:
	case HBD_ALERT_ELSEWHERE:
	case HBD_ALERT_COUNT:
		break;
	}
	return alert->severity;
}
