#include "node_internal.h"

#include <assert.h>
#include <string.h>

#include "time.h"

#define JITTER_PARTS 10		/* send times are brought forward by 0 .. 1/10 of T */
#define ATTEMPT_INTERVALS 4	/* a handshake attempt lasts that many T ... */
#define ATTEMPT_NS_MIN (200 * HBD_MS_NS)	/* ... and at least this, to outlast a round trip */
#define RENEWAL_NS HBD_S_NS	/* between attempts at a session under a newer key */
#define GOODBYE_COPIES 2
#define RUNNING_PRIORITY 100
#define PREFERRED_PRIORITY 200

static uint16_t priority(const struct hbd_node *node, uint8_t group)
{
	return node->config->groups[group].prefer == node->config->self ? PREFERRED_PRIORITY
									 : RUNNING_PRIORITY;
}

/* Reserves a packet and an action that sends (or keeps) it on link. */
static struct hbd_packet *new_packet(struct hbd_actions *actions, enum hbd_action_type type,
				     uint8_t link)
{
	assert(actions->packet_count < HBD_PACKETS_MAX);

	struct hbd_action *action = node_act(actions, type);

	action->link = link;
	action->packet = (uint16_t)actions->packet_count;
	return &actions->packets[actions->packet_count++];
}

int64_t node_term_ns(const struct hbd_node *node)
{
	const struct hbd_profile *profile = &node->config->profile;

	if (node_is_holding(node) && (node_needs_votes(node) || node_peer_present(node)))
		return node->hold.term_ns;
	if (node_needs_votes(node) || (node_peer_present(node) && !node->peer_maintained))
		return profile->hold_ns;
	return profile->long_ns;
}

void node_set_lease(struct hbd_node *node, uint8_t group, struct hbd_actions *actions)
{
	const struct hbd_lease *lease = &node->groups[group].lease;
	struct hbd_action *action = node_act(actions, HBD_ACTION_LEASE);

	action->group = group;
	action->epoch = node->groups[group].epoch;
	action->lease.until_ns = lease->held ? lease->held_until_ns : node->now_ns;
	action->lease.accept_ns = action->lease.until_ns;
	if (node->groups[group].role == HBD_ROLE_DRAINING)
		action->lease.accept_ns = hbd_time_max(node->groups[group].handover.accept_ns,
						       action->lease.until_ns);
}

/*
 * True while the peer is in a position to claim the group, so that only its grants extend the
 * lease. A silent one is not: without a witness the primary must not stop because its standby
 * died (availability mode). Nor is one that is held back by what answers here.
 */
static bool peer_may_claim(const struct hbd_node *node, uint8_t group)
{
	const struct hbd_peer_group *peer = &node->groups[group].peer;

	return hbd_node_peer_state(node) == HBD_PEER_ALIVE && node->peer_running && peer->known &&
	       !(peer->flags & HBD_GROUP_HELD_BACK) && peer->role != HBD_ROLE_FAULT &&
	       peer->role != HBD_ROLE_STOPPED && peer->role != HBD_ROLE_QUIET;
}

/*
 * So far this node may extend a lease by itself. For a pause no further than from when it told of
 * it first, which the peer has taken in when the pause begins: of what is said since it may have
 * heard nothing, and nothing more is said then.
 */
static int64_t own_end_ns(const struct hbd_node *node)
{
	int64_t end_ns = hbd_time_add(node->now_ns, node_term_ns(node));

	if (node_is_holding(node) && node->hold.hb_seq != 0 && node_peer_present(node))
		end_ns = hbd_time_min(end_ns, hbd_time_add(node->hold.told_ns, node->hold.term_ns));
	return end_ns;
}

/* A renewal was sent now: extend what this node may extend by itself. */
static void renew_leases(struct hbd_node *node, struct hbd_actions *actions)
{
	int64_t end_ns = own_end_ns(node);

	for (uint8_t i = 0; i < node->config->group_count; i++) {
		struct hbd_lease *lease = &node->groups[i].lease;
		int64_t before_ns = lease->held_until_ns;
		int64_t until_ns = end_ns;

		if (!lease->held)
			continue;
		/* a long lease is cut short once the peer is back; the witness's vote stays */
		if (node_needs_votes(node) || peer_may_claim(node, i))
			until_ns = hbd_time_min(lease->granted_until_ns, until_ns);
		hbd_lease_renew(lease, until_ns);
		if (lease->held_until_ns != before_ns)
			node_set_lease(node, i, actions);
	}
}

static bool holds_a_lease(const struct hbd_node *node)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (node->groups[i].lease.held)
			return true;
	return false;
}

