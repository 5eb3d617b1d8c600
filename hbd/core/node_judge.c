#include "node_internal.h"

#include "time.h"

#define UNCLAIMED_INTERVALS 3	/* + Lg: so long may a better-ranked peer leave a group unowned */

static struct hbd_rank own_rank(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];
	bool preferred = node->config->groups[index].prefer == node->config->self;

	return (struct hbd_rank){
		.epoch = group->epoch,
		.fault_hard = group->faults & HBD_FAULTS_HARD,
		.fault_soft = group->faults & HBD_FAULTS_SOFT,
		.health = group->health,
		.priority = preferred,
		.node = node->config->self,
	};
}

/* The same table of preference serves both ranks, so that both nodes see the same order even
 * while their configurations differ in it: then the node index decides. */
static struct hbd_rank peer_rank(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_peer_group *peer = &node->groups[index].peer;
	uint8_t node_index = (uint8_t)(1 - node->config->self);

	return (struct hbd_rank){
		.epoch = peer->epoch,
		.fault_hard = peer->flags & HBD_GROUP_FAULT_HARD,
		.fault_soft = peer->flags & HBD_GROUP_FAULT_SOFT,
		.health = peer->health,
		.priority = node->config->groups[index].prefer == node_index,
		.node = node_index,
	};
}

static int compare_fitness(const struct hbd_node *node, uint8_t index)
{
	struct hbd_rank own = own_rank(node, index);
	struct hbd_rank other = peer_rank(node, index);

	return hbd_arbiter_compare_fitness(&own, &other);
}

bool node_is_fitter(const struct hbd_node *node, uint8_t index)
{
	return compare_fitness(node, index) > 0;
}

/* Of two that are not well the least bad serves; of two that are equally bad, who does. */
static bool peer_serves_better(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_peer_group *peer = &node->groups[index].peer;

	return hbd_node_peer_state(node) == HBD_PEER_ALIVE && node->peer_running && peer->known &&
	       peer->role == HBD_ROLE_SECONDARY && !(peer->flags & HBD_GROUP_FAULT_HARD) &&
	       compare_fitness(node, index) < 0;
}

/* An address that nobody serves is a need. */
static bool may_wait(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	return !(node->groups[index].faults & HBD_FAULT_PARTLY) &&
	       node_is_damped(node, index, actions);
}

static void judge_faults(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	bool hard = group->faults & HBD_FAULTS_HARD;

	if (hard && group->role != HBD_ROLE_FAULT) {
		node_cause(node, index, HBD_CAUSE_FAULT, HBD_REASON_FAULT, actions);
	} else if (!hard && group->role == HBD_ROLE_FAULT) {
		node_hold_claims(node, group);
		node_cause(node, index, HBD_CAUSE_HEALED, HBD_REASON_HEALED, actions);
	} else if (group->role == HBD_ROLE_PRIMARY && peer_serves_better(node, index) &&
		   !may_wait(node, index, actions)) {
		node_cause(node, index, HBD_CAUSE_SWITCHOVER, HBD_REASON_FAULT, actions);
	}
}

/* Two that claim and wait for each other's vote own nothing. */
static void tell_rival(const struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	if (node->groups[index].lease.held && node->peer_holds)
		node_alert(actions, HBD_ALERT_TWO_OWNERS, HBD_SEVERITY_CRITICAL)->group = index;
}

/*
 * Two owners. The loser lets go; the winner announces at first sight and again when the loser has
 * let go, because until then neighbours' caches may still be confirmed by the loser.
 */
static void judge_rival(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	bool rival = node_peer_present(node) && !node_knows_old_news(node) && group->peer.known &&
		     node_role_occupies(group->peer.role);

	if (!hbd_role_owns(group->role))
		return;
	if (rival && hbd_role_owns(group->peer.role)) {
		struct hbd_rank own = own_rank(node, index);
		struct hbd_rank other = peer_rank(node, index);

		if (hbd_arbiter_compare_owners(&own, &other) < 0) {
			/* the winner may see no rival any more, so the loser tells it too */
			tell_rival(node, index, actions);
			node_cause(node, index, HBD_CAUSE_OUTRANKED, HBD_REASON_PEER_OUTRANKS,
				   actions);
			return;
		}
	}
	if (rival == group->rival)
		return;
	group->rival = rival;
	if (hbd_node_holds(node, index))
		node_act(actions, HBD_ACTION_ANNOUNCE)->group = index;
	if (rival && hbd_role_owns(group->peer.role))
		tell_rival(node, index, actions);
}

