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
		.fault_soft = group->faults & HBD_FAULT_CHECK,
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

static bool peer_serves_better(const struct hbd_node *node, uint8_t index)
{
	const struct hbd_peer_group *peer = &node->groups[index].peer;
	struct hbd_rank own = own_rank(node, index);
	struct hbd_rank other = peer_rank(node, index);

	return hbd_node_peer_state(node) == HBD_PEER_ALIVE && node->peer_running && peer->known &&
	       peer->role == HBD_ROLE_SECONDARY && !other.fault_hard && !other.fault_soft &&
	       hbd_arbiter_compare_candidates(&other, &own) > 0;
}

static void judge_faults(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	bool hard = group->faults & HBD_FAULTS_HARD;
	bool soft = group->faults & HBD_FAULT_CHECK;

	if (hard && group->role != HBD_ROLE_FAULT) {
		node_cause(node, index, HBD_CAUSE_FAULT, HBD_REASON_FAULT, actions);
	} else if (!hard && group->role == HBD_ROLE_FAULT) {
		node_hold_claims(node, group);
		node_cause(node, index, HBD_CAUSE_HEALED, HBD_REASON_HEALED, actions);
	} else if (soft && group->role == HBD_ROLE_PRIMARY && peer_serves_better(node, index)) {
		node_cause(node, index, HBD_CAUSE_SWITCHOVER, HBD_REASON_FAULT, actions);
	}
}

/*
 * Two owners. The loser lets go; the winner announces at first sight and again when the loser has
 * let go, because until then neighbours' caches may still be confirmed by the loser.
 */
