/*
 * Planned moves, make before break (PROTOCOL.md 6.4): the owner offers, the peer gets ready, the
 * owner commits, the peer claims, and what still comes to the old owner is taken in there until the
 * last old connection is over. Nothing is let go before the peer is ready.
 */
#include "node_internal.h"

#include "time.h"

#define READY_INTERVALS 10	/* + Lg and the plugins' time: so long may the peer take to get ready */
#define FORWARD_NS (500 * HBD_MS_NS)	/* + what a kernel takes that checks and loads a program */

int64_t node_offer_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group_config *config = &node->config->groups[index];
	const struct hbd_profile *profile = &node->config->profile;
	int64_t sum_ns = profile->grant_ns + READY_INTERVALS * profile->interval_ns;

	if (config->drain_ns > 0)
		sum_ns = hbd_time_add(sum_ns, FORWARD_NS);
	for (uint8_t i = 0; i < config->step_count; i++)
		if (config->steps[i].prepares)
			sum_ns = hbd_time_add(sum_ns, config->steps[i].timeout_ns);
	return sum_ns;
}

void node_offer(struct hbd_node *node, uint8_t index, enum hbd_reason reason)
{
	struct hbd_handover *handover = &node->groups[index].handover;

	handover->state = HBD_HANDOVER_OFFERED;
	handover->reason = reason;
	handover->offer_hb_seq = node->hb_seq + 1;
	handover->deadline_ns = hbd_time_add(node->now_ns, node_offer_ns(node, index));
	node->news = true;
}

bool node_end_handover(struct hbd_node *node, uint8_t index, enum hbd_role next)
{
	struct hbd_handover *handover = &node->groups[index].handover;
	bool prepared = handover->state == HBD_HANDOVER_PREPARING ||
			handover->state == HBD_HANDOVER_READY;

	handover->state = HBD_HANDOVER_NONE;
	handover->forward_id = 0;
	return prepared && next != HBD_ROLE_CLAIMING;
}

/* ---- the owner's side ---------------------------------------------------------------------------- */

/* This node never stopped serving. */
static void give_up_offer(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_action *action = node_alert(actions, HBD_ALERT_NOT_TAKEN, HBD_SEVERITY_WARNING);

	action->group = index;
	action->reason = HBD_REASON_NOT_READY;
	node->groups[index].handover.state = HBD_HANDOVER_NONE;
	node->news = true;
}

/* Without a fence nobody could keep this node from answering for the address on the LAN. */
static void commit(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	bool drains = node->fence == HBD_FENCE_KERNEL && node->config->groups[index].drain_ns > 0;

	node_cause(node, index, drains ? HBD_CAUSE_COMMIT : HBD_CAUSE_SWITCHOVER,
		   node->groups[index].handover.reason, actions);
}

static void judge_offer(struct hbd_node *node, uint8_t index, struct hbd_actions *actions,
			bool ticking)
{
	const struct hbd_group *group = &node->groups[index];
	/* what the peer says of an offer that it has not heard concerns another one */
	bool heard = node->peer_acked >= group->handover.offer_hb_seq;

	if (!hbd_node_can_switch(node, index) ||
	    (heard && (group->peer.flags & HBD_GROUP_REFUSED)) ||
	    (ticking && node->now_ns >= group->handover.deadline_ns))
		give_up_offer(node, index, actions);
	/* it was ready; who slept since waits for its next word */
	else if (heard && (group->peer.flags & HBD_GROUP_READY) && !node_awaits_news(node))
		commit(node, index, actions);
}

/*
 * What is taken in ends with the peer's voice: nobody answers beside an owner that it does not hear.
 */
static void extend_drain(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_handover *handover = &node->groups[index].handover;
	int64_t until_ns = hbd_time_min(hbd_time_add(handover->told_ns,
						     node->config->profile.grant_ns),
					handover->drain_until_ns);

	if (until_ns <= handover->accept_ns)
		return;
	handover->accept_ns = until_ns;
	node_set_lease(node, index, actions);
}

/* When the drain ends at the latest; the peer may never serve. Who is to serve again goes on. */
static int64_t drain_over_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	if (group->handover.state != HBD_HANDOVER_NONE)
		return HBD_NEVER_NS;
	return hbd_time_min(group->handover.drain_until_ns,
			    hbd_time_add(hbd_time_add(group->since_ns, node_offer_ns(node, index)),
					 node->config->groups[index].drain_ns));
}

