/* About to pause: told, taken in, or given up, as hold.h has it; and what a pause of the peer's is. */
#include "node_internal.h"
#include "resume.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define WAIT_NS_MIN (100 * HBD_MS_NS)
#define WITNESS_NS HBD_S_NS	/* so long may a witness take for the peer's vote */

bool node_is_holding(const struct hbd_node *node)
{
	return node->hold.term_ns != 0;
}

bool node_awaits_hold(const struct hbd_node *node)
{
	return node_is_holding(node) && !node->hold.over;
}

bool hbd_node_peer_pauses(const struct hbd_node *node)
{
	return node->now_ns < node->hold.peer_until_ns;
}

static void tell_held(struct hbd_actions *actions, int result)
{
	node_act(actions, HBD_ACTION_HELD)->result = result;
}

/* There is no other process: what was told for the pause ends with the next heartbeat. */
static void go_on(struct hbd_node *node)
{
	node->hold.term_ns = 0;
	node->hold.hb_seq = 0;
	node->hold.over = false;
	node->news = true;
}

static void give_up(struct hbd_node *node, int result, struct hbd_actions *actions)
{
	go_on(node);
	tell_held(actions, result);
}

/* In restart silence it holds nothing, and what it promised before it may not know. */
void node_take_hold(struct hbd_node *node, int64_t term_ns, struct hbd_actions *actions)
{
	const struct hbd_profile *profile = &node->config->profile;

	assert(term_ns >= 0 && term_ns <= HBD_PAUSE_NS_MAX);
	if (term_ns == 0) {
		go_on(node);
		return;
	}
	if (node_is_holding(node))
		return;
	if (node->stopping || node->now_ns < hbd_time_add(node->started_ns, profile->quiet_ns)) {
		tell_held(actions, -ESHUTDOWN);
		return;
	}
	/* not longer than what a peer that starts meanwhile waits for in any case */
	node->hold.term_ns = hbd_time_max(hbd_time_min(term_ns, profile->long_ns), profile->hold_ns);
	node->hold.give_up_ns = hbd_time_add(node->now_ns,
					     hbd_time_max(node_needs_votes(node) ? WITNESS_NS
										 : WAIT_NS_MIN,
							  profile->interval_ns));
	node->hold.hb_seq = 0;
	for (uint8_t i = 0; i < node->config->group_count; i++)
		node_refuse_offer(node, i, actions);
}

/* An owner that lives on the grants of a peer which pauses needs the witness's vote before. */
static void cover_for_peer(struct hbd_node *node)
{
	int64_t until_ns = hbd_time_add(node->now_ns, node->config->profile.hold_ns);
	bool covered = hbd_node_peer_pauses(node);

	for (uint8_t i = 0; i < node->config->group_count && node_needs_votes(node); i++) {
		const struct hbd_lease *lease = &node->groups[i].lease;

		if (lease->held && lease->voted_until_ns < until_ns)
			covered = false;
	}
	node->news |= covered && !node->hold.covered;
	node->hold.covered = covered;
}

/* What is under way comes to its end first; nothing new is begun. */
void node_judge_hold(struct hbd_node *node, struct hbd_actions *actions, bool ticking)
{
	struct hbd_hold *hold = &node->hold;
	bool can_pause;

	cover_for_peer(node);
	if (!node_awaits_hold(node))
		return;
	can_pause = hbd_node_can_pause(node);
	if (!can_pause)
		hold->hb_seq = 0;
	if (ticking && node->now_ns >= hold->give_up_ns) {
		give_up(node, can_pause ? -ETIMEDOUT : -EBUSY, actions);
		return;
	}
	if (can_pause && hold->hb_seq == 0) {
		hold->hb_seq = node->hb_seq + 1;
		hold->told_ns = node->now_ns;
		node->news = true;
	}
}

/*
 * Does every lease last for the whole pause? Who is not heard grants nothing; there half of the pause
 * has to do, which the long lease of an owner without a standby gives, or the witness.
 */
static bool is_covered(const struct hbd_node *node)
{
	int64_t until_ns = hbd_time_add(node->hold.told_ns, node->hold.term_ns);

	if (!node_peer_present(node))
		until_ns = hbd_time_add(node->now_ns, node->hold.term_ns / 2);
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		const struct hbd_lease *lease = &node->groups[i].lease;

		if (lease->held && lease->held_until_ns < until_ns)
			return false;
	}
	return true;
}

/* The peer, if it is one that can tell, has told that it does without this node's grants. */
static bool peer_is_covered(const struct hbd_node *node)
{
	return !node_peer_present(node) || !node_needs_votes(node) || !node->hold.peer_knows ||
	       node->hold.peer_covered;
}

/* After what was due was sent. */
void node_finish_hold(struct hbd_node *node, struct hbd_actions *actions)
{
	const struct hbd_hold *hold = &node->hold;
	bool told = !node_peer_present(node) || node->peer_acked >= hold->hb_seq;

	if (!node_awaits_hold(node) || hold->hb_seq == 0 || !told || !hbd_node_can_pause(node) ||
	    !is_covered(node) || !peer_is_covered(node))
		return;
	node->hold.over = true;
	tell_held(actions, 0);
}

int64_t node_hold_deadline_ns(const struct hbd_node *node)
{
	int64_t deadline_ns = node_awaits_hold(node) ? node->hold.give_up_ns : HBD_NEVER_NS;

	if (node->hold.peer_until_ns != 0)
		deadline_ns = hbd_time_min(deadline_ns, node_pending(node, node->hold.peer_until_ns));
	return deadline_ns;
}

/* The peer's newest word. */
void node_take_peer_hold(struct hbd_node *node, const struct hbd_heartbeat *heartbeat,
			 int64_t received_ns)
{
	int64_t term_ns = hbd_time_min((int64_t)heartbeat->lease_us * HBD_US_NS, HBD_PAUSE_NS_MAX);

	node->hold.peer_knows = heartbeat->capabilities & HBD_CAPABILITY_HOLD;
	node->hold.peer_covered = heartbeat->capabilities & HBD_CAPABILITY_COVERED;
	node->hold.peer_until_ns = heartbeat->node_state == HBD_NODE_HOLDING ?
				   hbd_time_add(received_ns, hbd_profile_promise_ns(term_ns)) : 0;
}

void node_forget_peer_hold(struct hbd_node *node)
{
	node->hold.peer_knows = false;
	node->hold.peer_covered = false;
	node->hold.peer_until_ns = 0;
}
