/*
 * The flight recorder: the last minutes of a node in memory, every step of it.
 *
 * A segment of the ring is
 *
 *	life, instant, configuration, node		what the steps begin from
 *	record ...
 *
 * and a record is one step: its event, the time since the one before, and the actions that followed. A
 * packet is recorded without its tag, by what the ones before on its link did not foresee, together
 * with the verdict on it; one that was dropped only by the verdict. Of the packets that were sent
 * there is a check. No key, no seed and nothing that is derived from them for long is in it.
 *
 * The step under way is kept aside until it is over, a packet as it came, without its tag.
 *
 * It allocates nothing, waits for nothing and makes no system call.
 */
#pragma once

#include "../core/node.h"
#include "number.h"
#include "ring.h"

/* Room for the longest record; a segment with less left is full. */
#define FLIGHT_RECORD_BYTES_MAX (24 * 1024)

#define FLIGHT_PACKET_WORDS (HBD_PACKET_BYTES_MAX / 4)

/* The last packet of a link, as both ends of a recording know it. */
struct flight_packet {
	size_t length;			/* a multiple of 4 */
	uint8_t bytes[HBD_PACKET_BYTES_MAX];
	uint32_t steps[FLIGHT_PACKET_WORDS];	/* from the one before, by 32 bits */
};

/* What came again and again in one instant, and changed nothing: junk. */
struct flight_junk {
	uint64_t count;		/* not yet written */
	bool possible;		/* the last record is such */
	uint8_t link;
	struct hbd_verdict verdict;
};

struct flight_recorder {
	struct flight_ring *ring;	/* NULL = nothing is recorded */
	size_t segment_bytes;		/* used of each segment; 0 = all: set before the start */
	struct flight_segment *segment;
	struct flight_writer writer;
	int64_t last_ns;		/* of the last record */
	uint64_t digest;		/* of the configuration, as written last */
	struct flight_junk junk;
	struct flight_packet packets[HBD_LINKS_MAX];
};

/* Starts with the state of node, which has just been made. ring may be NULL. */
void flight_recorder_start(struct flight_recorder *recorder, struct flight_ring *ring,
			   const struct hbd_node *node);

/* The node is about to take event at now_ns: should it not survive that, it is on record. */
void flight_recorder_expect(struct flight_recorder *recorder, const struct hbd_event *event,
			    int64_t now_ns);

/* The node has taken event at now_ns, and wants actions. */
void flight_recorder_note(struct flight_recorder *recorder, const struct hbd_node *node,
			  const struct hbd_event *event, int64_t now_ns,
			  const struct hbd_actions *actions);

/* A heartbeat, as most packets are: nothing else is said of it. */
bool flight_verdict_is_usual(const struct hbd_verdict *verdict);

/* Of what is sent, without what only the holder of a key could repeat; 0 for handshakes. */
uint32_t flight_packet_check(const struct hbd_packet *packet);

/* bytes by what last did not foresee, which becomes bytes; length is a multiple of 4. */
void flight_put_packet(struct flight_writer *writer, struct flight_packet *last,
		       const uint8_t *bytes, size_t length);
/* The other way round. False if it makes no sense. */
bool flight_get_packet(struct flight_reader *reader, struct flight_packet *last);
