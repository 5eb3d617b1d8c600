/* What fence.c, fence_table.c and fence_watch.c share. */
#pragma once

#include <assert.h>
#include <net/if.h>

#include "fence.h"
#include "fence_program.h"
#include "fence_tc.h"

struct fence_entry {
	struct hbd_address address;
	uint8_t group;
};

/* An interface that the configuration names. */
struct fence_interface {
	char name[IF_NAMESIZE];
	uint32_t groups; /* bits: whose addresses are on it */
	int ifindex;	 /* 0 = there is none of that name */
	bool attached;	 /* both programs are, and nothing is in front of them */
	bool lost_told;
	int64_t failed_ns;    /* when it was tried last in vain; 0 = never */
	int64_t displaced_ns; /* when another program was found in front; 0 = never */
	int64_t repair_told_ns; /* when a repair was logged; 0 = never */
	uint64_t repairs;	/* since then */
	char why[FENCE_WHY_BYTES]; /* why it is not attached */
};

/* What is fenced. */
struct fence_table {
	size_t entry_count, interface_count;
	struct fence_entry *entries; /* sorted by address, none twice */
	struct fence_interface *interfaces;
};

struct fence {
	struct fence_program program;
	struct fence_tc *tc;
	struct fence_tc_events *events;
	bool complete; /* the table is what the last fence_set() wanted */
	bool swept;    /* what an earlier life left was looked for */
	struct fence_table table;
	char why[IF_NAMESIZE + 2 + FENCE_WHY_BYTES];
};

static_assert(HBD_GROUPS_MAX <= 32, "groups fit the bits of an interface");

/* ---- fence_table.c ----------------------------------------------------------------------------- */

/* What conf wants; interfaces as if none had been looked at. 0 or -ENOMEM. */
int fence_table_make(const struct hbd_conf *conf, struct fence_table *ret_table);
void fence_table_free(struct fence_table *table);
/* NULL if it is not there. */
const struct fence_entry *fence_table_find(const struct fence_table *table,
					   const struct hbd_address *address);
struct fence_interface *fence_table_interface(const struct fence_table *table, const char *name);

/* ---- fence_watch.c ----------------------------------------------------------------------------- */

/* Looks at an interface, attaches what is missing, and tells; handler may be NULL. by_event: what
 * failed a moment ago is left to a later look, or our own tries would be events without end. */
void fence_watch_look(struct fence *fence, struct fence_interface *interface, bool by_event,
		      fence_news_handler handler, void *context);

/* Detaches the programs of the instance from all interfaces but the ones that keep has (may be NULL).
 * How many were detached, or the first negative errno after trying all, which was logged. */
int fence_watch_sweep(struct fence_tc *tc, const struct fence_table *keep);