static uint32_t saturate_us(int64_t ns)
{
	int64_t us = ns / HBD_US_NS;

	return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static bool in_restart_silence(const struct hbd_node *node)
{
	return node->now_ns < hbd_time_add(node->started_ns, node->config->profile.quiet_ns);
}

/* A promise is told only by who could have broken it: not by an owner, not in restart silence. */
static bool grants(const struct hbd_node *node, const struct hbd_group *group)
{
	return !in_restart_silence(node) && !node_role_occupies(group->role) &&
	       group->peer.known && node_role_occupies(group->peer.role) &&
	       hbd_lease_is_promised(&group->lease, node->now_ns);
}

static const uint8_t handover_flags[] = {
	[HBD_HANDOVER_NONE] = 0,
	[HBD_HANDOVER_OFFERED] = HBD_GROUP_OFFERED,
	[HBD_HANDOVER_PREPARING] = 0,
	[HBD_HANDOVER_READY] = HBD_GROUP_READY,
	[HBD_HANDOVER_REFUSED] = HBD_GROUP_REFUSED,
};

static void fill_group(const struct hbd_node *node, uint8_t index, struct hbd_group_entry *entry)
{
	const struct hbd_group *group = &node->groups[index];
	int64_t since_s = (node->now_ns - group->since_ns) / HBD_S_NS;
	unsigned flags = 0;

	if (grants(node, group))
		flags |= HBD_GROUP_GRANTS;
	if (group->resigned && node_role_stands_by(group->role))
		flags |= HBD_GROUP_RESIGNED;
	if (group->faults & HBD_FAULTS_HARD)
		flags |= HBD_GROUP_FAULT_HARD;
	if (group->faults & HBD_FAULTS_SOFT)
		flags |= HBD_GROUP_FAULT_SOFT;
	if (hbd_node_is_answered(node, index))
		flags |= HBD_GROUP_HELD_BACK;
	flags |= handover_flags[group->handover.state];
	*entry = (struct hbd_group_entry){
		.id = node->config->groups[index].id,
		.role = (uint8_t)group->role,
		.flags = (uint8_t)flags,
		.priority = priority(node, index),
		.health = group->health,
		.epoch = group->epoch,
		.since_s = since_s > UINT32_MAX ? UINT32_MAX : (uint32_t)since_s,
	};
	memcpy(entry->station, group->asking.station, HBD_STATION_BYTES);
}

static uint8_t node_state(const struct hbd_node *node)
{
	if (node->stopping)
		return HBD_NODE_STOPPING;
	if (in_restart_silence(node))
		return HBD_NODE_QUIET;
	if (node_is_holding(node) && node->hold.peer_knows)
		return HBD_NODE_HOLDING;
	return node_tells_maintenance(node) ? HBD_NODE_MAINTENANCE : HBD_NODE_RUNNING;
}

static void fill_heartbeat(const struct hbd_node *node, struct hbd_heartbeat *heartbeat)
{
	const struct hbd_node_config *config = node->config;

	memset(heartbeat, 0, sizeof(*heartbeat));
	heartbeat->hb_seq = node->hb_seq;
	heartbeat->granted_hb_seq = node->peer_hb_seq;
	heartbeat->tx_time_us = (uint64_t)(node->now_ns / HBD_US_NS);
	heartbeat->interval_us = saturate_us(config->profile.interval_ns);
	heartbeat->lease_us = holds_a_lease(node) ? saturate_us(node_term_ns(node)) : 0;
	heartbeat->node_state = node_state(node);
	heartbeat->capabilities = HBD_CAPABILITY_HOLD;
	if (node->hold.covered)
		heartbeat->capabilities |= HBD_CAPABILITY_COVERED;
	if (node->orphaned)
		heartbeat->capabilities |= HBD_CAPABILITY_ORPHANED;
	if (heartbeat->node_state == HBD_NODE_HOLDING)
		heartbeat->lease_us = saturate_us(node->hold.term_ns);
	heartbeat->fence = node->fence;
	heartbeat->config_digest = config->config_digest;
	heartbeat->group_count = config->group_count;
	for (uint8_t i = 0; i < config->group_count; i++)
		fill_group(node, i, &heartbeat->groups[i]);
}

/* What differs between the links: what arrived there. */
static void fill_link(const struct hbd_node *node, uint8_t index, struct hbd_heartbeat *heartbeat)
{
	const struct hbd_link_state *link = &node->detector.links[index];

	heartbeat->rx_newest = link->rx_newest;
	heartbeat->rx_bitmap = link->rx_bitmap;
	heartbeat->echo_tx_time_us = link->peer_tx_time_us;
	heartbeat->echo_hold_us = link->last_rx_ns > 0 ?
				  saturate_us(node->now_ns - link->last_rx_ns) : UINT32_MAX;
}

/* One heartbeat, on every link at once. */
static void send_heartbeat(struct hbd_node *node, uint8_t flags, struct hbd_actions *actions)
{
	struct hbd_heartbeat heartbeat;

	node->hb_seq++;
	/* one that tells of no lease is promised Lg, no more */
	hbd_sent_record(&node->sent, node->hb_seq, node->now_ns,
			holds_a_lease(node) ? node_term_ns(node) : node->config->profile.hold_ns);
	renew_leases(node, actions);
	fill_heartbeat(node, &heartbeat);
	for (uint8_t link = 0; link < node->config->link_count; link++) {
		struct hbd_packet *packet = new_packet(actions, HBD_ACTION_SEND, link);

		fill_link(node, link, &heartbeat);
		packet->length = (uint16_t)hbd_session_heartbeat(&node->session, link, flags,
								  &heartbeat, packet->bytes);
	}
}

static void send_offers(struct hbd_node *node, struct hbd_actions *actions)
{
	for (uint8_t link = 0; link < node->config->link_count; link++) {
		struct hbd_packet *packet = new_packet(actions, HBD_ACTION_SEND, link);

		packet->length = (uint16_t)hbd_session_offer(&node->session, link,
							      node->config->config_digest,
							      packet->bytes);
	}
}

/* On every link: that on which the offer came may carry nothing to the peer. */
void node_send_answer(struct hbd_node *node, const struct hbd_received *received,
		      struct hbd_actions *actions)
{
	for (uint8_t link = 0; link < node->config->link_count; link++) {
		struct hbd_packet *packet = new_packet(actions, HBD_ACTION_SEND, link);

		packet->length = (uint16_t)hbd_session_answer(&node->session, link, received,
							       node->config->config_digest,
							       packet->bytes);
	}
}

void node_send_confirm(struct hbd_node *node, struct hbd_actions *actions)
{
	for (uint8_t link = 0; link < node->config->link_count; link++) {
		struct hbd_packet *packet = new_packet(actions, HBD_ACTION_SEND, link);

		packet->length = (uint16_t)hbd_session_confirm(&node->session, link,
								packet->bytes);
	}
}

static void put_goodbye(struct hbd_node *node, enum hbd_action_type type, bool will,
			struct hbd_actions *actions)
{
	struct hbd_heartbeat heartbeat;

	fill_heartbeat(node, &heartbeat);
	heartbeat.hb_seq = UINT64_MAX;
	heartbeat.node_state = HBD_NODE_STOPPING;
	for (uint8_t link = 0; link < node->config->link_count; link++) {
		struct hbd_packet *packet = new_packet(actions, type, link);

		fill_link(node, link, &heartbeat);
		packet->length = (uint16_t)hbd_session_goodbye(&node->session, link, will,
								&heartbeat, packet->bytes);
	}
}

void node_send_goodbye(struct hbd_node *node, struct hbd_actions *actions)
{
	for (int copy = 0; copy < GOODBYE_COPIES; copy++)
		put_goodbye(node, HBD_ACTION_SEND, false, actions);
}

void node_store_wills(struct hbd_node *node, struct hbd_actions *actions)
{
	node->wills_due = false;
	put_goodbye(node, HBD_ACTION_WILL, true, actions);
}

/* xorshift64 (Marsaglia 2003): spreading needs no better randomness. */
static int64_t jitter_ns(struct hbd_node *node, int64_t interval_ns)
{
	node->jitter ^= node->jitter << 13;
	node->jitter ^= node->jitter >> 7;
	node->jitter ^= node->jitter << 17;
	return (int64_t)(node->jitter % (uint64_t)(interval_ns / JITTER_PARTS));
}

/* The next send time on an absolute schedule; ticks that were missed are skipped, not made up. */
static void schedule_send(struct hbd_node *node)
{
	int64_t interval_ns = node->config->profile.interval_ns;
	int64_t gap_ns = interval_ns - jitter_ns(node, interval_ns);

	if (node->next_send_ns + gap_ns <= node->now_ns)
		node->next_send_ns = node->now_ns;
	node->next_send_ns = hbd_time_add(node->next_send_ns, gap_ns);
}

/*
 * Where renewals are answered at once, a node that renews nothing need not send twice as often as
 * its peer: an answer is its heartbeat, and the next is due when the peer's is clearly late.
 */
static void follow_peer(struct hbd_node *node)
{
	const struct hbd_profile *profile = &node->config->profile;

	if (profile->grant_at_once && !holds_a_lease(node))
		node->next_send_ns = hbd_time_add(node->now_ns,
						  profile->interval_ns + profile->interval_ns / 8);
}

/* When a lease that only the peer's grants extend is half over, and wants an answer at once. */
static int64_t lease_probe_at_ns(const struct hbd_node *node)
{
	int64_t half_ns = node->config->profile.hold_ns / 2;
	int64_t at_ns = HBD_NEVER_NS;

	for (uint8_t i = 0; i < node->config->group_count; i++) {
		const struct hbd_lease *lease = &node->groups[i].lease;

		if (lease->held && peer_may_claim(node, i))
			at_ns = hbd_time_min(at_ns, lease->held_until_ns - half_ns);
	}
	return at_ns;
}

static bool awaits_word(const struct hbd_node *node)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (node_awaits_word(node, i))
			return true;
	return false;
}

