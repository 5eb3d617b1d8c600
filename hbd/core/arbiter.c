#include "arbiter.h"

#include <assert.h>

#define HEALTH_CLASS 100

/* clang-format off */
#define GO(role, deeds) { HBD_ROLE_##role, (deeds) }
#define TAKE HBD_DEED_TAKEOVER
#define FREE HBD_DEED_RELEASE
#define HAND (HBD_DEED_RELEASE | HBD_DEED_RESIGN)
#define SHOW HBD_DEED_ANNOUNCE
#define KEEP (HBD_DEED_DRAIN | HBD_DEED_RESIGN)

static const struct hbd_transition table[HBD_ROLE_COUNT][HBD_CAUSE_COUNT] = {
	[HBD_ROLE_QUIET] = {
		[HBD_CAUSE_QUIET_OVER]     = GO(SECONDARY, 0),
		[HBD_CAUSE_FAULT]          = GO(FAULT, 0),
		[HBD_CAUSE_STOP]           = GO(STOPPED, 0),
	},
	[HBD_ROLE_SECONDARY] = {
		[HBD_CAUSE_CLAIM]          = GO(CLAIMING, TAKE),
		[HBD_CAUSE_FAULT]          = GO(FAULT, 0),
		[HBD_CAUSE_STOP]           = GO(STOPPED, 0),
	},
	[HBD_ROLE_CLAIMING] = {
		[HBD_CAUSE_ACQUIRED]       = GO(PRIMARY, SHOW),
		[HBD_CAUSE_ACQUIRE_FAILED] = GO(RELEASING, FREE),
		[HBD_CAUSE_OUTRANKED]      = GO(RELEASING, FREE),
		[HBD_CAUSE_ANSWERED]       = GO(RELEASING, FREE),
		[HBD_CAUSE_ISOLATED]       = GO(RELEASING, FREE),
		[HBD_CAUSE_LEASE_LOST]     = GO(RELEASING, FREE),
		[HBD_CAUSE_FAULT]          = GO(RELEASING, FREE),
		[HBD_CAUSE_STOP]           = GO(RELEASING, FREE),
	},
	[HBD_ROLE_PRIMARY] = {
		[HBD_CAUSE_ACQUIRE_FAILED] = GO(RELEASING, FREE),
		[HBD_CAUSE_OUTRANKED]      = GO(RELEASING, FREE),
		[HBD_CAUSE_LEASE_LOST]     = GO(RELEASING, FREE),
		[HBD_CAUSE_FAULT]          = GO(RELEASING, FREE),
		[HBD_CAUSE_SWITCHOVER]     = GO(RELEASING, HAND),
		[HBD_CAUSE_COMMIT]         = GO(DRAINING, KEEP),
		[HBD_CAUSE_STOP]           = GO(RELEASING, FREE),
	},
	[HBD_ROLE_DRAINING] = {
		[HBD_CAUSE_CLAIM]          = GO(CLAIMING, TAKE),
		[HBD_CAUSE_DRAINED]        = GO(RELEASING, FREE),
		[HBD_CAUSE_FAULT]          = GO(RELEASING, FREE),
		[HBD_CAUSE_STOP]           = GO(RELEASING, FREE),
	},
	[HBD_ROLE_RELEASING] = {
		[HBD_CAUSE_RELEASED]       = GO(SECONDARY, 0),
	},
	[HBD_ROLE_FAULT] = {
		[HBD_CAUSE_HEALED]         = GO(SECONDARY, 0),
		[HBD_CAUSE_STOP]           = GO(STOPPED, 0),
	},
};
/* clang-format on */

struct hbd_transition hbd_arbiter_next(enum hbd_role role, enum hbd_cause cause)
{
	assert(role > HBD_ROLE_UNSET && role < HBD_ROLE_COUNT);
	assert(cause > HBD_CAUSE_UNSET && cause < HBD_CAUSE_COUNT);
	return table[role][cause];
}

/* > 0 if a is larger. */
static int compare(uint64_t a, uint64_t b)
{
	return a > b ? 1 : a < b ? -1 : 0;
}

int hbd_arbiter_compare_fitness(const struct hbd_rank *a, const struct hbd_rank *b)
{
	int order = compare(b->fault_hard, a->fault_hard);

	if (order == 0)
		order = compare(b->fault_soft, a->fault_soft);
	if (order == 0)
		order = compare(a->health / HEALTH_CLASS, b->health / HEALTH_CLASS);
	return order;
}

int hbd_arbiter_compare_candidates(const struct hbd_rank *a, const struct hbd_rank *b)
{
	int order = hbd_arbiter_compare_fitness(a, b);

	assert(a->node != b->node);
	if (order == 0)
		order = compare(a->priority, b->priority);
	if (order == 0)
		order = compare(b->node, a->node);
	return order;
}

int hbd_arbiter_compare_owners(const struct hbd_rank *a, const struct hbd_rank *b)
{
	int order = compare(a->epoch, b->epoch);

	return order != 0 ? order : hbd_arbiter_compare_candidates(a, b);
}
