/*
 * This node is about to stop, or its machine is: what it serves goes to the peer before, by planned
 * moves (PROTOCOL.md 6.5), and it takes nothing more. Unlike maintenance that is no word that lasts,
 * and nobody is told of it but by the moves themselves.
 *
 * A peer that will be able to take a group soon, since it just started or restarts, is waited for.
 *
 * LEFT tells that nothing is left to be waited for: every group went over and its old connections
 * have ended, or the peer does not take it, or the time is over. What is still served then ends with
 * the stop, as if there had been no time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "time.h"

#define HBD_LEAVE_NS_MAX (3600 * HBD_S_NS)	/* longer ones are not asked for */

struct hbd_leave {
	bool on;
	bool told;		/* LEFT was said */
	int64_t until_ns;	/* it is said then at the latest */
};
