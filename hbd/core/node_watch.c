#include "node_internal.h"

#include "time.h"

#define LINK_GRACE_INTERVALS 10	/* a link is called lost after that many T, and at least ... */
#define LINK_GRACE_NS_MIN HBD_S_NS
#define DIFFERS_NS (60 * HBD_S_NS)	/* for so long two files may differ before it is told */
#define ISOLATED_NS HBD_S_NS	/* so long may a gateway not answer before somebody is told */

/* An election takes a peer that has taken in what speaks for and against this node. */
void node_tell_rank(struct hbd_node *node, uint8_t index)
{
	node->groups[index].role_hb_seq = node->hb_seq + 1;
	node->news = true;
}

void node_set_fault(struct hbd_node *node, uint8_t index, enum hbd_fault fault, bool present,
		    struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	uint8_t before = group->faults;
	struct hbd_action *action;

	group->faults = (uint8_t)(present ? before | fault : before & ~fault);
	if (group->faults == before)
		return;
	node_tell_rank(node, index);
	/* a failed takeover was told already, with the plugin's name */
	if (fault == HBD_FAULT_TAKEOVER)
		return;
	if (present) {
		action = node_alert(actions, HBD_ALERT_FAULT,
				    hbd_role_owns(group->role) ? HBD_SEVERITY_CRITICAL
								: HBD_SEVERITY_WARNING);
	} else {
		if (group->faults != 0)
			return;
		action = node_alert(actions, HBD_ALERT_HEALED, HBD_SEVERITY_INFO);
	}
	action->group = index;
	action->alert.faults = present ? group->faults : before;
	action->alert.role = group->role;
}

static enum hbd_reason loss_reason(const struct hbd_node *node, enum hbd_peer_state state)
{
	if (state == HBD_PEER_STOPPED)
		return node_stop_reason(node);
	return state == HBD_PEER_DIED ? HBD_REASON_PEER_DIED : HBD_REASON_PEER_SILENT;
}

/* Its heartbeats are lost, but its address answers. */
static bool peer_serves_unheard(const struct hbd_node *node)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (node->groups[i].asking.proven_ns != 0)
			return true;
	return false;
}

/* The first group whose claim waits for the witness, or HBD_GROUPS_MAX. */
static uint8_t waiting_group(const struct hbd_node *node)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (node->groups[i].wants_vote)
			return i;
	return HBD_GROUPS_MAX;
}

static void tell_loss(struct hbd_node *node, enum hbd_peer_state state,
		      struct hbd_actions *actions)
{
	uint8_t waiting;

	/* a claim that is under way tells it, when it is known how it ended */
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (node->groups[i].role == HBD_ROLE_CLAIMING ||
		    hbd_node_leaves_unserved(node, i) ||
		    (node_role_stands_by(node->groups[i].role) && !node_has_asked(node, i) &&
		     !hbd_node_is_held_back(node, i)) ||
		    hbd_node_is_isolated(node, i))
			return;
	waiting = waiting_group(node);
	if (waiting != HBD_GROUPS_MAX && !hbd_node_is_refused(node, waiting) &&
	    !hbd_node_witness_is_lost(node))
		return;
	node->peer_loss_told = true;
	if (peer_serves_unheard(node)) {
		node_alert(actions, HBD_ALERT_UNHEARD, HBD_SEVERITY_CRITICAL);
		return;
	}
	if (waiting != HBD_GROUPS_MAX) {
		node_alert(actions, hbd_node_is_refused(node, waiting) ? HBD_ALERT_REFUSED :
									 HBD_ALERT_NO_VOTE,
			   HBD_SEVERITY_CRITICAL)->group = waiting;
		return;
	}
	node_alert(actions, HBD_ALERT_PEER_LOST,
		   state == HBD_PEER_STOPPED && !node->peer_orphaned ? HBD_SEVERITY_WARNING :
								       HBD_SEVERITY_CRITICAL)
		->reason = loss_reason(node, state);
}

/*
 * A peer that was away may have owned meanwhile, unseen, and have let go since: what neighbors
 * have cached may be wrong.
 */
static void greet(struct hbd_node *node, struct hbd_actions *actions)
{
	bool absent = !node_peer_present(node);

	if (node->peer_absent && !absent)
		for (uint8_t i = 0; i < node->config->group_count; i++)
			if (hbd_node_holds(node, i))
				node_act(actions, HBD_ACTION_ANNOUNCE)->group = i;
	node->peer_absent = absent;
}

/* Each packet that waited tells of a part of it. */
static void tell_standstill(struct hbd_node *node, struct hbd_actions *actions)
{
	if (node->stood_ns == 0)
		return;
	node_alert(actions, HBD_ALERT_STOOD_STILL, HBD_SEVERITY_WARNING)->alert.duration_ns =
		node->stood_ns;
	node->stood_ns = 0;
}

