#include "node_internal.h"

#include <assert.h>
#include <string.h>

#include "time.h"

#define STANDSTILL_NS_MIN (2 * HBD_MS_NS)
#define MISMATCH_FAILURES 5	/* handshakes that fail the seal before we speak of another key */

/* The newest word of a peer process is void once that process is gone. */
static void forget_peer(struct hbd_node *node)
{
	node->parting_acked = node->peer_acked;
	node->gone_life = node->peer_life;
	node->peer_hb_seq = 0;
	node->peer_acked = 0;
	node->peer_running = false;
	node->peer_maintained = false;
	node_forget_peer_hold(node);
	for (uint8_t i = 0; i < node->config->group_count; i++)
		node->groups[i].peer.known = false;
}

/* Another process of the peer lives, so the one that was promised something is dead, and what it
 * left behind was removed before the new one spoke (PROTOCOL.md, "Restart"). */
static void take_new_process(struct hbd_node *node)
{
	forget_peer(node);
	node->peer_absent = true;
	hbd_pace_init(&node->pace);
	hbd_detector_new_session(&node->detector, node->hb_seq);
	for (uint8_t i = 0; i < node->config->group_count; i++)
		hbd_lease_forget_promise(&node->groups[i].lease);
}

static void take_proof(struct hbd_node *node, const struct hbd_received *received,
		       int64_t received_ns)
{
	if (received->verdict.new_process)
		take_new_process(node);
	node->peer_life = node->session.running.peer_session;
	node->heard = true;
	node->wills_due = true;
	node->news = true;
	node->seal_failures = 0;
	node->mismatch &= (uint8_t)~(HBD_MISMATCH_KEY | HBD_MISMATCH_VERSION);
	hbd_detector_alive(&node->detector, received_ns);
}

/* Mail that waited while this node slept does not tell what is now. */
static bool is_fresh(const struct hbd_node *node, int64_t received_ns)
{
	return received_ns >= node->detector.evidence_from_ns;
}

static int find_group(const struct hbd_node *node, uint32_t id)
{
	for (uint8_t i = 0; i < node->config->group_count; i++)
		if (node->config->groups[i].id == id)
			return i;
	return -1;
}

static void take_group(struct hbd_node *node, struct hbd_group *group,
		       const struct hbd_group_entry *entry, const struct hbd_heartbeat *heartbeat,
		       int64_t received_ns)
{
	group->peer = (struct hbd_peer_group){
		.known = true,
		.role = (enum hbd_role)entry->role,
		.flags = entry->flags,
		.priority = entry->priority,
		.health = entry->health,
		.epoch = entry->epoch,
	};
	memcpy(group->asking.peer_station, entry->station, HBD_STATION_BYTES);
	group->handover.told_ns = received_ns;
	if (is_fresh(node, received_ns))
		group->hold_until_ns = 0;
	if (node_role_occupies(group->peer.role)) {
		group->peer_owned = true;
		hbd_lease_promise(&group->lease, &node->config->profile, received_ns,
				  (int64_t)heartbeat->lease_us * HBD_US_NS);
	} else {
		hbd_lease_forget_promise(&group->lease);
	}
	node_see_epoch(group, entry->epoch);
}

/* The term is told by who pauses, too. */
static bool any_occupied(const struct hbd_heartbeat *heartbeat)
{
	for (uint16_t i = 0; i < heartbeat->group_count; i++)
		if (node_role_occupies((enum hbd_role)heartbeat->groups[i].role))
			return true;
	return false;
}

/* What the peer says of itself; only its newest word counts, links may reorder. */
static void take_state(struct hbd_node *node, const struct hbd_heartbeat *heartbeat,
		       int64_t received_ns)
{
	if (heartbeat->hb_seq <= node->peer_hb_seq)
		return;
	node->peer_hb_seq = heartbeat->hb_seq;
	node->peer_word_ns = received_ns;
	node->peer_acked = heartbeat->granted_hb_seq;
	node->peer_running = heartbeat->node_state == HBD_NODE_RUNNING ||
			     heartbeat->node_state == HBD_NODE_HOLDING;
	node->peer_maintained = heartbeat->node_state == HBD_NODE_MAINTENANCE;
	node->peer_orphaned = heartbeat->capabilities & HBD_CAPABILITY_ORPHANED;
	node->peer_holds = heartbeat->lease_us != 0 && any_occupied(heartbeat);
	node_take_peer_hold(node, heartbeat, received_ns);
	node->peer_fence = heartbeat->fence;
	for (uint8_t i = 0; i < node->config->group_count; i++)
		node->groups[i].peer.known = false;
	for (uint16_t i = 0; i < heartbeat->group_count; i++) {
		int group = find_group(node, heartbeat->groups[i].id);

		if (group >= 0)
			take_group(node, &node->groups[group], &heartbeat->groups[i], heartbeat,
				   received_ns);
	}
	if (heartbeat->config_digest != node->config->config_digest)
		node->mismatch |= HBD_MISMATCH_CONFIG;
	else
		node->mismatch &= (uint8_t)~HBD_MISMATCH_CONFIG;
}

