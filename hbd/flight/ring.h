/*
 * The memory of the recorder: segments in a ring, shared by the engine, which writes, with the scribe,
 * which copies it to a disk. Neither waits for the other.
 *
 * Every segment begins with the state of the node, so that what is left of the past after the oldest
 * one was given up can be replayed. What is committed does not change until the segment is used
 * again: whoever copies it looks at its number before and after. The memory outlives an engine; the
 * next one goes on with the next segment.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLIGHT_SEGMENTS 4
#define FLIGHT_PENDING_BYTES 1400
#define FLIGHT_SEGMENT_BYTES (224 * 1024 - 16)

struct flight_segment {
	_Atomic uint64_t number;	/* rises; 0 = never used, or being begun */
	_Atomic uint32_t length;	/* committed */
	uint8_t bytes[FLIGHT_SEGMENT_BYTES];
};

/* A record of the step under way: what a process that died in it was doing. */
struct flight_pending {
	_Atomic uint32_t length;	/* 0 = none */
	uint8_t bytes[FLIGHT_PENDING_BYTES];
};

struct flight_ring {
	struct flight_segment segments[FLIGHT_SEGMENTS];
	struct flight_pending pending;
};

/* Memory that stays where it is over a fork; NULL with errno if there is none. */
struct flight_ring *flight_ring_new(void);
void flight_ring_free(struct flight_ring *ring);

/* The segment to write next: empty, and not yet visible. ret_number: see flight_ring_show(). */
struct flight_segment *flight_ring_next(struct flight_ring *ring, uint64_t *ret_number);

/*
 * Its process is dead, perhaps in a step: the record of that becomes the end of the last segment. For
 * the guardian, which trusts no number in it.
 */
void flight_ring_bury(struct flight_ring *ring);

/* Its first length bytes are good. */
void flight_ring_show(struct flight_segment *segment, uint64_t number, size_t length);
void flight_ring_commit(struct flight_segment *segment, size_t length);

/*
 * Copies the oldest segment whose number is above after into bytes (FLIGHT_SEGMENT_BYTES). 0 if
 * there is none, or its number; then *ret_length is set.
 */
uint64_t flight_ring_copy(const struct flight_ring *ring, uint64_t after, uint8_t *bytes,
			  size_t *ret_length);
