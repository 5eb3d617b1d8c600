/* What the oracle notes of what a node is told. */
#include <assert.h>
#include <string.h>

#include "../../hbd/core/time.h"
#include "oracle.h"

void oracle_forget_answers(struct oracle_group *group)
{
	group->questions = 0;
	group->asked = false;
	group->stranger_ns = 0;
}

/* After a long sleep the peer may have a long lease; after any, answers may be asked for anew. */
static void take_stall(struct oracle *oracle, int64_t late_ns, int64_t now_ns)
{
	const struct hbd_profile *profile = &oracle->config->profile;

	if (late_ns >= profile->grant_ns && !oracle->left)
		oracle->listens_until_ns = now_ns + profile->alone_ns;
	for (uint8_t i = 0; i < INSIDER_GROUPS; i++)
		oracle->groups[i].stranger_ns = 0;
}

static void take_answer(struct oracle_group *group, const uint8_t *station, int64_t now_ns)
{
	if (memcmp(station, group->station, HBD_STATION_BYTES) == 0 ||
	    memcmp(station, group->peer_station, HBD_STATION_BYTES) == 0)
		return;
	if (group->first_stranger_ns == 0)
		group->first_stranger_ns = now_ns;
	if (oracle_stands_by(group->role) && group->asked)
		group->stranger_ns = now_ns;
}

void oracle_told(struct oracle *oracle, const struct hbd_event *event, int64_t now_ns)
{
	struct oracle_group *group = &oracle->groups[event->group];

	oracle->ticking = event->type == HBD_EVENT_TICK;
	oracle->ended_id = event->type == HBD_EVENT_DONE ? event->done.id : 0;
	if (event->type == HBD_EVENT_STALLED)
		take_stall(oracle, event->stalled.late_ns, now_ns);
	else if (event->type == HBD_EVENT_STATION)
		memcpy(group->station, event->station, HBD_STATION_BYTES);
	else if (event->type == HBD_EVENT_ANSWER)
		take_answer(group, event->station, now_ns);
	else if (event->type == HBD_EVENT_GATEWAY)
		group->gateway_ns = now_ns;
	else if (event->type == HBD_EVENT_FENCE)
		oracle->fence = event->fence;
	for (uint8_t i = 0; i < INSIDER_GROUPS; i++)
		if (oracle->ended_id != 0 && oracle->groups[i].running_id == oracle->ended_id)
			oracle->groups[i].running_id = 0;
}

static void take_word(struct oracle *oracle, const struct hbd_heartbeat *heartbeat,
		      int64_t received_ns)
{
	int64_t term_ns = (int64_t)heartbeat->lease_us * HBD_US_NS;
	int64_t lasts_ns = hbd_time_max(oracle->config->profile.grant_ns,
					hbd_profile_promise_ns(term_ns));

	oracle->heard = heartbeat->hb_seq;
	oracle->word_ns = received_ns;
	oracle->listens_until_ns = 0;
	oracle->peer_running = heartbeat->node_state == HBD_NODE_RUNNING;
	for (uint8_t i = 0; i < INSIDER_GROUPS; i++) {
		const struct hbd_group_entry *entry = &heartbeat->groups[i];
		struct oracle_group *group = &oracle->groups[i];

		group->peer_role = entry->role;
		group->peer_flags = entry->flags;
		memcpy(group->peer_station, entry->station, HBD_STATION_BYTES);
		group->promised_until_ns = oracle_occupies(entry->role) ? received_ns + lasts_ns : 0;
		if (entry->epoch > group->epoch_seen)
			group->epoch_seen = entry->epoch;
	}
}

/* The peer's process is gone: its words are void, and what it was promised is free. */
static void forget(struct oracle *oracle)
{
	oracle->heard = 0;
	for (uint8_t i = 0; i < INSIDER_GROUPS; i++) {
		oracle->groups[i].promised_until_ns = 0;
		oracle->groups[i].peer_role = HBD_ROLE_UNSET;
		oracle->groups[i].peer_flags = 0;
	}
}

void oracle_heard(struct oracle *oracle, const struct hbd_verdict *verdict,
		  const struct hbd_event *event)
{
	struct hbd_heartbeat heartbeat;
	struct hbd_header header;

	if (verdict->new_process)
		forget(oracle);
	if (verdict->proven || verdict->receipt == HBD_RECEIPT_HEARTBEAT) {
		oracle->sign_ns = event->packet.received_ns;
		oracle->left = false;
		for (uint8_t i = 0; i < INSIDER_GROUPS; i++)
			oracle_forget_answers(&oracle->groups[i]);
	}
	if (verdict->receipt != HBD_RECEIPT_HEARTBEAT)
		return;
	assert(hbd_packet_decode_header(event->packet.bytes, event->packet.length, &header) ==
	       HBD_DROP_NONE);
	assert(hbd_packet_decode_heartbeat(event->packet.bytes + HBD_HEADER_BYTES,
					   header.body_bytes, &heartbeat) == 0);
	oracle->granted_until_ns = hbd_time_max(
		oracle->granted_until_ns,
		oracle->renews_until_ns[heartbeat.granted_hb_seq % ORACLE_SENT_MAX]);
	if (heartbeat.hb_seq > oracle->heard)
		take_word(oracle, &heartbeat, event->packet.received_ns);
	if (header.type == HBD_PACKET_GOODBYE) {
		forget(oracle);
		oracle->listens_until_ns = 0;
		oracle->left = true;
	}
}

void oracle_written(struct oracle *oracle, const struct hbd_action *request, int64_t sent_ns)
{
	struct oracle_group *group = &oracle->groups[request->group];

	if (request->witness.record.holder == oracle->config->self)
		group->written_until_ns = sent_ns + oracle->config->profile.long_ns;
}
