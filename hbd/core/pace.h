/*
 * Does this node's clock keep pace with the peer's?
 *
 * A virtual machine may be stopped together with its clock, as a snapshot or a live migration does:
 * then its own clock has nothing to say of it, and a lease seems to last although it is over. The
 * peer's clock, which every heartbeat carries, went on. A packet's way only makes the peer's clock
 * look slower, so a peer that is suddenly ahead of all it was before means that this clock stood
 * still (or that the peer's way was slow until now, which is harmless to take for it: a lease is cut
 * short by as much).
 *
 * What it is not: a measurement of the other's clock, or of the way. It takes one decision.
 */
#pragma once

#include <stdint.h>

/* The peer's lead, in two windows, so that what is long ago does not hide what is now. */
struct hbd_pace {
	int64_t lead_ns[2];		/* largest peer clock - own clock; INT64_MIN = none */
	int64_t began_ns;		/* of the present window, index 0 */
	int64_t checked_ns;		/* of the last packet */
};

void hbd_pace_init(struct hbd_pace *pace);

/*
 * A packet that the peer sent at peer_ns of its clock came in at received_ns of ours. Returns for
 * how long our clock stood still since the packet before, or 0: less than tolerance_ns is none.
 */
int64_t hbd_pace_take(struct hbd_pace *pace, int64_t peer_ns, int64_t received_ns,
		      int64_t tolerance_ns);
