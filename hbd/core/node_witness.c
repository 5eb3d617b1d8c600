/* The witness's vote: when it is asked for, counted on, and given up (PROTOCOL.md 6.2). */
#include "node_internal.h"

#include "time.h"

#define PATIENCE_NS (500 * HBD_MS_NS)	/* then a request has an unknown outcome */
#define LOST_NS (3 * HBD_S_NS)		/* without any answer: the witness is lost */
#define POLL_NS HBD_S_NS		/* a look at one group while all is well */
#define LOOK_NS (250 * HBD_MS_NS)	/* ... and at each while the peer is not heard */
#define RETRY_NS (20 * HBD_MS_NS)	/* after an error */

enum want {
	WANT_NOTHING,
	WANT_READ,
	WANT_HOLD,
	WANT_FREE,
};

static int64_t vote_term_ns(const struct hbd_node *node)
{
	return node->config->profile.long_ns;
}

static int64_t lost_at_ns(const struct hbd_node *node)
{
	return hbd_time_add(node->witness_answered_ns, LOST_NS);
}

bool hbd_node_witness_is_lost(const struct hbd_node *node)
{
	return node->config->witness && node->now_ns >= lost_at_ns(node);
}

bool node_needs_votes(const struct hbd_node *node)
{
	return node->config->witness &&
	       !(node->config->serve_without && hbd_node_witness_is_lost(node));
}

static int64_t vote_free_ns(const struct hbd_node *node, const struct hbd_witness *witness)
{
	return hbd_witness_free_at_ns(witness, node->config->self, node->gone_life,
				      vote_term_ns(node));
}

bool hbd_node_is_refused(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return group->wants_vote && hbd_witness_names(&group->witness, 1 - node->config->self) &&
	       node->now_ns < vote_free_ns(node, &group->witness);
}

/*
 * Heard or just gone, the peer took in a heartbeat of this node's: no later process of it claims before
 * its restart silence is over, so it supports this node for that long.
 */
static int64_t agreed_until_ns(const struct hbd_node *node)
{
	uint64_t acked = node_just_left(node) ? node->parting_acked : node->peer_acked;

	return hbd_time_min(hbd_sent_lease_end(&node->sent, acked),
			    hbd_time_add(node->now_ns, node->config->profile.hold_ns));
}

enum node_ballot node_ballot(const struct hbd_node *node, uint8_t index, enum hbd_reason reason)
{
	const struct hbd_group *group = &node->groups[index];

	/* the first choice may claim at this very instant */
	if (reason == HBD_REASON_UNCLAIMED && group->peer.known)
		return NODE_BALLOT_ASKED;
	if (!node_needs_votes(node))
		return NODE_BALLOT_NONE;
	if (node_just_left(node))
		return NODE_BALLOT_GIVEN;
	if (!node_peer_present(node) || !group->peer.known)
		return NODE_BALLOT_WITNESS;
	if (node->peer_acked >= group->role_hb_seq &&
	    (reason == HBD_REASON_PEER_RESIGNED || reason == HBD_REASON_PEER_FAULT ||
	     reason == HBD_REASON_PEER_STOPPED || reason == HBD_REASON_PEER_ORPHANED ||
	     reason == HBD_REASON_PEER_RESTARTED))
		return NODE_BALLOT_GIVEN;
	return NODE_BALLOT_ASKED;
}

bool node_lacks_vote(const struct hbd_node *node, uint8_t index, enum hbd_reason reason)
{
	int64_t voted_ns = node->groups[index].witness.held_until_ns;

	switch (node_ballot(node, index, reason)) {
	case NODE_BALLOT_NONE:
	case NODE_BALLOT_ASKED:
		return false;
	case NODE_BALLOT_GIVEN:
		return hbd_time_max(agreed_until_ns(node), voted_ns) <= node->now_ns;
	case NODE_BALLOT_WITNESS:
		return voted_ns <= node->now_ns;
	}
	return true;
}

void node_take_lease(struct hbd_node *node, uint8_t index, enum node_ballot ballot)
{
	struct hbd_group *group = &node->groups[index];

	group->awaits_vote = ballot == NODE_BALLOT_ASKED;
	switch (ballot) {
	case NODE_BALLOT_NONE:
		hbd_lease_take(&group->lease, hbd_time_add(node->now_ns, node_term_ns(node)));
		break;
	case NODE_BALLOT_GIVEN:
		hbd_lease_take(&group->lease, agreed_until_ns(node));
		hbd_lease_vote(&group->lease, group->witness.held_until_ns);
		break;
	case NODE_BALLOT_WITNESS:
		hbd_lease_take(&group->lease, node->now_ns);
		hbd_lease_vote(&group->lease, group->witness.held_until_ns);
		break;
	case NODE_BALLOT_ASKED:
		break;
	}
}

