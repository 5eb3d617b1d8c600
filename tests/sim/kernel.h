/*
 * A machine's kernel as hbd uses it: the table of addresses, which others use too; the fence, which
 * compares the lease with the machine's clock for every frame; and the hands, the one thread that
 * asks the kernel for something, which takes its time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../../hbd/core/action.h"

#define WORLD_GROUPS_MAX 4

struct world;

/* What the kernel does with a group's addresses. */
struct world_kernel {
	bool present;		/* the addresses are there */
	int64_t until_ns;	/* the fence lets them answer until then, on the machine's own clock */
	int64_t accept_ns;	/* and take in and answer what comes for them until then */
	int64_t announced_ns;	/* last frame that got out, world time; 0 = none in this life */
	uint64_t announced_epoch;
};

/* What the hands were asked for and have not begun, for a group. */
struct world_orders {
	uint64_t release_id;
	uint64_t acquire_id;
	bool restore;
	bool announce;
};

struct world_hands {
	bool busy;
	uint8_t group;			/* on whose orders they work */
	struct world_orders current;	/* what is left of these */
	struct world_orders orders[WORLD_GROUPS_MAX];
	int64_t slowest_ns;		/* a request to the kernel takes up to so long */
	int failure_permille;
};

void kernel_lease(struct world *world, uint8_t machine, uint8_t group, int64_t until_ns,
		  int64_t accept_ns);
void kernel_acquire(struct world *world, uint8_t machine, uint8_t group, uint64_t id);
void kernel_release(struct world *world, uint8_t machine, uint8_t group, uint64_t id);
void kernel_restore(struct world *world, uint8_t machine, uint8_t group);
void kernel_announce(struct world *world, uint8_t machine, uint8_t group);
void kernel_announce_once(struct world *world, uint8_t machine, uint8_t group);

/* JOB_HANDS, JOB_ANNOUNCE */
void kernel_finish(struct world *world, uint8_t machine);
void kernel_announce_round(struct world *world, uint8_t machine, uint8_t group, uint32_t round);

/* The engine and its hands are gone; what they were doing in the kernel is done or not. */
void kernel_drop_hands(struct world *world, uint8_t machine);

/* The guardian closes the fence and removes all addresses. */
void kernel_sweep(struct world *world, uint8_t machine);

/* Somebody else deletes the group's addresses, or adds them. The engine hears of a deletion. */
void world_delete(struct world *world, uint8_t machine, uint8_t group);
void world_add(struct world *world, uint8_t machine, uint8_t group);
