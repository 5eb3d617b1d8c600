#include "recorder.h"

#include "tables.h"

#define PACKET_TYPE_AT 5	/* in a packet's header: see PROTOCOL.md */
#define CHECK_BITS 21		/* three bytes as a number */

/* ---- what was sent ------------------------------------------------------------------------------- */

/* A handshake holds what is derived from the seed. The lengths of the others are multiples of 8. */
uint32_t flight_packet_check(const struct hbd_packet *packet)
{
	uint64_t check = packet->length;

	if (packet->bytes[PACKET_TYPE_AT] != HBD_PACKET_HEARTBEAT &&
	    packet->bytes[PACKET_TYPE_AT] != HBD_PACKET_GOODBYE)
		return 0;
	for (size_t at = 0; at + 8 <= packet->length - (size_t)HBD_TAG_BYTES; at += 8) {
		uint64_t word = 0;

		for (size_t i = 0; i < 8; i++)
			word = word << 8 | packet->bytes[at + i];
		check = (check ^ word) * 0x9e3779b97f4a7c15u;
		check ^= check >> 32;
	}
	return (uint32_t)(check & ((1u << CHECK_BITS) - 1));
}

static void put_action(struct flight_writer *writer, const struct hbd_actions *actions, size_t index,
		       int64_t now_ns)
{
	const struct hbd_action *action = &actions->items[index];

	flight_put(writer, action->type);
	flight_put_struct(writer, &flight_action_types[action->type], action, now_ns);
	if (action->type == HBD_ACTION_SEND || action->type == HBD_ACTION_WILL)
		flight_put(writer, flight_packet_check(&actions->packets[action->packet]));
}

/* Leases of many groups are renewed together. */
static bool is_next_lease(const struct hbd_action *before, const struct hbd_action *action)
{
	return action->type == HBD_ACTION_LEASE && before->type == HBD_ACTION_LEASE &&
	       action->group == before->group + 1 && action->epoch == before->epoch &&
	       action->lease.until_ns == before->lease.until_ns &&
	       action->lease.accept_ns == before->lease.accept_ns;
}

static void put_actions(struct flight_writer *writer, const struct hbd_actions *actions,
			int64_t now_ns)
{
	flight_put(writer, actions->count);
	for (size_t i = 0; i < actions->count;) {
		size_t next = i + 1;

		put_action(writer, actions, i, now_ns);
		while (next < actions->count &&
		       is_next_lease(&actions->items[next - 1], &actions->items[next]))
			next++;
		if (next > i + 1) {
			flight_put(writer, FLIGHT_ACTION_NEXT);
			flight_put(writer, next - i - 1);
		}
		i = next;
	}
}

bool flight_verdict_is_usual(const struct hbd_verdict *verdict)
{
	return verdict->receipt == HBD_RECEIPT_HEARTBEAT && !verdict->proven &&
	       !verdict->new_process && !verdict->fresh_offer;
}

/* ---- segments ------------------------------------------------------------------------------------ */

static void begin_segment(struct flight_recorder *recorder, const struct hbd_node *node)
{
	struct flight_writer *writer = &recorder->writer;
	uint64_t number;

	recorder->segment = flight_ring_next(recorder->ring, &number);
	recorder->junk = (struct flight_junk){ .possible = false };
	recorder->last_ns = node->now_ns;
	recorder->digest = node->config->config_digest;
	memset(recorder->packets, 0, sizeof(recorder->packets));
	*writer = (struct flight_writer){
		.bytes = recorder->segment->bytes,
		.room = recorder->segment_bytes ? recorder->segment_bytes
						: sizeof(recorder->segment->bytes),
	};
	/* of a process: those of one session differ too */
	flight_put(writer, node->session.own_session + node->resumed);
	flight_put_signed(writer, node->now_ns);
	flight_put_struct(writer, &flight_config_type, node->config, node->now_ns);
	flight_put_struct(writer, &flight_node_type, node, node->now_ns);
	flight_ring_show(recorder->segment, number, writer->length);
}

void flight_recorder_start(struct flight_recorder *recorder, struct flight_ring *ring,
			   const struct hbd_node *node)
{
	recorder->ring = ring;
	if (ring)
		begin_segment(recorder, node);
}

/* ---- records ------------------------------------------------------------------------------------- */

static bool is_junk(const struct hbd_event *event, const struct hbd_actions *actions)
{
	return event->type == HBD_EVENT_PACKET &&
	       actions->verdict.receipt == HBD_RECEIPT_DROPPED && actions->count == 0;
}

static bool verdicts_are_equal(const struct hbd_verdict *a, const struct hbd_verdict *b)
{
	return a->drop == b->drop && a->fresh_offer == b->fresh_offer &&
	       a->handshake_seal_failed == b->handshake_seal_failed;
}

