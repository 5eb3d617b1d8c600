/*
 * The role of a node in a group: a table of role x cause, and the order that ranks two owners.
 *
 * The table says what follows from a cause: the next role and what to start. It does not find the
 * causes: node_group.c derives them from events and instants. A cell that is UNSET means "cannot
 * happen or does not matter here": nothing is done.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "role.h"

enum hbd_cause {
	HBD_CAUSE_UNSET = 0,
	HBD_CAUSE_QUIET_OVER,	/* restart silence ended */
	HBD_CAUSE_CLAIM,	/* this node is entitled to own; the reason says why */
	HBD_CAUSE_ACQUIRED,	/* all addresses are on */
	HBD_CAUSE_ACQUIRE_FAILED,
	HBD_CAUSE_RELEASED,	/* all addresses are off */
	HBD_CAUSE_OUTRANKED,	/* the peer owns too and ranks higher */
	HBD_CAUSE_ANSWERED,	/* somebody on the LAN answers for what this node claims */
	HBD_CAUSE_ISOLATED,	/* the gateway does not answer before its addresses are on */
	HBD_CAUSE_LEASE_LOST,
	HBD_CAUSE_FAULT,	/* cannot serve, or the peer serves better: let go */
	HBD_CAUSE_HEALED,
	HBD_CAUSE_SWITCHOVER,	/* hand over, addresses first */
	HBD_CAUSE_COMMIT,	/* hand over to a peer that is ready */
	HBD_CAUSE_DRAINED,	/* what was handed over needs this node no more */
	HBD_CAUSE_STOP,
	HBD_CAUSE_COUNT
};

/* What a transition starts; bits. */
enum hbd_deed {
	HBD_DEED_NONE = 0,
	HBD_DEED_TAKEOVER = 1 << 0,	/* new epoch, lease, takeover plan */
	HBD_DEED_RELEASE = 1 << 1,	/* drop the lease, remove addresses, release plugins */
	HBD_DEED_ANNOUNCE = 1 << 2,
	HBD_DEED_RESIGN = 1 << 3,	/* tell the peer to claim */
	HBD_DEED_DRAIN = 1 << 4,	/* drop the lease; addresses stay and announce nothing */
};

struct hbd_transition {
	enum hbd_role next;	/* UNSET: stay, do nothing */
	uint8_t deeds;
};

/* role and cause must be legal, not UNSET (asserted). */
struct hbd_transition hbd_arbiter_next(enum hbd_role role, enum hbd_cause cause);

/* One side of a comparison. */
struct hbd_rank {
	uint64_t epoch;
	bool fault_hard;
	bool fault_soft;
	uint16_t health;	/* compared in classes of 100 */
	uint16_t priority;
	uint8_t node;		/* index; unequal on the two sides, so somebody always wins */
};

/*
 * Two owners met: > 0 if a keeps the group, < 0 if b does; never 0. Higher epoch, then no hard
 * fault, no soft fault, health class, priority, lower node index.
 */
int hbd_arbiter_compare_owners(const struct hbd_rank *a, const struct hbd_rank *b);

/* > 0 if a would serve better than b, < 0 if b would: by faults, then health class; 0 = equally well. */
int hbd_arbiter_compare_fitness(const struct hbd_rank *a, const struct hbd_rank *b);

/* Nobody owns: > 0 if a is to claim, < 0 if b is. As above without the epoch. */
int hbd_arbiter_compare_candidates(const struct hbd_rank *a, const struct hbd_rank *b);