static void ask(struct hbd_node *node, uint8_t index, const struct hbd_record *wanted,
		struct hbd_actions *actions)
{
	struct hbd_witness *witness = &node->groups[index].witness;
	struct hbd_action *action = node_act(actions, HBD_ACTION_WITNESS);

	action->group = index;
	action->id = node_new_id(node);
	hbd_witness_asked(witness, action->id, wanted, node->now_ns);
	action->witness.call = wanted ? HBD_WITNESS_SWAP : HBD_WITNESS_READ;
	if (!wanted)
		return;
	action->witness.revision = witness->revision;
	action->witness.record = witness->wanted;
}

static void ask_to_hold(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	const struct hbd_group *group = &node->groups[index];

	ask(node, index,
	    &(struct hbd_record){
		    .holder = node->config->self,
		    .epoch = hbd_role_owns(group->role) ? group->epoch :
							  node_next_epoch(node, index),
		    .life = node->session.own_session,
	    }, actions);
}

/* First it stops counting on the vote, then it says so. */
static void ask_to_free(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	if (group->lease.held && group->lease.voted_until_ns != 0) {
		hbd_lease_vote(&group->lease, 0);
		node_set_lease(node, index, actions);
	}
	hbd_witness_give_up(&group->witness);
	ask(node, index,
	    &(struct hbd_record){
		    .holder = HBD_NO_HOLDER,
		    .epoch = group->epoch,
		    .life = node->session.own_session,
	    }, actions);
}

/* When an owner's lease needs the witness's vote: half of what the peer grants has gone. */
static int64_t vote_due_ns(const struct hbd_node *node, const struct hbd_group *group)
{
	if (!node_peer_present(node) || hbd_node_peer_pauses(node))
		return node->now_ns;
	return group->lease.granted_until_ns - node->config->profile.hold_ns / 2;
}

/* When the vote that this node has is asked for again, or given up. */
static int64_t vote_old_ns(const struct hbd_node *node, const struct hbd_witness *witness)
{
	int64_t term_ns = vote_term_ns(node);

	return witness->held_until_ns == 0 ? 0 : witness->held_until_ns - (term_ns - term_ns / 4);
}

static enum want owner_wants(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];
	const struct hbd_witness *witness = &group->witness;

	if (node->now_ns < vote_old_ns(node, witness))
		return WANT_NOTHING;
	if (node->now_ns >= vote_due_ns(node, group))
		return WANT_HOLD;
	return witness->held_until_ns != 0 || hbd_witness_names(witness, node->config->self) ?
	       WANT_FREE : WANT_NOTHING;
}

/* Its vote came too late for its lease, and the peer, which is not heard, could not claim either. */
static bool may_claim_soon(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return !node_peer_present(node) && !node->stopping && !hbd_node_abstains(node, index) &&
	       (node_role_stands_by(group->role) || group->role == HBD_ROLE_RELEASING);
}

static enum want group_wants(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	if (group->lease.held)
		return node_needs_votes(node) ? owner_wants(node, index) : WANT_NOTHING;
	if (group->awaits_vote)
		return WANT_NOTHING;
	if (group->wants_vote)
		return WANT_HOLD;
	if (!hbd_witness_names(&group->witness, node->config->self) || may_claim_soon(node, index))
		return WANT_NOTHING;
	return WANT_FREE;
}

static bool looks_due(const struct hbd_node *node, const struct hbd_group *group)
{
	int64_t every_ns = hbd_node_peer_state(node) == HBD_PEER_ALIVE ? HBD_NEVER_NS : LOOK_NS;

	return every_ns != HBD_NEVER_NS &&
	       node->now_ns >= hbd_time_add(group->witness.shown_ns, every_ns);
}

/* What may be done of what is wanted. */
static enum want possible(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];
	enum want want = group_wants(node, index);
	int64_t free_ns = vote_free_ns(node, &group->witness);

	if (group->witness.pending_id != 0 || node->now_ns < group->witness_retry_ns)
		return WANT_NOTHING;
	if (want != WANT_NOTHING && !group->witness.known)
		return WANT_READ;
	if (want == WANT_HOLD && node->now_ns < free_ns)
		want = WANT_NOTHING;
	if (want == WANT_NOTHING && looks_due(node, group))
		return WANT_READ;
	return want;
}