static bool is_again(const struct flight_junk *junk, const struct hbd_event *event,
		     const struct hbd_actions *actions)
{
	return junk->possible && is_junk(event, actions) && junk->link == event->link &&
	       verdicts_are_equal(&junk->verdict, &actions->verdict);
}

static void put_junk(struct flight_recorder *recorder)
{
	if (recorder->junk.count == 0)
		return;
	flight_put(&recorder->writer, FLIGHT_RECORD_AGAIN);
	flight_put(&recorder->writer, recorder->junk.count);
	recorder->junk.count = 0;
}

static void put_digest(struct flight_recorder *recorder, const struct hbd_node *node)
{
	if (node->config->config_digest == recorder->digest)
		return;
	recorder->digest = node->config->config_digest;
	flight_put(&recorder->writer, FLIGHT_RECORD_DIGEST);
	flight_put(&recorder->writer, recorder->digest);
}

/* The usual one is a byte. */
static void put_verdict(struct flight_writer *writer, const struct hbd_verdict *verdict)
{
	bool usual = flight_verdict_is_usual(verdict);

	flight_put(writer, usual);
	if (!usual)
		flight_put_struct(writer, &flight_verdict_type, verdict, 0);
}

static void put_packet(struct flight_recorder *recorder, const struct hbd_event *event,
		       const struct hbd_verdict *verdict, int64_t now_ns)
{
	struct hbd_event copy = *event;

	/* when junk came does not matter */
	if (verdict->receipt == HBD_RECEIPT_DROPPED)
		copy.packet.received_ns = now_ns;
	flight_put_struct(&recorder->writer, &flight_event_types[HBD_EVENT_PACKET], &copy, now_ns);
	put_verdict(&recorder->writer, verdict);
	if (verdict->receipt != HBD_RECEIPT_DROPPED)
		flight_put_packet(&recorder->writer, &recorder->packets[event->link],
				  event->packet.bytes, event->packet.length - HBD_TAG_BYTES);
}

static void put_event(struct flight_recorder *recorder, const struct hbd_event *event,
		      int64_t now_ns, const struct hbd_verdict *verdict)
{
	struct flight_writer *writer = &recorder->writer;

	flight_put(writer, event->type);
	flight_put(writer, (uint64_t)(now_ns - recorder->last_ns));
	recorder->last_ns = now_ns;
	if (event->type == HBD_EVENT_PACKET)
		put_packet(recorder, event, verdict, now_ns);
	else
		flight_put_struct(writer, &flight_event_types[event->type], event, now_ns);
}

/* As it came, without its tag; of one that is too long, nothing. */
static void put_raw_packet(struct flight_writer *writer, const struct hbd_event *event)
{
	size_t length = event->packet.length > HBD_TAG_BYTES &&
			event->packet.length <= HBD_PACKET_BYTES_MAX
				? event->packet.length - HBD_TAG_BYTES : 0;

	flight_put(writer, length);
	flight_put_bytes(writer, event->packet.bytes, length);
}

void flight_recorder_expect(struct flight_recorder *recorder, const struct hbd_event *event,
			    int64_t now_ns)
{
	struct flight_writer writer;

	if (!recorder->ring)
		return;
	writer = (struct flight_writer){
		.bytes = recorder->ring->pending.bytes,
		.room = sizeof(recorder->ring->pending.bytes),
	};
	flight_put(&writer, FLIGHT_RECORD_LAST);
	flight_put(&writer, event->type);
	flight_put(&writer, (uint64_t)(now_ns - recorder->last_ns));
	flight_put_struct(&writer, &flight_event_types[event->type], event, now_ns);
	if (event->type == HBD_EVENT_PACKET)
		put_raw_packet(&writer, event);
	if (!writer.failed)
		atomic_store_explicit(&recorder->ring->pending.length, (uint32_t)writer.length,
				      memory_order_release);
}

void flight_recorder_note(struct flight_recorder *recorder, const struct hbd_node *node,
			  const struct hbd_event *event, int64_t now_ns,
			  const struct hbd_actions *actions)
{
	if (!recorder->ring)
		return;
	atomic_store_explicit(&recorder->ring->pending.length, 0, memory_order_relaxed);
	if (now_ns == recorder->last_ns && is_again(&recorder->junk, event, actions)) {
		recorder->junk.count++;
		return;
	}
	put_junk(recorder);
	put_digest(recorder, node);
	put_event(recorder, event, now_ns, &actions->verdict);
	put_actions(&recorder->writer, actions, now_ns);
	recorder->junk.possible = is_junk(event, actions);
	recorder->junk.link = event->link;
	recorder->junk.verdict = actions->verdict;
	/* one that found no room would be lost; what follows it is not */
	if (!recorder->writer.failed)
		flight_ring_commit(recorder->segment, recorder->writer.length);
	if (recorder->writer.failed ||
	    recorder->writer.room - recorder->writer.length < FLIGHT_RECORD_BYTES_MAX)
		begin_segment(recorder, node);
}