static bool wants_probe(const struct hbd_node *node)
{
	if (node_awaits_hold(node))
		return true;
	return hbd_node_peer_state(node) == HBD_PEER_SUSPICIOUS || awaits_word(node) ||
	       node->now_ns >= lease_probe_at_ns(node);
}

/*
 * A handshake is wanted while there is no session, or while its peer is not heard. Who slept for long
 * gives the peer time to be heard before it judges; but another process of its may be there by now.
 */
bool node_wants_offer(const struct hbd_node *node)
{
	return !hbd_session_is_open(&node->session) || !node_peer_present(node) ||
	       node_knows_old_news(node);
}

/* While the session lasts: a newer key or version, once the peer has it too. */
static bool wants_renewal(const struct hbd_node *node)
{
	return !node_wants_offer(node) && !node->stopping && !node_is_holding(node) &&
	       hbd_session_wants_renewal(&node->session);
}

static void send_due_renewal(struct hbd_node *node, struct hbd_actions *actions)
{
	if (!wants_renewal(node) || node->now_ns < node->next_renewal_ns)
		return;
	hbd_session_begin_renewal(&node->session);
	node->next_renewal_ns = hbd_time_add(node->now_ns, RENEWAL_NS);
	send_offers(node, actions);
}

static void send_due_offers(struct hbd_node *node, struct hbd_actions *actions)
{
	const struct hbd_profile *profile = &node->config->profile;

	send_due_renewal(node, actions);
	if (!node_wants_offer(node) || node->stopping || node->now_ns < node->next_offer_ns)
		return;
	if (node->now_ns >= node->next_attempt_ns || node->session.renews) {
		hbd_session_begin(&node->session);
		node->next_attempt_ns = hbd_time_add(node->now_ns,
						     hbd_time_max(ATTEMPT_NS_MIN,
								  ATTEMPT_INTERVALS *
									  profile->interval_ns));
	}
	node->next_offer_ns = hbd_time_add(node->now_ns, profile->interval_ns);
	send_offers(node, actions);
}