/*
 * The peer's vote. In restart silence it tells no promise, for it may have forgotten another. That was
 * one to this node too, or to itself, and what its former process owned is gone. So it counts where
 * votes are counted: the restart of a standby must not cost an owner its lease.
 */
static bool supports(const struct hbd_node *node, const struct hbd_group_entry *entry)
{
	return (entry->flags & HBD_GROUP_GRANTS) ||
	       (node_needs_votes(node) && entry->role == HBD_ROLE_QUIET);
}

/* The lease that the granted renewal asked for counts from when that was sent. */
static void take_grants(struct hbd_node *node, const struct hbd_heartbeat *heartbeat,
			struct hbd_actions *actions)
{
	int64_t end_ns = hbd_sent_lease_end(&node->sent, heartbeat->granted_hb_seq);

	for (uint16_t i = 0; i < heartbeat->group_count; i++) {
		int index = find_group(node, heartbeat->groups[i].id);

		if (index < 0 || !supports(node, &heartbeat->groups[i]))
			continue;

		struct hbd_group *group = &node->groups[index];

		/* a claim takes a word: the process that is gone may have owned since */
		if (group->awaits_vote && !node_is_outrun(group) &&
		    (heartbeat->groups[i].flags & HBD_GROUP_GRANTS) &&
		    heartbeat->granted_hb_seq >= group->role_hb_seq && end_ns > node->now_ns) {
			group->awaits_vote = false;
			hbd_lease_take(&group->lease, end_ns);
		} else if (group->lease.held && end_ns > group->lease.granted_until_ns) {
			hbd_lease_renew(&group->lease, end_ns);
		} else {
			continue;
		}
		node_set_lease(node, (uint8_t)index, actions);
	}
}

/* Does the peer renew a lease that this node grants? */
static bool renews_here(const struct hbd_node *node)
{
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		const struct hbd_group *group = &node->groups[i];

		if (group->peer.known && node_role_occupies(group->peer.role) &&
		    !node_role_occupies(group->role) && group->role != HBD_ROLE_QUIET)
			return true;
	}
	return false;
}

/*
 * This machine stood still, and its clock with it, as a virtual machine does that is paused or moved:
 * leases are over so much sooner, and silence meanwhile is none.
 */
static void take_standstill(struct hbd_node *node, int64_t stood_ns, struct hbd_actions *actions)
{
	node->stood_ns = hbd_time_add(node->stood_ns, stood_ns);
	hbd_sent_shift(&node->sent, stood_ns);
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		hbd_lease_shift(&node->groups[i].lease, stood_ns);
		hbd_witness_shift(&node->groups[i].witness, stood_ns);
		node->groups[i].handover.accept_ns -= stood_ns;
		if (node->groups[i].lease.held || node->groups[i].role == HBD_ROLE_DRAINING)
			node_set_lease(node, i, actions);
	}
	node_check_leases(node, actions);
	node_take_stall(node, stood_ns);
}

static void check_pace(struct hbd_node *node, const struct hbd_heartbeat *heartbeat,
		       int64_t received_ns, struct hbd_actions *actions)
{
	int64_t tolerance_ns = hbd_time_max(node->config->profile.interval_ns / 2,
					    STANDSTILL_NS_MIN);
	int64_t peer_ns, stood_ns;

	if (heartbeat->tx_time_us > INT64_MAX / 4 / HBD_US_NS)
		return;
	peer_ns = (int64_t)heartbeat->tx_time_us * HBD_US_NS;
	stood_ns = hbd_pace_take(&node->pace, peer_ns, received_ns, tolerance_ns);
	if (stood_ns > 0)
		take_standstill(node, stood_ns, actions);
}

/*
 * The peer has taken in what this process never sent: so it did send it, in a life that it knows nothing
 * of, before its machine was set back to a snapshot. Its numbers and secrets are used up.
 */
static bool lived_before(const struct hbd_node *node, const struct hbd_heartbeat *heartbeat)
{
	return heartbeat->granted_hb_seq > node->hb_seq || heartbeat->rx_newest > node->hb_seq;
}

static void take_heartbeat(struct hbd_node *node, uint8_t link,
			   const struct hbd_received *received, int64_t received_ns,
			   struct hbd_actions *actions)
{
	const struct hbd_heartbeat *heartbeat = &received->heartbeat;
	bool newest = heartbeat->hb_seq > node->peer_hb_seq;

