/* Maintenance, as maintenance.h has it: out of it and into it, and what humans are told meanwhile. */
#include "node_internal.h"

#include <errno.h>

#include "time.h"

#define REMIND_NS (24 * 3600 * HBD_S_NS)
#define OFFER_AGAIN_NS (60 * HBD_S_NS)	/* after a move that the peer did not take */
#define UNSERVED_INTERVALS 10		/* + Lg: so long a move may leave a group without an owner */

/* Handed over by this node, and nobody was seen to take it since: the move is not over. */
bool node_is_handing_over(const struct hbd_group *group)
{
	return (group->resigned || group->takes_back) && !group->peer_owned;
}

bool hbd_node_abstains(const struct hbd_node *node, uint8_t index)
{
	return (node->maintenance.on || node->leave.on) && !node_is_handing_over(&node->groups[index]);
}

bool node_tells_maintenance(const struct hbd_node *node)
{
	if (!node->maintenance.on)
		return false;
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (!hbd_node_abstains(node, i))
			return false;
	return true;
}

static int group_may_rest(const struct hbd_group *group)
{
	const struct hbd_peer_group *peer = &group->peer;

	if (group->role == HBD_ROLE_CLAIMING || group->handover.state == HBD_HANDOVER_PREPARING ||
	    group->handover.state == HBD_HANDOVER_READY)
		return -EBUSY;
	if (!peer->known || peer->role == HBD_ROLE_FAULT ||
	    (peer->flags & (HBD_GROUP_FAULT_HARD | HBD_GROUP_FAULT_SOFT)))
		return -ENODEV;
	return 0;
}

int hbd_node_may_maintain(const struct hbd_node *node)
{
	int result = 0;

	if (node->stopping)
		return -ESHUTDOWN;
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		int r = group_may_rest(&node->groups[i]);

		if (r == -EBUSY)
			return r;
		if (r < 0)
			result = r;
	}
	if (hbd_node_peer_state(node) != HBD_PEER_ALIVE)
		return -EHOSTDOWN;
	if (node->peer_maintained)
		return -EHOSTUNREACH;
	if (!node->peer_running)
		return -EHOSTDOWN;
	return node->mismatch & HBD_MISMATCH_CONFIG ? -EINVAL : result;
}

/* ---- in and out ----------------------------------------------------------------------------------- */

void node_begin_in_maintenance(struct hbd_node *node)
{
	node->maintenance.on = true;
	node->maintenance.since_ns = node->now_ns;
	node->maintenance.remind_ns = node->now_ns;
}

/* The peer may have taken long leases by itself, and this node may not have heard of them. */
static void hold_back(struct hbd_node *node, struct hbd_group *group)
{
	node_doubt_silence(node, group);
	if (group->unowned_since_ns != HBD_NEVER_NS)
		group->unowned_since_ns = node->now_ns;
}

void node_resume_maintenance(struct hbd_node *node)
{
	bool on = node->config->maintenance;

	if (on == node->maintenance.on)
		return;
	node->maintenance = (struct hbd_maintenance){ .on = false };
	if (on)
		node_begin_in_maintenance(node);
	for (uint8_t i = 0; !on && i < node->config->group_count; i++)
		hold_back(node, &node->groups[i]);
}

void node_take_maintenance(struct hbd_node *node, bool on, struct hbd_actions *actions)
{
	struct hbd_maintenance *maintenance = &node->maintenance;

	if (maintenance->on == on)
		return;
	*maintenance = (struct hbd_maintenance){
		.on = on,
		.since_ns = node->now_ns,
		.remind_ns = hbd_time_add(node->now_ns, REMIND_NS),
	};
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		struct hbd_group *group = &node->groups[i];

		/* what is agreed on next is agreed on with a peer that knows */
		node_tell_rank(node, i);
		group->handover.again_ns = 0;
		if (on)
			node_refuse_offer(node, i, actions);
		else
			hold_back(node, group);
	}
	node_alert(actions, on ? HBD_ALERT_MAINTENANCE : HBD_ALERT_MAINTENANCE_OVER,
		   on ? HBD_SEVERITY_WARNING : HBD_SEVERITY_INFO);
}

/* ---- meanwhile ------------------------------------------------------------------------------------ */

void node_judge_maintenance(struct hbd_node *node, uint8_t index)
{
	struct hbd_handover *handover = &node->groups[index].handover;

	if (!node->maintenance.on || node->stopping || node->now_ns < handover->again_ns ||
	    node->groups[index].role != HBD_ROLE_PRIMARY || hbd_node_may_switch(node, index) != 0)
		return;
	handover->again_ns = hbd_time_add(node->now_ns, OFFER_AGAIN_NS);
	node_offer(node, index, HBD_REASON_MAINTENANCE);
}

bool hbd_node_leaves_unserved(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	/* a peer that pauses may serve all the time, or be back before anybody misses it */
	return hbd_node_abstains(node, index) && !node_role_occupies(group->role) &&
	       !hbd_node_peer_pauses(node) &&
	       !(node_peer_present(node) && group->peer.known &&
		 node_role_occupies(group->peer.role));
}

static bool leaves_any_unserved(const struct hbd_node *node)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (hbd_node_leaves_unserved(node, i))
			return true;
	return false;
}

/* This tells of the peer's loss as well. */
static void watch_service(struct hbd_node *node, struct hbd_actions *actions)
{
	struct hbd_maintenance *maintenance = &node->maintenance;
	const struct hbd_profile *profile = &node->config->profile;

	if (!leaves_any_unserved(node)) {
		maintenance->unserved_since_ns = 0;
		maintenance->unserved_told = false;
	} else if (maintenance->unserved_since_ns == 0) {
		maintenance->unserved_since_ns = node->now_ns;
	} else if (!maintenance->unserved_told &&
		   node->now_ns >= hbd_time_add(maintenance->unserved_since_ns,
						profile->grant_ns +
						UNSERVED_INTERVALS * profile->interval_ns)) {
		maintenance->unserved_told = true;
		node->peer_loss_told |= !node_peer_present(node);
		node_alert(actions, HBD_ALERT_UNSERVED, HBD_SEVERITY_CRITICAL);
	}
}

void node_watch_maintenance(struct hbd_node *node, struct hbd_actions *actions)
{
	if (!node->maintenance.on)
		return;
	/* a start may have found the peer serving, and not have heard it yet */
	if (node->now_ns >= hbd_time_add(node->started_ns, node->config->profile.quiet_ns))
		watch_service(node, actions);
	if (node->now_ns < node->maintenance.remind_ns)
		return;
	node->maintenance.remind_ns = hbd_time_add(node->now_ns, REMIND_NS);
	node_alert(actions, HBD_ALERT_MAINTAINED, HBD_SEVERITY_WARNING);
}
