#include "node_internal.h"

#include "time.h"

#define LINK_GRACE_INTERVALS 10	/* a link is called lost after that many T, and at least ... */
#define LINK_GRACE_NS_MIN HBD_S_NS

void node_set_fault(struct hbd_node *node, uint8_t index, enum hbd_fault fault, bool present,
		    struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	uint8_t before = group->faults;
	struct hbd_action *action;

	group->faults = (uint8_t)(present ? before | fault : before & ~fault);
	if (group->faults == before)
		return;
	node->news = true;
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
}

static bool owns_any(const struct hbd_node *node)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (hbd_role_owns(node->groups[i].role))
			return true;
	return false;
}

static enum hbd_reason loss_reason(enum hbd_peer_state state)
{
	if (state == HBD_PEER_STOPPED)
		return HBD_REASON_PEER_STOPPED;
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

static void tell_loss(struct hbd_node *node, enum hbd_peer_state state,
		      struct hbd_actions *actions)
{
	/* a claim that is under way tells it, when it is known how it ended */
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (node->groups[i].role == HBD_ROLE_CLAIMING ||
		    (node->groups[i].role == HBD_ROLE_SECONDARY && !node_has_asked(node, i)))
			return;
	if (!owns_any(node) && !node->heard)
		return;
	node->peer_loss_told = true;
	if (peer_serves_unheard(node)) {
		node_alert(actions, HBD_ALERT_UNHEARD, HBD_SEVERITY_CRITICAL);
		return;
	}
	node_alert(actions, HBD_ALERT_PEER_LOST,
		   state == HBD_PEER_STOPPED ? HBD_SEVERITY_WARNING : HBD_SEVERITY_CRITICAL)
		->reason = loss_reason(state);
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

/* Redundancy lost and restored, and configurations that differ. */
void node_watch_peer(struct hbd_node *node, struct hbd_actions *actions)
{
	enum hbd_peer_state state = hbd_node_peer_state(node);
	bool gone = state == HBD_PEER_SILENT || state == HBD_PEER_STOPPED ||
		    state == HBD_PEER_DIED;
	bool differs = node->mismatch & HBD_MISMATCH_CONFIG;

	if (node->stopping)
		return;
	greet(node, actions);
	if (gone && !node->peer_loss_told)
		tell_loss(node, state, actions);
	if (state == HBD_PEER_ALIVE && node->peer_running && node->peer_loss_told) {
		node->peer_loss_told = false;
		node_alert(actions, HBD_ALERT_PEER_BACK, HBD_SEVERITY_INFO);
	}
	if (differs != node->config_differs) {
		node->config_differs = differs;
		if (differs)
			node_alert(actions, HBD_ALERT_CONFIG_DIFFERS, HBD_SEVERITY_WARNING);
		else
			node_alert(actions, HBD_ALERT_CONFIG_AGREES, HBD_SEVERITY_INFO);
	}
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