	if (lived_before(node, heartbeat)) {
		node_act(actions, HBD_ACTION_REBORN);
		node->stopped = true;
		return;
	}
	check_pace(node, heartbeat, received_ns, actions);
	hbd_detector_heard(&node->detector, link, heartbeat, node->hb_seq, received_ns);
	take_state(node, heartbeat, received_ns);
	take_grants(node, heartbeat, actions);
	/* one answer to what came over several links */
	if (newest && ((received->header.flags & HBD_FLAG_PROBE) ||
		       (node->config->profile.grant_at_once && renews_here(node) &&
			!(received->header.flags & HBD_FLAG_REPLY))))
		node->reply_due = true;
}

static void take_epochs(struct hbd_node *node, const struct hbd_heartbeat *heartbeat)
{
	for (uint16_t i = 0; i < heartbeat->group_count; i++) {
		int index = find_group(node, heartbeat->groups[i].id);

		if (index >= 0)
			node_see_epoch(&node->groups[index], heartbeat->groups[i].epoch);
	}
}

/* The session is over: all the peer had is free. */
static void take_goodbye(struct hbd_node *node, const struct hbd_received *received,
			 int64_t received_ns)
{
	bool will = received->header.flags & HBD_FLAG_WILL;

	take_epochs(node, &received->heartbeat);
	hbd_detector_gone(&node->detector, will, received_ns);
	forget_peer(node);
	node->peer_orphaned = received->heartbeat.capabilities & HBD_CAPABILITY_ORPHANED;
	for (uint8_t i = 0; i < node->config->group_count; i++) {
		hbd_lease_forget_promise(&node->groups[i].lease);
		if (is_fresh(node, received_ns))
			node->groups[i].hold_until_ns = 0;
	}
}

/* Nobody can tell a wrong key from a forgery; it is shown, and nothing else follows from it. */
static void take_seal_failure(struct hbd_node *node, struct hbd_actions *actions)
{
	if (node_peer_present(node) || node->seal_failures > MISMATCH_FAILURES)
		return;
	if (++node->seal_failures <= MISMATCH_FAILURES)
		return;
	node->mismatch |= HBD_MISMATCH_KEY;
	node_alert(actions, HBD_ALERT_KEY_MISMATCH, HBD_SEVERITY_CRITICAL);
}

static void take_version(struct hbd_node *node, struct hbd_actions *actions)
{
	if (!(node->mismatch & HBD_MISMATCH_VERSION))
		node_alert(actions, HBD_ALERT_VERSION_MISMATCH, HBD_SEVERITY_CRITICAL);
	node->mismatch |= HBD_MISMATCH_VERSION;
}

/* In a replay without keys it was opened before. */
static void open_packet(struct hbd_node *node, const struct hbd_event *event,
			struct hbd_received *ret_received)
{
	if (event->opened == NULL) {
		hbd_session_receive(&node->session, event->link, event->packet.bytes,
				    event->packet.length, ret_received);
		return;
	}
	*ret_received = *event->opened;
	if (!hbd_session_adopt(&node->session, ret_received))
		ret_received->verdict = (struct hbd_verdict){
			.receipt = HBD_RECEIPT_DROPPED,
			.drop = HBD_DROP_STALE,
		};
}

void node_receive(struct hbd_node *node, const struct hbd_event *event,
		  struct hbd_actions *actions)
{
	int64_t received_ns = hbd_time_min(event->packet.received_ns, node->now_ns);
	struct hbd_received received;

	assert(event->link < node->config->link_count);
	open_packet(node, event, &received);
	actions->verdict = received.verdict;
	if (received.verdict.proven)
		take_proof(node, &received, received_ns);
	/* somebody with the key is there and does not hear us: it may serve, so do not start alone */
	if (received.verdict.fresh_offer)
		node->alone_since_ns = node->now_ns;

	switch (received.verdict.receipt) {
	case HBD_RECEIPT_UNSET:
		break;
	case HBD_RECEIPT_DROPPED:
		node->detector.links[event->link].dropped[received.verdict.drop]++;
		if (received.verdict.handshake_seal_failed)
			take_seal_failure(node, actions);
		break;
	case HBD_RECEIPT_HELLO:
		node_send_answer(node, &received, actions);
		break;
	case HBD_RECEIPT_KNOCK:
		/* it may be a replay: a peer that is heard needs no handshake */
		if (node_wants_offer(node))
			node->next_offer_ns = hbd_time_min(node->next_offer_ns, node->now_ns);
		break;
	case HBD_RECEIPT_ACK:
		node_send_confirm(node, actions);
		break;
	case HBD_RECEIPT_CONFIRM:
		break;
	case HBD_RECEIPT_HEARTBEAT:
		if (received.header.type == HBD_PACKET_GOODBYE)
			take_goodbye(node, &received, received_ns);
		else
			take_heartbeat(node, event->link, &received, received_ns, actions);
		break;
	case HBD_RECEIPT_VERSION:
		take_version(node, actions);
		break;
	}
}
