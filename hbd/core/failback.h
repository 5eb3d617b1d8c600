/*
 * Failback: a group that is configured so returns to the node that is preferred for it
 * (failback = "auto"), by a planned move and never by a takeover.
 *
 * The owner decides, by its own clock: its peer is the preferred node and could have taken the group
 * at every instant since since_ns, for the whole time that is configured: alive, running, standing
 * by without a fault, of the same configuration, not in maintenance, and no worse in health. Then it
 * offers the group. Not while this node is in maintenance or stops, and not while the group is
 * damped (damping.h). A peer that did not take it is offered it again after 10 minutes, or after the
 * configured time if that is longer.
 */
#pragma once

#include <stdint.h>

struct hbd_failback {
	int64_t since_ns;		/* the peer could take it since; HBD_NEVER_NS = it could not */
};
