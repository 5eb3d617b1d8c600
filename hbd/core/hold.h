/*
 * A pause between two processes of one node (PROTOCOL.md 6.6): the peer is told that this node will be
 * silent, and for how long at most, and has taken that in before it begins.
 *
 * What an owner tells is a lease with another term, so the peer's promise and the fence cover the pause
 * as they cover any silence. Who stands by tells it so that nobody is alarmed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "time.h"

#define HBD_PAUSE_NS_MAX (60 * HBD_S_NS)	/* longer ones are not asked for, nor believed */

struct hbd_hold {
	int64_t term_ns;	/* this node is about to pause for so long at most; 0 = it is not */
	int64_t give_up_ns;	/* then it does not wait for the peer any longer */
	int64_t told_ns;	/* when it told it, with nothing under way */
	uint64_t hb_seq;	/* by this heartbeat; 0 = not yet */
	bool over;		/* HELD was said: it may pause */
	bool peer_knows;	/* the peer understands the state "holding" */
	int64_t peer_until_ns;	/* the peer pauses until then; 0 = it does not */
	bool peer_covered;	/* the peer's leases last without this node's grants, as it told */
	bool covered;		/* this node's do without the peer's, while the peer pauses */
};
