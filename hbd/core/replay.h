/*
 * Sequence window of one link: accepts each number once, in any order within a window
 * (RFC 6479 in spirit, with one 64-bit word).
 *
 * The caller asks only after the packet's seal has verified, so that a forged packet cannot move
 * the window. The number UINT64_MAX ends the session: after it nothing is accepted (PROTOCOL.md,
 * "last will").
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HBD_REPLAY_BITS 64

struct hbd_replay {
	uint64_t newest;	/* largest number accepted; 0 = none yet */
	uint64_t seen;		/* bit i: newest - i was accepted */
};

/*
 * Accepts seq and returns true if it is new: larger than every number before, or within the last
 * HBD_REPLAY_BITS and not seen. Returns false, and changes nothing, for 0, for a number seen
 * before and for one that is too old to tell.
 */
bool hbd_replay_accept(struct hbd_replay *replay, uint64_t seq);
