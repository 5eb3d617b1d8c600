/*
 * What may never happen, and what must happen in the end: judged from outside, on what a client on
 * the LAN could see and on the order of actions, never on the core's own opinion.
 *
 * The letters are those of the invariants that the design lists: S safety, L liveness.
 */
#pragma once

#include "world.h"

struct checker {
	const char *violation;		/* NULL = none so far */
	int64_t violated_ns;
	uint8_t group;
	int64_t apart_since_ns;		/* both directions of every link are cut; HBD_NEVER_NS = not */
	int64_t together_ns;		/* since when both directions carry something */
	int64_t parted_ns;		/* last instant of a total cut, or of a deaf start */
	int64_t frozen_ns;		/* last instant at which an engine did not run */
	bool starts_deaf;		/* a process began or woke while a direction was mute */
	bool deaf;			/* a process started or woke while one direction was cut */
	uint64_t lives[HBD_NODES];
	bool lease_apart[HBD_NODES][WORLD_GROUPS_MAX];	/* the lease in force was set while apart */
	bool excused[WORLD_GROUPS_MAX];	/* two owners since a total cut */
	uint64_t epoch[WORLD_GROUPS_MAX];	/* highest claimed */
	bool claimed_apart[WORLD_GROUPS_MAX];
	int64_t last_answer_ns[WORLD_GROUPS_MAX][HBD_NODES];
};

void checker_init(struct checker *checker, struct world *world);

/* After every advance of the world. */
void checker_look(struct checker *checker, const struct world *world);

/* L2, after the last fault healed and some time passed: exactly one owner, announced last. */
void checker_finish(struct checker *checker, const struct world *world);