void node_send_due(struct hbd_node *node, struct hbd_actions *actions, bool ticking)
{
	bool open = hbd_session_is_open(&node->session);
	bool due = ticking && node->now_ns >= node->next_send_ns;
	bool probe = ticking && open && wants_probe(node) && node->now_ns >= node->next_probe_ns;

	if (due)
		schedule_send(node);
	if (probe)
		node->next_probe_ns = hbd_time_add(node->now_ns,
						   node->config->profile.probe_gap_ns);
	if (open && (due || probe || node->reply_due || node->news)) {
		/* a mere answer says so and gets none, or two nodes would answer without end */
		bool answer = !due && !probe && !node->news;

		if (answer)
			follow_peer(node);
		send_heartbeat(node, probe ? HBD_FLAG_PROBE : answer ? HBD_FLAG_REPLY : 0, actions);
	} else if (due) {
		renew_leases(node, actions);
	}
	node->reply_due = false;
	node->news = false;
	if (ticking)
		send_due_offers(node, actions);
}

int64_t node_send_deadline_ns(const struct hbd_node *node)
{
	int64_t deadline_ns = node->next_send_ns;

	if (node_wants_offer(node) && !node->stopping)
		deadline_ns = hbd_time_min(deadline_ns, node->next_offer_ns);
	if (wants_renewal(node))
		deadline_ns = hbd_time_min(deadline_ns, node_pending(node, node->next_renewal_ns));
	if (hbd_session_is_open(&node->session)) {
		int64_t probe_ns = hbd_node_peer_state(node) == HBD_PEER_SUSPICIOUS ||
				   awaits_word(node) || node_awaits_hold(node) ?
				   node->next_probe_ns :
				   hbd_time_max(node->next_probe_ns, lease_probe_at_ns(node));

		deadline_ns = hbd_time_min(deadline_ns, node_pending(node, probe_ns));
	}
	if (node_peer_present(node)) {
		deadline_ns = hbd_time_min(deadline_ns,
					   node_pending(node,
							hbd_detector_silent_at_ns(&node->detector)));
		if (hbd_node_peer_state(node) == HBD_PEER_ALIVE)
			deadline_ns = hbd_time_min(deadline_ns,
						   hbd_detector_suspect_at_ns(&node->detector));
	}
	return deadline_ns;
}