static void judge_rival(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	bool rival = node_peer_present(node) && group->peer.known &&
		     node_role_occupies(group->peer.role);

	if (!hbd_role_owns(group->role))
		return;
	if (rival && hbd_role_owns(group->peer.role)) {
		struct hbd_rank own = own_rank(node, index);
		struct hbd_rank other = peer_rank(node, index);

		if (hbd_arbiter_compare_owners(&own, &other) < 0) {
			/* the winner may see no rival any more, so the loser tells it too */
			node_alert(actions, HBD_ALERT_TWO_OWNERS, HBD_SEVERITY_CRITICAL)->group =
				index;
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
		node_alert(actions, HBD_ALERT_TWO_OWNERS, HBD_SEVERITY_CRITICAL)->group = index;
}

/* Why the peer cannot claim the group anyhow; UNSET = it could. */
static enum hbd_reason vacancy(const struct hbd_group *group)
{
	const struct hbd_peer_group *peer = &group->peer;

	if (!peer->known)
		return HBD_REASON_ELECTED;
	if (peer->role == HBD_ROLE_QUIET && group->peer_owned)
		return HBD_REASON_PEER_RESTARTED;
	if (peer->role == HBD_ROLE_FAULT || (peer->flags & HBD_GROUP_FAULT_HARD))
		return HBD_REASON_PEER_FAULT;
	if (peer->role == HBD_ROLE_STOPPED)
		return HBD_REASON_PEER_STOPPED;
	return HBD_REASON_UNSET;
}

/* How long a group may stay unowned before the worse candidate claims it. */
static int64_t unclaimed_at_ns(const struct hbd_node *node, const struct hbd_group *group)
{
	const struct hbd_profile *profile = &node->config->profile;

	return hbd_time_add(group->unowned_since_ns,
			    profile->quiet_ns + profile->grant_ns +
				    UNCLAIMED_INTERVALS * profile->interval_ns);
}

/* The peer is heard and says it does not own: who is to claim? UNSET = not this node, not now. */
static enum hbd_reason judge_vacancy(const struct hbd_node *node, struct hbd_group *group,
				     uint8_t index)
{
	enum hbd_reason reason = vacancy(group);
	struct hbd_rank own = own_rank(node, index);
	struct hbd_rank other = peer_rank(node, index);

	if (group->unowned_since_ns == HBD_NEVER_NS)
		group->unowned_since_ns = node->now_ns;
	/* to agree on a claim takes a peer that knows of this node's role, or it may claim too: even
	 * one with a fault, which may heal this very moment; but it is not waited for without end */
	if (node->peer_acked < group->role_hb_seq &&
	    (reason == HBD_REASON_UNSET || node->now_ns < unclaimed_at_ns(node, group)))
		return HBD_REASON_UNSET;
	if (reason != HBD_REASON_UNSET && !group->resigned)
		return reason;
	if (group->peer.flags & HBD_GROUP_RESIGNED)
		return HBD_REASON_PEER_RESIGNED;
	if (group->resigned)
		return node->now_ns >= group->resigned_until_ns ? HBD_REASON_NOT_TAKEN
								: HBD_REASON_UNSET;
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
	return node->detector.died ? HBD_REASON_PEER_DIED : HBD_REASON_PEER_STOPPED;
}

/* The peer is not heard. */
static enum hbd_reason judge_silence(const struct hbd_node *node, const struct hbd_group *group,
				     uint8_t index)
{
	const struct hbd_profile *profile = &node->config->profile;

	if (hbd_lease_is_promised(&group->lease, node->now_ns) ||
	    node->now_ns < node_silence_claim_ns(node, index) || !node_has_asked(node, index) ||
	    hbd_node_is_held_back(node, index))
		return HBD_REASON_UNSET;
	if (!node->heard)
		return node->now_ns >= hbd_time_add(node->alone_since_ns, profile->alone_ns) ?
		       HBD_REASON_ALONE : HBD_REASON_UNSET;
	return hbd_node_peer_state(node) == HBD_PEER_UNKNOWN ? HBD_REASON_UNSET : loss_reason(node);
}

/* May this secondary claim, and why? */
static enum hbd_reason claim_reason(const struct hbd_node *node, struct hbd_group *group,
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
	/* a session was proven but the peer has not yet said what it holds, or this node slept and
	 * the newest word that waited for it is an old one */
	if (node->peer_hb_seq == 0 ||
	    node->now_ns - node->detector.last_rx_ns >= node->config->profile.grant_ns)
		return HBD_REASON_UNSET;
	if (group->peer.known && node_role_occupies(group->peer.role)) {
		group->unowned_since_ns = HBD_NEVER_NS;
		group->resigned = false;
		return HBD_REASON_UNSET;
	}
	return judge_vacancy(node, group, index);
}

static void judge_claim(struct hbd_node *node, uint8_t index, struct hbd_actions *actions)
{
	struct hbd_group *group = &node->groups[index];
	enum hbd_reason reason;

	if (group->role != HBD_ROLE_SECONDARY)
		return;
	reason = claim_reason(node, group, index);
	if (reason == HBD_REASON_UNSET)
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

void node_judge_groups(struct hbd_node *node, struct hbd_actions *actions, bool ticking)
{
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		if (node->stopping)
			node_cause(node, i, HBD_CAUSE_STOP, HBD_REASON_STOP, actions);
		if (ticking) {
			judge_quiet(node, i, actions);
			judge_retry(node, i, actions);
		}
		judge_faults(node, i, actions);
		judge_rival(node, i, actions);
		/* the sockets were drained before a TICK: nobody is judged on unread mail */
		if (ticking)
			judge_claim(node, i, actions);
	}
}

/*
 * Two that do not hear each other, and neither of which served, would claim at the same instant:
 * the second choice gives the first one time to be found on the LAN.
 */
static int64_t courtesy_ns(const struct hbd_node *node, uint8_t index)
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

	return hbd_time_add(hbd_time_max(free_ns, silent_ns), courtesy_ns(node, index));
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
	if (group->role == HBD_ROLE_QUIET)
		deadline_ns = hbd_time_min(deadline_ns,
					   hbd_time_add(node->started_ns,
							node->config->profile.quiet_ns));
	if (group->role == HBD_ROLE_SECONDARY)
		deadline_ns = hbd_time_min(deadline_ns,
					   node_pending(node, claim_deadline_ns(node, index)));
	if (group->role == HBD_ROLE_SECONDARY || node_claims_on_silence(group))
		deadline_ns = hbd_time_min(deadline_ns,
					   node_pending(node, node_ask_deadline_ns(node, index)));
	return deadline_ns;
}
