/*
 * Flap damping, in the manner of RFC 2439: how restless a group is, and whether it may be moved
 * without need.
 *
 * Every change of role in which this node begins or ends serving adds 1000 to a figure of merit,
 * 8000 at most. It decays: half of it is gone after 5 minutes, three quarters after 10 (in between
 * the line is straight). From 2500 on the group is damped, until the figure is down to 1000. So
 * three changes within a few minutes damp it for 8 minutes from the last one, and no number of them
 * for more than 15. A process begins with 0.
 *
 * While a group is damped it is not moved of the pair's own accord: no failback, and no handover
 * because a check fails or health is worse while the peer is better. Whatever somebody needs is done
 * at once: a takeover from a peer that is silent, said good-bye or has a hard fault, a release
 * because of a hard fault, an address that the kernel refuses or a lost lease, an election where
 * nobody serves, and what an operator asks for, maintenance included.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HBD_DAMPING_CHANGE 1000u
#define HBD_DAMPING_MOST 8000u
#define HBD_DAMPING_BEGIN 2500u
#define HBD_DAMPING_END 1000u
#define HBD_DAMPING_HALF_NS (300 * HBD_S_NS)

struct hbd_damping {
	uint32_t merit;			/* the figure at ... */
	int64_t counted_ns;		/* ... this instant, of the last change */
	int64_t until_ns;		/* damped until then; 0 = never was */
	bool told;			/* an alert was raised that it holds a move back */
};

/* A change happened at now_ns. */
void hbd_damping_count(struct hbd_damping *damping, int64_t now_ns);

/* The figure of merit at now_ns, not before the last change. */
uint32_t hbd_damping_merit(const struct hbd_damping *damping, int64_t now_ns);

static inline bool hbd_damping_holds(const struct hbd_damping *damping, int64_t now_ns)
{
	return now_ns < damping->until_ns;
}