static bool isolation_is_told(const struct hbd_node *node)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (node->groups[i].asking.isolated_told)
			return true;
	return false;
}

/* This tells of the peer's loss as well. The end of it is told as a takeover or as its return. */
static void watch_gateway(struct hbd_node *node, struct hbd_actions *actions)
{
	for (uint8_t i = 0; i < node->config->group_count && !isolation_is_told(node); i++) {
		struct hbd_asking *asking = &node->groups[i].asking;

		if (!hbd_node_is_isolated(node, i) ||
		    node->now_ns < hbd_time_add(asking->isolated_since_ns, ISOLATED_NS))
			continue;
		asking->isolated_told = true;
		node->peer_loss_told = true;
		node_alert(actions, HBD_ALERT_ISOLATED, HBD_SEVERITY_CRITICAL)->group = i;
	}
}

/* While a file is changed on one node and then on the other they differ, and that is no news. */
static void tell_difference(struct hbd_node *node, struct hbd_actions *actions)
{
	bool differs = node->mismatch & HBD_MISMATCH_CONFIG;

	if (!differs)
		node->differs_since_ns = 0;
	else if (node->differs_since_ns == 0)
		node->differs_since_ns = node->now_ns;
	if (differs == node->config_differs ||
	    (differs && node->now_ns < hbd_time_add(node->differs_since_ns, DIFFERS_NS)))
		return;
	node->config_differs = differs;
	if (differs)
		node_alert(actions, HBD_ALERT_CONFIG_DIFFERS, HBD_SEVERITY_WARNING);
	else
		node_alert(actions, HBD_ALERT_CONFIG_AGREES, HBD_SEVERITY_INFO);
}

/* Redundancy lost and restored, and configurations that differ. */
void node_watch_peer(struct hbd_node *node, struct hbd_actions *actions)
{
	enum hbd_peer_state state = hbd_node_peer_state(node);
	bool gone = state == HBD_PEER_SILENT || state == HBD_PEER_STOPPED ||
		    state == HBD_PEER_DIED;

	if (node->stopping)
		return;
	greet(node, actions);
	tell_standstill(node, actions);
	watch_gateway(node, actions);
	node_watch_maintenance(node, actions);
	if (gone && !node->peer_loss_told && !hbd_node_peer_pauses(node))
		tell_loss(node, state, actions);
	if (state == HBD_PEER_ALIVE && node->peer_running && node->peer_loss_told) {
		node->peer_loss_told = false;
		node_alert(actions, HBD_ALERT_PEER_BACK, HBD_SEVERITY_INFO);
	}
	tell_difference(node, actions);
}

static bool link_is_bad(enum hbd_link_verdict verdict)
{
	switch (verdict) {
	case HBD_LINK_UNSET:
	case HBD_LINK_UP:
	case HBD_LINK_LOSSY:
		return false;
	case HBD_LINK_RX_DEAD:
	case HBD_LINK_TX_DEAD:
	case HBD_LINK_UNUSABLE:
		return true;
	}
	return true;
}

static void tell_link(struct hbd_node *node, uint8_t link, bool lost, struct hbd_actions *actions)
{
	uint8_t bit = (uint8_t)(1u << link);

	if (lost == !!(node->links_lost & bit))
		return;
	node->links_lost ^= bit;
	node_alert(actions, lost ? HBD_ALERT_LINK_LOST : HBD_ALERT_LINK_BACK,
		   lost ? HBD_SEVERITY_WARNING : HBD_SEVERITY_INFO)->link = link;
}

/* One of several links is down. When the peer is silent on all of them that is what is told. */
void node_watch_links(struct hbd_node *node, struct hbd_actions *actions)
{
	int64_t grace_ns = hbd_time_max(LINK_GRACE_NS_MIN,
					LINK_GRACE_INTERVALS * node->config->profile.interval_ns);

	if (hbd_node_peer_state(node) != HBD_PEER_ALIVE || node->stopping)
		return;
	for (uint8_t i = 0; i < node->config->link_count; i++) {
		enum hbd_link_verdict verdict = hbd_detector_link(&node->detector, i,
								  node->links_usable & (1u << i),
								  node->now_ns);

		if (!link_is_bad(verdict)) {
			node->links_bad_since_ns[i] = HBD_NEVER_NS;
			tell_link(node, i, false, actions);
		} else if (node->links_bad_since_ns[i] == HBD_NEVER_NS) {
			node->links_bad_since_ns[i] = node->now_ns;
		} else if (node->now_ns >= hbd_time_add(node->links_bad_since_ns[i], grace_ns)) {
			tell_link(node, i, true, actions);
		}
	}
}