enum hbd_reason node_stop_reason(const struct hbd_node *node)
{
	return node->peer_orphaned ? HBD_REASON_PEER_ORPHANED : HBD_REASON_PEER_STOPPED;
}

/* Why the peer cannot claim the group anyhow; UNSET = it could. */
static enum hbd_reason vacancy(const struct hbd_node *node, const struct hbd_group *group)
{
	const struct hbd_peer_group *peer = &group->peer;

	if (!peer->known)
		return HBD_REASON_ELECTED;
	if (peer->role == HBD_ROLE_QUIET && group->peer_owned)
		return HBD_REASON_PEER_RESTARTED;
	if (peer->role == HBD_ROLE_FAULT || (peer->flags & HBD_GROUP_FAULT_HARD))
		return HBD_REASON_PEER_FAULT;
	if (peer->role == HBD_ROLE_STOPPED)
		return node_stop_reason(node);
	/* what it hands over itself is resigned */
	if (node->peer_maintained && !(peer->flags & HBD_GROUP_RESIGNED))
		return HBD_REASON_PEER_MAINTAINED;
	return HBD_REASON_UNSET;
}

/* For all this node knows the peer may claim on silence: nothing of late was taken in there. */
static bool may_miss_us(const struct hbd_node *node)
{
	int64_t since_ns = node->now_ns - node->config->profile.hold_ns;

	return !hbd_sent_after(&node->sent, node->peer_acked, since_ns);
}

bool node_awaits_word(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];

	return node_role_stands_by(group->role) && group->unowned_since_ns != HBD_NEVER_NS &&
	       node_peer_present(node) &&
	       (node->peer_acked < group->role_hb_seq || may_miss_us(node));
}

/* How long a group may stay unowned before the worse candidate claims it. */
static int64_t unclaimed_at_ns(const struct hbd_node *node, const struct hbd_group *group)
{
	const struct hbd_profile *profile = &node->config->profile;

	return hbd_time_add(group->unowned_since_ns,
			    profile->quiet_ns + profile->grant_ns +
				    UNCLAIMED_INTERVALS * profile->interval_ns);
}

/*
 * The peer had its time. It may be about to claim this very moment, on what it was told: first it must
 * know that it may not any more.
 */
static void take_back(struct hbd_node *node, struct hbd_group *group)
{
	if (node->now_ns < group->resigned_until_ns)
		return;
	group->resigned = false;
	group->takes_back = true;
	group->role_hb_seq = node->hb_seq + 1;
	node->news = true;
}

/* The peer is heard and says it does not own: who is to claim? UNSET = not this node, not now. */
static enum hbd_reason judge_vacancy(struct hbd_node *node, struct hbd_group *group,
				     uint8_t index)
{
	enum hbd_reason reason = vacancy(node, group);
	struct hbd_rank own = own_rank(node, index);
	struct hbd_rank other = peer_rank(node, index);

	/* what is resigned to this node is not unclaimed: it may be taken back */
	if (group->unowned_since_ns == HBD_NEVER_NS || (group->peer.flags & HBD_GROUP_RESIGNED))
		group->unowned_since_ns = node->now_ns;
	if (group->peer.role == HBD_ROLE_SECONDARY && may_miss_us(node))
		return HBD_REASON_UNSET;
	/* to agree on a claim takes a peer that knows of this node's role, or it may claim too: even
	 * one with a fault, which may heal this very moment; but it is not waited for without end */
	if (node->peer_acked < group->role_hb_seq &&
	    (reason == HBD_REASON_UNSET || node->now_ns < unclaimed_at_ns(node, group)))
		return HBD_REASON_UNSET;
	if (group->takes_back)
		return HBD_REASON_NOT_TAKEN;
	if (reason != HBD_REASON_UNSET && !group->resigned)
		return reason;
	if (group->peer.flags & HBD_GROUP_RESIGNED)
		return HBD_REASON_PEER_RESIGNED;
	if (group->resigned) {
		take_back(node, group);
		return HBD_REASON_UNSET;
	}
	if (node->now_ns >= unclaimed_at_ns(node, group))
		return HBD_REASON_UNCLAIMED;
	return group->peer.role == HBD_ROLE_SECONDARY &&
	       hbd_arbiter_compare_candidates(&own, &other) > 0 ? HBD_REASON_ELECTED
								 : HBD_REASON_UNSET;
}