static void judge_drain(struct hbd_node *node, uint8_t index, struct hbd_actions *actions,
			bool ticking)
{
	struct hbd_group *group = &node->groups[index];
	struct hbd_handover *handover = &group->handover;
	bool served = node_peer_present(node) && group->peer.known &&
		      group->peer.role == HBD_ROLE_PRIMARY;

	if (served && handover->drain_until_ns == HBD_NEVER_NS)
		handover->drain_until_ns = hbd_time_add(node->now_ns,
							node->config->groups[index].drain_ns);
	if ((served && handover->drained && handover->state == HBD_HANDOVER_NONE) ||
	    (ticking && node->now_ns >= drain_over_ns(node, index)))
		node_cause(node, index, HBD_CAUSE_DRAINED, HBD_REASON_DRAINED, actions);
	else
		extend_drain(node, index, actions);
}

/* ---- the taker's side ---------------------------------------------------------------------------- */

static bool is_offered(const struct hbd_group *group)
{
	return group->peer.known && group->peer.role == HBD_ROLE_PRIMARY &&
	       (group->peer.flags & HBD_GROUP_OFFERED);
}

static bool can_take(const struct hbd_node *node, const struct hbd_group *group)
{
	return group->faults == HBD_FAULT_NONE && !node->stopping && !node->maintenance.on &&
	       !node->leave.on &&
	       !node_is_holding(node) && !(node->mismatch & HBD_MISMATCH_CONFIG);
}

/* Connections that are open at the peer are to end there, if it can go on without being asked for. */
static void forward(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_action *action;

	if (node->peer_fence != HBD_FENCE_KERNEL || node->config->groups[index].drain_ns == 0)
		return;
	action = node_act(actions, HBD_ACTION_FORWARD);
	action->group = index;
	action->id = node_new_id(node);
	node->groups[index].handover.forward_id = action->id;
}

static void take_offer(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	/* what is left of an earlier life as primary is undone first */
	if (group->plan.kind != HBD_PLAN_NONE)
		return;
	if (can_take(node, group)) {
		group->handover.state = HBD_HANDOVER_PREPARING;
		forward(node, index, actions);
		hbd_takeover_begin_prepare(&group->plan);
	} else {
		group->handover.state = HBD_HANDOVER_REFUSED;
		node->news = true;
	}
}

void node_take_prepared(struct hbd_node *node, uint8_t index, bool good)
{
	struct hbd_group *group = &node->groups[index];

	if (group->handover.state != HBD_HANDOVER_PREPARING ||
	    (good && group->handover.forward_id != 0))
		return;
	group->handover.state = good ? HBD_HANDOVER_READY : HBD_HANDOVER_REFUSED;
	group->handover.forward_id = 0;
	node->news = true;
	if (!good)
		hbd_takeover_begin_release(&group->plan);
}

/* Whatever became of it: a move that ends connections is better than none. */
bool node_take_forwarding(struct hbd_node *node, uint8_t index, uint64_t id)
{
	struct hbd_group *group = &node->groups[index];

	if (id == 0 || group->handover.forward_id != id)
		return false;
	group->handover.forward_id = 0;
	if (group->plan.kind == HBD_PLAN_NONE)
		node_take_prepared(node, index, true);
	return true;
}

void node_refuse_offer(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	if (group->handover.state != HBD_HANDOVER_PREPARING &&
	    group->handover.state != HBD_HANDOVER_READY)
		return;
	group->handover.state = HBD_HANDOVER_REFUSED;
	group->handover.forward_id = 0;
	node_undo(group, index, actions);
	node->news = true;
}

/* It is neither offered any more nor handed over: what was prepared is undone. */
static void withdraw(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	if (node_end_handover(node, index, group->role))
		node_undo(group, index, actions);
	node->news = true;
}

static void judge_invitation(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	/* a peer that fell silent meanwhile is a reason to claim, not to undo */
	if (!node_peer_present(node) || !group->peer.known ||
	    (group->peer.flags & HBD_GROUP_RESIGNED))
		return;
	if (group->handover.state == HBD_HANDOVER_NONE && is_offered(group))
		take_offer(node, index, actions);
	else if (group->handover.state != HBD_HANDOVER_NONE && !is_offered(group))
		withdraw(node, index, actions);
}

/* ---- both --------------------------------------------------------------------------------------- */

void node_judge_handover(struct hbd_node *node, uint8_t index, struct hbd_actions *actions,
			 bool ticking)
{
	struct hbd_group *group = &node->groups[index];

	if (group->handover.state == HBD_HANDOVER_OFFERED)
		judge_offer(node, index, actions, ticking);
	if (node_role_stands_by(group->role))
		judge_invitation(node, index, actions);
	if (group->role == HBD_ROLE_DRAINING)
		judge_drain(node, index, actions, ticking);
}

int64_t node_handover_deadline_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	if (group->handover.state == HBD_HANDOVER_OFFERED)
		return group->handover.deadline_ns;
	return group->role == HBD_ROLE_DRAINING ? drain_over_ns(node, index) : HBD_NEVER_NS;
}