static bool polls(struct hbd_node *node, uint8_t index)
{
	if (index != node->witness_poll_group || node->now_ns < node->witness_poll_ns)
		return false;
	node->witness_poll_ns = hbd_time_add(node->now_ns, POLL_NS);
	node->witness_poll_group = (uint8_t)((index + 1) % node->config->group_count);
	return node->groups[index].witness.pending_id == 0;
}

static void watch_witness(struct hbd_node *node, struct hbd_actions *actions)
{
	bool lost = hbd_node_witness_is_lost(node);

	if (lost == node->witness_lost)
		return;
	node->witness_lost = lost;
	node_alert(actions, lost ? HBD_ALERT_WITNESS_LOST : HBD_ALERT_WITNESS_BACK,
		   lost ? HBD_SEVERITY_WARNING : HBD_SEVERITY_INFO);
}

static void expire(struct hbd_node *node, uint8_t index)
{
	struct hbd_witness *witness = &node->groups[index].witness;

	if (witness->pending_id != 0 &&
	    node->now_ns >= hbd_time_add(witness->sent_ns, PATIENCE_NS))
		hbd_witness_answered(witness, witness->pending_id, HBD_WITNESS_UNKNOWN, 0, NULL,
				     node->config->self, vote_term_ns(node), node->now_ns);
}

void node_witness_due(struct hbd_node *node, struct hbd_actions *actions)
{
	if (!node->config->witness)
		return;
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		bool poll;

		expire(node, i);
		poll = polls(node, i);
		switch (possible(node, i)) {
		case WANT_NOTHING:
			if (poll)
				ask(node, i, NULL, actions);
			break;
		case WANT_READ:
			ask(node, i, NULL, actions);
			break;
		case WANT_HOLD:
			ask_to_hold(node, i, actions);
			break;
		case WANT_FREE:
			ask_to_free(node, i, actions);
			break;
		}
	}
	watch_witness(node, actions);
}

/* Numbers that another process wrote count as seen, as those of heartbeats do. */
static void take_epoch(struct hbd_node *node, struct hbd_group *group)
{
	const struct hbd_record *record = &group->witness.record;

	if (record->life != node->session.own_session)
		node_see_epoch(group, record->epoch);
}

void node_take_witness(struct hbd_node *node, const struct hbd_event *event,
		       struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[event->group];
	struct hbd_witness *witness = &group->witness;

	if (event->witness.result != HBD_WITNESS_UNKNOWN)
		node->witness_answered_ns = node->now_ns;
	if (!hbd_witness_answered(witness, event->witness.id, event->witness.result,
				  event->witness.revision, &event->witness.record,
				  node->config->self, vote_term_ns(node), node->now_ns))
		return;
	if (event->witness.result == HBD_WITNESS_UNKNOWN)
		group->witness_retry_ns = hbd_time_add(node->now_ns, RETRY_NS);
	if (witness->revision != 0)
		take_epoch(node, group);
	if (!group->lease.held || witness->held_until_ns <= group->lease.voted_until_ns)
		return;
	hbd_lease_vote(&group->lease, witness->held_until_ns);
	node_set_lease(node, event->group, actions);
}

static int64_t group_deadline_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];
	const struct hbd_witness *witness = &group->witness;
	int64_t deadline_ns = HBD_NEVER_NS;

	if (witness->pending_id != 0)
		return hbd_time_add(witness->sent_ns, PATIENCE_NS);
	if (hbd_node_peer_state(node) != HBD_PEER_ALIVE)
		deadline_ns = hbd_time_add(witness->shown_ns, LOOK_NS);
	if (group->lease.held)
		deadline_ns = hbd_time_min(deadline_ns,
					   hbd_time_max(vote_due_ns(node, group),
							vote_old_ns(node, witness)));
	if (group->wants_vote)
		deadline_ns = hbd_time_min(deadline_ns, vote_free_ns(node, witness));
	return hbd_time_max(deadline_ns, group->witness_retry_ns);
}

int64_t node_witness_deadline_ns(const struct hbd_node *node)
{
	int64_t deadline_ns = node->witness_poll_ns;

	if (!node->config->witness)
		return HBD_NEVER_NS;
	if (!node->witness_lost)
		deadline_ns = hbd_time_min(deadline_ns, lost_at_ns(node));
	for (uint8_t i = 0; i < node->config->group_count; i++)
		deadline_ns = hbd_time_min(deadline_ns,
					   node_pending(node, group_deadline_ns(node, i)));
	return deadline_ns;
}
