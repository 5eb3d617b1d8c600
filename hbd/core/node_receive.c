#include "node_internal.h"

#include <assert.h>
#include <string.h>

#include "time.h"

#define MISMATCH_FAILURES 5	/* handshakes that fail the seal before we speak of another key */

/* The newest word of a peer process is void once that process is gone. */
static void forget_peer(struct hbd_node *node)
{
	node->peer_hb_seq = 0;
	node->peer_acked = 0;
	node->peer_running = false;
	for (uint8_t i = 0; i < node->config->group_count; i++)
		node->groups[i].peer.known = false;
}

/* Another process of the peer lives, so the one that was promised something is dead, and what it
 * left behind was removed before the new one spoke (PROTOCOL.md, "Restart"). */
static void take_new_process(struct hbd_node *node)
{
	forget_peer(node);
	hbd_detector_new_session(&node->detector);
	for (uint8_t i = 0; i < node->config->group_count; i++)
		hbd_lease_forget_promise(&node->groups[i].lease);
}

static void take_proof(struct hbd_node *node, const struct hbd_received *received,
		       int64_t received_ns)
{
	if (received->new_process)
		take_new_process(node);
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
	if (is_fresh(node, received_ns))
		group->hold_until_ns = 0;
	if (node_role_occupies(group->peer.role)) {
		group->peer_owned = true;
		hbd_lease_promise(&group->lease, &node->config->profile, received_ns,
				  (int64_t)heartbeat->lease_us * HBD_US_NS);
	} else {
		hbd_lease_forget_promise(&group->lease);
	}
	if (entry->epoch > group->epoch && !hbd_role_owns(group->role))
		group->epoch = entry->epoch;
}

/* What the peer says of itself; only its newest word counts, links may reorder. */
static void take_state(struct hbd_node *node, const struct hbd_heartbeat *heartbeat,
		       int64_t received_ns)
{
	if (heartbeat->hb_seq <= node->peer_hb_seq)
		return;
	node->peer_hb_seq = heartbeat->hb_seq;
	node->peer_acked = heartbeat->granted_hb_seq;
	node->peer_running = heartbeat->node_state == HBD_NODE_RUNNING;
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

/* The lease that the granted renewal asked for counts from when that was sent. */
static void take_grants(struct hbd_node *node, const struct hbd_heartbeat *heartbeat,
			struct hbd_actions *actions)
{
	int64_t end_ns = hbd_sent_lease_end(&node->sent, heartbeat->granted_hb_seq);

	for (uint16_t i = 0; i < heartbeat->group_count; i++) {
		int index = find_group(node, heartbeat->groups[i].id);

		if (index < 0 || !(heartbeat->groups[i].flags & HBD_GROUP_GRANTS))
			continue;

		struct hbd_lease *lease = &node->groups[index].lease;

		if (!lease->held || end_ns <= lease->held_until_ns)
			continue;
		hbd_lease_renew(lease, end_ns);
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

static void take_heartbeat(struct hbd_node *node, uint8_t link,
			   const struct hbd_received *received, int64_t received_ns,
			   struct hbd_actions *actions)
{
	const struct hbd_heartbeat *heartbeat = &received->heartbeat;
	bool newest = heartbeat->hb_seq > node->peer_hb_seq;

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
		int group = find_group(node, heartbeat->groups[i].id);

		if (group >= 0 && heartbeat->groups[i].epoch > node->groups[group].epoch)
			node->groups[group].epoch = heartbeat->groups[i].epoch;
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

void node_receive(struct hbd_node *node, const struct hbd_event *event,
		  struct hbd_actions *actions)
{
	int64_t received_ns = hbd_time_min(event->packet.received_ns, node->now_ns);
	struct hbd_received received;

	assert(event->link < node->config->link_count);
	hbd_session_receive(&node->session, event->link, event->packet.bytes, event->packet.length,
			    &received);
	if (received.proven)
		take_proof(node, &received, received_ns);
	/* somebody with the key is there and does not hear us: it may serve, so do not start alone */
	if (received.fresh_offer)
		node->alone_since_ns = node->now_ns;

	switch (received.receipt) {
	case HBD_RECEIPT_UNSET:
		break;
	case HBD_RECEIPT_DROPPED:
		node->detector.links[event->link].dropped[received.drop]++;
		if (received.handshake_seal_failed)
			take_seal_failure(node, actions);
		break;
	case HBD_RECEIPT_HELLO:
		node_send_answer(node, event->link, &received, actions);
		break;
	case HBD_RECEIPT_KNOCK:
		/* it may be a replay: a peer that is heard needs no handshake */
		if (!node_peer_present(node))
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
