/* About to stop, as leave.h has it: each group is offered once, and what became of it is waited for. */
#include "node_internal.h"

#include <assert.h>

#include "time.h"

/* The moves themselves have their own limits; what remains is for old connections. */
static int64_t limit_ns(const struct hbd_node *node, int64_t patience_ns)
{
	int64_t moves_ns = 0;

	for (uint8_t i = 0; i < node->config->group_count; i++)
		moves_ns = hbd_time_max(moves_ns, node_offer_ns(node, i));
	return hbd_time_add(node->now_ns, hbd_time_add(moves_ns, patience_ns));
}

void node_take_leave(struct hbd_node *node, bool on, int64_t patience_ns,
		     struct hbd_actions *actions)
{
	assert(patience_ns >= 0 && patience_ns <= HBD_LEAVE_NS_MAX);
	if (node->leave.on == on)
		return;
	node->leave = (struct hbd_leave){ .on = on, .until_ns = limit_ns(node, patience_ns) };
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		/* what is agreed on next is agreed on with a peer that knows */
		node_tell_rank(node, i);
		node->groups[i].handover.again_ns = 0;
		if (on)
			node_refuse_offer(node, i, actions);
	}
}

/* The peer can take the group, or could once what it is busy with is over. */
static bool peer_may_take(const struct hbd_node *node, const struct hbd_group *group)
{
	const struct hbd_peer_group *peer = &group->peer;

	if (hbd_node_peer_pauses(node))
		return true;
	if (!node_peer_present(node) || node->peer_maintained ||
	    (node->mismatch & HBD_MISMATCH_CONFIG) || !peer->known ||
	    (peer->flags & (HBD_GROUP_FAULT_HARD | HBD_GROUP_FAULT_SOFT)))
		return false;
	return peer->role == HBD_ROLE_QUIET ||
	       (node->peer_running &&
		(node_role_stands_by(peer->role) || peer->role == HBD_ROLE_RELEASING));
}

static bool is_to_be_offered(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return group->role == HBD_ROLE_PRIMARY && group->handover.again_ns == 0 &&
	       peer_may_take(node, group);
}

void node_judge_leave(struct hbd_node *node, uint8_t index)
{
	if (!node->leave.on || node->stopping || !is_to_be_offered(node, index) ||
	    hbd_node_may_switch(node, index) != 0)
		return;
	/* once: a peer that did not take it will hardly do so a second later */
	node->groups[index].handover.again_ns = HBD_NEVER_NS;
	node_offer(node, index, HBD_REASON_STOP);
}

/* A move is about to begin, or has begun and is not over. */
static bool is_leaving(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return is_to_be_offered(node, index) || group->handover.state == HBD_HANDOVER_OFFERED ||
	       group->role == HBD_ROLE_CLAIMING || group->role == HBD_ROLE_RELEASING ||
	       group->role == HBD_ROLE_DRAINING || group->plan.kind != HBD_PLAN_NONE ||
	       node_is_handing_over(group);
}

static bool is_any_leaving(const struct hbd_node *node)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (is_leaving(node, i))
			return true;
	return false;
}

void node_finish_leave(struct hbd_node *node, struct hbd_actions *actions, bool ticking)
{
	struct hbd_leave *leave = &node->leave;

	if (!leave->on || leave->told || !ticking ||
	    (is_any_leaving(node) && node->now_ns < leave->until_ns))
		return;
	leave->told = true;
	node_act(actions, HBD_ACTION_LEFT);
}

bool hbd_node_hands_over(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return (node->leave.on || node->stopping) &&
	       (group->handover.state == HBD_HANDOVER_OFFERED || group->role == HBD_ROLE_DRAINING);
}

int64_t node_leave_deadline_ns(const struct hbd_node *node)
{
	return node->leave.on && !node->leave.told ? node->leave.until_ns : HBD_NEVER_NS;
}