bool node_just_left(const struct hbd_node *node)
{
	return node->detector.gone &&
	       node->now_ns < hbd_time_add(node->detector.gone_ns,
					   node->config->profile.grant_ns);
}

static enum hbd_reason loss_reason(const struct hbd_node *node)
{
	if (!node->detector.gone)
		return HBD_REASON_PEER_SILENT;
	return node->detector.died ? HBD_REASON_PEER_DIED : node_stop_reason(node);
}

/* The peer is not heard. */
static enum hbd_reason judge_silence(const struct hbd_node *node, const struct hbd_group *group,
				     uint8_t index)
{
	if (hbd_node_is_deaf(node) || hbd_lease_is_promised(&group->lease, node->now_ns) ||
	    node->now_ns < node_silence_claim_ns(node, index) || !node_has_asked(node, index) ||
	    hbd_node_is_held_back(node, index))
		return HBD_REASON_UNSET;
	return node->heard ? loss_reason(node) : HBD_REASON_ALONE;
}

/* May this secondary claim, and why? */
static enum hbd_reason claim_reason(struct hbd_node *node, struct hbd_group *group,
				    uint8_t index)
{
	enum hbd_peer_state state = hbd_node_peer_state(node);

	/* after a stall the peer may have come back since: listen first */
	if ((state == HBD_PEER_STOPPED || state == HBD_PEER_DIED) &&
	    node->now_ns < group->hold_until_ns)
		return HBD_REASON_UNSET;
	if (node_just_left(node))
		return loss_reason(node);
	if (!node_peer_present(node)) {
		group->unowned_since_ns = HBD_NEVER_NS;
		return judge_silence(node, group, index);
	}
	/* a session was proven but the peer has not yet said what it holds */
	if (node->peer_hb_seq == 0 || node_awaits_news(node))
		return HBD_REASON_UNSET;
	if (group->peer.known && node_role_occupies(group->peer.role)) {
		group->unowned_since_ns = HBD_NEVER_NS;
		group->resigned = false;
		group->takes_back = false;
		return HBD_REASON_UNSET;
	}
	return judge_vacancy(node, group, index);
}

bool node_is_outrun(const struct hbd_group *group)
{
	return group->epoch_seen > group->epoch;
}

/* A peer that is heard would have granted a claim by now: it claims too, or says otherwise. */
static int64_t vote_over_ns(const struct hbd_node *node, const struct hbd_group *group)
{
	const struct hbd_profile *profile = &node->config->profile;

	return hbd_time_add(group->since_ns,
			    profile->grant_ns + UNCLAIMED_INTERVALS * profile->interval_ns);
}

static void judge_ballot(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	if (group->awaits_vote &&
	    (node->now_ns >= vote_over_ns(node, group) || node_is_outrun(group)))
		node_cause(node, index, HBD_CAUSE_LEASE_LOST, HBD_REASON_NO_VOTE, actions);
}

/* True if all that the claim lacks is a gateway's consent. */
static bool waits_for_gateway(struct hbd_node *node, uint8_t index, enum hbd_reason reason)
{
	struct hbd_asking *asking = &node->groups[index].asking;
	bool waits = !node_gateway_agrees(node, index, reason);

	if (!waits || node_gateway_answers(node, index))
		asking->isolated_since_ns = 0;
	else if (asking->isolated_since_ns == 0)
		asking->isolated_since_ns = node->now_ns;
	return waits;
}

static void judge_claim(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	enum hbd_reason reason;

	if (!node_role_stands_by(group->role))
		return;
	reason = claim_reason(node, group, index);
	if (node_is_holding(node))
		reason = HBD_REASON_UNSET;
	if (hbd_node_abstains(node, index))
		reason = HBD_REASON_UNSET;
	if (waits_for_gateway(node, index, reason) || !node_may_use(node, index))
		reason = HBD_REASON_UNSET;
	/* the first choice may have heard of a stranger up to a second after this node */
	if (group->unowned_since_ns != HBD_NEVER_NS &&
	    node->now_ns < hbd_time_add(node_stranger_until_ns(node, index), HBD_S_NS))
		group->unowned_since_ns = node->now_ns;
	group->wants_vote = reason != HBD_REASON_UNSET && node_lacks_vote(node, index, reason);
	if (reason == HBD_REASON_UNSET || group->wants_vote || node_asks_anew(node, index))
		return;
	if (reason == HBD_REASON_NOT_TAKEN)
		node_alert(actions, HBD_ALERT_NOT_TAKEN, HBD_SEVERITY_WARNING)->group = index;
	node_cause(node, index, HBD_CAUSE_CLAIM, reason, actions);
}

static void judge_quiet(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	int64_t quiet_ns = node->config->profile.quiet_ns;

	if (group->role != HBD_ROLE_QUIET ||
	    node->now_ns < hbd_time_add(node->started_ns, quiet_ns))
		return;
	node_hold_claims(node, group);
	node_cause(node, index, HBD_CAUSE_QUIET_OVER, HBD_REASON_QUIET_OVER, actions);
}

static void judge_retry(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];

	if (node->now_ns < group->retry_ns)
		return;
	group->retry_ns = HBD_NEVER_NS;
	node_set_fault(node, index, HBD_FAULT_TAKEOVER, false, actions);
	node_set_fault(node, index, HBD_FAULT_ADDRESS, false, actions);
}

static void judge_moves(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	/* who is about to pause begins nothing */
	if (node_is_holding(node))
		return;
	node_judge_maintenance(node, index);
	node_judge_leave(node, index);
	node_judge_failback(node, index, actions);
}

void node_judge_groups(struct hbd_node *node, struct hbd_actions *actions, bool ticking)
{
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		if (node->stopping)
			node_cause(node, i, HBD_CAUSE_STOP,
				   node->orphaned ? HBD_REASON_ORPHANED : HBD_REASON_STOP,
				   actions);
		if (ticking) {
			judge_quiet(node, i, actions);
			judge_retry(node, i, actions);
			judge_ballot(node, i, actions);
		}
		judge_faults(node, i, actions);
		if (ticking)
			judge_moves(node, i, actions);
		node_judge_handover(node, i, actions, ticking);
		judge_rival(node, i, actions);
		/* the sockets were drained before a TICK: nobody is judged on unread mail */
		if (ticking)
			judge_claim(node, i, actions);
	}
}

int64_t node_courtesy_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_peer_group *peer = &node->groups[index].peer;
	uint8_t prefer = node->config->groups[index].prefer;
	uint8_t first = prefer == HBD_NO_PREFERENCE ? 0 : prefer;

	if (first == node->config->self || (peer->known && node_role_occupies(peer->role)))
		return 0;
	return node->config->profile.grant_ns;
}

int64_t node_silence_claim_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];
	int64_t free_ns = hbd_time_max(group->lease.promised_until_ns, group->hold_until_ns);
	int64_t silent_ns = node->heard ? hbd_detector_silent_at_ns(&node->detector) :
			    hbd_time_add(node->alone_since_ns, node->config->profile.alone_ns);

	return hbd_time_add(hbd_time_max(free_ns, silent_ns), node_courtesy_ns(node, index));
}

/* When a secondary wants a look at whether it may claim. */
static int64_t claim_deadline_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];
	int64_t deadline_ns;

	if (node_peer_present(node)) {
		deadline_ns = group->resigned ? group->resigned_until_ns : HBD_NEVER_NS;
		if (group->unowned_since_ns != HBD_NEVER_NS)
			deadline_ns = hbd_time_min(deadline_ns, unclaimed_at_ns(node, group));
		return deadline_ns;
	}
	if (node_just_left(node))
		return hbd_time_max(group->lease.promised_until_ns, group->hold_until_ns);
	return node_silence_claim_ns(node, index);
}

int64_t node_group_deadline_ns(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_group *group = &node->groups[index];
	int64_t deadline_ns = hbd_time_min(node_pending(node, hbd_takeover_deadline_ns(&group->plan)),
					   node_pending(node, group->retry_ns));

	if (group->lease.held)
		deadline_ns = hbd_time_min(deadline_ns, group->lease.held_until_ns);
	if (group->awaits_vote)
		deadline_ns = hbd_time_min(deadline_ns,
					   node_pending(node, vote_over_ns(node, group)));
	if (group->role == HBD_ROLE_QUIET)
		deadline_ns = hbd_time_min(deadline_ns,
					   hbd_time_add(node->started_ns,
							node->config->profile.quiet_ns));
	if (node_role_stands_by(group->role))
		deadline_ns = hbd_time_min(deadline_ns,
					   node_pending(node, claim_deadline_ns(node, index)));
	deadline_ns = hbd_time_min(deadline_ns,
				   node_pending(node, node_handover_deadline_ns(node, index)));
	deadline_ns = hbd_time_min(deadline_ns,
				   node_pending(node, node_ask_deadline_ns(node, index)));
	return hbd_time_min(deadline_ns,
			    node_pending(node, node_conflict_deadline_ns(node, index)));
}
